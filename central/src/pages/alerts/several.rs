//! Several alerts that are acknowledged at once: those that were ticked in the list.

use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use seatline_ui::{Banner, Tone, format};

use super::known::{Refused, Said};
use super::list::{self, Sent};
use crate::actions::alerts::SeveralKnown;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::alerts::MatterKey;
use crate::pages::alerts::form::Pairs;
use crate::pages::failure::PageError;
use crate::server::App;

/// What the box beside an alert sends: its application, code and subject.
pub(super) fn ticked(matter: &MatterKey) -> String {
    let MatterKey { application, code, subject } = matter;
    format!("{application} {code} {subject}")
}

fn matter(ticked: &str) -> Result<MatterKey, ActionError> {
    let wrong = || ActionError::invalid("alert", "it is none of the list: tick those that are there now");
    let mut parts = ticked.splitn(3, ' ');
    let (Some(application), Some(code)) = (parts.next(), parts.next()) else { return Err(wrong()) };
    let application = application.parse().map_err(|_| wrong())?;
    Ok(MatterKey { application, code: code.to_owned(), subject: parts.next().unwrap_or_default().to_owned() })
}

/// What is said after several were acknowledged: `several-3` or `several-3-1`, where one was not open any more.
pub(super) fn done(text: &str) -> Option<Banner> {
    let mut numbers = text.strip_prefix("several-")?.split('-').map(str::parse::<u64>);
    let (done, over) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let title = format!("{} acknowledged.", format::counted(done, "alert", "alerts"));
    let gone = format!("{} not open any more.", format::counted(over, "was", "were"));
    let rest = "Nothing more is told of it for as long as you said.";
    Some(Banner::new(Tone::Good, title, if over == 0 { rest.to_owned() } else { format!("{rest} {gone}") }))
}

/// `POST /alerts/acknowledge-several`, with the filter of the list that it stands under
pub async fn acknowledge(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(list): Query<Sent>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let sent = Pairs(sent);
    let (said, alerts) = (Said::of(&sent), sent.all("alert").map(matter).collect::<Result<Vec<_>, _>>()?);
    let done = async {
        if alerts.is_empty() {
            return Err(ActionError::invalid("alerts", "tick the alerts that you know of"));
        }
        let until = said.end(app.central.now())?;
        let known = SeveralKnown { alerts: alerts.clone(), why: said.why().to_owned(), until };
        app.central.acknowledge_several(&who.actor(), known).await
    };
    match done.await {
        Ok(several) => Ok(list.after(&format!("several-{}-{}", several.acknowledged.len(), several.not_open.len()))),
        Err(error) => list::refused(&app, &who, list, Refused::new(error, said, alerts, true)?).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ticked_is_the_same_alert_and_nothing_else_is_one() {
        let application = "7baafe9c89f6a059f5328f11".parse().expect("an id");
        let plain = MatterKey { application, code: "overdue".to_owned(), subject: String::new() };
        let spaced = MatterKey { subject: "license visibility 0.2.0".to_owned(), ..plain.clone() };
        for key in [plain, spaced] {
            assert_eq!(matter(&ticked(&key)).expect("read"), key);
        }
        for bad in ["", "x", "7baafe9c89f6a059f5328f11", "no-id overdue "] {
            assert!(matter(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_was_done_is_said_and_an_address_cannot_say_anything_else() {
        assert!(done("several-3-0").is_some() && done("several-2-1").is_some());
        for text in ["several-", "several-3", "several-x-1", "several-<b>-1", "acknowledged"] {
            assert!(done(text).is_none(), "{text}");
        }
    }
}
