//! The history of an application (`g8`), and what changed between two of its reports (`b7`).

use jiff::Timestamp;
use seatline_protocol::{LinkId, Sequence};

use crate::central::{ActionError, Central};
use crate::domain::history::{Difference, History, Kept, Range, SpanLength, days_from};
use crate::domain::{Application, ApplicationId, ReportAt};
use crate::store::{Cursor, PageSize, StoreError};

impl Central {
    /// The use of an application over time (`g8`), with what is foreseen (`b11`).
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn history(&self, id: &ApplicationId, range: Range) -> Result<History, ActionError> {
        let application = self.application(id).await?;
        let now = self.now();
        let mut kept = Vec::new();
        for link in self.links_in_history(&application).await? {
            kept.push(self.kept(&link, range, now).await?);
        }
        Ok(History::of(application, range, &kept, now))
    }

    /// The links whose reports make up the history of an application, the one that counted first first.
    pub async fn links_in_history(&self, application: &Application) -> Result<Vec<LinkId>, ActionError> {
        // The chosen link counts until now; those before it, each until the next one was made.
        let Some(chosen) = &application.link else { return Ok(Vec::new()) };
        let links = self.store().links_of(&application.id).await?;
        let earlier = links.iter().map(|link| &link.id).filter(|id| *id != chosen);
        let mut links: Vec<LinkId> = std::iter::once(chosen).chain(earlier).cloned().collect();
        links.reverse();
        Ok(links)
    }

    async fn kept(&self, link: &LinkId, range: Range, now: Timestamp) -> Result<Kept, StoreError> {
        let store = self.store();
        let latest = store.latest(link).await?;
        let collected = latest.as_ref().and_then(|latest| latest.collected.as_ref());
        let months = match range {
            Range::All => store.spans(link, SpanLength::Month, Timestamp::UNIX_EPOCH).await?,
            _ => Vec::new(),
        };
        Ok(Kept {
            days: store.spans(link, SpanLength::Day, days_from(range, now)).await?,
            months,
            ever: store.spans(link, SpanLength::Ever, Timestamp::UNIX_EPOCH).await?.pop().map(|(_, span)| span),
            until: collected.map(|at: &ReportAt| at.report.observed_at),
        })
    }

    /// The report of a link that is stored next before another one; none where that one is the first.
    pub async fn report_before(&self, link: &LinkId, sequence: Sequence) -> Result<Option<Sequence>, ActionError> {
        // The place of a report in the list of them is its sequence number.
        let place = Cursor::new(sequence.to_string());
        let before = self.store().reports(link, Some(&place), PageSize::new(1)).await?.items.pop();
        Ok(before.map(|report| report.sequence))
    }

    /// What changed between two stored reports of a link.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where one of them is not stored.
    pub async fn difference(&self, link: &LinkId, one: Sequence, other: Sequence) -> Result<Difference, ActionError> {
        let side =
            async |sequence| self.store().report_side(link, sequence).await?.ok_or(ActionError::NotFound("report"));
        Ok(Difference::between(side(one).await?, side(other).await?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seatline_protocol::SecretKey;
    use seatline_protocol::pairing::Secret;

    use super::*;
    use crate::domain::{Clock, Redeemed};
    use crate::keyring::Keyring;
    use crate::store::Store;
    use crate::store::conformance::sample::{act, application, at, invite, key, redemption};
    use crate::store::sql::SqlStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn g8_every_link_that_an_application_has_had_is_part_of_its_history() {
        let dir = tempfile::tempdir().expect("a directory");
        let store: Arc<dyn Store> = Arc::new(SqlStore::sqlite(&dir.path().join("central.db")).expect("a store"));
        let keys = Keyring::new(SecretKey::from_seed(&[1; 32]), Secret::from_bytes([2; 32]));
        let url = "https://central.example";
        let central = Central::open(Arc::clone(&store), keys, Clock::system(), "Example", url).await.expect("a server");
        let application = application(1);
        store.add_application(&act(), &application).await.expect("added");
        let mut made = Vec::new();
        for n in 1..=20 {
            store.add_invite(&act(), &invite(n, Some(&application))).await.expect("kept");
            match store.redeem(&redemption(n, &key(n), n, at(n.into()))).await.expect("redeemed") {
                Redeemed::Link(link) => made.push(link.id),
                other => panic!("a new invite is used: {other:?}"),
            }
        }
        let application = central.application(&application.id).await.expect("there");
        assert_eq!(central.links_in_history(&application).await.expect("read"), made);
    }
}
