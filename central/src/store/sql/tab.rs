//! What the Licenses tab is made of, in one read.

use async_trait::async_trait;
use seatline_protocol::Sequence;

use super::session::Session;
use super::{SqlStore, Stored, answers, applications, evidence, latest, links, reports, statements};
use crate::domain::{ApplicationId, Told};
use crate::store::tab::Tab;
use crate::store::{LicenseTabs, PageSize};

#[async_trait]
impl LicenseTabs for SqlStore {
    async fn tab(&self, id: &ApplicationId, reports: Option<PageSize>) -> Stored<Option<Tab>> {
        let id = id.clone();
        self.read(move |session| tab(session, &id, reports)).await
    }
}

fn tab(session: &dyn Session, id: &ApplicationId, newest: Option<PageSize>) -> Stored<Option<Tab>> {
    let Some(application) = applications::by_id(session, id)? else { return Ok(None) };
    let (told, reports, refused) = (Told::default(), Vec::new(), Vec::new());
    let mut tab = Tab { application, link: None, latest: None, told, reports, refused };
    let Some(link) = tab.application.link.clone() else { return Ok(Some(tab)) };
    (tab.link, tab.latest) = (links::by_id(session, &link)?, latest::read(session, &link)?);
    let forked = tab.link.as_ref().is_some_and(|link| link.chain.forks > 0);
    let conflicts = if forked { evidence::conflicts(session, &link)? } else { Vec::new() };
    tab.told = Told {
        statements: statements::of(session, &link)?,
        answers: answers::of(session, &link)?,
        conflict_at: conflicts.first().map(|conflict| conflict.refused.first_at),
    };
    if let Some(size) = newest {
        tab.reports = reports::page(session, &link, Sequence::MAX + 1, size)?.items;
        tab.refused = reports::refused(session, &link)?;
    }
    Ok(Some(tab))
}
