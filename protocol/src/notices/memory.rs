//! What was told: so that each thing is told once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Change, Course, Notice, State, Step, Subject, Topic};

/// For how long a count must have stayed below its boundary before that is told, and before it is told of anew.
pub const SETTLE_COUNT: SignedDuration = SignedDuration::from_hours(24);
/// The same for what may fail and work again: counting, reporting, the link, the clock.
pub const SETTLE_SERVICE: SignedDuration = SignedDuration::from_hours(1);
/// The most matters that are remembered; beyond, the oldest gives way.
pub const MAX_REMEMBERED: usize = 512;

/// What was told, to be kept over restarts and shared by the nodes of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(Vec<Remembered>);

/// What is remembered of one matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    subject: Subject,
    /// The step that was told, and its code; none while it waits for its patience.
    told: Option<Told>,
    /// Since when it is graver than what was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graver_since: Option<Timestamp>,
    /// Since when it is slighter than what was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slighter_since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    step: Step,
    code: String,
}

impl Topic {
    /// Whether its steps follow from dates alone, which only go forward: what is told of one is not over at a slighter
    /// one.
    fn is_dated(self) -> bool {
        matches!(self, Self::Expiry | Self::Maintenance)
    }

    fn settles_in(self) -> SignedDuration {
        match self {
            Self::Limit => SETTLE_COUNT,
            Self::Counting | Self::Reporting | Self::Link | Self::Clock => SETTLE_SERVICE,
            // These end by a date, or by what a person does.
            Self::Expiry | Self::Maintenance | Self::Unlicensed => SignedDuration::ZERO,
            Self::LicenseKey | Self::Approval | Self::Test => SignedDuration::ZERO,
        }
    }
}

impl Memory {
    /// What is to be told at `now`, while `states` are so. What it gives is remembered as told.
    ///
    /// A matter that is not among the states is over if another of the same kind took its place; if there is none (no
    /// license governs, so no limit is known), nothing is known about it, and what was told stays told.
    pub fn take(&mut self, states: &[State], now: Timestamp) -> Vec<Notice> {
        let mut notices = Vec::new();
        for state in states {
            match self.0.iter().position(|known| known.subject == state.subject) {
                Some(at) => {
                    notices.extend(self.0[at].take(state, now));
                    if self.0[at].is_settled() {
                        self.0.remove(at);
                    }
                }
                None if state.course.step().is_some() => {
                    let mut known = Remembered::new(state.subject.clone());
                    notices.extend(known.take(state, now));
                    self.0.push(known);
                }
                None => {}
            }
        }
        self.0.retain(|known| match fate(&known.subject, states) {
            Fate::Stays => true,
            Fate::GivesWay => false,
            Fate::IsOver(state) => {
                let told = known.told.as_ref();
                notices.extend(told.map(|told| told.over(&known.subject, state, now)));
                false
            }
        });
        let excess = self.0.len().saturating_sub(MAX_REMEMBERED);
        self.0.drain(..excess);
        notices
    }

    /// How many matters are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was told that is not over.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What becomes of a matter that was told.
enum Fate<'s> {
    /// It is among the states, or nothing is known of it.
    Stays,
    /// Another of the same kind is told in its place.
    GivesWay,
    /// All is well with what took its place.
    IsOver(&'s State),
}

fn fate<'s>(subject: &Subject, states: &'s [State]) -> Fate<'s> {
    if states.iter().any(|state| state.subject == *subject) {
        return Fate::Stays;
    }
    let is_kindred = |state: &&State| state.subject.topic == subject.topic && state.subject.of == subject.of;
    let mut well = None;
    let mut is_quiet = false;
    for state in states.iter().filter(is_kindred) {
        match state.course {
            Course::At(_) => return Fate::GivesWay,
            Course::Quiet => is_quiet = true,
            Course::Well => well = Some(state),
        }
    }
    well.filter(|_| !is_quiet).map_or(Fate::Stays, Fate::IsOver)
}

impl Told {
    fn over(&self, subject: &Subject, state: &State, now: Timestamp) -> Notice {
        Notice {
            subject: subject.clone(),
            step: self.step,
            change: Change::Over,
            code: self.code.clone(),
            at: now,
            title: state.over.title.clone(),
            message: state.over.message.clone(),
            facts: state.facts.clone(),
        }
    }
}

impl Remembered {
    fn new(subject: Subject) -> Self {
        Self { subject, told: None, graver_since: None, slighter_since: None }
    }

    /// Whether there is nothing left to remember.
    fn is_settled(&self) -> bool {
        self.told.is_none() && self.graver_since.is_none()
    }

    fn take(&mut self, state: &State, now: Timestamp) -> Option<Notice> {
        let told = self.told.as_ref().map(|told| told.step.gravity());
        if state.course == Course::Quiet {
            return None;
        }
        match state.course.step() {
            Some(step) if told < Some(step.gravity()) => {
                self.slighter_since = None;
                let patience = SignedDuration::from_secs(i64::from(state.patience));
                lasts(&mut self.graver_since, now, patience).then(|| self.begin(state, step, now))
            }
            step if told == step.map(Step::gravity) || step.is_some() && self.subject.topic.is_dated() => {
                (self.graver_since, self.slighter_since) = (None, None);
                None
            }
            _ => {
                self.graver_since = None;
                if !lasts(&mut self.slighter_since, now, self.subject.topic.settles_in()) {
                    return None;
                }
                self.slighter_since = None;
                let over = self.told.take()?;
                // A slighter step that goes on was told with the graver one.
                self.told = state.course.step().map(|step| Told { step, code: state.begun.code.to_owned() });
                (!is_moved_threshold(&over, state)).then(|| over.over(&self.subject, state, now))
            }
        }
    }

    fn begin(&mut self, state: &State, step: Step, now: Timestamp) -> Notice {
        let code = state.begun.code.to_owned();
        self.graver_since = None;
        self.told = Some(Told { step, code: code.clone() });
        Notice {
            subject: self.subject.clone(),
            step,
            change: Change::Began,
            code,
            at: now,
            title: state.begun.title.clone(),
            message: state.begun.message.clone(),
            facts: state.facts.clone(),
        }
    }
}

/// Whether something that is so at `now` has lasted so long. A clock that went back begins anew.
fn lasts(since: &mut Option<Timestamp>, now: Timestamp, long: SignedDuration) -> bool {
    let began = since.map_or(now, |since| since.min(now));
    *since = Some(began);
    now.duration_since(began) >= long
}

/// Whether only the threshold was moved, over a count that is still beyond the one that was told: nothing is over then.
fn is_moved_threshold(told: &Told, state: &State) -> bool {
    let (Step::Threshold(percent), Some(used), Some(max)) = (told.step, state.facts.used, state.facts.max) else {
        return false;
    };
    state.course == Course::Well && u128::from(used) * 100 >= u128::from(max) * u128::from(percent)
}
