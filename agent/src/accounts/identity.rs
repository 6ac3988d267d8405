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
/// waits for it, and what lies on a network that is gone ends no call.
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
        let of = binding.clone();
        self.look_by(binding.time_limit, move || identity(&of))
    }

    /// The same, as `identity` sees it within `time_limit`, in seconds.
    fn look_by(&self, time_limit: u64, identity: impl FnOnce() -> Seen + Send + 'static) -> Seen {
        let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        // What it has seen is of another time: it is looked anew.
        if let Some(earlier) = hanging.take_if(|earlier| earlier.try_recv() == Err(TryRecvError::Empty)) {
            *hanging = Some(earlier);
            return Err(SourceError::TimeLimit(time_limit));
        }
        let (send, seen) = sync_channel(1);
        std::thread::spawn(move || send.send(identity()));
        match seen.recv_timeout(Duration::from_secs(time_limit) + PATIENCE) {
            Ok(seen) => seen,
            Err(RecvTimeoutError::Disconnected) => Err(SourceError::BirthMark("reading it failed unexpectedly")),
            Err(RecvTimeoutError::Timeout) => {
                *hanging = Some(seen);
                Err(SourceError::TimeLimit(time_limit))
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
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn s2_one_look_hangs_at_the_most_and_when_it_has_ended_the_next_is_made() {
        let looks = Looks::default();
        let (go_on, goes_on) = channel::<()>();
        let code = |seen: Seen| seen.map(|_| ()).expect_err("nothing is seen").code();
        let hangs = looks.look_by(0, move || {
            goes_on.recv().expect("the story goes on");
            Err(SourceError::BirthMark("it is late"))
        });
        assert_eq!(code(hangs), "source-time-limit");
        let at_once = looks.look_by(0, || Err(SourceError::BirthMark("there is another look")));
        assert_eq!(code(at_once), "source-time-limit");
        go_on.send(()).expect("the look waits");
        loop {
            match code(looks.look_by(0, || Err(SourceError::NotANumber))) {
                "source-time-limit" => std::thread::yield_now(),
                next => return assert_eq!(next, "source-not-a-number", "what it sees itself"),
            }
        }
    }
}
