//! Progress on standard error, for what takes longer than a second.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::output::count;
use crate::product::AccountsRead;

/// After this time somebody wonders.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a terminal is told, and how often a file.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// Back to the begin of a terminal's line, which is cleared.
const CLEARED: &str = "\r\x1b[K";

/// Does `work`, and tells on standard error that `what` goes on, and how many accounts were read, once it takes longer
/// than a second.
pub fn during<T>(what: &str, accounts: &AccountsRead, work: impl FnOnce() -> T) -> T {
    let (done, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let is_terminal = std::io::stderr().is_terminal();
            let mut wait = PATIENCE;
            let mut told = false;
            while waiting.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let read = accounts.get();
                let line =
                    if read > 0 { format!("{what}: {} accounts read", count(read)) } else { format!("{what} …") };
                tell(&if is_terminal { format!("{CLEARED}{line}") } else { format!("{line}\n") });
                told = true;
                wait = if is_terminal { INTERVALS.0 } else { INTERVALS.1 };
            }
            if told && is_terminal {
                tell(CLEARED);
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// As [`output::tell`](crate::output::tell), to the byte: what clears a line is no colour, and is sent also where those
/// are not wanted.
fn tell(text: &str) {
    let mut terminal = std::io::stderr().lock();
    let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
}
