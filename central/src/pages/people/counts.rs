//! People of a set that is too large to be counted while somebody waits: the newest count, and the one that is under
//! way.

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use seatline_ui::{Badge, Banner, Prose, Tone, When, format};
use seatline_web::address::escape;

use super::{Matrix, bounds_in_words, words};
use crate::domain::people::count::CountState;
use crate::domain::people::tally::{CountOfPart, MOST_PARTS, OtherPart, PartsBy};
use crate::domain::people::{
    CONFIDENCE_PERCENT, Counted, CountsOfSet, MOST_APPLICATIONS, MOST_IN_MATRIX, PeopleCount, Scope,
};

/// From when on a count is said to be old.
const OLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What there is to show of a set.
#[derive(Template)]
#[template(path = "people_counts.html")]
pub struct SetCounts {
    title: String,
    /// The address of this page.
    href: String,
    /// What a form sends to have it counted.
    fields: Vec<(&'static str, String)>,
    banners: Vec<Banner>,
    under_way: Option<UnderWay>,
    numbers: Option<Numbers>,
    /// Whether a button is there: for whoever may ask, while no count is open.
    may_count: bool,
    most: usize,
}

/// A count that waits or is under way.
struct UnderWay {
    looked_at: u64,
    to_look_at: u64,
    words: String,
    asked: String,
}

/// The numbers of a count.
struct Numbers {
    as_of: When,
    asked_by: String,
    took: String,
    together: String,
    together_bounds: String,
    seats: String,
    seats_above: Option<String>,
    applications: String,
    /// The column of the parts.
    part: &'static str,
    parts: Vec<PartLine>,
    others: Option<String>,
    other_parts: Vec<PartLine>,
    matrix: Option<Matrix>,
    left_out: Vec<LeftOutLine>,
    oldest: Option<When>,
}

struct PartLine {
    name: String,
    href: Option<String>,
    applications: String,
    seats: String,
    people: String,
}

struct LeftOutLine {
    why: String,
    applications: String,
    named: Vec<(String, String)>,
    more: bool,
}

impl SetCounts {
    /// What there is of a set, for somebody who may have it counted or may not.
    pub fn new(of: &CountsOfSet, now: Timestamp, may_count: bool) -> Self {
        let numbers = of.newest.as_ref().and_then(|newest| Some((newest, newest.counted.as_ref()?)));
        Self {
            title: format::capitalised(&of.scope.words()),
            href: address(&of.scope),
            fields: of.scope.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
            banners: banners(of, now),
            under_way: of.open.as_ref().map(|open| UnderWay::of(open, now)),
            numbers: numbers.map(|(count, counted)| Numbers::of(&of.scope, count, counted, now)),
            may_count: may_count && of.open.is_none(),
            most: MOST_APPLICATIONS,
        }
    }
}

impl askama::filters::HtmlSafe for SetCounts {}

/// The address of the page of a set.
pub(super) fn address(scope: &Scope) -> String {
    let pairs: Vec<String> =
        scope.pairs().into_iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    format!("/people?{}", pairs.join("&"))
}

fn banners(of: &CountsOfSet, now: Timestamp) -> Vec<Banner> {
    let mut banners = Vec::new();
    if let Some(reason) = of.failed.as_ref().and_then(|failed| failed.failure.as_ref()) {
        banners.push(Banner::new(Tone::Danger, "The last count was given up", Prose::sentence(reason)));
    }
    let ended = of.newest.as_ref().and_then(|newest| newest.ended_at);
    if let Some(at) = ended.filter(|at| now.duration_since(*at) >= OLD) {
        let title = format!("These numbers were counted {}", format::relative(at, now));
        banners.push(Banner::new(Tone::Warning, &title, "What was reported since is not in them."));
    }
    let counted = of.newest.as_ref().and_then(|newest| newest.counted.as_ref());
    if let Some(counted) = counted {
        banners.extend(of_keys(counted));
        if counted.overdue > 0 {
            let many = format::counted(counted.overdue, "application is overdue", "applications are overdue");
            let title = format!("{many} with a report");
            let what = "Of these, the people of the last report that came were counted.";
            banners.push(Banner::new(Tone::Info, &title, what));
        }
    }
    banners
}

/// What can be said of people whose pseudonyms are of several keys.
fn of_keys(counted: &Counted) -> Option<Banner> {
    let (low, high) = counted.at_least.zip(counted.at_most).filter(|_| counted.keys.len() > 1)?;
    let mut lines = vec![Prose::plain(&super::between(low, high))];
    lines.extend(counted.keys.iter().map(|of| {
        let many = format::counted(of.applications, "application", "applications");
        Prose::plain(&format!("Key {}: {} people in {many}.", &of.key.as_str()[..8], words(of.together)))
    }));
    Some(Banner::list(Tone::Info, super::SEVERAL_KEYS, lines))
}

impl UnderWay {
    fn of(open: &PeopleCount, now: Timestamp) -> Self {
        let looked_at = open.looked_at.min(open.to_look_at);
        let all = format::counted(open.to_look_at, "application", "applications");
        Self {
            looked_at,
            to_look_at: open.to_look_at.max(1),
            words: match open.state {
                CountState::Waiting => format!("A count of about {all} waits for its turn."),
                _ => format!("{} of about {all} looked at.", format::number(looked_at)),
            },
            asked: format!("Asked for by {} {}", open.asked_by, format::relative(open.asked_at, now)),
        }
    }
}

impl Numbers {
    fn of(scope: &Scope, count: &PeopleCount, of: &Counted, now: Timestamp) -> Self {
        let ended = count.ended_at.unwrap_or(count.asked_at);
        let took = count.begun_at.map_or(0, |begun| ended.duration_since(begun).as_secs().unsigned_abs());
        let sketched = of.parts.iter().take(MOST_IN_MATRIX);
        let lines = sketched.map(|part| (name_of(&part.name, of.parts_by), words(part.people))).collect();
        let places: Vec<usize> = (0..of.parts.len().min(MOST_IN_MATRIX)).collect();
        let (part, parts) = match of.parts_by {
            PartsBy::Product => ("Product", "products"),
            PartsBy::Group => ("Group", "groups"),
        };
        Self {
            as_of: When { at: ended, now },
            asked_by: count.asked_by.clone(),
            took: if took == 0 { "less than a second".to_owned() } else { format::span(took) },
            together: of.together.map_or_else(|| "–".to_owned(), |all| format::number(all.likely.round() as u64)),
            together_bounds: bounds_in_words(of.together),
            seats: format::number(of.seats),
            seats_above: of.seats_above_people.filter(|above| above.likely >= 0.5).map(words),
            applications: format!("{} of {}", format::number(of.counted), format::number(of.applications)),
            part,
            parts: of.parts.iter().map(|part| PartLine::of(scope, part, of.parts_by)).collect(),
            others: others(of, parts),
            other_parts: of.other_parts.iter().map(|other| PartLine::of_other(scope, other, of.parts_by)).collect(),
            matrix: (places.len() > 1).then(|| Matrix::named((part, parts), &places, lines, &of.overlaps)),
            left_out: of.left_out.iter().map(LeftOutLine::of).collect(),
            oldest: of.oldest_at.map(|at| When { at, now }),
        }
    }
}

/// How many applications are in the whole alone, why, and the way to their people.
fn others(of: &Counted, parts: &str) -> Option<String> {
    let many = format::counted(of.in_other_parts, "application is", "applications are");
    (of.in_other_parts > 0).then(|| {
        format!(
            "{many} in the whole, and in no row: at most {MOST_PARTS} {parts} are counted by themselves, those that a count meets \
             first, and of one pseudonym key. Show the people of another by itself to have it counted."
        )
    })
}

fn name_of(name: &str, by: PartsBy) -> String {
    match by {
        PartsBy::Group if name.is_empty() => "Without a group".to_owned(),
        _ => name.to_owned(),
    }
}

/// The page of a part by itself, where it has one.
fn page_of(scope: &Scope, name: &str, by: PartsBy) -> Option<String> {
    let narrowed = match by {
        PartsBy::Product => Scope { product: Some(name.parse().ok()?), ..scope.clone() },
        PartsBy::Group => Scope { group: Some(name.parse().ok()?), ..scope.clone() },
    };
    (narrowed != *scope).then(|| address(&narrowed))
}

impl PartLine {
    fn of(scope: &Scope, part: &CountOfPart, by: PartsBy) -> Self {
        Self {
            name: name_of(&part.name, by),
            href: page_of(scope, &part.name, by),
            applications: format::number(part.applications),
            seats: format::number(part.seats),
            people: words(part.people),
        }
    }

