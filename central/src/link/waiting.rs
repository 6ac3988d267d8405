//! Who waits for news: one place for each link, bounded in all, and one query a second for all of them.
//!
//! What is changed by this process wakes its product at once. What another replica or the command line has changed is
//! found in the database, which is asked once a second for the links that there is news of; where nobody waits, it is
//! not asked. A link that is told of several times costs a look at its row each time, and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use seatline_protocol::LinkId;
use seatline_web::Repeated;
use tokio::sync::oneshot;

use crate::central::Central;

/// How many products may wait where nothing else is said. Each holds a connection, and about ten KiB with it.
pub const DEFAULT_PLACES: usize = 4096;
/// How often the database is asked.
const TICK: Duration = Duration::from_secs(1);
/// How far back it is asked: another replica's clock may be behind, and its commit may have taken its time.
const LOOK_BACK: SignedDuration = SignedDuration::from_secs(30);
/// The most news that one look takes. A change of more links at once is found by their products when their time is
/// over.
const MOST_NEWS: u32 = 10_000;

/// The places of those who wait. Its clones are one.
#[derive(Debug, Clone)]
pub struct Waiting(Arc<Mutex<Places>>);

#[derive(Debug)]
struct Places {
    most: usize,
    taken: HashMap<LinkId, Place>,
    /// Tells the places of one link apart.
    next: u64,
    is_watched: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct Place {
    number: u64,
    wake: oneshot::Sender<Woken>,
}

/// Why somebody waits no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// There may be news.
    News,
    /// Somebody else waits for the same link now, or the server ends.
    Over,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Ticket {
    waiting: Waiting,
    link: LinkId,
    number: u64,
    /// Comes when there is a reason to look.
    pub woken: oneshot::Receiver<Woken>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut places = self.waiting.lock();
        if places.taken.get(&self.link).is_some_and(|place| place.number == self.number) {
            places.taken.remove(&self.link);
        }
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Self::with_places(DEFAULT_PLACES)
    }
}

impl Waiting {
    /// Room for so many.
    pub fn with_places(most: usize) -> Self {
        let places = Places { most, taken: HashMap::new(), next: 0, is_watched: false, is_closed: false };
        Self(Arc::new(Mutex::new(places)))
    }

    /// Makes room for so many from now on.
    pub fn set_places(&self, most: usize) {
        self.lock().most = most;
    }

    /// A place for a link; whoever has waited for it gives way. None where all are taken.
    pub fn enter(&self, link: &LinkId) -> Option<Ticket> {
        let (wake, woken) = oneshot::channel();
        let mut places = self.lock();
        let is_full = places.taken.len() >= places.most && !places.taken.contains_key(link);
        if is_full || places.is_closed {
            return None;
        }
        let number = places.next;
        places.next += 1;
        if let Some(before) = places.taken.insert(link.clone(), Place { number, wake }) {
            // Who has gone meanwhile needs no answer.
            let _ = before.wake.send(Woken::Over);
        }
        Some(Ticket { waiting: self.clone(), link: link.clone(), number, woken })
    }

    /// Wakes the product of a link, if it waits.
    pub fn wake(&self, link: &LinkId) {
        if let Some(place) = self.lock().taken.remove(link) {
            let _ = place.wake.send(Woken::News);
        }
    }

    /// Lets all go, and lets nobody in any more: the server ends.
    pub fn close(&self) {
        let mut places = self.lock();
        places.is_closed = true;
        for (_, place) in places.taken.drain() {
            let _ = place.wake.send(Woken::Over);
        }
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.lock().taken.len()
    }

    /// Lets the database be asked for news for as long as somebody waits, by one task.
    pub fn watch(&self, central: &Central) {
        if std::mem::replace(&mut self.lock().is_watched, true) {
            return;
        }
        let (waiting, central) = (self.clone(), central.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if waiting.is_over() {
                    return;
                }
                waiting.look(&central).await;
            }
        });
    }

    /// Whether nobody waits, so that the task that watches ends.
    fn is_over(&self) -> bool {
        let mut places = self.lock();
        places.is_watched = !places.taken.is_empty();
        !places.is_watched
    }

    async fn look(&self, central: &Central) {
        match central.store().news_since(central.now() - LOOK_BACK, MOST_NEWS).await {
            Ok(news) => news.iter().for_each(|news| self.wake(&news.link)),
            Err(error) => {
                static NO_NEWS: Repeated = Repeated::new();
                if let Some(left_out) = NO_NEWS.due() {
                    let code = error.code();
                    tracing::warn!(code, left_out, "news for products that wait cannot be looked for: {error}");
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(n: u8) -> LinkId {
        LinkId::from_random([n; 24])
    }

    #[test]
    fn who_waits_for_a_link_gives_way_to_who_comes_after_and_a_gone_one_leaves_its_place() {
        let waiting = Waiting::with_places(2);
        let mut first = waiting.enter(&link(1)).expect("a place");
        let mut again = waiting.enter(&link(1)).expect("the same place");
        assert_eq!(first.woken.try_recv(), Ok(Woken::Over));
        drop(first);
        assert_eq!(waiting.count(), 1, "the place is the other one's");
        let second = waiting.enter(&link(2)).expect("a place");
        assert!(waiting.enter(&link(3)).is_none(), "all are taken");
        assert!(waiting.enter(&link(2)).is_some(), "but who has one may come again");
        drop(second);
        waiting.wake(&link(1));
        assert_eq!(again.woken.try_recv(), Ok(Woken::News));
    }

    #[test]
    fn nobody_waits_when_the_server_ends() {
        let waiting = Waiting::default();
        let mut one = waiting.enter(&link(1)).expect("a place");
        waiting.close();
        assert_eq!(one.woken.try_recv(), Ok(Woken::Over));
        assert!(waiting.enter(&link(2)).is_none());
    }
}
