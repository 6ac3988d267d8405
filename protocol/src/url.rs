//! Which URL may be linked.
//!
//! A URL is read here by fewer rules than any client knows, so that no two programs can read it as two different hosts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most characters of a URL.
const MAX_URL: usize = 500;

/// Whether `url` may be linked: `https`, or `http` on the loopback interface; a host by name or address, perhaps a port
/// and a path; and nothing that could send the documents elsewhere: no user name, query or fragment, no path that
/// climbs.
///
/// A name in another script is written in its `xn--` form. The scheme is in lower case.
///
/// # Errors
/// One line that names the rule.
///
/// ```
/// use seatline_protocol::pairing::check_url;
///
/// assert!(check_url("https://licenses.example.org/seatline").is_ok());
/// assert!(check_url("http://127.0.0.1:8095").is_ok());
/// assert!(check_url("http://127.0.0.1.evil.example").is_err());
/// ```
pub fn check_url(url: &str) -> Result<(), String> {
    let (scheme, rest) = url.split_once("://").ok_or("the URL must begin with https://")?;
    if url.len() > MAX_URL {
        return Err(format!("the URL must have at most {MAX_URL} characters"));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_loopback = authority_is_loopback(authority).ok_or(
        "the URL must be of the form https://host:port/path, with a host name of a-z 0-9 - _ . or an IP address, \
         and without user name, query or fragment",
    )?;
    if !is_plain_path(path) {
        return Err("the path of the URL must have plain characters, and no empty, `.` or `..` parts".to_owned());
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        "http" => Err("the URL must begin with https:// (http:// is for the loopback interface alone)".to_owned()),
        _ => Err("the URL must begin with https://".to_owned()),
    }
}

/// Whether a URL that may be linked leads to this machine by its host alone, whatever a name server says.
///
/// ```
/// use seatline_protocol::pairing::is_on_this_machine;
///
/// assert!(is_on_this_machine("https://localhost:8095/seatline"));
/// assert!(!is_on_this_machine("https://licenses.example.org"));
/// ```
pub fn is_on_this_machine(url: &str) -> bool {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    authority.and_then(authority_is_loopback).unwrap_or_default()
}

/// Whether a host and perhaps a port stand for the loopback interface; none if they are no host and port.
fn authority_is_loopback(authority: &str) -> Option<bool> {
    let (is_loopback, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.is_loopback(), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (host_is_loopback(host)?, port)
        }
    };
    match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse::<u16>().ok().filter(|port| *port > 0)?
        }
        Some(_) => return None,
        None if port.is_empty() => 0,
        None => return None,
    };
    Some(is_loopback)
}

fn host_is_loopback(host: &str) -> Option<bool> {
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(address).is_loopback());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Some clients take `127.1`, `0x7f.1` and `2130706433` for addresses: a name never ends in a number.
    let last = host.rsplit('.').next()?;
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    (host.len() <= 253 && host.split('.').all(is_label) && !is_number).then(|| host.eq_ignore_ascii_case("localhost"))
}

/// Whether a path has parts of plain characters, none of them empty but the last.
fn is_plain_path(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let filled = parts.split_last().map_or(&parts[..], |(last, rest)| if last.is_empty() { rest } else { &parts });
    filled.iter().all(|part| !matches!(*part, "" | "." | "..") && is_plain_part(part))
}

