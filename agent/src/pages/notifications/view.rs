//! The page Notifications.

use askama::Template;
use jiff::Timestamp;
use seatline_host::notices::{Book, Delivery, DeliveryState, Entry};
use seatline_host::store::StoreError;
use seatline_protocol::Dimension;
use seatline_protocol::notices::{DEFAULT_THRESHOLD, Severity};
use seatline_ui::{Badge, Banner, Copyable, Prose, Tone, When, format};
use zeroize::Zeroizing;

use super::forms::{Forms, FormsShown};
use super::testing::EndedTest;
use crate::http::job::JobState;
use crate::notices::{NoticeSettings, Notices, Tested, WebhookFacts};
use crate::pages::{Content, Pages, Place, Visit};

/// How many notices the page shows before the others are folded.
const SHOWN: usize = 10;

/// What the page is made of.
pub struct Looked {
    settings: NoticeSettings,
    book: Book,
    /// What has a limit, or a threshold.
    dimensions: Vec<String>,
}

impl Looked {
    /// Looks at the notices.
    pub fn at(notices: &Notices<'_>) -> Result<Self, StoreError> {
        let (settings, book) = (notices.settings()?, notices.book()?);
        let set = settings.reminders.thresholds.keys().cloned();
        // Without a standing, what was set can be changed all the same.
        let mut dimensions: Vec<Dimension> = notices.limited().into_iter().chain(set).collect();
        dimensions.sort();
        dimensions.dedup();
        let dimensions = dimensions.iter().map(ToString::to_string).collect();
        Ok(Self { settings, book, dimensions })
    }
}

/// The page.
#[derive(Template)]
#[template(path = "notifications/page.html")]
pub struct NotificationsPage {
    may_change: bool,
    test: String,
    page: String,
    banners: Vec<Banner>,
    facts: Vec<(&'static str, Prose)>,
    /// Since when a test is under way.
    testing: Option<When>,
    tested: Option<TestShown>,
    secret: Option<Copyable>,
    forms: FormsShown,
    told: Vec<Told>,
    told_before: Vec<Told>,
    /// To build the forms anew, with what was sent.
    rest: Rest,
}

struct Rest {
    pages: Pages,
    settings: NoticeSettings,
    dimensions: Vec<String>,
}

/// What a test came to.
struct TestShown {
    at: When,
    failure: Option<Prose>,
    places: Vec<(String, Badge, Option<Prose>)>,
}

/// A notice.
struct Told {
    badge: Badge,
    title: String,
    message: Prose,
    at: When,
    deliveries: Vec<(Badge, String, Vec<Prose>)>,
}

impl NotificationsPage {
    /// The page for `visit` at `now`.
    pub fn new(pages: &Pages, visit: &Visit, looked: Looked, test: JobState<EndedTest>, now: Timestamp) -> Self {
        let Looked { settings, book, dimensions } = looked;
        let entries = book.entries.iter().rev().map(|entry| Told::of(entry, &settings, now));
        let mut told: Vec<Told> = entries.collect();
        let told_before = told.split_off(told.len().min(SHOWN));
        Self {
            may_change: visit.is_administrator(),
            test: pages.href("/notifications/test"),
            page: pages.href("/notifications"),
            banners: banners(&settings),
            facts: facts(&settings, &book, now),
            testing: test.begun_at.map(|at| When { at, now }),
            tested: test.last.map(|ended| TestShown::of(&ended, now)),
            secret: None,
            forms: FormsShown::new(pages, &settings, &dimensions, Forms::default()),
            told,
            told_before,
            rest: Rest { pages: pages.clone(), settings, dimensions },
        }
    }

    /// The page with something to say above the rest.
    pub fn with_banner(mut self, banner: Option<Banner>) -> Self {
        self.banners.splice(..0, banner);
        self
    }

    /// The page with what was sent and not taken.
    pub fn with_forms(self, forms: Forms) -> Self {
        let banner = forms.refused().map(|refused| refused.banner());
        let Rest { pages, settings, dimensions } = &self.rest;
        let forms = FormsShown::new(pages, settings, dimensions, forms);
        Self { forms, ..self }.with_banner(banner)
    }

    /// The page with a webhook that was added just now, and its secret if it was made here.
    pub fn with_webhook(self, webhook: &WebhookFacts, secret: Option<Zeroizing<String>>) -> Self {
        let why = match secret {
            Some(_) => "Give the secret to the receiver: it is shown only now.",
            None => "Send a test, to see whether it is reached.",
        };
        let banner = Banner::new(Tone::Good, format!("{} is called from now on.", webhook.url), why);
        let secret = secret.map(|secret| Copyable::new("Secret of the webhook", secret.as_str()));
        Self { secret, ..self }.with_banner(Some(banner))
    }

