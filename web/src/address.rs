//! Addresses of pages that come from outside.

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

/// `text` as the value of a query parameter.
pub fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The answer to a request of somebody who is not signed in: on to the page at `sign_in`, which remembers what was
/// wanted. `base` is where the pages are mounted, without a slash at its end.
pub fn to_sign_in(request: &Parts, base: &str, sign_in: &str) -> Response {
    let wanted = request.uri.path_and_query().map_or("/", |path| path.as_str());
    let target = match request.method {
        Method::GET if wanted != "/" => format!("{base}{sign_in}?next={}", escape(wanted)),
        _ => format!("{base}{sign_in}"),
    };
    lead_to(request, &target)
}

/// Leads the sender of a request to another page.
pub fn lead_to(request: &Parts, target: &str) -> Response {
    if request.headers.contains_key("hx-request") {
        // htmx would put the sign-in page into the middle of the one that is shown; this header makes it go there.
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", target.to_owned())]).into_response();
    }
    Redirect::to(target).into_response()
}

/// Where to go after sign-in: the page that was asked for if it is one of this server, else the first page. Whatever a
/// browser could read as the address of another host is not followed.
pub fn after_sign_in(next: Option<&str>) -> &str {
    let local = |next: &&str| {
        next.len() <= 500
            && next.starts_with('/')
            && !next.starts_with("//")
            && next.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'))
            && !next.starts_with("/sign-")
    };
    next.filter(local).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_of_another_host_is_followed_after_sign_in() {
        for good in ["/", "/applications/0a?tab=licenses", "/links#x"] {
            assert_eq!(after_sign_in(Some(good)), good);
        }
        let long = format!("/{}", "a".repeat(600));
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "",
            "/a\r\nSet-Cookie: x=y",
            "/sign-in?next=/",
            &long,
        ] {
            assert_eq!(after_sign_in(Some(bad)), "/", "{bad}");
        }
        assert_eq!(after_sign_in(None), "/");
    }
}
