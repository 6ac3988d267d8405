//! The application link as the product sees it: made from an invite, joined, approved, in force.

mod error;
mod rotation;

use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::pairing::{Secret, WelcomeState};
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{
    Counting, Invite, Join, LinkId, OpenError, PseudonymKey, PseudonymKeyId, PublicKey, Removal, SecretKey, ServerId,
    Settings, Welcome, seal,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::exchange::Problem;
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};
pub use error::LinkError;
use rotation::Rotated;
pub use rotation::RotationFacts;

/// An invite that was opened: whom it links to, for a person to confirm before anything is sent.
#[derive(Debug, Clone)]
pub struct OpenedInvite {
    /// What it says.
    pub invite: Invite,
    /// The central server's key, which the link will be pinned to.
    pub central_key: PublicKey,
}

impl OpenedInvite {
    /// Opens a pasted invite.
    ///
    /// # Errors
    /// When it is no invite, or its time is over at `now`.
    pub fn open(pasted: &str, now: Timestamp) -> Result<Self, LinkError> {
        use seatline_protocol::Document as _;
        if pasted.len() > 2 * Invite::MAX_BYTES {
            return Err(OpenError::TooLarge { max: Invite::MAX_BYTES }.into());
        }
        let (invite, central_key) = seal::open_introduced::<Invite>(&seal::unwrap_pasted(pasted))?;
        if invite.expires_at <= now {
            return Err(LinkError::InviteExpired { expired: invite.expires_at });
        }
        Ok(Self { invite, central_key })
    }
}

/// A link, from the join on. It holds the link's secret key, and is kept in the store alone.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Link {
    pub central_url: String,
    pub central_name: String,
    pub central_key: PublicKey,
    pub accepted_at: Timestamp,
    /// The page at the central server that the administrator came from, where he came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// The link's own key as PASERK.
    key: Zeroizing<String>,
    /// How the key came to take the place of another one, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated: Option<Rotated>,
    /// The latest wish for a count at once that was answered by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_demand: Option<Timestamp>,
    /// Since when it is in force, by the central server's clock: no report of before is received. Absent until then,
    /// and in a link of an early version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Timestamp>,
    /// The server ID that the link was made for, or confirmed for since; absent in a link of an early version, whose
    /// server ID has not changed yet.
    #[serde(default)]
    pub server_id: Option<ServerId>,
    /// The sealed join: sent until the link is approved.
    pub join: String,
    pub state: State,
}

/// How far a link is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// No answer yet.
    Joining,
    /// The central server has refused the join for good, or has removed the link. A refusal is not sealed, so a welcome
    /// is still taken.
    Refused(Problem),
    /// The central server waits for its administrator's approval.
    Pending { link: LinkId, application: String },
    /// In force.
    Approved {
        link: LinkId,
        application: String,
        pseudonym_key: Secret,
        /// When that key was made, where it has taken the place of another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pseudonym_key_of: Option<Timestamp>,
        settings: Option<Settings>,
    },
}

/// How far a link is, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// The join was not answered yet.
    Joining,
    /// The central server will not take the join any more, or has removed the link.
    Refused,
    /// The central server waits for its administrator's approval.
    Pending,
    /// In force.
    Approved,
}

impl LinkState {
    /// The state as it stands in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::Approved => "approved",
        }
    }
}

/// What can be shown of a link.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LinkFacts {
    /// Where the central server is reached.
    pub central_url: String,
    /// What it calls itself.
    pub central_name: String,
    /// The fingerprint of its key.
    pub central_fingerprint: String,
    /// The fingerprint of the link's own key: what the central server's administrator compares.
    pub fingerprint: String,
    /// How far it is.
    pub state: LinkState,
    /// Why the central server has refused the join for good, where it has, or that it has removed the link.
    pub refusal: Option<Problem>,
    /// The link's id, once the central server has given one.
    pub link: Option<LinkId>,
    /// What the central server calls the application.
    pub application: Option<String>,
    /// When the invite was accepted.
    pub accepted_at: Timestamp,
    /// The page at the central server that the administrator came from, where he came from one.
    pub return_url: Option<String>,
    /// How its key was replaced last, where it was.
    pub rotation: Option<RotationFacts>,
    /// Since when the central server wants a count at once, where none has answered that yet (`w6`).
    pub demanded_at: Option<Timestamp>,
    /// What the central server has set.
    pub settings: Option<Settings>,
    /// The id of the key that pseudonyms are made with, once the link is in force.
    pub pseudonym_key: Option<PseudonymKeyId>,
}

