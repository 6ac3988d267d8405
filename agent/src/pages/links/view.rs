//! The page Application Links.

use askama::Template;
use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::exchange::{ExchangeState, NeverReceived};
use seatline_host::link::{LinkFacts, LinkState};
use seatline_host::status::OutboxStatus;
use seatline_protocol::{ExchangeRequest, Settings};
use seatline_ui::{Badge, Banner, Field, Prose, Tone, When, format, words};

use super::{told, told_problem};
use crate::http::synchronising::SyncState;
use crate::pages::{Content, Pages, Place, Visit};

/// What the page is made of. Each part can fail on its own.
pub struct Looked {
    link: Option<LinkFacts>,
    exchange: ExchangeState,
    outbox: Option<OutboxStatus>,
    /// How many reports wait for approval.
    held: usize,
    /// What the file would hold that can be exported.
    export: Option<ExchangeRequest>,
    /// What could not be read, in words.
    troubles: Vec<Prose>,
}

impl Looked {
    /// Looks at the host.
    pub fn at(host: &Host) -> Self {
        let mut troubles = Vec::new();
        let mut trouble =
            |error: &seatline_host::store::StoreError| troubles.push(told(error.code(), &error.to_string()));
        let link = host.link().inspect_err(&mut trouble).unwrap_or_default();
        let exchange = host.exchange_state().inspect_err(&mut trouble).unwrap_or_default();
        let outbox = host.outbox().inspect_err(&mut trouble).ok();
        let held = host.hold_status().inspect_err(&mut trouble).map_or(0, |hold| hold.held);
        // Why it cannot be exported is told above.
        let export = host.export_reports().ok();
        Self { link, exchange, outbox, held, export, troubles }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "links/page.html")]
pub struct LinksPage {
    may_change: bool,
    paths: Paths,
    banners: Vec<Banner>,
    /// Whether it is known that there is no link.
    is_unlinked: bool,
    link: Option<Shown>,
    /// How many reports wait for approval, where any does: they go with the link.
    held: Option<String>,
    /// Since when is counted and exchanged that somebody has asked for.
    synchronising: Option<When>,
    refusal: Option<String>,
    /// The reports that will never be received.
    never_received: Vec<Lost>,
}

/// Reports that were let go at one time.
struct Lost {
    at: When,
    reports: String,
    why: Prose,
}

impl Lost {
    fn of(lost: &NeverReceived, now: Timestamp) -> Self {
        let NeverReceived { at, reports, reason } = lost;
        Self { at: When { at: *at, now }, reports: format::number(*reports as u64), why: told_problem(reason) }
    }
}

/// Where the forms and links lead.
struct Paths {
    page: String,
    new: String,
    sync: String,
    rotate: String,
    remove: String,
    export: String,
    import: String,
}

