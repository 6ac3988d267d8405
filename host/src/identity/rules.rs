//! What a server ID is made of, and when it changes: pure, the time and the randomness are parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::pairing::Secret;
use seatline_protocol::standing::{MOVED_GRACE_DAYS, PreviousServer};
use seatline_protocol::{ContinuityAnswer, IdentityPart, ServerId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Identity, IdentityChange, Policy};
use crate::ports::{DatabaseIdentity, DatabasePlace};

/// The most changes that are kept; the oldest leave first.
const MAX_HISTORY: usize = 64;
/// The most bytes of a birth mark: an identifier or a time, not a document.
const MAX_BIRTH_MARK: usize = 1024;
/// How often a day the server ID may go back to one that it had within that day. A person who mends what he mistyped
/// goes back once; nodes that name one database differently would go to and fro for ever.
const MAX_RETURNS: usize = 2;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What the server ID is made of at one look.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Makings {
    policy: Policy,
    staging: bool,
    parts: BTreeMap<IdentityPart, Vec<u8>>,
}

impl Makings {
    /// Of an instance whose ID is its own.
    pub fn of_instance(staging: bool) -> Self {
        Self { policy: Policy::Instance, staging, parts: BTreeMap::new() }
    }

    /// Of an instance whose ID is bound to `database`.
    ///
    /// # Errors
    /// What is missing, as the end of a sentence about the database.
    pub fn of_database(database: &DatabaseIdentity, staging: bool) -> Result<Self, &'static str> {
        let mark = database.birth_mark.trim();
        if mark.is_empty() || mark.len() > MAX_BIRTH_MARK {
            return Err("gave no birth mark of 1 to 1024 bytes");
        }
        let mut parts = BTreeMap::from([(IdentityPart::BirthMark, mark.as_bytes().to_vec())]);
        match &database.place {
            DatabasePlace::File(path) => {
                parts.insert(IdentityPart::Path, path.as_os_str().as_bytes().to_vec());
            }
            DatabasePlace::Server { hosts, database, schema } => {
                if hosts.is_empty() {
                    return Err("has no host");
                }
                // The servers of one database, in whatever order they are tried.
                let hosts: BTreeSet<(String, u16)> =
                    hosts.iter().map(|(host, port)| (host_name(host), *port)).collect();
                let join = |texts: Vec<String>| texts.join("\n").into_bytes();
                parts.insert(IdentityPart::Host, join(hosts.iter().map(|(host, _)| host.clone()).collect()));
                parts.insert(IdentityPart::Port, join(hosts.iter().map(|(_, port)| port.to_string()).collect()));
                parts.insert(IdentityPart::Database, database.as_bytes().to_vec());
                if let Some(schema) = schema {
                    parts.insert(IdentityPart::Schema, schema.as_bytes().to_vec());
                }
            }
        }
        Ok(Self { policy: Policy::DatabaseBound, staging, parts })
    }
}

/// A host as it is compared: what two spellings of one name or address have in common. It is never looked up: what a
/// name leads to changes with every failover, and what was configured does not.
fn host_name(host: &str) -> String {
    let host = host.trim();
    if host.starts_with('/') {
        // The directory of a socket.
        return host.trim_end_matches('/').to_owned();
    }
    let name = host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']').to_lowercase();
    name.parse::<IpAddr>().map_or(name, |address| address.to_canonical().to_string())
}

/// The identity as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What IDs and prints are made with. It never leaves the state.
    key: Secret,
    /// The ID of the policy *instance*.
    own: ServerId,
    present: Present,
    /// Whether nobody could say yet what the ID is to be made of: it is the instance's own in the meantime.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_provisional: bool,
    /// The print of the last birth mark that was seen, while the policy sees none: who changes the policy to and fro
    /// cannot put other data in the place of these.
    #[serde(default)]
    last_mark: Option<String>,
    #[serde(default)]
    pub history: Vec<IdentityChange>,
}

/// What the server ID is, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Present {
    server_id: ServerId,
    policy: Policy,
    staging: bool,
    /// A print of each part, to tell later which of them is another.
    prints: BTreeMap<IdentityPart, String>,
    since: Option<Timestamp>,
}

/// What a look at the makings comes to.
pub(crate) enum Look {
    /// The server ID is the one that is known.
    Same,
    /// It is another one: what is to be kept, with the change at the end of its history.
    Changed(Box<Record>),
    /// It would be one that it was already, again and again within a day: the known one holds.
    ToAndFro,
}