/// Whether a part of a path has unreserved characters (RFC 3986, section 2.3), the harmless ones of the others, and
/// escapes that hide neither a dot or a slash nor a control character.
fn is_plain_part(part: &str) -> bool {
    let mut pieces = part.split('%');
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | ',' | '=' | '(' | ')');
    let is_escape = |piece: &str| {
        let code = piece.get(..2).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        byte.is_some_and(|byte| !byte.is_ascii_control() && !matches!(byte, b'.' | b'/' | b'\\' | b'%'))
            && piece[2..].chars().all(is_plain)
    };
    pieces.next().is_some_and(|first| first.chars().all(is_plain)) && pieces.all(is_escape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn w3_a_url_of_a_central_server_may_be_linked() {
        let is_here = |url: &str| ["localhost", "LocalHost", "127.", "[::1]"].iter().any(|host| url.contains(host));
        for good in [
            "https://licenses.example.org",
            "https://licenses.example.org/",
            "https://licenses.example.org:8443/seatline/a-b_c~d.e",
            "https://LICENSES.Example.org",
            "https://my_server",
            "https://xn--exmple-cua.org",
            "https://192.0.2.7:8443",
            "https://[2001:db8::1]:8443/x/",
            "https://intranet/sites/My%20Site",
            "http://localhost:8095/x",
            "https://localhost",
            "http://LocalHost",
            "http://127.0.0.1:8095",
            "http://127.8.9.10",
            "http://[::1]:80",
            "http://[::1]",
        ] {
            assert_eq!((check_url(good), is_on_this_machine(good)), (Ok(()), is_here(good)), "{good}");
        }
    }

    #[test]
    fn a_url_that_could_lead_elsewhere_is_refused() {
        for bad in [
            // no scheme, or another one
            "",
            "licenses.example.org",
            "://licenses.example.org",
            "//licenses.example.org",
            "ftp://licenses.example.org",
            "javascript://licenses.example.org/%0aalert(1)",
            "file:///etc/passwd",
            "https:licenses.example.org",
            "https:/licenses.example.org",
            " https://licenses.example.org",
            // not encrypted
            "http://licenses.example.org",
            "http://192.0.2.7",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            // hosts that look like the loopback interface
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://localhost.",
            "http://localhostevil",
            "http://[::1].evil.example",
            "http://[::1]evil.example",
            "http://[::1]@evil.example",
            "http://127.1",
            "http://0x7f000001",
            "http://2130706433",
            "http://0177.0.0.1",
            "http://①②⑦.0.0.1",
            // no host
            "https://",
            "https:///path",
            "https://:8443",
            "https://.",
            "https://a..b",
            "https://-a.example",
            "https://example.org.",
            "https://[]",
            "https://[::1",
            "https://[fe80::1%25eth0]",
            "https://[evil.example]",
            // user names, queries, fragments
            "https://licenses.example.org@evil.example",
            "https://user:password@licenses.example.org",
            "https://licenses.example.org?to=evil",
            "https://licenses.example.org/?to=evil",
            "https://licenses.example.org/#evil",
            "https://licenses.example.org#evil",
            // ports
            "https://licenses.example.org:",
            "https://licenses.example.org:0",
            "https://licenses.example.org:65536",
            "https://licenses.example.org:+443",
            "https://licenses.example.org:80:443",
            "https://licenses.example.org:443evil",
            "https://[2001:db8::1]443",
            // what clients normalise, each in its own way
            "https:\\\\licenses.example.org",
            "https://licenses.example.org\\@evil.example",
            "https://licenses.example.org\\evil",
            "https://licenses.example.org%2eevil.example",
            "https://licenses.example.org%00.evil.example",
            "https://exämple.org",
            "https://licenses。example.org",
            "https://licenses.exam\u{200b}ple.org",
            "https://\u{202e}gro.elpmaxe",
            "https://licenses.example.org/\r\nHost: evil.example",
            "https://licenses.example.org/\tx",
            "https://licenses.example.org/a b",
            "https://licenses.example.org/\u{0}",
            // paths that climb, or hide that they do
            "https://licenses.example.org//evil.example",
            "https://licenses.example.org/../admin",
            "https://licenses.example.org/a/./b",
            "https://licenses.example.org/%2e%2e/admin",
            "https://licenses.example.org/a%2fb",
            "https://licenses.example.org/a%5Cb",
            "https://licenses.example.org/a%252e",
            "https://licenses.example.org/a%0a",
            "https://licenses.example.org/a%zz",
            "https://licenses.example.org/a%2",
            "https://licenses.example.org/a%é",
            "https://licenses.example.org/<script>",
            "https://licenses.example.org/\"x",
        ] {
            assert!(check_url(bad).is_err(), "{bad:?}");
        }
        let long = format!("https://licenses.example.org/{}", "a".repeat(MAX_URL));
        assert_eq!(check_url(&long), Err("the URL must have at most 500 characters".to_owned()));
    }

    proptest! {
        #[test]
        fn what_may_be_linked_without_encryption_is_the_loopback_interface(
            url in "(http|https)://[a-z0-9.:@%\\[\\]/\\\\-]{0,24}|http://\\PC{0,24}|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])[a-z.:@0-9\\]/]{0,8}",
        ) {
            if check_url(&url).is_ok() && let Some(rest) = url.strip_prefix("http://") {
                let end = rest.find('/').unwrap_or(rest.len());
                let host = rest[..end].trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':');
                let before_port = if rest.starts_with('[') || rest[..end].contains(':') { host } else { &rest[..end] };
                let loopback = before_port == "localhost" || before_port == "[::1]"
                    || before_port.parse::<Ipv4Addr>().is_ok_and(|address| address.octets()[0] == 127);
                prop_assert!(loopback, "{url}");
            }
        }
    }
}