    /// The page as the content of its frame.
    pub fn content(self) -> Content {
        Content::new("Notifications", self).at(Place::Notifications)
    }
}

fn banners(settings: &NoticeSettings) -> Vec<Banner> {
    let problems: Vec<Prose> = settings.problems.iter().map(|problem| coded(&problem.message, &problem.code)).collect();
    let mut banners = Vec::new();
    if !settings.reaches_somebody {
        let why = "Name a mail server with recipients, or add a webhook. Until then nothing counts as told.";
        banners.push(Banner::new(Tone::Warning, "Nobody is told", why));
    }
    if !problems.is_empty() {
        banners.push(Banner::list(Tone::Danger, "Not everybody would be reached", problems));
    }
    banners
}

fn coded(message: &str, code: &str) -> Prose {
    let told = format!("{} (`{code}`).", message.trim_end_matches('.'));
    // An address has no capital letter.
    if told.starts_with("http") { Prose::from(told) } else { Prose::sentence(&told) }
}

/// What is set, for those who may only look, and how it was found.
fn facts(settings: &NoticeSettings, book: &Book, now: Timestamp) -> Vec<(&'static str, Prose)> {
    let (mail, reminders) = (&settings.mail, &settings.reminders);
    let server = mail.host.as_ref().map(|host| format!("{host}:{} ({})", mail.port, mail.security.name()));
    let people = format::counted(mail.recipients.len() as u64, "recipient", "recipients");
    let webhooks = format::counted(settings.webhooks.len() as u64, "webhook", "webhooks");
    let days = |days: &[u16]| match days.is_empty() {
        true => "never".to_owned(),
        false => format!("{} days before", days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let thresholds = reminders.thresholds.iter().map(|(dimension, percent)| format!("{dimension} {percent}%"));
    let thresholds: Vec<String> = thresholds.chain([format!("others {DEFAULT_THRESHOLD}%")]).collect();
    let looked =
        book.checked_at.map_or("not yet".to_owned(), |at| format!("{}, and every 24 hours", format::relative(at, now)));
    let mut facts = vec![
        ("Mail server", Prose::plain(&server.unwrap_or_else(|| "none".to_owned()))),
        ("Told are", Prose::from(format!("{people}, {webhooks}"))),
        ("A license expires", Prose::from(days(&reminders.expiry_days))),
        ("Maintenance ends", Prose::from(days(&reminders.maintenance_days))),
        ("An evaluation ends", Prose::from(days(&reminders.evaluation_days))),
        ("Thresholds", Prose::from(thresholds.join(", "))),
        ("Looked what is due", Prose::from(looked)),
    ];
    if let Some(probe) = &book.probe {
        let found = match &probe.problem {
            None => Prose::from(format!("took us {}", format::relative(probe.at, now))),
            Some(problem) => coded(&problem.message, &problem.code),
        };
        facts.push(("The mail server", found));
    }
    facts
}

impl TestShown {
    fn of(ended: &EndedTest, now: Timestamp) -> Self {
        let place = |tested: &Tested| {
            let (badge, why) = match &tested.problem {
                None => (Badge::new(Tone::Good, "Reached"), None),
                Some(problem) => {
                    (Badge::new(Tone::Danger, "Not reached"), Some(coded(&problem.message, &problem.code)))
                }
            };
            (tested.place.clone(), badge, why)
        };
        let (places, failure) = match &ended.result {
            Ok(tested) if tested.is_empty() => {
                (Vec::new(), Some(Prose::from("Nothing was sent: nobody is named yet.")))
            }
            Ok(tested) => (tested.iter().map(place).collect(), None),
            Err(error) => (Vec::new(), Some(coded(&error.to_string(), error.code()))),
        };
        Self { at: When { at: ended.at, now }, failure, places }
    }
}

impl Told {
    fn of(entry: &Entry, settings: &NoticeSettings, now: Timestamp) -> Self {
        let notice = &entry.notice;
        let badge = match notice.severity() {
            Severity::Information => Badge::new(Tone::Info, "To know"),
            Severity::Warning => Badge::new(Tone::Warning, "To do"),
            Severity::Critical => Badge::new(Tone::Danger, "Urgent"),
        };
        Self {
            badge,
            title: notice.title.clone(),
            message: Prose::sentence(&notice.message),
            at: When { at: notice.at, now },
            deliveries: entry.deliveries.iter().map(|delivery| shown(delivery, settings, now)).collect(),
        }
    }
}

/// How far a delivery is, where it goes, and what is to be said about it.
fn shown(delivery: &Delivery, settings: &NoticeSettings, now: Timestamp) -> (Badge, String, Vec<Prose>) {
    let badge = match delivery.state {
        DeliveryState::Delivered => Badge::new(Tone::Good, "Delivered"),
        DeliveryState::Waiting if delivery.failures == 0 => Badge::new(Tone::Neutral, "Waiting"),
        DeliveryState::Waiting => Badge::new(Tone::Warning, "To be tried again"),
        DeliveryState::GivenUp => Badge::new(Tone::Danger, "Given up"),
    };
    let place = match delivery.channel.split_once(':') {
        Some(("mail", address)) => address.to_owned(),
        Some(("webhook", id)) => match settings.webhooks.iter().find(|webhook| webhook.id == id) {
            Some(webhook) => webhook.url.clone(),
            None => format!("the webhook {id}, which was removed"),
        },
        _ => delivery.channel.clone(),
    };
    let problem = delivery.problem.as_ref().filter(|_| delivery.state != DeliveryState::Delivered);
    let problem = problem.map(|problem| coded(&problem.message, &problem.code));
    let again = delivery.next_attempt_at.filter(|_| delivery.failures > 0).map(|at| {
        let failed = format::counted(u64::from(delivery.failures), "time", "times");
        Prose::from(format!(
            "Failed {failed}; the next try is {} ({}).",
            format::relative(at, now),
            format::date_time(at)
        ))
    });
    (badge, place, problem.into_iter().chain(again).collect())
}
