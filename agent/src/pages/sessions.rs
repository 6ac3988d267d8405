//! The sessions of those who are signed in: in memory, bounded, each until its end.
//!
//! A session is a cookie with 32 random bytes, of which the hash is kept here. A restart of the agent ends all of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use seatline_web::{AccountName, TokenHash};

use super::moment::Moment;

/// After how long a session ends by itself.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// The most sessions. Then the oldest makes room.
pub const MAX_SESSIONS: usize = 1000;
/// The most sessions of one user.
pub const MAX_OF_ONE: usize = 20;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user: AccountName,
    /// What the password was when it began: another one ends it.
    pub password: TokenHash,
    /// When it began.
    pub begun: Moment,
}

/// The sessions that run.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<TokenHash, Session>>);

impl Sessions {
    /// Begins a session at `now`.
    pub fn begin(&self, token: TokenHash, user: AccountName, password: TokenHash, now: Moment) {
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.begun.lasts(LIFETIME, now));
        let of_user = |session: &Session| session.user == user;
        while sessions.values().filter(|session| of_user(session)).count() >= MAX_OF_ONE {
            forget_first(&mut sessions, of_user);
        }
        while sessions.len() >= MAX_SESSIONS {
            forget_first(&mut sessions, |_| true);
        }
        sessions.insert(token, Session { user, password, begun: now });
    }

    /// The session of a cookie, if it runs at `now`.
    pub fn get(&self, token: &TokenHash, now: Moment) -> Option<Session> {
        self.lock().get(token).filter(|session| session.begun.lasts(LIFETIME, now)).cloned()
    }

    /// Ends a session.
    pub fn end(&self, token: &TokenHash) {
        self.lock().remove(token);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_first(sessions: &mut HashMap<TokenHash, Session>, among: impl Fn(&Session) -> bool) {
    let of_those = sessions.iter().filter(|(_, session)| among(session));
    let first = of_those.min_by_key(|(_, session)| session.begun).map(|(token, _)| token.clone());
    if let Some(token) = first {
        sessions.remove(&token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::moment::tests::{at, set_to};

    fn begin(sessions: &Sessions, token: &str, user: &str, second: u64) -> TokenHash {
        let token = TokenHash::of(token.as_bytes());
        let user = user.parse().expect("a name");
        sessions.begin(token.clone(), user, TokenHash::of(b"password"), at(second));
        token
    }

    #[test]
    fn a_session_ends_by_time_and_when_it_is_ended() {
        let sessions = Sessions::default();
        let (one, two) = (begin(&sessions, "1", "ada", 0), begin(&sessions, "2", "ada", 0));
        let end = LIFETIME.as_secs().unsigned_abs();
        assert!(sessions.get(&one, at(end - 1)).is_some());
        assert_eq!(sessions.get(&one, at(end)), None);
        assert_eq!(sessions.get(&one, set_to(0, end)), None, "a clock that is set back does not make it longer");
        sessions.end(&two);
        assert_eq!(sessions.get(&two, at(0)), None);
        begin(&sessions, "3", "ada", end + 1);
        assert_eq!(sessions.lock().len(), 1, "what has ended is forgotten");
    }

    #[test]
    fn their_number_is_bounded_and_the_oldest_make_room() {
        let sessions = Sessions::default();
        let first = begin(&sessions, "first", "ada", 0);
        for n in 0..MAX_OF_ONE {
            begin(&sessions, &format!("ada {n}"), "ada", 1);
        }
        assert_eq!(sessions.get(&first, at(1)), None, "the oldest of hers");
        assert_eq!(sessions.lock().len(), MAX_OF_ONE);
        for n in 0..MAX_SESSIONS {
            begin(&sessions, &format!("user {n}"), &format!("user{n}"), 2);
        }
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
        assert!(!sessions.lock().values().any(|session| session.user.as_str() == "ada"));
    }
}
