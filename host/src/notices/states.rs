//! What is so of the instance, as states that notices are made of: its standing, its runs, its link, its clock.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::exchange::{Fate, RefusalCode};
use seatline_protocol::notices::{
    Course, Facts, Reminders, State, Step, Subject, Topic, Words, looks_ahead, of_standing,
};
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::MAX_MESSAGE;
use seatline_protocol::{Digest, text};

use crate::exchange::Problem;
use crate::held::HoldStatus;
use crate::host::{Host, HostError};
use crate::link::{LinkFacts, LinkState};
use crate::runs::LastRun;
use crate::status::Status;

/// From how many seconds behind on the clock is told of: below, two clocks differ as clocks do.
const CLOCK_TOLERANCE: u64 = 300;

/// A license key that lies ready and is refused, as who has tried to set it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// A stable code.
    pub code: String,
    /// One line: where it lies, and why it is refused.
    pub message: String,
}

/// All states of the instance at `now`.
pub(crate) fn states(
    host: &Host,
    reminders: &Reminders,
    refused: &[Refused],
    now: Timestamp,
) -> Result<Vec<State>, HostError> {
    let status = host.status()?;
    let ahead = looks_ahead(&status.standing, reminders, now);
    let ahead: Result<Vec<_>, _> = ahead.into_iter().map(|at| host.standing_at(at)).collect();
    let product = &status.product.id;
    let mut states = of_standing(product, &status.standing, &ahead?, reminders, now);
    let patience = patience(host, reminders)?;
    states.extend(license_keys(refused));
    states.extend(status.last_run.as_ref().map(|run| counting(run, patience)));
    if let Some(link) = &status.link {
        states.push(reporting(&status, link, patience, now));
        states.push(approval(&status.hold, patience, now));
        states.push(self::link(&status, link));
    }
    states.push(clock(&status));
    Ok(states)
}

/// For how long counting or reporting must have failed.
fn patience(host: &Host, reminders: &Reminders) -> Result<SignedDuration, HostError> {
    let intervals = host.interval()?.as_secs().saturating_mul(u64::from(reminders.patience));
    Ok(SignedDuration::from_secs(intervals.try_into().unwrap_or(i64::MAX)))
}

fn license_keys(refused: &[Refused]) -> Vec<State> {
    let state = |boundary: String, course, begun| State {
        subject: Subject { topic: Topic::LicenseKey, of: "configured".to_owned(), license: None, boundary },
        course,
        begun,
        over: Words {
            code: "",
            title: "No license key is refused any more".to_owned(),
            message: "The license keys that lie ready were set, or are gone.".to_owned(),
        },
        facts: Facts::default(),
        patience: 0,
    };
    if refused.is_empty() {
        return vec![state(String::new(), Course::Well, Words::default())];
    }
    let refused = refused.iter().map(|Refused { code, message }| {
        // The same key refused for another reason is another matter.
        let boundary = Digest::of(format!("{code} {message}").as_bytes()).hex()[..16].to_owned();
        let begun = words("license-refused", "A license key that lies ready is refused", message);
        state(boundary, Course::At(Step::Holds), begun)
    });
    refused.collect()
}

fn counting(run: &LastRun, patience: SignedDuration) -> State {
    let missing = match &run.outcome {
        Outcome::Failed(failure) => Some(format!("{} [{}]", failure.message, failure.code)),
        Outcome::Collected(collected) => {
            collected.omissions.first().map(|omission| format!("{}: {}", omission.subject, omission.reason))
        }
    };
    let kept = match run.counted_at {
        Some(at) => format!("The accounts of {} stay in use.", at.strftime("%Y-%m-%d %H:%M UTC")),
        None => "The accounts were never counted.".to_owned(),
    };
    let begun = missing.as_ref().map(|reason| words("counting-fails", "Counting fails", &format!("{reason}. {kept}")));
    let course = if missing.is_some() { Course::At(Step::Holds) } else { Course::Well };
    let over = words("", "Counting works again", "Everything that is to be counted was counted.");
    State {
        patience: patience.as_secs().try_into().unwrap_or(u32::MAX),
        ..of(Topic::Counting, "product", course, begun, over)
    }
}

