//! System Info (`s1`).

use std::fmt::Display;

use askama::Template;
use axum::extract::{Extension, Query, State};
use jiff::Timestamp;
use seatline_host::identity::Policy;
use seatline_protocol::continuity::parts_in_words;
use seatline_ui::format::{counted, number, span};
use seatline_ui::{Badge, Banner, Prose, Tone, When, words};

use super::fields::Done;
use super::identity::{self, Question};
use super::{Content, PageError, Pages, Place, Visit, now};
use crate::system_info::{RunInfo, SystemInfo};

/// The page.
#[derive(Template)]
#[template(path = "system/page.html")]
struct SystemPage {
    banners: Vec<Banner>,
    question: Option<Question>,
    cards: Vec<Card>,
    runs: Vec<RunRow>,
    plugin: String,
}

/// Facts of one thing.
struct Card {
    id: &'static str,
    title: &'static str,
    facts: Vec<(&'static str, String)>,
}

/// A run in a table.
struct RunRow {
    at: When,
    trigger: &'static str,
    took: String,
    accounts: String,
    result: Badge,
    why: Option<Prose>,
}

impl RunRow {
    fn of(run: &RunInfo, now: Timestamp) -> Self {
        Self {
            at: When { at: run.at, now },
            trigger: trigger(&run.trigger),
            took: took(run.took_ms),
            accounts: run.accounts.map_or("–".to_owned(), number),
            result: match &run.problem {
                None => Badge::new(Tone::Good, "Counted"),
                Some(_) => Badge::new(Tone::Danger, "Failed"),
            },
            why: run.problem.as_ref().map(|problem| Prose::sentence(&problem.message)),
        }
    }
}

/// Why a run was made, in a word or two.
pub(super) fn trigger(name: &str) -> &'static str {
    match name {
        "start" => "start",
        "interval" => "interval",
        _ => "on demand",
    }
}

/// How long a run took.
pub(super) fn took(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{} ms", number(ms)),
        ms => span(ms / 1000),
    }
}

/// `GET /system`. It opens in every state: what cannot be read is told.
pub async fn show(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Query(Done { done }): Query<Done>,
) -> Result<Content, PageError> {
    let now = now();
    let info = pages.ask(move |host| SystemInfo::of(host, now)).await?;
    let mut page = SystemPage::new(&pages, &visit, &info);
    page.banners.splice(..0, done.as_deref().and_then(identity::answered));
    Ok(Content::new("System Info", page).at(Place::System))
}

impl SystemPage {
    fn new(pages: &Pages, visit: &Visit, info: &SystemInfo) -> Self {
        let cards = [
            ("instance", "Instance", instance(info)),
            ("software", "Software", software(info)),
            ("clock", "Clock", clock(info)),
            ("link", "Application link", link(info)),
        ];
        Self {
            banners: banners(info),
            question: Question::of(pages, info).filter(|_| visit.is_administrator()),
            cards: cards.into_iter().map(|(id, title, facts)| Card { id, title, facts }).collect(),
            plugin: pages.href("/plugin"),
            runs: info.runs.iter().map(|run| RunRow::of(run, info.at)).collect(),
        }
    }
}

fn banners(info: &SystemInfo) -> Vec<Banner> {
    let mut banners = Vec::new();
    if !info.unread.is_empty() {
        let lines = info.unread.iter().map(|problem| Prose::sentence(&problem.message)).collect();
        banners.push(Banner::list(Tone::Danger, "Something could not be read", lines));
    }
    if let Some(identity) = &info.identity {
        banners.extend(identity::banners(identity));
    }
    if let Some(behind) = info.clock.behind_seconds {
        let line = format!(
            "It is {} behind the time that a receipt has proven. Until it has caught up, that time counts. Set the clock \
             right.",
            counted(behind, "second", "seconds")
        );
        banners.push(Banner::new(Tone::Danger, "The clock of this machine was set back", line));
    }
    banners
}

/// A value that is text.
fn text(value: impl Display) -> String {
    escape(&value.to_string())
}

fn code(value: impl Display) -> String {
    format!("<code class=\"select-all\">{}</code>", escape(&value.to_string()))
}

