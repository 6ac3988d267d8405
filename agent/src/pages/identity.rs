//! The server ID on the pages: what is said of it where it is shown (`s1`, `s2`), and a person's word on a change of it
//! (`b4`).

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use seatline_host::Host;
use seatline_host::exchange::ExchangeError;
use seatline_host::host::ConfirmError;
use seatline_host::identity::{IdentityFacts, Unconfirmed};
use seatline_protocol::continuity::parts_in_words;
use seatline_protocol::{ContinuityAnswer, ServerId};
use seatline_ui::format::counted;
use seatline_ui::{Banner, Prose, Tone, When};

use super::fields::Fields;
use super::{PageError, Pages, Visit};
use crate::system_info::SystemInfo;

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

/// What a person is asked about a change of the server ID (`b4`), with a form for each answer.
#[derive(Template)]
#[template(path = "system/question.html")]
pub struct Question {
    action: String,
    central: String,
    changed: String,
    linked_as: ServerId,
    present: ServerId,
    since: Option<When>,
    /// The reports that wait for approval, in words.
    held: Option<String>,
}

impl askama::filters::HtmlSafe for Question {}

impl Question {
    /// The question, where one is open at `now`.
    pub fn of(pages: &Pages, info: &SystemInfo) -> Option<Self> {
        let Unconfirmed { linked_as, present, since, changed } = info.identity.as_ref()?.unconfirmed.clone()?;
        let held = info.hold.as_ref().map_or(0, |hold| hold.held as u64);
        Some(Self {
            action: pages.href("/system/server-id"),
            central: info.link.as_ref()?.central_name.clone(),
            changed: parts_in_words(&changed),
            linked_as,
            present,
            since: since.map(|at| When { at, now: info.at }),
            held: (held > 0).then(|| counted(held, "report waits", "reports wait")),
        })
    }
}

impl Question {
    /// The answers, with what each says.
    fn answers(&self) -> [(ContinuityAnswer, &'static str, &'static str); 3] {
        use ContinuityAnswer::{Copy, Moved, Restored};
        [
            (Moved, "It has moved", "It is the instance that was linked, at another place or configured otherwise."),
            (
                Restored,
                "Its data were restored",
                "It is the instance that was linked, with other data or installed anew.",
            ),
            (Copy, "This is a copy", "It is a copy of the instance that was linked, such as a staging one."),
        ]
    }
}

/// What came of an answer, for the page to say.
pub fn answered(done: &str) -> Option<Banner> {
    use ContinuityAnswer::{Copy, Moved, Restored};
    let (answer, is_told) = done.strip_suffix(UNTOLD).map_or((done, true), |answer| (answer, false));
    let answer: ContinuityAnswer = answer.parse().ok()?;
    let what = match answer {
        Moved => "Noted: this instance has moved.",
        Restored => "Noted: its data were restored.",
        Copy => "This is a copy: the link is removed here, and stays with the original.",
    };
    let (tone, why) = match (is_told, answer) {
        (true, Copy) => (Tone::Good, ""),
        (true, _) => (Tone::Good, "What waited is sent."),
        (false, Copy) => {
            (Tone::Warning, "The central server could not be told: tell its administrator that this is a copy.")
        }
        (false, _) => (Tone::Warning, "The central server could not be told now: it is told with the next exchange."),
    };
    Some(Banner::new(tone, what, why))
}

/// Stands behind an answer that the central server was not told.
const UNTOLD: &str = "-untold";

/// `POST /system/server-id`: a person's word on what a change of the server ID was.
pub async fn answer(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Redirect, PageError> {
    let rule = "the form does not say what the change was: go back to System Info, and send it from there";
    let invalid = || PageError::invalid(rule).way_out(SYSTEM.0, SYSTEM.1);
    let answer: ContinuityAnswer = sent.get("answer").parse().map_err(|_| invalid())?;
    let seen: ServerId = sent.get("server-id").parse().map_err(|_| invalid())?;
    let confirmed = pages.ask_long(move |host| {
        // The answer is about the change that its sender has looked at.
        let present = host.identity()?.server_id;
        if present == seen { host.confirm_identity(answer) } else { Err(ConfirmError::NothingToConfirm) }
    });
    let confirmed = confirmed.await?.map_err(|error| match error {
        ConfirmError::NothingToConfirm => {
            let why = "Somebody has answered already, or the server ID is another one again.";
            PageError::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "Nothing was changed", why)
                .way_out(SYSTEM.0, SYSTEM.1)
        }
        ConfirmError::Store(error) => PageError::of_state(&error),
        ConfirmError::Link(error) => PageError::unavailable(error.code(), &error.to_string()),
    })?;
    tracing::info!(answer = answer.name(), user = visit.visitor.name, "a change of the server ID was confirmed");
    let untold = confirmed.problem.map_or("", |_| UNTOLD);
    Ok(Redirect::to(&pages.href(&format!("/system?done={}{untold}", answer.name()))))
}

/// The way out: what it is called, and its path.
const SYSTEM: (&str, &str) = ("To System Info", "/system");