impl LinkFacts {
    /// Whether the central server has removed the link.
    pub fn was_removed(&self) -> bool {
        self.refusal.as_ref().is_some_and(|problem| problem.code == RefusalCode::LinkRemoved.name())
    }
}

/// A link that was removed, and what became of its reports.
#[derive(Debug, Clone)]
pub struct RemovedLink {
    /// The link.
    pub link: LinkFacts,
    /// How many of its reports were never received. They are kept apart.
    pub retired: usize,
    /// How many reports waited for approval (`b6`). They are thrown away: what was never approved is no evidence.
    pub discarded: usize,
}

/// A link that is in force, as reports need it.
pub(crate) struct Approved<'a> {
    pub link: &'a LinkId,
    pub pseudonym_key: &'a Secret,
    pub settings: Option<&'a Settings>,
}

impl Link {
    /// Makes a link from an invite: a new key for this link alone, and the join that introduces it.
    pub fn from_invite(opened: &OpenedInvite, product: ProductFacts, now: Timestamp) -> Result<Self, LinkError> {
        let key = SecretKey::from_seed(&Zeroizing::new(slots::random()?));
        let server_id = Some(product.server_id.clone());
        let join = Join { secret: opened.invite.secret.clone(), issued_at: now, product };
        Ok(Self {
            central_url: opened.invite.central_url.clone(),
            central_name: opened.invite.central_name.clone(),
            central_key: opened.central_key.clone(),
            accepted_at: now,
            return_url: opened.invite.return_url.clone(),
            rotated: None,
            answered_demand: None,
            in_force_since: None,
            server_id,
            join: seal::seal_introducing(&join, &key)?,
            key: key.to_paserk(),
            state: State::Joining,
        })
    }

    pub fn read(store: &dyn StateReader) -> Result<Option<Self>, StoreError> {
        slots::read(store, Slot::Link)
    }

    pub fn write(&self, locked: &mut dyn LockedStore) -> Result<(), StoreError> {
        slots::write(locked, Slot::Link, self)
    }

    pub fn secret_key(&self) -> Result<SecretKey, StoreError> {
        self.key.parse().map_err(|error: seatline_protocol::KeyError| StoreError::Damaged {
            what: "the key in `link` of the state".to_owned(),
            reason: error.to_string(),
            way_out: Slot::Link.way_out(),
        })
    }

    /// Whether `other` is this link, in whatever state: each has a join of its own.
    pub fn is_same(&self, other: &Self) -> bool {
        self.join == other.join
    }