fn reporting(status: &Status, link: &LinkFacts, patience: SignedDuration, now: Timestamp) -> State {
    let (outbox, exchange) = (&status.outbox, &status.exchange);
    let reason = exchange.problem.as_ref().map(|problem| format!(": {} [{}]", problem.message, problem.code));
    let reason = reason.unwrap_or_default();
    let lasts = outbox.oldest.is_some_and(|oldest| now.duration_since(oldest) >= patience);
    let since = outbox.oldest.map(|oldest| oldest.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
    let wait = waiting(outbox.pending);
    let (course, begun) = if outbox.is_full {
        let message = format!("{wait}, and no further one is made until the central server has received one{reason}");
        (Course::At(Step::Stopped), Some(words("outbox-full", "No report is made any more", &message)))
    } else if exchange.problem.is_some() && lasts {
        // It may have received others: one report that it does not take holds up none after it.
        let message = format!("{wait} to be received, the first since {since}{reason}. What waits is sent again.");
        (Course::At(Step::Holds), Some(words("reports-wait", "Reports are not received", &message)))
    } else if outbox.pending == 0 || exchange.problem.is_none() {
        (Course::Well, None)
    } else {
        (Course::Quiet, None)
    };
    let over = words("", "Reports are received again", "Everything that waited was received, or is on its way.");
    of(Topic::Reporting, &link.central_url, course, begun, over)
}

/// That so many reports wait, as the beginning of a sentence.
fn waiting(reports: usize) -> String {
    match reports {
        1 => "1 report waits".to_owned(),
        reports => format!("{} reports wait", text::number(reports as u64)),
    }
}

/// That reports wait for a person, and for how long nobody has looked at them.
fn approval(hold: &HoldStatus, patience: SignedDuration, now: Timestamp) -> State {
    let held = waiting(hold.held);
    let way_out = "Look at what would leave on the page Plugin, and approve or discard it.";
    let lasts = |oldest| now.duration_since(oldest) >= patience;
    let (course, begun) = match hold.oldest {
        None => (Course::Well, None),
        Some(_) if hold.is_full => {
            let message = format!("{held} for approval, and no further one is made until then. {way_out}");
            (Course::At(Step::Stopped), Some(words("held-full", "No report is made any more", &message)))
        }
        Some(oldest) if lasts(oldest) => {
            let since = oldest.strftime("%Y-%m-%d %H:%M UTC");
            let message = format!("{held} for approval, the first since {since}. {way_out}");
            (Course::At(Step::Holds), Some(words("reports-held", "Reports wait for approval", &message)))
        }
        Some(_) => (Course::Quiet, None),
    };
    let over = words("", "No report waits for approval any more", "What was held was approved or discarded.");
    of(Topic::Approval, "reports", course, begun, over)
}

fn link(status: &Status, link: &LinkFacts) -> State {
    let last = status.exchange.problem.as_ref().filter(|problem| is_refusal(problem));
    let refusal = link.refusal.as_ref().filter(|_| link.state == LinkState::Refused).or(last);
    let begun = refusal.map(|problem| {
        let message = format!("{} [{}]", problem.message, problem.code);
        words("link-refused", "The central server refuses this instance", &message)
    });
    let course = if refusal.is_some() { Course::At(Step::Holds) } else { Course::Well };
    let over = words("", "The central server accepts this instance again", "The link is as it should be.");
    of(Topic::Link, &link.central_url, course, begun, over)
}

/// Whether the central server has an objection that does not pass by itself.
fn is_refusal(problem: &Problem) -> bool {
    RefusalCode::of(&problem.code).is_some_and(|code| match code.fate() {
        Fate::Ended | Fate::LetGo => true,
        Fate::Again => matches!(code, RefusalCode::LinkSuspended | RefusalCode::TooManyKeys),
    })
}

fn clock(status: &Status) -> State {
    let behind = status.clock_behind.filter(|behind| *behind >= CLOCK_TOLERANCE);
    let begun = behind.map(|behind| {
        let message = format!(
            "The clock of this machine is {} s behind the time that a receipt has proven. Until it is set, the time of that \
             receipt counts.",
            text::number(behind)
        );
        words("clock-behind", "The clock is behind", &message)
    });
    let course = if behind.is_some() { Course::At(Step::Holds) } else { Course::Well };
    of(Topic::Clock, "clock", course, begun, words("", "The clock is right again", "It agrees with the receipts."))
}

fn of(topic: Topic, of: &str, course: Course, begun: Option<Words>, over: Words) -> State {
    let subject = Subject { topic, of: text::line(of, 500), license: None, boundary: String::new() };
    State { subject, course, begun: begun.unwrap_or_default(), over, facts: Facts::default(), patience: 0 }
}

fn words(code: &'static str, title: &str, message: &str) -> Words {
    Words { code, title: title.to_owned(), message: text::line(message, MAX_MESSAGE) }
}
