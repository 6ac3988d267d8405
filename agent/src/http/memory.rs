//! What is answered from memory: the standing of the licenses, and who may ask.
//!
//! What this process changes is there at once; what another process changes, within [`LOOK_INTERVAL`]. One request
//! looks, on a thread that may block; the others go on with what is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_host::live::{LOOK_INTERVAL, Live};
use seatline_host::store::{Slot, Stamp, StoreError};
use seatline_web::TokenHash;

use crate::instance::Instance;
use crate::tokens::{self, Token};

/// For how long the others go on while one looks, since the last look. After that they look too.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer waits for a look. A state that takes longer has a problem, and what is in memory holds meanwhile.
pub const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// The tokens by the hash of their secret.
type Table = HashMap<TokenHash, Arc<Token>>;

/// What is answered from memory.
#[derive(Default)]
pub struct Memory {
    looked_at: Mutex<Option<Instant>>,
    looking_since: Arc<Mutex<Option<Instant>>>,
    tokens: RwLock<Tokens>,
}

#[derive(Default)]
struct Tokens {
    /// None before the state could be read once.
    table: Option<Arc<Table>>,
    stamp: Option<Stamp>,
}

/// The turn of the one who looks. It ends when it is dropped, with the look.
pub struct Turn(Arc<Mutex<Option<Instant>>>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What is to be done before an answer.
pub enum Freshness {
    /// What is in memory holds.
    Fresh,
    /// It is this one's turn to look.
    Look(Option<Turn>),
}

impl Memory {
    /// Whether what is in memory holds, or somebody has to look; `live` is what is remembered.
    pub fn freshness(&self, live: Option<&Live>) -> Freshness {
        let Some(live) = live else { return Freshness::Look(None) };
        let age = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed());
        let has_passed = live.standing.changes_at.is_some_and(|at| at <= Timestamp::now());
        if !has_passed && age.is_some_and(|age| age < LOOK_INTERVAL) {
            return Freshness::Fresh;
        }
        let mut looking_since = self.looking_since.lock().unwrap_or_else(PoisonError::into_inner);
        match *looking_since {
            None => {
                *looking_since = Some(Instant::now());
                Freshness::Look(Some(Turn(Arc::clone(&self.looking_since))))
            }
            // Nobody else waits for a state that does not answer.
            Some(since) if since.elapsed() >= LOOK_LIMIT => Freshness::Fresh,
            Some(_) if age.is_some_and(|age| age < PATIENCE) => Freshness::Fresh,
            Some(_) => Freshness::Look(None),
        }
    }

    /// Looks for what others have changed. The tokens that were read last hold where they cannot be read.
    ///
    /// # Errors
    /// When the tokens were never read, and cannot be.
    pub fn look(&self, instance: &Instance) -> Result<(), StoreError> {
        // What is in the way of a new standing is beside the old one.
        let _ = instance.host.live();
        let read = self.look_for_tokens(instance);
        *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        match read {
            Err(error) if self.table().is_none() => Err(error),
            Err(error) => {
                tracing::warn!(code = error.code(), "the API tokens of before hold: {error}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn look_for_tokens(&self, instance: &Instance) -> Result<(), StoreError> {
        let stamp = instance.host.kept_stamp(Slot::ApiTokens)?;
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        if known.table.is_some() && known.stamp == stamp {
            return Ok(());
        }
        drop(known);
        let read = tokens::hashed(&instance.host)?;
        let table = read.into_iter().map(|(hash, token)| (hash, Arc::new(token))).collect();
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        *tokens = Tokens { table: Some(Arc::new(table)), stamp };
        Ok(())
    }

    /// Whether the tokens were ever read.
    pub fn knows_tokens(&self) -> bool {
        self.table().is_some()
    }

    fn table(&self) -> Option<Arc<Table>> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).table.clone()
    }

    /// Whose token it is that has this hash; nobody's before the first look.
    pub fn token(&self, hash: &TokenHash) -> Option<Arc<Token>> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.table.as_ref()?.get(hash).cloned()
    }
}
