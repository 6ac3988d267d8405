//! The proxy that lets requests to the central server out of a network.

use std::fmt;

use seatline_protocol::pairing::is_on_this_machine;
use ureq::{Proxy, ProxyProtocol};

/// Which proxy requests to the central server pass. It shows nobody's password.
#[derive(Clone, Default)]
pub struct OutboundProxy(Way);

#[derive(Clone, Default)]
enum Way {
    #[default]
    Environment,
    Direct,
    By(Proxy),
}

/// Where the proxy comes from: it is asked before each request, so that a password can be renewed without a restart. An
/// error is one line, without a secret.
pub type ProxySource = Box<dyn Fn() -> Result<OutboundProxy, String> + Send + Sync>;

impl OutboundProxy {
    /// The one that the environment names by `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, but for the hosts of
    /// `NO_PROXY`, and for a central server on this machine: a proxy would look for that on its own.
    pub fn of_environment() -> Self {
        Self(Way::Environment)
    }

    /// None, whatever the environment names.
    pub fn none() -> Self {
        Self(Way::Direct)
    }

    /// The one at `url`, such as `http://proxy.example.org:3128`, where `user` signs in with a password, if anybody
    /// must.
    ///
    /// # Errors
    /// What is wrong with the URL, as the end of a sentence that begins with its place.
    pub fn at(url: &str, user: Option<(&str, &str)>) -> Result<Self, &'static str> {
        let proxy = Proxy::new(url).map_err(|_| RULE)?;
        if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) || !url.contains("://") {
            return Err(RULE);
        }
        if proxy.username().is_some() || proxy.password().is_some() {
            return Err("holds a user or a password: they have places of their own");
        }
        let is_bare = |path: &str| path.is_empty() || path == "/";
        if proxy.host().is_empty() || !is_bare(proxy.uri().path()) || proxy.uri().query().is_some() {
            return Err(RULE);
        }
        let Some((user, password)) = user else { return Ok(Self(Way::By(proxy))) };
        let signed_in = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
        let signed_in = signed_in.username(user).password(password).build();
        signed_in.map(|proxy| Self(Way::By(proxy))).map_err(|_| "has a user or a password that cannot be sent")
    }

    /// The proxy for ureq, on the way to `url`.
    pub(crate) fn proxy_for(&self, url: &str) -> Option<Proxy> {
        match &self.0 {
            Way::Environment if is_on_this_machine(url) => None,
            Way::Environment => Proxy::try_from_env(),
            Way::Direct => None,
            Way::By(proxy) => Some(proxy.clone()),
        }
    }

    /// The proxy that is asked for `url`, for an administrator.
    pub fn name_for(&self, url: &str) -> Option<String> {
        let proxy = self.proxy_for(url)?;
        if url.parse().is_ok_and(|url| proxy.is_no_proxy(&url)) {
            return None;
        }
        let scheme = if proxy.protocol() == ProxyProtocol::Https { "https" } else { "http" };
        Some(format!("{scheme}://{}:{}", proxy.host(), proxy.port()))
    }
}

/// What a proxy's URL must be.
const RULE: &str = "must be the URL of a proxy, such as http://proxy.example.org:3128";

impl fmt::Debug for OutboundProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Environment => f.write_str("OutboundProxy(of the environment)"),
            Way::Direct => f.write_str("OutboundProxy(none)"),
            Way::By(proxy) => write!(f, "OutboundProxy({}:{})", proxy.host(), proxy.port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_of_a_host_and_nothing_else() {
        for (url, name) in [
            ("http://proxy.example.org:3128", "http://proxy.example.org:3128"),
            ("http://192.0.2.1:3128/", "http://192.0.2.1:3128"),
            ("https://proxy.example.org", "https://proxy.example.org:443"),
        ] {
            let proxy = OutboundProxy::at(url, Some(("wiki", "p@ss:/%?"))).expect(url);
            for url in ["https://licenses.example.org", "http://127.0.0.1:8095"] {
                assert_eq!(proxy.name_for(url).as_deref(), Some(name), "whatever is said leads anywhere");
            }
            let inner = proxy.proxy_for("https://licenses.example.org").expect("a proxy");
            assert_eq!((inner.username(), inner.password()), (Some("wiki"), Some("p@ss:/%?")));
            assert!(!format!("{proxy:?}").contains("p@ss"));
        }
        let odd = ["", "proxy", "proxy:3128", "socks5://proxy:1080", "http://", "http://proxy/path", "http://proxy/?q"];
        for url in odd {
            assert_eq!(OutboundProxy::at(url, None).map(drop), Err(RULE), "{url}");
        }
        let named = OutboundProxy::at("http://wiki:hunter2@proxy:3128", None).map(drop).expect_err("a password");
        assert!(!named.contains("hunter2"), "{named}");
    }
}
