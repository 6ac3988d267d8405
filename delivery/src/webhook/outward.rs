//! The addresses that a URL of somebody else's may lead to.

use std::io;
use std::net::IpAddr;

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Finds the addresses of a name, and refuses those of this machine and its own network segment. What is given here is
/// what is connected to, so a name that leads elsewhere a moment later gains nothing.
#[derive(Debug, Default)]
pub(super) struct Outward(DefaultResolver);

impl Resolver for Outward {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.resolve(uri, config, timeout)?;
        match found.iter().find(|address| !is_outward(address.ip())) {
            None => Ok(found),
            Some(inward) => {
                let reason =
                    format!("it leads to {}, and webhooks may not call this machine and its own segment", inward.ip());
                Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, reason)))
            }
        }
    }
}

/// Whether an address is one of another machine, beyond this network segment.
fn is_outward(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let is_nowhere = v4.octets()[0] == 0;
            !(v4.is_loopback() || v4.is_link_local() || is_nowhere || v4.is_multicast() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_its_segment_are_not_outward_however_they_are_written() {
        let inward = [
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "fe80::1",
            "0.0.0.0",
            "::",
            "0.1.2.3",
        ];
        for address in inward {
            assert!(!is_outward(address.parse().expect("an address")), "{address}");
        }
        for address in ["10.0.0.5", "192.168.1.9", "93.184.216.34", "2001:db8::1", "fd00::1"] {
            assert!(is_outward(address.parse().expect("an address")), "{address}");
        }
    }
}
