//! The beginning of `seatline run`: the instance is opened, and where that fails, tried again until it succeeds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use seatline_web::Address;

use super::stop::Stop;
use super::supervisor;
use crate::config::Config;
use crate::failure::Failure;
use crate::http::Unopened;
use crate::instance::Instance;

/// How often opening is tried.
const PAUSE: Duration = Duration::from_secs(5);

/// Opens the instance in `dir`. While that fails, whoever asks at `address` is told so (`a7`), and it is tried again: a
/// database comes back, a disk is mended, a backup is restored. Gives none where `stop` was requested meanwhile.
///
/// # Errors
/// Why it cannot be opened, where nobody could be told as there is no address; and where `address` cannot be listened
/// on.
pub fn open(
    dir: &Path,
    config: &Config,
    address: Option<&Address>,
    stop: &Stop,
) -> Result<Option<Arc<Instance>>, Failure> {
    let mut failure = match Instance::open_at_once(dir, config.clone()) {
        Ok(instance) => return Ok(Some(Arc::new(instance))),
        Err(failure) => failure,
    };
    let Some(address) = address else { return Err(failure) };
    let unopened = Unopened::serve(&config.http, address, &failure)?;
    tracing::info!(address = %unopened.address(), "answering that the state cannot be used");
    supervisor::ready();
    loop {
        tracing::error!(code = failure.code, "the state cannot be used, and it is tried again: {}", failure.message);
        failure = loop {
            stop.wait(PAUSE);
            if stop.is_requested() {
                return Ok(None);
            }
            match Instance::open_at_once(dir, config.clone()) {
                Ok(instance) => return Ok(Some(Arc::new(instance))),
                Err(still) if still == failure => {}
                Err(other) => break other,
            }
        };
        unopened.is_because_of(&failure);
    }
}
