//! What makes the product's database this one and no other (`s2`), seen without ever waiting for it beyond the limit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seatline_host::ports::DatabaseIdentity;

use super::{SourceError, TimeLimit, sql};
use crate::config::Binding;

/// What a look may take beyond its own time limit, which ends most of what is slow with a better reason.
const PATIENCE: Duration = Duration::from_secs(1);

type Seen = Result<DatabaseIdentity, SourceError>;

/// Looks at the database that the server ID is bound to, one at a time, each in a thread of its own: every command
/// waits for it, and a server that accepts a connection and falls silent, or a file on a network that is gone, ends no
/// call.
#[derive(Default)]
pub struct Looks {
    /// What a look will say that did not end in time. As long as it has not, there is no other: so no more than one
    /// thread ever hangs.
    hanging: Mutex<Option<Receiver<Seen>>>,
}

impl Looks {
    /// The place of the database, and the birth mark of its data.
    ///
    /// # Errors
    /// When it cannot be read in time, or gives no birth mark.
    pub fn look(&self, binding: &Binding) -> Seen {
        let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        // What it has seen is of another time: it is looked anew.
        if let Some(earlier) = hanging.take_if(|earlier| earlier.try_recv() == Err(TryRecvError::Empty)) {
            *hanging = Some(earlier);
            return Err(SourceError::TimeLimit(binding.time_limit));
        }
        let (send, seen) = sync_channel(1);
        let of = binding.clone();
        std::thread::spawn(move || send.send(identity(&of)));
        match seen.recv_timeout(Duration::from_secs(binding.time_limit) + PATIENCE) {
            Ok(seen) => seen,
            Err(RecvTimeoutError::Disconnected) => Err(SourceError::BirthMark("reading it failed unexpectedly")),
            Err(RecvTimeoutError::Timeout) => {
                *hanging = Some(seen);
                Err(SourceError::TimeLimit(binding.time_limit))
            }
        }
    }
}

fn identity(binding: &Binding) -> Seen {
    let sql = binding
        .sql
        .as_ref()
        .ok_or(SourceError::BirthMark("no database is set up: name it in [accounts] or [identity] of seatline.toml"))?;
    sql::identity(sql, binding.schema.as_deref(), TimeLimit::starting_now(binding.time_limit))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn s2_one_look_hangs_at_the_most_and_when_it_has_ended_the_next_is_made() {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = silent.local_addr().expect("an address").port();
        let text = format!(
            "[product]\nid = 'x'\nname = 'X'\nversion = '1'\n[identity]\npolicy = 'database-bound'\nbirth_mark = 'q'\n\
             time_limit = 1\ndatabase = 'postgres://x@127.0.0.1:{port}/x'"
        );
        let config = Config::parse(&text, Path::new("/")).expect("a configuration");
        let (looks, binding) = (Looks::default(), config.identity.binding.expect("a binding"));
        let code = || looks.look(&binding).map(|_| ()).expect_err("nobody answers").code();
        assert_eq!(code(), "source-time-limit");
        let (held, _) = silent.accept().expect("the look that hangs");
        assert_eq!(code(), "source-time-limit", "at once, and without another connection");
        silent.set_nonblocking(true).expect("a listener");
        assert!(silent.accept().is_err());
        drop((held, silent));
        while code() == "source-time-limit" {
            std::thread::yield_now();
        }
        assert_eq!(code(), "source-unreachable", "a look of its own");
    }
}