impl Record {
    /// The first record of an instance: of an ID that an early version has made, where `since` is absent.
    pub fn new(key: Secret, own: ServerId, since: Option<Timestamp>) -> Self {
        let policy = Policy::Instance;
        let present = Present { server_id: own.clone(), policy, staging: false, prints: BTreeMap::new(), since };
        Self { key, own, present, is_provisional: false, last_mark: None, history: Vec::new() }
    }

    /// The same for an instance whose makings are known, before anybody has built on its ID.
    pub fn made_of(self, makings: &Makings, now: Timestamp) -> Self {
        Self { present: self.presented(makings, now), is_provisional: false, ..self }
    }

    /// The same for an instance whose makings nobody could say yet.
    pub fn provisional(self) -> Self {
        Self { is_provisional: true, ..self }
    }

    /// Whether nobody could say yet what the ID is to be made of.
    pub fn is_provisional(&self) -> bool {
        self.is_provisional
    }

    /// The same with the ID as it is: somebody has built on it, and what comes after is a change.
    pub fn settled(self) -> Self {
        Self { is_provisional: false, ..self }
    }

    /// What `makings` come to at `now`.
    pub fn look(&self, makings: &Makings, now: Timestamp) -> Look {
        let present = self.presented(makings, now);
        if present.server_id == self.present.server_id {
            return Look::Same;
        }
        let mut changed = self.present.differences(&present);
        let mark = self.present.birth_mark().or(self.last_mark.as_ref());
        if mark.zip(present.birth_mark()).is_some_and(|(before, now)| before != now) {
            changed.insert(IdentityPart::BirthMark);
        }
        // Other data are never taken for these, however often they come and go.
        if !changed.contains(&IdentityPart::BirthMark) && self.goes_to_and_fro(&present.server_id, now) {
            return Look::ToAndFro;
        }
        let mut record = self.clone();
        record.last_mark = mark.cloned();
        record.history.push(IdentityChange {
            previous: self.present.server_id.clone(),
            present: present.server_id.clone(),
            at: now,
            changed,
            staging: present.staging,
            answer: None,
            to_tell: false,
        });
        let oldest = record.history.len().saturating_sub(MAX_HISTORY);
        record.history.drain(..oldest);
        record.present = present;
        Look::Changed(Box::new(record))
    }

    fn presented(&self, makings: &Makings, now: Timestamp) -> Present {
        let Makings { policy, staging, parts } = makings;
        let prints = parts.iter().map(|(part, value)| (*part, self.print(*part, value))).collect();
        let server_id = self.made(makings);
        Present { server_id, policy: *policy, staging: *staging, prints, since: Some(now) }
    }

