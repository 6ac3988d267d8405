//! What is wrong with an application, with the way out of it (`w5`).

use jiff::Timestamp;
use serde::Serialize;

use super::answer::{Answer, forks_are_answered};
use super::application::Application;
use super::continuity::{self, Statement};
use super::licenses::Reported;
use super::link::{Link, LinkState};
use super::report::{Latest, ReportAt};

/// Something that is wrong, with the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Trouble {
    /// A stable code.
    pub code: &'static str,
    /// What, why, and what to do.
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when it is told, where the passing of time alone ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What is wrong with an application, the gravest first.
pub(super) fn troubles(
    application: &Application,
    link: Option<&Link>,
    latest: Option<&Latest>,
    reported: Option<&Reported>,
    changes: &[Statement],
    answers: &[Answer],
    now: Timestamp,
) -> Vec<Trouble> {
    let Some(link) = link else {
        return vec![trouble(
            "not-linked",
            "no product is linked to this application: make an invite and accept it in the product",
            Some(application.created_at),
        )];
    };
    let mut found = Vec::new();
    if link.state == LinkState::Suspended {
        let message = "the link is suspended: the product's reports are refused until it is approved again";
        found.push(trouble("link-suspended", message, None));
    }
    if link.chain.forks > 0 && !forks_are_answered(answers, link.chain.forks) {
        let message = "two live copies of this instance report, or one was restored from a backup: see the refused \
                       reports of the link, switch the copy off or give it a link of its own";
        found.push(trouble("fork", message, link.chain.forked_at));
    }
    let newest = latest.map(|latest| (&latest.newest.report.product.server_id, latest.newest.received_at));
    found.extend(continuity::question(changes, answers, newest));
    found.extend(link.met.iter().filter(|met| now <= met.until()).map(|met| Trouble {
        code: met.bound.code(),
        message: met.bound.words(link.settings.daily_mib),
        since: Some(met.since),
        until: Some(met.until()),
    }));
    let Some((latest, reported)) = latest.zip(reported) else {
        let message = "the product is linked and has not reported yet: run `seatline sync` there";
        found.push(trouble("never-reported", message, link.approved_at));
        return found;
    };
    if now > reported.overdue_at {
        let message = "no report has come for more than two intervals: see `seatline status` at the product";
        found.push(trouble("overdue", message, Some(reported.received_at)));
    }
    if let Some(failure) = latest.newest.failure() {
        let message = format!("the last run gave no counts ({}): {}", failure.code, failure.message);
        found.push(trouble("run-failed", &message, Some(reported.observed_at)));
    }
    if link.chain.missing() > 0 {
        let message = format!(
            "{} earlier reports have not arrived: the product sends them again, or bring them by file",
            link.chain.missing()
        );
        found.push(trouble("gap", &message, None));
    }
    let product = &latest.newest.report.product.id;
    if *product != application.product {
        let message = format!("the linked product is `{product}`, and this application is `{}`", application.product);
        found.push(trouble("other-product", &message, None));
    }
    let standing = latest.collected.as_ref().and_then(ReportAt::collected).and_then(|found| found.standing.as_ref());
    if let Some(changes_at) = standing.and_then(|standing| standing.changes_at).filter(|at| *at <= now) {
        let message = "the verdict on the licenses may have changed since the last count: synchronise now";
        found.push(trouble("verdict-outdated", message, Some(changes_at)));
    }
    found
}

fn trouble(code: &'static str, message: &str, since: Option<Timestamp>) -> Trouble {
    Trouble { code, message: message.to_owned(), since, until: None }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use seatline_protocol::report::{Failure, Outcome};
    use seatline_protocol::{Digest, Sequence};

    use super::*;
    use crate::domain::{Chain, Licenses, sample};

    fn begin() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("a second of this century")
    }

    fn application() -> Application {
        sample::application(1, begin())
    }

    fn link() -> Link {
        sample::link(begin())
    }

    fn latest(outcome: Outcome) -> Latest {
        let report = sample::report(link().id, Sequence::FIRST, None, begin(), outcome);
        let newest = ReportAt { received_at: begin(), digest: Digest::of(b"sealed"), report, repeats: None };
        Latest { collected: newest.collected().is_some().then(|| newest.clone()), newest }
    }

    fn good() -> Latest {
        latest(Outcome::Collected(Box::default()))
    }

    /// The codes of what is wrong, so many minutes after the report.
    fn codes(link: Option<&Link>, latest: Option<&Latest>, minutes: i64) -> Vec<&'static str> {
        let now = begin() + SignedDuration::from_mins(minutes);
        let troubles = Licenses::of(application(), link, latest, Vec::new(), now).troubles;
        troubles.iter().map(|trouble| trouble.code).collect()
    }

    #[test]
    fn w5_what_is_missing_is_said_step_by_step() {
        assert_eq!(codes(None, None, 0), ["not-linked"]);
        assert_eq!(codes(Some(&link()), None, 0), ["never-reported"]);
        assert_eq!(codes(Some(&link()), Some(&good()), 0), [""; 0]);
    }

    #[test]
    fn w5_a_product_is_overdue_after_two_intervals_of_silence() {
        assert_eq!(codes(Some(&link()), Some(&good()), 120), [""; 0]);
        assert_eq!(codes(Some(&link()), Some(&good()), 121), ["overdue"]);
        let mut patient = link();
        patient.settings.interval = 86_400;
        assert_eq!(codes(Some(&patient), Some(&good()), 121), [""; 0]);
    }

    #[test]
    fn w5_troubles_come_the_gravest_first() {
        let mut link = link();
        link.state = LinkState::Suspended;
        link.chain = Chain { head: Sequence::try_from(5).ok(), stored: 2, forks: 1, ..Chain::default() };
        let failure = Failure { code: "accounts".to_owned(), message: "the database is locked".to_owned() };
        let mut latest = latest(Outcome::Failed(failure));
        latest.newest.report.product.id = "other-wiki".parse().expect("a product id");
        let expected = ["link-suspended", "fork", "overdue", "run-failed", "gap", "other-product"];
        assert_eq!(codes(Some(&link), Some(&latest), 1000), expected);
    }
}
