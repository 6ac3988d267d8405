//! A product with licenses and counts, and the memory of what was told.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::notices::{self, Change, Course, Memory, Notice, Reminders, State, Step, Topic};
use seatline_protocol::{Dimension, License, Observed, standing};
use serde_json::{Value, json};

pub fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

pub fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// A commercial license of the wiki, issued on 2026-01-01, with `more` fields.
pub fn license(id: &str, more: Value) -> License {
    let mut license = json!({
        "id": id, "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
        "issued": "2026-01-01T00:00:00Z",
    });
    for (key, value) in more.as_object().expect("fields") {
        license[key] = value.clone();
    }
    serde_json::from_value(license).expect("a license")
}

/// An instance whose administrators are told.
pub struct Instance {
    pub licenses: Vec<License>,
    pub observed: Observed,
    pub reminders: Reminders,
    pub memory: Memory,
}

impl Instance {
    pub fn with(licenses: Vec<License>) -> Self {
        let server_id = "B7K2-9QXM-0000-0000-0000".parse().expect("a server ID");
        let observed = Observed::new("acme-wiki".parse().expect("a product"), server_id);
        Self { licenses, observed, reminders: Reminders::default(), memory: Memory::default() }
    }

    pub fn counts(&mut self, dimension: &str, count: u64) {
        let dimension: Dimension = dimension.parse().expect("a dimension");
        self.observed.counts.insert(dimension, count);
    }

    pub fn states(&self, now: Timestamp) -> Vec<State> {
        let standing_at = |at| standing(&self.licenses, &self.observed, at);
        let present = standing_at(now);
        let ahead = notices::looks_ahead(&present, &self.reminders, now).into_iter().map(standing_at);
        notices::of_standing(&self.observed.product, &present, &ahead.collect::<Vec<_>>(), &self.reminders, now)
    }

    pub fn notices(&mut self, now: Timestamp) -> Vec<Notice> {
        let states = self.states(now);
        let notices = self.memory.take(&states, now);
        for notice in &notices {
            assert!(!notice.title.is_empty() && !notice.message.is_empty() && !notice.code.is_empty(), "{notice:?}");
        }
        // What is remembered survives a restart.
        let kept = serde_json::to_string(&self.memory).expect("JSON");
        self.memory = serde_json::from_str(&kept).expect("the memory");
        notices
    }

    /// What is told at `now`: code and change.
    pub fn told(&mut self, now: Timestamp) -> Vec<String> {
        let mark = |change| if change == Change::Over { " over" } else { "" };
        self.notices(now).iter().map(|notice| format!("{}{}", notice.code, mark(notice.change))).collect()
    }
}

/// A state of a count against a limit, for the memory alone.
pub fn state(topic: Topic, course: Course, patience: u32) -> State {
    let words = |title: &str| notices::Words { code: "code", title: title.to_owned(), message: title.to_owned() };
    State {
        subject: notices::Subject { topic, of: "users".to_owned(), license: None, boundary: "500".to_owned() },
        course,
        begun: words("begun"),
        over: words("over"),
        facts: notices::Facts::default(),
        patience,
    }
}

/// The steps of a limit, and none.
pub const COURSES: [Course; 5] = [
    Course::Well,
    Course::At(Step::Threshold(90)),
    Course::At(Step::Passed),
    Course::At(Step::Over),
    Course::At(Step::Restricted),
];