    fn made(&self, makings: &Makings) -> ServerId {
        let Makings { policy, staging, parts } = makings;
        if *policy == Policy::Instance && !staging {
            return self.own.clone();
        }
        let staging: &[u8] = if *staging { b"staging" } else { b"production" };
        let mut fields = vec![policy.name().as_bytes(), staging];
        fields.extend(parts.iter().flat_map(|(part, value)| [part.name().as_bytes(), value.as_slice()]));
        let mac = self.mac(b"seatline/server-id/v1", &fields);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&mac[..20]);
        ServerId::from_random(bytes)
    }

    fn print(&self, part: IdentityPart, value: &[u8]) -> String {
        let mac = self.mac(b"seatline/identity-part/v1", &[part.name().as_bytes(), value]);
        mac[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The HMAC over fields, each behind its length, so that no two lists of fields are the same bytes.
    fn mac(&self, purpose: &[u8], fields: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose()).expect("HMAC takes a key of any length");
        for field in std::iter::once(&purpose).chain(fields) {
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field);
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether a change to `server_id` is one return too many.
    fn goes_to_and_fro(&self, server_id: &ServerId, now: Timestamp) -> bool {
        let recent = self.recent(now);
        returns(&recent).count() >= MAX_RETURNS && is_return(server_id, &recent)
    }

    /// Whether two installations with data of their own seem to share this state: within a day, the one and the other
    /// were seen again and again.
    pub fn is_shared(&self, now: Timestamp) -> bool {
        let of_data = |change: &&IdentityChange| change.changed.contains(&IdentityPart::BirthMark);
        returns(&self.recent(now)).filter(of_data).count() > MAX_RETURNS
    }

    /// The changes of the day before `now`.
    fn recent(&self, now: Timestamp) -> Vec<&IdentityChange> {
        let begin = now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
        self.history.iter().filter(|change| change.at > begin).collect()
    }

    /// What the rest of the host needs to know.
    pub fn identity(&self) -> Identity {
        let Present { server_id, staging, .. } = self.present.clone();
        Identity { previous: self.previous_servers(), server_id, staging }
    }

    /// The server IDs before the last moves, whose licenses hold on for some days: as far back as the data stayed the
    /// same, and the use, and nobody called it a copy.
    fn previous_servers(&self) -> Vec<PreviousServer> {
        let breaks = [IdentityPart::BirthMark, IdentityPart::Staging];
        let is_move = |change: &&IdentityChange| {
            change.answer != Some(ContinuityAnswer::Copy) && breaks.iter().all(|part| !change.changed.contains(part))
        };
        let grace = SignedDuration::from_hours(24 * MOVED_GRACE_DAYS);
        let moves = self.history.iter().rev().take_while(is_move).filter(|_| !self.present.staging);
        let mut previous: Vec<PreviousServer> = Vec::new();
        for change in moves {
            let is_known = previous.iter().any(|known| known.server_id == change.previous);
            if !is_known && change.previous != self.present.server_id {
                let until = change.at.checked_add(grace).unwrap_or(Timestamp::MAX);
                previous.push(PreviousServer { server_id: change.previous.clone(), until });
            }
        }
        previous
    }

    pub fn server_id(&self) -> &ServerId {
        &self.present.server_id
    }

    pub fn policy(&self) -> Policy {
        self.present.policy
    }

    pub fn since(&self) -> Option<Timestamp> {
        self.present.since
    }

    pub fn parts(&self) -> BTreeSet<IdentityPart> {
        self.present.prints.keys().copied().collect()
    }

    /// The changes since the instance had `server_id`; all that are known, where it is too long ago.
    pub fn changes_since(&self, server_id: &ServerId) -> &[IdentityChange] {
        let begin = self.history.iter().rposition(|change| change.previous == *server_id);
        &self.history[begin.unwrap_or(0)..]
    }

    /// That the central server of a link has to be told of the last change.
    pub fn tell_of_last(&mut self) {
        if let Some(last) = self.history.last_mut() {
            last.to_tell = true;
        }
    }

    /// The changes that the central server has still to be told of, the newest as many as one exchange carries.
    pub fn untold(&self) -> impl Iterator<Item = &IdentityChange> {
        let beyond = self.history.iter().filter(|change| change.to_tell).count().saturating_sub(MAX_STATEMENTS);
        self.history.iter().filter(|change| change.to_tell).skip(beyond)
    }

    /// That nobody has to be told any more of the changes that `is_told` picks; gives how many they were.
    pub fn told(&mut self, is_told: impl Fn(&IdentityChange) -> bool) -> usize {
        let told = self.history.iter_mut().filter(|change| change.to_tell && is_told(change));
        told.map(|change| change.to_tell = false).count()
    }

    /// Whether the last change waits for a person's word.
    pub fn has_question(&self) -> bool {
        self.history.last().is_some_and(|change| change.answer.is_none() && !change.is_policy_alone())
    }

    /// Takes a person's word on all changes since the last that somebody spoke of. Where there is a link, its central
    /// server is told.
    pub fn answer(&mut self, answer: ContinuityAnswer, is_linked: bool) {
        let unanswered = self.history.iter_mut().rev().take_while(|change| change.answer.is_none());
        for change in unanswered.filter(|change| !change.is_policy_alone()) {
            (change.answer, change.to_tell) = (Some(answer), is_linked);
        }
    }
}

/// Whether the instance had this server ID `before`.
fn is_return(to: &ServerId, before: &[&IdentityChange]) -> bool {
    before.iter().any(|change| change.previous == *to)
}

/// Those of the changes that went back to a server ID that was left among them.
fn returns<'a>(changes: &[&'a IdentityChange]) -> impl Iterator<Item = &'a IdentityChange> {
    (0..changes.len()).filter(|at| is_return(&changes[*at].present, &changes[..*at])).map(|at| changes[at])
}

impl Present {
    fn birth_mark(&self) -> Option<&String> {
        self.prints.get(&IdentityPart::BirthMark)
    }

    /// The parts in which two differ. Under another policy the parts are not to be compared.
    fn differences(&self, other: &Self) -> BTreeSet<IdentityPart> {
        let mut changed = BTreeSet::new();
        if self.staging != other.staging {
            changed.insert(IdentityPart::Staging);
        }
        if self.policy != other.policy {
            changed.insert(IdentityPart::Policy);
            return changed;
        }
        let parts = self.prints.keys().chain(other.prints.keys());
        changed.extend(parts.filter(|part| self.prints.get(part) != other.prints.get(part)));
        changed
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
