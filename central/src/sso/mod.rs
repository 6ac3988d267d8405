//! Single sign-on by OpenID Connect (`g10`): the authorization code flow with PKCE, a state and a nonce.
//!
//! | module | job |
//! |---|---|
//! | [`config`] | which provider, and what its groups may do |
//! | [`provider`] | what is fetched from it: its description, its keys, tokens; each within bounds of size and time |
//! | [`token`] | the ID token, verified before anything in it is believed |
//! | [`flow`] | the way there and back: a browser that comes back is the one that was sent |
//!
//! Nothing is kept between the way there and back but a secret in the browser's cookie: state, nonce and verifier are
//! made from it. So any replica takes the way back, and whoever begins a thousand sign-ins fills nobody's memory.

pub mod config;
pub mod flow;
pub mod provider;
pub mod token;

use std::sync::Arc;

pub use config::SsoConfig;
pub use flow::{Begun, Purpose, SignedOn};
use provider::Provider;
pub use token::TokenError;

/// Why nobody was signed in by single sign-on.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    /// The configuration cannot be used.
    #[error("single sign-on is not configured as it must be: {0}")]
    Config(String),
    /// The provider does not answer as it must.
    #[error("the provider of single sign-on {what}: {reason}")]
    Provider {
        /// What it did not do.
        what: &'static str,
        /// Why, in one line.
        reason: String,
    },
    /// The provider says no.
    #[error("the provider of single sign-on refused it ({0})")]
    Refused(String),
    /// The browser did not begin this sign-in, or too long ago.
    #[error("this sign-in was not begun in this browser, or too long ago: begin it again")]
    NotBegun,
    /// The ID token is not to be believed.
    #[error("the provider's answer is not to be believed: {0}")]
    Token(#[from] TokenError),
    /// The provider knows the person, and no group of his has a role here.
    #[error("your groups have no role here: ask an administrator which group gives one")]
    NoRole,
    /// What the provider calls the person is no name here.
    #[error("what the provider calls you (claim `{0}`) is no name to sign in with here: ask an administrator")]
    NoName(String),
    /// Somebody else signed in, or nobody, where the same person had to prove again who he is.
    #[error("somebody else signed in at the provider, or nobody did again: your session here stays unconfirmed")]
    NotConfirmed,
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl SsoError {
    /// A stable code for machines, shown on the page and in the log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "sso-config",
            Self::Provider { .. } => "sso-provider",
            Self::Refused(_) => "sso-refused",
            Self::NotBegun => "sso-not-begun",
            Self::Token(error) => error.code(),
            Self::NoRole => "sso-no-role",
            Self::NoName(_) => "sso-no-name",
            Self::NotConfirmed => "sso-not-confirmed",
            Self::Random(_) => "no-randomness",
        }
    }
}

/// Single sign-on with one provider. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Sso(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: SsoConfig,
    provider: Provider,
}

impl Sso {
    /// Single sign-on as it is configured. Nothing is fetched yet: a provider that is away keeps nobody from starting.
    pub fn new(config: SsoConfig) -> Self {
        let provider = Provider::new(&config);
        Self(Arc::new(Shared { config, provider }))
    }

    /// The configuration.
    pub fn config(&self) -> &SsoConfig {
        &self.0.config
    }

    fn provider(&self) -> &Provider {
        &self.0.provider
    }
}
