//! The central server's own things, and what an administrator does with them.
//!
//! The pages, the API and the command line call these functions, so that a rule holds in all three.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::pairing::{self, INVITE_MINUTES, Secret};
use seatline_protocol::seal::{self, Document as _};
use seatline_protocol::{Invite, KeyId, LinkId, OpenError, PublicKey, text};
use seatline_web::password::PasswordError;
use seatline_web::secret::random;

use crate::domain::application::MAX_NAME;
use crate::domain::{
    Application, ApplicationId, ApplicationName, Clock, InviteId, InviteRecord, Licenses, Link, LinkSettings,
    LinkState, SettingsChange, TokenHash,
};
use crate::keyring::Keyring;
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
    name: String,
    public_url: String,
    /// The sealed settings of links, by their revision: most exchanges bring the same ones as the exchange before, and
    /// sealing is a tenth of the work of an exchange.
    settings: Mutex<HashMap<LinkId, (u64, String)>>,
    /// Who reports: the key of a link never changes, so it is looked up once.
    senders: Mutex<HashMap<KeyId, Arc<Sender>>>,
}

/// Who may seal reports of a link. What may change of a link is not in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The link.
    pub link: LinkId,
    /// Its key.
    pub key: PublicKey,
}

/// How many links' keys are kept; beyond that, all are looked up anew.
const KEPT_SENDERS: usize = 4096;

/// How many links' sealed settings are kept; beyond that, all are sealed anew.
const KEPT_SETTINGS: usize = 4096;

/// An invite that was just made. Its secret is in `invite` alone, and cannot be had again; so it never shows in `Debug`.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct MadeInvite {
    /// Its id.
    pub id: InviteId,
    /// What is handed to the administrator of the product.
    pub invite: String,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// The fingerprint of the central server's key, for the two administrators to compare.
    pub fingerprint: String,
}

