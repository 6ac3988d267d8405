//! Waiting for news of the central server: what an administrator there wants at once (`w6`).

use jiff::Timestamp;
use seatline_protocol::wait::{MAX_SECONDS, Wait, WaitRequest};
use seatline_protocol::{LinkId, seal};

use super::Host;
use crate::exchange::{self, ExchangeError};
use crate::link::{Link, State};
use crate::store::change;

/// What waiting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The time was over.
    None,
    /// The central server wants something else than before: look at the link.
    Changed,
}

impl Host {
    /// Asks the central server to answer as soon as it wants something, and waits for so many seconds at the most; a
    /// number that is out of bounds is brought into them. What it wants is taken; a link that was approved meanwhile is
    /// in force.
    ///
    /// # Errors
    /// When there is no link to wait for, the central server has a reason to refuse, or no answer came, as where a
    /// proxy cuts off what is silent. Nothing of it is kept: how the exchanges go stays what it is.
    pub fn wait_for_news(&self, seconds: u64) -> Result<News, ExchangeError> {
        let link = Link::read(&*self.store)?.ok_or(ExchangeError::NotLinked)?;
        if let Some(unconfirmed) = exchange::unconfirmed(&link, &*self.store)? {
            return Err(ExchangeError::Unconfirmed(Box::new(unconfirmed)));
        }
        let seconds = seconds.clamp(1, MAX_SECONDS);
        let request = wait_request(&link, seconds, self.now()?)?;
        let response = self.client.wait(&link.central_url, &request, seconds)?;
        if link.approved().is_none() {
            // The welcome is the news, and comes with an exchange.
            return if response.settings.is_some() {
                self.exchange().map(|_| News::Changed)
            } else {
                refused_or(&response)
            };
        }
        let outcome = change(&*self.store, |locked| exchange::take_news(locked, &response, &link, self.clock.now()))?;
        if outcome.key_replaced {
            // Why it failed is kept, and it is tried again as every exchange.
            let _ = self.exchange();
        }
        if outcome.settings_changed || outcome.key_replaced || response.removal.is_some() {
            return Ok(News::Changed);
        }
        refused_or(&response)
    }
}

fn refused_or(response: &seatline_protocol::ExchangeResponse) -> Result<News, ExchangeError> {
    response.refusals.first().map_or(Ok(News::None), |refusal| Err(ExchangeError::refused(refusal)))
}

/// The request of a link that the central server knows.
fn wait_request(link: &Link, seconds: u64, issued_at: Timestamp) -> Result<WaitRequest, ExchangeError> {
    let (id, revision): (&LinkId, u64) = match &link.state {
        State::Approved { link, settings, .. } => (link, settings.as_ref().map_or(0, |settings| settings.revision)),
        State::Pending { link, .. } => (link, 0),
        State::Joining | State::Refused(_) => return Err(ExchangeError::NotLinked),
    };
    let wait = Wait { link: id.clone(), revision, seconds, issued_at };
    let sealed = seal::seal(&wait, &link.secret_key()?);
    let wait = sealed.map_err(|source| ExchangeError::Answer { document: "wait", source })?;
    Ok(WaitRequest { wait })
}