/// The link.
struct Shown {
    name: String,
    url: String,
    state: Badge,
    central_fingerprint: String,
    fingerprint: String,
    facts: Vec<(&'static str, Prose)>,
    times: Vec<(&'static str, When)>,
    /// The page at the central server that the administrator came from.
    return_url: Option<String>,
    /// Whether the key can be replaced now.
    may_rotate: bool,
    /// What the file that can be exported holds, where anything waits.
    exported: Option<String>,
}

impl LinksPage {
    /// The page for `visit` at `now`.
    pub fn new(pages: &Pages, visit: &Visit, looked: Looked, sync: SyncState, now: Timestamp) -> Self {
        let Looked { link, exchange, outbox, held, export, troubles } = looked;
        let mut banners = Vec::new();
        let is_unlinked = link.is_none() && troubles.is_empty();
        if !troubles.is_empty() {
            banners.push(Banner::list(Tone::Danger, "The state cannot be read", troubles));
        }
        if let Some(link) = &link {
            banners.extend(state_banner(link));
            banners.extend(exchange_banner(link, &exchange, now));
        }
        if let Some(outbox) = outbox.as_ref().filter(|outbox| outbox.is_full) {
            let why = format!(
                "{} wait, the most that can: no report is made until one was received.",
                format::counted(outbox.pending as u64, "report", "reports")
            );
            banners.push(Banner::new(Tone::Danger, "The outbox is full", why));
        }
        Self {
            may_change: visit.is_administrator(),
            paths: Paths::new(pages),
            banners,
            is_unlinked,
            link: link.map(|link| Shown::of(&link, &exchange, outbox.as_ref(), export.as_ref(), now)),
            held: (held > 0).then(|| format::counted(held as u64, "report waits", "reports wait")),
            synchronising: sync.running.then_some(When { at: sync.begun_at.unwrap_or(now), now }),
            refusal: None,
            never_received: exchange.never_received.iter().map(|lost| Lost::of(lost, now)).collect(),
        }
    }

    /// The page with something to say above the rest.
    pub fn with_banner(mut self, banner: Option<Banner>) -> Self {
        self.banners.splice(..0, banner);
        self
    }

    /// The page with why a file was not taken.
    pub fn with_refusal(self, why: String) -> Self {
        Self { refusal: Some(why), ..self }
    }

    /// The page as the content of its frame.
    pub fn content(self) -> Content {
        Content::new("Application Links", self).at(Place::Links)
    }

    fn answer(&self) -> [Field<'_>; 2] {
        let hint = "What `seatline-central import` has written there.";
        let area = Field::area("answer", "The answer").hint(hint).error(self.refusal.as_deref());
        [Field::file("file", "The answer as a file"), area]
    }
}

impl Paths {
    fn new(pages: &Pages) -> Self {
        Self {
            page: pages.href("/links"),
            new: pages.href("/links/new"),
            sync: pages.href("/links/sync"),
            rotate: pages.href("/links/rotate"),
            remove: pages.href("/links/remove"),
            export: pages.href("/links/export"),
            import: pages.href("/links/import"),
        }
    }
}

impl Shown {
    fn of(
        link: &LinkFacts,
        exchange: &ExchangeState,
        outbox: Option<&OutboxStatus>,
        export: Option<&ExchangeRequest>,
        now: Timestamp,
    ) -> Self {
        let when = |at: Timestamp| When { at, now };
        let mut facts = Vec::new();
        if let Some(application) = &link.application {
            facts.push(("Application there", Prose::plain(application)));
        }
        let set = link.settings.as_ref();
        let interval = set.map_or(Settings::DEFAULT_INTERVAL, |set| set.interval);
        let by = if set.is_some() { "" } else { ", until the central server sets another" };
        facts.push(("Synchronisation interval", Prose::from(format!("{}{by}", format::every(u64::from(interval))))));
        if let Some(set) = set {
            facts.push(("Counted is", Prose::from(words::counting(set.counting))));
            let days = format::counted(u64::from(set.dormancy_days), "day", "days");
            facts.push(("Dormant after", Prose::from(format!("{days} without a sign-in"))));
        }
        if let Some(outbox) = outbox {
            facts.push(("Waiting in the outbox", Prose::from(waiting(outbox, now))));
        }
        if let Some(receipt) = &exchange.last_receipt {
            let at = format::date_time(receipt.received_at);
            facts.push(("Last receipt", Prose::from(format!("for report {}, stored {at}", receipt.sequence))));
        }
        if let Some(rotation) = &link.rotation {
            let known = if rotation.is_known { "" } else { ", which the central server does not know yet" };
            let (previous, at) = (&rotation.previous_fingerprint, format::date_time(rotation.at));
            facts.push(("Its key before", Prose::from(format!("{previous}, replaced {at}{known}"))));
        }
        let times = [
            ("Asked for a count at once", link.demanded_at),
            ("Accepted", Some(link.accepted_at)),
            ("Last exchange that succeeded", exchange.succeeded_at),
            ("Last exchange tried", exchange.tried_at.filter(|tried| Some(*tried) != exchange.succeeded_at)),
            ("Next try", exchange.next_attempt_at),
        ];
        Self {
            name: link.central_name.clone(),
            url: link.central_url.clone(),
            state: state(link.state),
            central_fingerprint: link.central_fingerprint.clone(),
            fingerprint: link.fingerprint.clone(),
            facts,
            times: times.into_iter().filter_map(|(what, at)| Some((what, when(at?)))).collect(),
            return_url: link.return_url.clone(),
            may_rotate: link.state == LinkState::Approved
                && link.rotation.as_ref().is_none_or(|rotation| rotation.is_known),
            exported: export.and_then(|export| exported(export, outbox.map_or(0, |outbox| outbox.pending))),
        }
    }
}

/// What the file holds that can be exported, of so many reports that wait; none where it would be empty.
fn exported(export: &ExchangeRequest, pending: usize) -> Option<String> {
    let ExchangeRequest { join, reports, continuity, rotation } = export;
    let mut parts = Vec::new();
    if join.is_some() {
        parts.push("the join (it asks for the link)".to_owned());
    }
    match reports.len() {
        0 => {}
        some if some < pending => {
            let of = format::counted(pending as u64, "waiting report", "waiting reports");
            parts.push(format!("the oldest {} of {of}", format::number(some as u64)));
        }
        all => parts.push(format::counted(all as u64, "waiting report", "waiting reports")),
    }
    if !continuity.is_empty() {
        let said = format::counted(continuity.len() as u64, "statement", "statements");
        parts.push(format!("{said} about the change of the server ID"));
    }
    if rotation.is_some() {
        parts.push("the new key of the link".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(" and "))
}

fn waiting(outbox: &OutboxStatus, now: Timestamp) -> String {
    let oldest = outbox.oldest.map(|oldest| format!(", the oldest made {}", format::relative(oldest, now)));
    let of = format::number(outbox.capacity as u64);
    match outbox.pending as u64 {
        0 => "nothing".to_owned(),
        waiting => {
            format!("{} of at most {of}{}", format::counted(waiting, "report", "reports"), oldest.unwrap_or_default())
        }
    }
}

fn state(state: LinkState) -> Badge {
    match state {
        LinkState::Joining => Badge::new(Tone::Neutral, "Joining"),
        LinkState::Refused => Badge::new(Tone::Danger, "Ended"),
        LinkState::Pending => Badge::new(Tone::Warning, "Waiting for approval"),
        LinkState::Approved => Badge::new(Tone::Good, "In force"),
    }
}

/// What a link that is not in force waits for.
fn state_banner(link: &LinkFacts) -> Option<Banner> {
    match link.state {
        LinkState::Approved => None,
        LinkState::Joining => Some(Banner::new(
            Tone::Info,
            "The central server has not answered yet",
            "It is asked again by itself. Where it cannot be reached from here, carry the join there as a file, and bring back \
             the answer: see below.",
        )),
        LinkState::Pending => Some(Banner::new(
            Tone::Warning,
            "The link waits for approval",
            format!(
                "An administrator of {} compares this product's fingerprint with the one that he sees, and approves: `{}`. \
                 The first report follows by itself.",
                Prose::plain(&link.central_name).into_text(),
                link.fingerprint
            ),
        )),
        LinkState::Refused => {
            let why = link.refusal.as_ref().map(told_problem);
            let way_out = Prose::from("Remove this link, and accept a new invite.");
            let lines = why.into_iter().chain([way_out]).collect();
            let what = match link.was_removed() {
                true => "The central server has removed this link",
                false => "The central server has refused the join",
            };
            Some(Banner::list(Tone::Danger, what, lines))
        }
    }
}

/// What was in the way of the last exchange.
fn exchange_banner(link: &LinkFacts, exchange: &ExchangeState, now: Timestamp) -> Option<Banner> {
    let problem = exchange.problem.as_ref().filter(|_| link.state != LinkState::Refused)?;
    let failed = match exchange.failures {
        0 | 1 => "It has failed once".to_owned(),
        many => format!("It has failed {many} times in a row"),
    };
    let next = match exchange.next_attempt_at {
        Some(next) => {
            format!("{failed}, and is tried again {}. Nothing is lost meanwhile.", format::relative(next, now))
        }
        None => format!("{failed}. Nothing is lost meanwhile."),
    };
    let lines = vec![told_problem(problem), Prose::from(next)];
    Some(Banner::list(Tone::Warning, "The last exchange failed", lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g4_what_a_file_holds_is_said_also_where_it_does_not_hold_all_that_waits() {
        let said = |reports: usize, statements: usize, pending| {
            let sealed = |number| vec!["x".to_owned(); number];
            let export = ExchangeRequest {
                reports: sealed(reports),
                continuity: sealed(statements),
                ..ExchangeRequest::default()
            };
            exported(&export, pending)
        };
        assert_eq!(said(0, 0, 0), None);
        assert_eq!(said(1, 0, 1).as_deref(), Some("1 waiting report"));
        assert_eq!(said(64, 0, 1000).as_deref(), Some("the oldest 64 of 1,000 waiting reports"));
        let statements = "1 statement about the change of the server ID";
        assert_eq!(said(2, 1, 2), Some(format!("2 waiting reports and {statements}")));
        assert_eq!(said(0, 1, 0).as_deref(), Some(statements));
    }
}