impl Central {
    /// A central server over `store`. `public_url` is where products reach it, and `name` what they are shown.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where the URL must not be linked, see [`pairing::check_url`], or has a path; where the name is not one
    /// line; or where the store belongs to another key.
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
        Ok(Self {
            shared: Arc::new(Shared {
                store,
                keys,
                clock,
                name: name.to_owned(),
                public_url,
                settings: Mutex::default(),
                senders: Mutex::default(),
            }),
        })
    }

    /// What is kept.
    pub fn store(&self) -> &dyn Store {
        &*self.shared.store
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
        let kept = self.shared.senders.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(link) = self.store().link_of_key(key).await? else { return Ok(None) };
        let sender = Arc::new(Sender { link: link.id, key: link.key });
        let mut senders = self.shared.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() >= KEPT_SENDERS {
            senders.clear();
        }
        senders.insert(key.clone(), Arc::clone(&sender));
        Ok(Some(sender))
    }

    /// The settings of a link, sealed. They are the same bytes until the settings change.
    ///
    /// # Errors
    /// Where the settings break a rule of the document.
    pub fn sealed_settings(&self, link: &LinkId, settings: &LinkSettings) -> Result<String, OpenError> {
        let mut kept = self.shared.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, sealed)) = kept.get(link)
            && *of == settings.revision
        {
            return Ok(sealed.clone());
        }
        let sealed = seal::seal(&settings.document(link), self.keys().secret())?;
        if kept.len() >= KEPT_SETTINGS {
            kept.clear();
        }
        kept.insert(link.clone(), (settings.revision, sealed.clone()));
        Ok(sealed)
    }

    /// Adds an application (`w1`). The URL may be empty.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that a value breaks; a conflict where the name is taken.
    pub async fn add_application(&self, name: &str, product: &str, url: &str) -> Result<Application, ActionError> {
        let name: ApplicationName = name.parse().map_err(|error| ActionError::invalid("name", error))?;
        let product = product.trim().parse().map_err(|error| ActionError::invalid("product", error))?;
        let url = Some(url.trim()).filter(|url| !url.is_empty());
        if let Some(url) = url {
            check_product_url(url).map_err(|reason| ActionError::invalid("url", reason))?;
        }
        let application = Application {
            id: ApplicationId::from_random(random()?),
            name,
            product,
            url: url.map(str::to_owned),
            created_at: self.now(),
            link: None,
        };
        self.store().add_application(&application).await?;
        Ok(application)
    }

    /// The application of an id.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn application(&self, id: &ApplicationId) -> Result<Application, ActionError> {
        self.store().application(id).await?.ok_or(ActionError::NotFound("application"))
    }

    /// The link of an id.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn link(&self, id: &LinkId) -> Result<Link, ActionError> {
        self.store().link(id).await?.ok_or(ActionError::NotFound("link"))
    }

    /// What the Licenses tab of an application shows (`w5`).
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn licenses(&self, id: &ApplicationId) -> Result<Licenses, ActionError> {
        let application = self.application(id).await?;
        let Some(id) = application.link.clone() else {
            return Ok(Licenses::of(application, None, None, Vec::new(), self.now()));
        };
        let (link, latest) = (self.store().link(&id).await?, self.store().latest(&id).await?);
        let statements = self.store().statements(&id).await?;
        Ok(Licenses::of(application, link.as_ref(), latest.as_ref(), statements, self.now()))
    }

    /// Makes an invite, for an application or for one that is decided on at its approval.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn make_invite(&self, application: Option<&ApplicationId>) -> Result<MadeInvite, ActionError> {
        let named = match application {
            Some(id) => Some(self.application(id).await?),
            None => None,
        };
        let (secret, now) = (Secret::generate()?, self.now());
        let expires_at = now + SignedDuration::from_mins(INVITE_MINUTES);
        let record = InviteRecord {
            id: InviteId::from_random(random()?),
            secret: TokenHash::of(secret.expose()),
            application: application.cloned(),
            created_at: now,
            expires_at,
        };
        let invite = Invite {
            central_url: self.public_url().to_owned(),
            central_name: self.name().to_owned(),
            secret,
            issued_at: now,
            expires_at,
            application: named.map(|application| application.name.to_string()),
        };
        let sealed = seal::seal_introducing(&invite, self.keys().secret())
            .map_err(|error| ActionError::invalid("invite", error))?;
        self.store().add_invite(&record).await?;
        Ok(MadeInvite { id: record.id, invite: sealed, expires_at, fingerprint: self.public_key().fingerprint() })
    }

    /// Approves a link for an application; from then on its reports are taken.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link or application, a conflict where the link belongs to
    /// another application.
    pub async fn approve_link(&self, link: &LinkId, application: &ApplicationId) -> Result<Link, ActionError> {
        self.store().approve_link(link, application, self.now()).await?;
        self.link(link).await
    }

    /// Suspends a link: its reports are refused, what is stored stays. Approving it again ends that.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link, a conflict where it was never approved.
    pub async fn suspend_link(&self, link: &LinkId) -> Result<Link, ActionError> {
        self.store().set_link_state(link, LinkState::Suspended).await?;
        self.link(link).await
    }

    /// Changes the settings of a link (`w4`). The product gets them with its next exchange.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that a value breaks, [`ActionError::NotFound`] where there is no such
    /// link, a conflict where somebody else changed it at the same moment.
    pub async fn change_settings(&self, id: &LinkId, change: &SettingsChange) -> Result<Link, ActionError> {
        let link = self.link(id).await?;
        let settings = change.apply(&link.settings, self.now());
        settings.document(id).check().map_err(|reason| ActionError::invalid("settings", reason))?;
        if settings == link.settings {
            return Ok(link);
        }
        self.store().set_link_settings(id, &settings).await?;
        Ok(Link { settings, ..link })
    }
}

/// Whether `url` may stand on a page as the address of a product: `http` or `https`, as an intranet has both. It is
/// shown to people and never fetched.
fn check_product_url(url: &str) -> Result<(), String> {
    let as_https = url.strip_prefix("http://").map(|rest| format!("https://{rest}"));
    pairing::check_url(as_https.as_deref().unwrap_or(url))
}