    pub fn approved(&self) -> Option<Approved<'_>> {
        match &self.state {
            State::Approved { link, pseudonym_key, settings, .. } => {
                Some(Approved { link, pseudonym_key, settings: settings.as_ref() })
            }
            _ => None,
        }
    }

    /// Takes a welcome that answers this link's join, or its rotation: it is for the present key. A link that is
    /// approved stays so: an older answer that arrives late changes nothing. It still says since when, which a link of
    /// an early version does not know.
    pub fn take_welcome(&mut self, welcome: Welcome) {
        self.rotation_is_known();
        let (link, application) = (welcome.link, welcome.application);
        match (welcome.state, &self.state) {
            (WelcomeState::Approved { .. }, State::Approved { link: present, .. }) if *present == link => {
                self.in_force_since.get_or_insert(welcome.issued_at);
            }
            (_, State::Approved { .. }) => {}
            (WelcomeState::Pending, _) => self.state = State::Pending { link, application },
            (WelcomeState::Approved { pseudonym_key }, _) => {
                self.in_force_since = Some(welcome.issued_at);
                self.state =
                    State::Approved { link, application, pseudonym_key, pseudonym_key_of: None, settings: None };
            }
        }
    }

    /// Takes the refusal of the join for good. A link that is approved stays so.
    pub fn take_refusal(&mut self, refusal: Problem) {
        if self.approved().is_none() {
            self.state = State::Refused(refusal);
        }
    }

    /// Takes it that the central server has removed the link: it comes into force no more. Gives whether it is for this
    /// link.
    pub fn take_removal(&mut self, removal: &Removal) -> bool {
        let of = match &self.state {
            State::Pending { link, .. } | State::Approved { link, .. } => Some(link),
            State::Joining | State::Refused(_) => None,
        };
        if of != Some(&removal.link) {
            return false;
        }
        let at = removal.removed_at.strftime("%Y-%m-%d %H:%M UTC");
        let message = format!("{} has removed this link at {at}", self.central_name);
        self.state = State::Refused(Problem { code: RefusalCode::LinkRemoved.name().to_owned(), message });
        true
    }

    /// Since when the central server wants a count at once that no run has answered.
    pub fn demanded_at(&self) -> Option<Timestamp> {
        let demanded = self.approved()?.settings?.demanded_at?;
        (self.answered_demand < Some(demanded)).then_some(demanded)
    }

    /// Takes it that a run has answered the wish of `demanded`.
    pub fn answer_demand(&mut self, demanded: Timestamp) {
        self.answered_demand = self.answered_demand.max(Some(demanded));
    }

    /// Why the join was refused for good, where it was.
    pub fn refusal(&self) -> Option<&Problem> {
        match &self.state {
            State::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Takes settings, if they are for this link and newer than those it has. Gives whether they were taken.
    pub fn take_settings(&mut self, new: Settings) -> bool {
        let State::Approved { link, settings, .. } = &mut self.state else { return false };
        let newer = settings.as_ref().is_none_or(|old| {
            // A central server that was updated takes repeats under the same settings.
            let since_update = Settings { takes_repeats: true, ..old.clone() };
            old.revision < new.revision || (since_update == new && *old != new)
        });
        if new.link == *link && newer {
            *settings = Some(new);
            return true;
        }
        false
    }

    /// Takes another pseudonym key, if it is for this link and newer than the one that it has. Gives whether it was
    /// taken.
    pub fn take_pseudonym_key(&mut self, new: PseudonymKey) -> bool {
        let State::Approved { link, pseudonym_key, pseudonym_key_of, .. } = &mut self.state else { return false };
        if new.link != *link || *pseudonym_key_of >= Some(new.made_at) {
            return false;
        }
        *pseudonym_key_of = Some(new.made_at);
        std::mem::replace(pseudonym_key, new.key) != *pseudonym_key
    }

    pub fn facts(&self) -> Result<LinkFacts, StoreError> {
        let (state, link, application) = match &self.state {
            State::Joining => (LinkState::Joining, None, None),
            State::Refused(_) => (LinkState::Refused, None, None),
            State::Pending { link, application } => (LinkState::Pending, Some(link), Some(application)),
            State::Approved { link, application, .. } => (LinkState::Approved, Some(link), Some(application)),
        };
        Ok(LinkFacts {
            central_url: self.central_url.clone(),
            central_name: self.central_name.clone(),
            central_fingerprint: self.central_key.fingerprint(),
            fingerprint: self.secret_key()?.public().fingerprint(),
            state,
            refusal: self.refusal().cloned(),
            link: link.cloned(),
            application: application.cloned(),
            accepted_at: self.accepted_at,
            return_url: self.return_url.clone(),
            rotation: self.rotation_facts(),
            demanded_at: self.demanded_at(),
            settings: self.approved().and_then(|approved| approved.settings.cloned()),
            pseudonym_key: self.approved().map(|approved| PseudonymKeyId::of(approved.pseudonym_key)),
        })
    }
}

/// What holds for a run and for the interval, with the defaults of a product that is not linked.
pub(crate) fn settings_of(link: Option<&Link>) -> (u32, u32, Counting) {
    let settings = link.and_then(Link::approved).and_then(|approved| approved.settings);
    match settings {
        Some(settings) => (settings.interval, settings.dormancy_days, settings.counting),
        None => (Settings::DEFAULT_INTERVAL, Settings::DEFAULT_DORMANCY_DAYS, Counting::default()),
    }
}
