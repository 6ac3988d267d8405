//! `[link]`: how the agent stays in touch with the central server.

use std::path::Path;

use seatline_host::proxy::OutboundProxy;

use super::document::{Found, Problem, Section};
use super::secret::SecretSource;

/// `[link]`
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Whether it waits for what the central server wants at once, and does not only learn of it at the next interval.
    pub wait: bool,
    /// The proxy that leads there; that of the environment where nothing is said.
    pub proxy: Option<Proxy>,
}

/// The proxy that leads to the central server.
#[derive(Debug, Clone)]
pub enum Proxy {
    /// None, whatever the environment names.
    None,
    /// One of its own.
    At {
        /// Its URL, which names nobody.
        url: String,
        /// Who signs in there, if anybody does.
        user: Option<(String, SecretSource)>,
    },
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self { wait: true, proxy: None }
    }
}

impl LinkOptions {
    /// Of the section. Paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&["wait", "proxy", "proxy_user", "proxy_password_env", "proxy_password_file"])?;
        let wait = section.find("wait").map(|found| found.truth()).transpose()?;
        Ok(Self { wait: wait.unwrap_or(true), proxy: read_proxy(&section, base)? })
    }

    /// The proxy, with its password fetched from where it is kept.
    ///
    /// # Errors
    /// When that is missing or empty: one line, without a secret.
    pub fn outbound(&self) -> Result<OutboundProxy, String> {
        match &self.proxy {
            None => Ok(OutboundProxy::of_environment()),
            Some(Proxy::None) => Ok(OutboundProxy::none()),
            Some(Proxy::At { url, user: None }) => OutboundProxy::at(url, None).map_err(str::to_owned),
            Some(Proxy::At { url, user: Some((user, password)) }) => {
                let password = password.read().map_err(|error| error.to_string())?;
                OutboundProxy::at(url, Some((user, &password))).map_err(str::to_owned)
            }
        }
    }
}

fn read_proxy(section: &Section<'_>, base: &Path) -> Result<Option<Proxy>, Problem> {
    let password = SecretSource::of(section, "proxy_password_env", "proxy_password_file", base)?;
    let user = section.find("proxy_user").map(|found| found.text()).transpose()?.map(str::to_owned);
    let user = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => return Err(section.refuse("proxy_password_file", "is missing: the user has a password")),
        (None, Some(_)) => return Err(section.refuse("proxy_user", "is missing: a password belongs to somebody")),
    };
    let Some(found) = section.find("proxy") else {
        return match user {
            Some(_) => Err(section.refuse("proxy_user", "needs a `proxy` beside it")),
            None => Ok(None),
        };
    };
    let url = found.text()?;
    if url == "none" {
        return match user {
            Some(_) => Err(section.refuse("proxy_user", "signs in nowhere: `proxy` is \"none\"")),
            None => Ok(Some(Proxy::None)),
        };
    }
    OutboundProxy::at(url, None).map_err(|reason| found.refuse(reason))?;
    Ok(Some(Proxy::At { url: url.to_owned(), user }))
}
