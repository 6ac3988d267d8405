//! How many connections come from one address: one that opens them all would keep everybody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::rate::block;

/// The open connections by the address that they come from.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The place of a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    from: IpAddr,
}

impl Crowd {
    /// At most so many from one address.
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// A place for a connection from an address, or from its block of IPv6; none where all of them are taken.
    pub(super) fn enter(&self, from: IpAddr) -> Option<Place> {
        let from = block(from);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(from).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: self.clone(), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.crowd.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_its_neighbour_its_own() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let crowd = Crowd::new(2);
        let first = crowd.enter(address("192.0.2.1")).expect("a place");
        let _second = crowd.enter(address("192.0.2.1")).expect("another");
        assert!(crowd.enter(address("192.0.2.1")).is_none());
        let neighbour = crowd.enter(address("192.0.2.2")).expect("its own");
        drop(first);
        assert!(crowd.enter(address("192.0.2.1")).is_some(), "who goes makes room");
        drop(neighbour);
        assert_eq!(crowd.open.lock().expect("whole").len(), 1, "who has none open is forgotten");
        let _block = ["2001:db8::1", "2001:db8::2"].map(|one| crowd.enter(address(one)).expect("a place"));
        assert!(crowd.enter(address("2001:db8::3")).is_none(), "a block of IPv6 is one customer's");
    }
}
