//! The temporary secure session (`c2`): a password that was confirmed holds for ten minutes, for one session.
//!
//! A change that was sent without one is kept here while its sender is asked for the password, and then done: nothing
//! has to be typed twice, and no secret of a form goes back into a page.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use seatline_web::TokenHash;
use zeroize::Zeroizing;

use super::moment::Moment;

/// How long a confirmation lasts.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// The most secure sessions, and the most changes that wait. Then the oldest makes room.
pub const MOST: [usize; 2] = [1000, 32];
/// The most bytes of a change that waits: those of a form, and of the central server's answer as a file.
pub const MAX_KEPT_BYTES: usize = 1024 * 1024 + 64 * 1024;

/// The secure sessions, and the changes that wait for one.
#[derive(Default)]
pub struct SecureSessions(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    begun: HashMap<TokenHash, Moment>,
    /// At most one of each session.
    waiting: HashMap<TokenHash, Waiting>,
}

struct Waiting {
    id: TokenHash,
    change: Change,
    since: Moment,
}

/// A change as it was sent.
pub struct Change {
    /// Where to: the path with its query.
    pub path: String,
    /// The `Content-Type`.
    pub content_type: Option<HeaderValue>,
    /// The body. It may hold a secret.
    pub body: Zeroizing<Vec<u8>>,
}

impl Change {
    /// The body, for a request.
    pub fn into_body(self) -> Bytes {
        Bytes::copy_from_slice(&self.body)
    }
}

impl SecureSessions {
    /// Begins one at `now`, and gives its end.
    pub fn begin(&self, session: &TokenHash, now: Moment) -> Timestamp {
        let mut inner = self.lock();
        inner.begun.retain(|_, begun| begun.lasts(LIFETIME, now));
        if inner.begun.len() >= MOST[0] {
            let first = inner.begun.iter().min_by_key(|(_, begun)| **begun).map(|(session, _)| session.clone());
            first.map(|session| inner.begun.remove(&session));
        }
        inner.begun.insert(session.clone(), now);
        end(now)
    }

    /// Until when the one of `session` lasts, if it does at `now`.
    pub fn until(&self, session: &TokenHash, now: Moment) -> Option<Timestamp> {
        self.lock().begun.get(session).filter(|begun| begun.lasts(LIFETIME, now)).copied().map(end)
    }

    /// Ends the one of `session`, and forgets what waits for it.
    pub fn end(&self, session: &TokenHash) {
        let mut inner = self.lock();
        inner.begun.remove(session);
        inner.waiting.remove(session);
    }

    /// Keeps a change until its sender has confirmed the password, in the place of any other of the same session. `id`
    /// names it.
    pub fn keep(&self, session: &TokenHash, id: TokenHash, change: Change, now: Moment) {
        let mut inner = self.lock();
        inner.waiting.retain(|_, waiting| waiting.since.lasts(LIFETIME, now));
        if inner.waiting.len() >= MOST[1] {
            let first =
                inner.waiting.iter().min_by_key(|(_, waiting)| waiting.since).map(|(session, _)| session.clone());
            first.map(|session| inner.waiting.remove(&session));
        }
        inner.waiting.insert(session.clone(), Waiting { id, change, since: now });
    }

    /// Takes the change that waits under `id`: once, and only for the session that sent it.
    pub fn take(&self, session: &TokenHash, id: &TokenHash, now: Moment) -> Option<Change> {
        let mut inner = self.lock();
        let is_it = |waiting: &Waiting| waiting.id == *id && waiting.since.lasts(LIFETIME, now);
        if inner.waiting.get(session).is_some_and(is_it) {
            inner.waiting.remove(session).map(|waiting| waiting.change)
        } else {
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When one ends that began at `begun`, by the time of day.
fn end(begun: Moment) -> Timestamp {
    begun.time.checked_add(LIFETIME).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::moment::tests::{at, set_to};

    fn hash(text: &str) -> TokenHash {
        TokenHash::of(text.as_bytes())
    }

    fn change() -> Change {
        Change { path: "/x".to_owned(), content_type: None, body: Zeroizing::new(b"a=b".to_vec()) }
    }

    #[test]
    fn c2_a_confirmation_lasts_ten_minutes_and_can_be_ended() {
        let secure = SecureSessions::default();
        assert_eq!(secure.begin(&hash("s"), at(0)), at(600).time);
        assert_eq!(secure.until(&hash("s"), at(599)), Some(at(600).time));
        assert_eq!(secure.until(&hash("s"), at(600)), None);
        assert_eq!(secure.until(&hash("other"), at(1)), None);
        assert_eq!(secure.until(&hash("s"), set_to(0, 600)), None, "a clock that is set back does not make it longer");
        secure.end(&hash("s"));
        assert_eq!(secure.until(&hash("s"), at(1)), None);
    }

    #[test]
    fn c2_a_change_that_waits_is_done_once_and_for_its_sender_alone() {
        let secure = SecureSessions::default();
        secure.keep(&hash("s"), hash("id"), change(), at(0));
        assert!(secure.take(&hash("other"), &hash("id"), at(1)).is_none());
        assert!(secure.take(&hash("s"), &hash("another id"), at(1)).is_none());
        assert!(secure.take(&hash("s"), &hash("id"), at(600)).is_none(), "it has waited too long");
        assert!(secure.take(&hash("s"), &hash("id"), set_to(0, 600)).is_none(), "whatever the clock was set to");
        assert_eq!(secure.take(&hash("s"), &hash("id"), at(1)).expect("it").into_body(), "a=b");
        assert!(secure.take(&hash("s"), &hash("id"), at(1)).is_none(), "replayed");
    }

    #[test]
    fn c2_what_is_kept_is_bounded_and_the_oldest_makes_room() {
        let secure = SecureSessions::default();
        for n in 0..=MOST[0] {
            secure.begin(&hash(&n.to_string()), at(n as u64 / 10));
        }
        for n in 0..=MOST[1] {
            secure.keep(&hash(&n.to_string()), hash("id"), change(), at(n as u64));
        }
        let inner = secure.lock();
        assert_eq!([inner.begun.len(), inner.waiting.len()], MOST);
        assert!(!inner.waiting.contains_key(&hash("0")));
    }
}
