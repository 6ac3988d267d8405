//! What is said of the server ID where it is shown (`s1`, `s2`).

use seatline_host::Host;
use seatline_host::exchange::ExchangeError;
use seatline_host::identity::IdentityFacts;
use seatline_ui::{Banner, Prose, Tone};

/// What is wrong with the server ID.
pub fn banners(identity: &IdentityFacts) -> Vec<Banner> {
    let changed = identity.unconfirmed.clone().map(|unconfirmed| {
        let error = ExchangeError::Unconfirmed(Box::new(unconfirmed));
        Banner::new(Tone::Warning, "The server ID has changed", Prose::sentence(&error.to_string()))
    });
    changed.into_iter().chain(unread(identity)).collect()
}

/// That nobody should build on the server ID now.
fn unread(identity: &IdentityFacts) -> Option<Banner> {
    let problem = identity.problem.as_ref()?;
    let line = Prose::sentence(&problem.message);
    Some(Banner::new(Tone::Warning, "The server ID could not be confirmed", line))
}

/// The same for a page that shows the server ID for a license to be bound to it. What cannot be read is told elsewhere.
pub fn warning(host: &Host) -> Option<Banner> {
    host.identity().ok().as_ref().and_then(unread)
}