fn when(at: Timestamp, now: Timestamp) -> String {
    When { at, now }.to_string()
}

fn escape(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map(|text| text.to_string()).unwrap_or_default()
}

fn instance(info: &SystemInfo) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Server ID", code(&info.server_id))];
    if let Some(identity) = &info.identity {
        let made_of = match identity.policy {
            Policy::Instance => "the instance's own".to_owned(),
            Policy::DatabaseBound => format!("bound to {}", parts_in_words(&identity.parts)),
        };
        facts.push(("Its policy", text(made_of)));
        if let Some(change) = identity.history.last() {
            let parts = text(parts_in_words(&change.changed));
            facts.push(("It changed", format!("{} because of {parts}", when(change.at, info.at))));
        }
    }
    match &info.product {
        None => facts.push(("Product", text("not known"))),
        Some(product) => {
            facts.push(("Product", text(format_args!("{} ({})", product.name, product.id))));
            facts.push(("Version", text(&product.version)));
            facts.push(("Edition", text(product.edition.as_deref().unwrap_or("none"))));
            if product.staging {
                facts.push(("Use", text("staging")));
            }
            let node = |node: &seatline_protocol::report::NodeFacts| match node.version == product.version {
                true => format!("<li>{}</li>", code(&node.id)),
                false => format!("<li>{} {}</li>", code(&node.id), text(&node.version)),
            };
            let nodes: String = product.nodes.iter().map(node).collect();
            facts.push(("Running nodes", format!("<ul class=\"plain\">{nodes}</ul>")));
        }
    }
    facts.push(("Licenses", words::verdict(info.verdict).to_string()));
    facts
}

fn software(info: &SystemInfo) -> Vec<(&'static str, String)> {
    let versions = info.versions;
    let plugin = match &info.plugin {
        Some(plugin) => {
            format!("{} {}", text(format_args!("{} {}", plugin.name, plugin.version)), digest(&plugin.digest))
        }
        None => text("none"),
    };
    vec![
        ("Seatline", text(versions.seatline)),
        ("Contract with plugins", text(versions.contract)),
        ("wasmtime", text(versions.wasmtime)),
        ("State is kept in", text(info.state_store)),
        ("Plugin", plugin),
    ]
}

fn digest(digest: &seatline_protocol::Digest) -> String {
    format!("<code class=\"digest\">{}</code>", escape(&digest.to_string()))
}

fn clock(info: &SystemInfo) -> Vec<(&'static str, String)> {
    let floor = info.clock.floor;
    vec![
        ("Time", text(seatline_ui::format::date_time(info.clock.now))),
        ("Proven by a receipt", floor.map_or(text("no time yet"), |floor| when(floor, info.clock.now))),
        ("Was set back", text(if info.clock.behind_seconds.is_some() { "yes" } else { "no" })),
    ]
}

fn link(info: &SystemInfo) -> Vec<(&'static str, String)> {
    let Some(link) = &info.link else { return vec![("Linked", text("no"))] };
    let mut facts = vec![
        ("Linked to", text(format_args!("{} at {}", link.central_name, link.central_url))),
        ("State", text(link.state.name())),
    ];
    if let Some(settings) = &link.settings {
        facts.push(("Reports", text(seatline_ui::format::every(u64::from(settings.interval)))));
    }
    if let Some(outbox) = &info.outbox {
        facts.push(("Waiting reports", text(number(outbox.pending as u64))));
    }
    if let Some(hold) = info.hold.as_ref().filter(|hold| hold.since.is_some()) {
        facts.push(("Held for approval", text(number(hold.held as u64))));
    }
    let Some(exchange) = &info.exchange else { return facts };
    if let Some(at) = exchange.succeeded_at {
        facts.push(("Last exchange", when(at, info.at)));
    }
    if let Some(receipt) = &exchange.last_receipt {
        let at = when(receipt.received_at, info.at);
        facts.push(("Last receipt", format!("for report {}, {at}", text(receipt.sequence))));
    }
    if let Some(problem) = &exchange.problem {
        facts.push(("Problem", Prose::sentence(&problem.message).to_string()));
    }
    facts
}