    /// Of what was not counted by itself, nobody knows the people.
    fn of_other(scope: &Scope, other: &OtherPart, by: PartsBy) -> Self {
        Self {
            name: name_of(&other.name, by),
            href: page_of(scope, &other.name, by),
            applications: format::number(other.applications),
            seats: format::number(other.seats),
            people: String::new(),
        }
    }
}

impl LeftOutLine {
    fn of(left_out: &crate::domain::people::tally::LeftOut) -> Self {
        let named = left_out.named.iter();
        Self {
            why: format!("{}.", format::capitalised(&left_out.why.to_string())),
            applications: format::number(left_out.applications),
            named: named.map(|of| (of.name.clone(), format!("/applications/{}/licenses", of.id))).collect(),
            more: left_out.applications > left_out.named.len() as u64,
        }
    }
}

/// A count in the list of those that were asked for last.
pub(super) struct RecentCount {
    pub(super) set: String,
    pub(super) href: String,
    pub(super) state: Badge,
    pub(super) people: String,
    pub(super) asked: String,
}

impl RecentCount {
    pub(super) fn of(count: &PeopleCount) -> Self {
        Self {
            set: format::capitalised(&count.scope.words()),
            href: address(&count.scope),
            state: match count.state {
                CountState::Waiting => Badge::new(Tone::Neutral, "Waits"),
                CountState::UnderWay => Badge::new(Tone::Info, "Under way"),
                CountState::Done => Badge::new(Tone::Good, "Done"),
                CountState::Failed => Badge::new(Tone::Danger, "Given up"),
            },
            people: count.counted.as_ref().and_then(|of| of.together).map_or_else(|| "–".to_owned(), words),
            asked: format!("{}, {}", format::date_time(count.asked_at), count.asked_by),
        }
    }
}
