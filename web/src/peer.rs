//! Who sent a request: the other end of its connection, or whom a trusted reverse proxy names.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;

/// The other end of a request's connection, put beside it by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The reverse proxies whose word is taken. Without them everybody behind a proxy has its one address, and whoever
/// guesses at a password slows down all the others.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Arc<[IpAddr]>);

impl Proxies {
    /// The proxies at these addresses.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }

    /// Whether one of them is at this address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Who sent a request that came from `peer`: each proxy adds to `X-Forwarded-For` whom it was asked by, so it is
    /// the last one that is no proxy of ours. What stands before it anybody may have written.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let named = headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
        let named: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
        for name in named.iter().rev() {
            let (true, Ok(address)) = (self.0.contains(&client), name.trim().parse::<IpAddr>()) else { break };
            client = address.to_canonical();
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a value"));
        }
        Proxies::new(proxies.iter().copied().map(address)).client(address(peer), &headers).to_string()
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_nobody_else_does() {
        let proxy = "10.0.0.1";
        assert_eq!(client(&[proxy], proxy, &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client(&[], proxy, &["192.0.2.7"]), proxy, "no proxy is trusted");
        assert_eq!(client(&[proxy], "192.0.2.9", &["192.0.2.7"]), "192.0.2.9", "it did not come from the proxy");
        assert_eq!(client(&[proxy], proxy, &[]), proxy);
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        let proxy = "10.0.0.1";
        assert_eq!(client(&[proxy], proxy, &["203.0.113.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(client(&[proxy], proxy, &["203.0.113.1", "192.0.2.7"]), "192.0.2.7");
        assert_eq!(client(&[proxy], proxy, &["192.0.2.7, nonsense"]), proxy);
        assert_eq!(client(&[proxy, "10.0.0.2"], proxy, &["203.0.113.1, 192.0.2.7, ::ffff:10.0.0.2"]), "192.0.2.7");
    }
}
