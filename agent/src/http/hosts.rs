//! The names that the agent is called by. A site on the internet can let its own name point to this machine (DNS
//! rebinding); then a browser here takes the agent for a part of that site. So only requests that call the agent by a
//! name of its own are answered.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use seatline_protocol::text;
use seatline_web::ApiError;

use crate::config::Http;

/// The names that the agent is called by.
#[derive(Debug, Clone)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// Those of this machine, and those that are configured.
    pub fn new(http: &Http) -> Self {
        let authority = |url: &String| url.split_once("://").map(|(_, authority)| authority.to_ascii_lowercase());
        let public = http.public_url.as_ref().and_then(authority);
        let public = public.and_then(|authority| authority.parse::<Authority>().ok());
        let public = public.map(|authority| authority.host().to_owned());
        Self(["localhost".to_owned()].into_iter().chain(public).chain(http.hosts.iter().cloned()).collect())
    }

    /// Whether a request that names `host` means this agent. An IP address always does, as nobody can let it point
    /// elsewhere; ports make no difference to a browser that was misled.
    fn hold(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        // Behind the brackets of an address the parser stops listening.
        let is_whole = host.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':'));
        let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        !host.contains('@') && is_whole && (is_address || self.0.iter().any(|known| name.eq_ignore_ascii_case(known)))
    }
}

/// Refuses requests that call the agent by a name that is not its own.
pub async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let named = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let target = request.uri().authority().map(Authority::as_str);
    let named: Vec<&str> = named.chain(target).collect();
    match named.iter().find(|host| !hosts.hold(host)) {
        None if !named.is_empty() => next.run(request).await,
        unknown => refuse(unknown.copied().unwrap_or_default()).into_response(),
    }
}

fn refuse(host: &str) -> ApiError {
    let host = text::line(host, 100);
    let message = format!("this agent is not called `{host}`: call it localhost, or add the name to `hosts` of [http]");
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_and_addresses_are_ours() {
        let http = Http {
            public_url: Some("https://Seatline.example.org:8443".into()),
            hosts: vec!["seatline".into()],
            ..Http::default()
        };
        let hosts = Hosts::new(&http);
        for ours in [
            "localhost",
            "LOCALHOST:8096",
            "127.0.0.1:8096",
            "[::1]:8096",
            "192.0.2.1",
            "seatline.example.org",
            "seatline.example.org:8443",
            "seatline:8096",
        ] {
            assert!(hosts.hold(ours), "{ours}");
        }
        for other in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:8096",
            "evil.example@localhost",
            "localhost@evil.example",
            "localhost/evil",
            "localhost evil",
            "[::1].evil.example",
        ] {
            assert!(!hosts.hold(other), "{other}");
        }
    }
}
