//! The central server's own things: its store, its secrets, its clock. What an administrator does with them stands in
//! [`crate::actions`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use seatline_protocol::{KeyId, LinkId, OpenError, PublicKey, pairing, text};
use seatline_web::password::PasswordError;

use crate::domain::application::MAX_NAME;
use crate::domain::pseudonyms::PresentKey;
use crate::domain::{Application, ApplicationId, Clock, Link, LinkSettings, Sender};
use crate::kept::Kept;
use crate::keyring::Keyring;
use crate::link::settings::SealedSettings;
use crate::link::waiting::Waiting;
use crate::store::{Store, StoreError};

/// What an administrator asked for could not be done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A value breaks a rule.
    #[error("{field}: {reason}")]
    Invalid {
        /// The value's name.
        field: &'static str,
        /// The rule, in one line.
        reason: String,
    },
    /// There is nothing of this name or id.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The store did not do it.
    #[error(transparent)]
    Store(StoreError),
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl From<PasswordError> for ActionError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Random(error) => Self::Random(error),
            error => Self::invalid("password", error),
        }
    }
}

impl ActionError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound(_) => "not-found",
            Self::Store(error) => error.code(),
            Self::Random(_) => "no-randomness",
        }
    }

    /// The error of a value that breaks a rule.
    pub fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl From<StoreError> for ActionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(what) => Self::NotFound(what),
            other => Self::Store(other),
        }
    }
}

/// The central server. Cloning it is cheap: all clones share one store.
#[derive(Clone)]
pub struct Central {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    keys: Keyring,
    clock: Clock,
    /// The products that wait for news.
    waiting: Waiting,
    name: String,
    public_url: String,
    settings: SealedSettings,
    /// The pseudonym key in force, and when that was looked up.
    pseudonym: Mutex<Option<(Instant, PresentKey)>>,
    /// Who reports: whose a key is never changes, so it is looked up once. Whether it still seals, the commit decides.
    senders: Kept<KeyId, Arc<Sender>>,
}

/// How many links' keys are kept; beyond that, all are looked up anew.
const KEPT_SENDERS: usize = 4096;

impl Central {
    /// A central server over `store`. `public_url` is where products reach it, and `name` what they are shown.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where the URL must not be linked, see [`pairing::check_url`], or has a path; where the
    /// name is not one line; or where the store belongs to another key.
    pub async fn open(
        store: Arc<dyn Store>,
        keys: Keyring,
        clock: Clock,
        name: &str,
        public_url: &str,
    ) -> Result<Self, ActionError> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        pairing::check_url(&public_url).map_err(|reason| ActionError::invalid("public URL", reason))?;
        if public_url.split_once("://").is_some_and(|(_, host)| host.contains('/')) {
            let reason = "it must have no path: pages and cookies stand at the root of a host";
            return Err(ActionError::invalid("public URL", reason));
        }
        if name.is_empty() || !text::is_line(name, MAX_NAME) {
            return Err(ActionError::invalid("name", format!("one line of 1 to {MAX_NAME} characters")));
        }
        let bound_to = store.bind(&keys.secret().public().id()).await?;
        if bound_to != keys.secret().public().id() {
            let reason = format!(
                "this key is {}, and the stored data belongs to {bound_to}: put the key file back that belongs to it",
                keys.secret().public().id()
            );
            return Err(ActionError::invalid("central key", reason));
        }
        Self::bound_pseudonyms(&*store, keys.pseudonym()).await?;
        Ok(Self {
            shared: Arc::new(Shared {
                store,
                keys,
                clock,
                waiting: Waiting::default(),
                name: name.to_owned(),
                public_url,
                settings: SealedSettings::default(),
                pseudonym: Mutex::default(),
                senders: Kept::at_most(KEPT_SENDERS),
            }),
        })
    }

    /// What is kept.
    pub fn store(&self) -> &dyn Store {
        &*self.shared.store
    }

    /// The pseudonym key in force, as it was looked up last.
    pub(crate) fn kept_pseudonym_key(&self) -> Option<(Instant, PresentKey)> {
        self.shared.pseudonym.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was looked up, or nothing.
    pub(crate) fn keep_pseudonym_key(&self, found: Option<(Instant, PresentKey)>) {
        *self.shared.pseudonym.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// The products that wait for news.
    pub fn waiting(&self) -> &Waiting {
        &self.shared.waiting
    }

    /// The secrets of the server.
    pub fn keys(&self) -> &Keyring {
        &self.shared.keys
    }

    /// The public half of the server's key: what products pin.
    pub fn public_key(&self) -> PublicKey {
        self.shared.keys.secret().public()
    }

    /// The time now, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Where products and people reach the server, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.shared.public_url
    }

    /// What the server calls itself.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Who seals reports by the key of an id; none where it belongs to no link.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn sender(&self, key: &KeyId) -> Result<Option<Arc<Sender>>, StoreError> {
        let kept = self.shared.senders.get(key);
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(sender) = self.store().sender(key).await?.map(Arc::new) else { return Ok(None) };
        self.shared.senders.keep(key.clone(), Arc::clone(&sender));
        Ok(Some(sender))
    }

    /// The settings of a link, sealed. They are the same bytes until the settings change.
    ///
    /// # Errors
    /// Where the settings break a rule of the document.
    pub fn sealed_settings(&self, link: &LinkId, settings: &LinkSettings) -> Result<String, OpenError> {
        self.shared.settings.sealed(link, settings, self.keys().secret())
    }

    /// The application of an id.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn application(&self, id: &ApplicationId) -> Result<Application, ActionError> {
        self.store().application(id).await?.ok_or(ActionError::NotFound("application"))
    }

    /// The application of a name, as somebody typed it: none has a name that breaks the rules of names.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn application_named(&self, name: &str) -> Result<Option<Application>, ActionError> {
        match name.parse() {
            Ok(name) => Ok(self.store().application_named(&name).await?),
            Err(_) => Ok(None),
        }
    }

    /// The link of an id.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn link(&self, id: &LinkId) -> Result<Link, ActionError> {
        self.store().link(id).await?.ok_or(ActionError::NotFound("link"))
    }
}
