//! The cookie of a session.

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::secret::TokenHash;

/// The cookie of one program's sessions.
///
/// It is named after the program, as a browser keeps the cookies of a host's ports together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    secure: bool,
    name: &'static str,
}

impl SessionCookie {
    /// The cookie called `name`, or over HTTPS `secure_name`, which begins with `__Host-`: that makes a browser refuse
    /// the cookie from anything but this very host over HTTPS.
    pub fn new(is_https: bool, name: &'static str, secure_name: &'static str) -> Self {
        Self { secure: is_https, name: if is_https { secure_name } else { name } }
    }

    /// The hash of the session that the cookies of a request name.
    pub fn presented(self, headers: &HeaderMap) -> Option<TokenHash> {
        self.value(headers).map(|token| TokenHash::of(token.as_bytes()))
    }

    /// The value of the cookie in a request, as it was sent.
    pub fn value(self, headers: &HeaderMap) -> Option<&str> {
        let headers = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let mut cookies =
            headers.flat_map(|header| header.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        cookies.find(|(found, value)| *found == self.name && !value.is_empty()).map(|(_, value)| value)
    }

    /// The `Set-Cookie` header that gives a browser `token`, which is base64url with dots, for so many seconds.
    pub fn set(self, token: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", self.name);
        HeaderValue::from_str(&cookie).expect("a name, base64url and attributes are printable ASCII")
    }

    /// The `Set-Cookie` header that removes the cookie.
    pub fn remove(self) -> HeaderValue {
        self.set("", 0)
    }
}
