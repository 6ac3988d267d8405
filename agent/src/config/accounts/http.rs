//! What every source by HTTP has: its address, how to sign in, and how it is encrypted.

use std::path::{Path, PathBuf};

use ureq::http::Uri;

use super::super::document::{Problem, Section};
use super::super::secret::SecretSource;
use crate::accounts::is_loopback;

/// The keys that tell of an endpoint, in every section that has one.
pub const KEYS: [&str; 9] = [
    "url",
    "token_env",
    "token_file",
    "token_header",
    "user",
    "password_env",
    "password_file",
    "tls_ca_file",
    "allow_unencrypted",
];

/// An endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its address, which begins with `https://` or, to this machine or where it is allowed, `http://`.
    pub url: Uri,
    /// How to sign in.
    pub sign_in: Option<SignIn>,
    /// The authority that signed the server's certificate, where it is none of the public ones: a file in PEM form.
    pub tls_ca_file: Option<PathBuf>,
}

/// How to sign in.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// By a token: in `Authorization: Bearer`, or in a header of this name as it is.
    Token(Option<String>, SecretSource),
    /// By a user and a password.
    Basic(String, SecretSource),
}

impl Endpoint {
    /// Of the section; paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub fn of(section: &Section<'_>, base: &Path) -> Result<Self, Problem> {
        let given = section.require("url")?;
        let text = given.text()?;
        let url: Uri = text.parse().map_err(|_| given.refuse("is no URL"))?;
        let host = url.host().filter(|host| !host.is_empty());
        let (Some(scheme @ ("https" | "http")), Some(host)) = (url.scheme_str(), host) else {
            return Err(given.refuse("must begin with https:// and a host"));
        };
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(given.refuse("holds a user or a password: put them into `user` and `password_file`"));
        }
        let allowed = section.find("allow_unencrypted").map(|found| found.truth()).transpose()?.unwrap_or_default();
        if scheme == "http" && !allowed && !is_loopback(host) {
            return Err(given.refuse(
                "would be read in clear, and anybody on the way could read and change it: begin it with https://, or write \
                 `allow_unencrypted = true`",
            ));
        }
        let tls_ca_file = section.find("tls_ca_file").map(|file| file.text()).transpose()?.map(|file| base.join(file));
        if tls_ca_file.is_some() && scheme == "http" {
            return Err(section.refuse("tls_ca_file", "has no effect beside http://: leave one of them out"));
        }
        Ok(Self { url, sign_in: SignIn::of(section, base)?, tls_ca_file })
    }
}

impl SignIn {
    fn of(section: &Section<'_>, base: &Path) -> Result<Option<Self>, Problem> {
        let token = SecretSource::of(section, "token_env", "token_file", base)?;
        let password = SecretSource::of(section, "password_env", "password_file", base)?;
        let user = section.find("user").map(|user| user.text()).transpose()?.map(str::to_owned);
        let header = section.find("token_header").map(|header| header.text()).transpose()?.map(str::to_owned);
        if header.as_ref().is_some_and(|name| ureq::http::HeaderName::try_from(name.as_str()).is_err()) {
            return Err(section.refuse("token_header", "is no name of a header"));
        }
        match (token, user, password, header) {
            (None, None, None, None) => Ok(None),
            (Some(token), None, None, header) => Ok(Some(Self::Token(header, token))),
            (None, Some(user), Some(password), None) if !user.contains(':') => Ok(Some(Self::Basic(user, password))),
            (None, Some(_), Some(_), None) => Err(section.refuse("user", "must not have a colon")),
            (None, _, _, Some(_)) => Err(section.refuse("token_header", "needs `token_file` or `token_env` beside it")),
            (Some(_), ..) => Err(section.refuse("user", "cannot stand beside a token: there is one way to sign in")),
            (None, Some(_), None, None) => {
                Err(section.refuse("user", "needs `password_file` or `password_env` beside it"))
            }
            (None, None, Some(_), None) => Err(section.refuse("password_file", "needs a `user` beside it")),
        }
    }
}
