//! The overview, the list and the calendar: what they look like, and what they say.

use seatline_protocol::notices::Reminders;

use super::stories::Browser;
use super::world::*;
use super::*;
use crate::domain::fleet::{FleetSent, Sum, month};
use crate::domain::{Actor, Assessment, Due, Facet, FleetItem, FleetRow, Gravity, Labels};
use crate::pages::fleet::calendar::{Calendar, CalendarSent};
use crate::pages::fleet::list::{Known, List};
use crate::pages::fleet::overview::{self, Overview};
use crate::store::fleet::FleetSum;
use crate::store::{Cursor, Page};

/// What the review makes of a view, under these labels.
fn item(view: &Licenses, labels: &str) -> FleetItem {
    let application = &view.application;
    FleetItem {
        row: FleetRow {
            application: application.id.clone(),
            name: application.name.clone(),
            product: application.product.clone(),
            labels: Labels::parse("Sales", labels).expect("labels"),
            link: application.link.clone(),
            assessment: Assessment::of(view, &Reminders::default()),
        },
        reviewed_at: now(),
        reported_at: view.reported.as_ref().map(|reported| reported.received_at),
    }
}

fn page_of(views: &[Licenses], next: Option<&str>) -> Page<FleetItem> {
    let mut items: Vec<FleetItem> = views.iter().map(|view| item(view, "critical, eu-west")).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.row.assessment.attention()));
    Page { items, next: next.map(Cursor::new) }
}

fn known() -> Known {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Known { products: names(&["acme-chat", "acme-wiki"]), groups: names(&["Sales"]), tags: names(&["critical"]) }
}

fn sum(facet: Facet, dimension: &str, applications: i64, used: i64, max: i64) -> FleetSum {
    let limited = if max > 0 { applications } else { 0 };
    let sum = Sum { applications, used, used_of_limit: if max > 0 { used } else { 0 }, max, limited };
    FleetSum { facet, dimension: dimension.to_owned(), sum }
}

fn due(view: &Licenses) -> Vec<Due> {
    let FleetItem { row, .. } = item(view, "");
    let due = |end: &crate::domain::assessment::End| Due {
        application: row.application.clone(),
        name: row.name.clone(),
        labels: row.labels.clone(),
        staging: row.assessment.staging,
        end: end.clone(),
    };
    row.assessment.ends.iter().map(due).collect()
}

fn overview_of(views: &[Licenses]) -> overview::Known {
    let product = |name: &str| Facet::product(&name.parse().expect("a product id"));
    overview::Known {
        pending: (2, true),
        all: [1_204, 31],
        gravities: vec![
            sum(Facet::gravity(Gravity::Problem), "", 3, 0, 0),
            sum(Facet::gravity(Gravity::Warning), "", 17, 0, 0),
        ],
        concerns: vec![sum(Facet::concern("expiry"), "", 4, 0, 0), sum(Facet::concern("overdue"), "", 2, 0, 0)],
        products: vec![
            sum(product("acme-chat"), "", 204, 0, 0),
            sum(product("acme-chat"), "users", 204, 11_000, 0),
            sum(product("acme-wiki"), "", 1_000, 0, 0),
            sum(product("acme-wiki"), "nodes", 900, 2_400, 2_600),
            sum(product("acme-wiki"), "users", 1_000, 4_180_000, 4_000_000),
        ],
        urgent: page_of(views, None).items,
        silent: vec![("run-failed", vec![item(&run_failed(), "")])],
        ends: due(&views[0]),
        reviewed: Some(now()),
        waits: None,
    }
}

/// The list with these applications.
pub(super) fn list_of(views: &[Licenses]) -> String {
    List::new(FleetSent::default(), &page_of(views, None), known(), 1, now(), true).to_string()
}

pub(super) fn gallery(views: &[Licenses]) -> Vec<(&'static str, String)> {
    let filtered = FleetSent { q: "wiki".into(), gravity: "warning".into(), ..FleetSent::default() };
    let first = now().to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
    let later = first.checked_add(jiff::Span::new().months(10)).expect("a month");
    let view = view_of(4180, &[license()]);
    let counts = [(month(now()), 2), ("2027-09".to_owned(), 41)];
    let calendar =
        |first, ends: &[Due]| Calendar::new(CalendarSent::default(), known(), first, &counts, (ends, None), now());
    vec![
        (
            "applications_empty",
            List::new(FleetSent::default(), &page_of(&[], None), Known::default(), 0, now(), true).to_string(),
        ),
        (
            "applications",
            List::new(FleetSent::default(), &page_of(views, Some("name 0 chat")), known(), 1_235, now(), true)
                .to_string(),
        ),
        (
            "applications_filtered",
            List::new(filtered.clone(), &page_of(&[], None), known(), 9, now(), false).to_string(),
        ),
        ("overview_empty", Overview::new(&overview::Known::default(), now(), true).to_string()),
        ("overview", Overview::new(&overview_of(views), now(), true).to_string()),
        ("calendar_empty", calendar(first, &[]).to_string()),
        ("calendar", calendar(later, &due(&view)).to_string()),
    ]
}

#[test]
fn s3_the_overview_counts_production_and_names_staging_apart() {
    let page = Overview::new(&overview_of(&[view_of(4180, &[license()])]), now(), true).to_string();
    assert!(page.contains(r#"<strong class="stat-value">1,204</strong>"#), "{page}");
    assert!(page.contains("31 for staging, apart"), "{page}");
    let (wiki, chat) = (page.find(">acme-wiki</a></h3>"), page.find(">acme-chat</a></h3>"));
    assert!(wiki.is_some() && wiki < chat, "the tightest product stands first");
}

#[test]
fn a_page_of_a_long_list_does_not_pass_for_the_whole() {
    let list = |sent: FleetSent, next: Option<&str>, all: u64| {
        List::new(sent, &page_of(&[view_of(4180, &[license()])], next), known(), all, now(), false).to_string()
    };
    assert!(list(FleetSent::default(), None, 1).contains(">1 application<"));
    assert!(list(FleetSent::default(), Some("attention 0 a"), 900).contains(">1 of 900 applications on this page<"));
    let sent = FleetSent { tag: "critical".into(), ..FleetSent::default() };
    assert!(list(sent.clone(), None, 900).contains(">1 of 900 applications<"));
    let page = list(sent, Some("attention 0 a"), 900);
    assert!(page.contains(">1 on this page, of 900 applications in all<"), "{page}");
    assert!(page.contains("/applications?tag=critical&#38;after=attention%200%20a"), "the next page asks the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn w1_an_application_stands_in_the_list_as_soon_as_it_was_added_and_sorted() {
    let browser = Browser::signed_in().await;
    let empty = browser.get("/").await;
    assert!(empty.body.contains("No application yet") && empty.body.contains("/applications/new"), "{}", empty.body);
    let added = browser.application().await;
    let list = browser.get("/applications").await;
    assert!(list.body.contains(">Company wiki</a>") && list.body.contains("Not linked yet"), "{}", list.body);
    let path = format!("/applications/{}/labels", added.id);
    let saved = browser.post(&path, &[("group", "Sales"), ("tags", "Critical, eu-west")]).await;
    assert_eq!(saved.location, format!("/applications/{}?done=sorted", added.id));
    let details = browser.get(&saved.location).await;
    assert!(details.body.contains("The group and the tags are saved"), "{}", details.body);
    assert!(details.body.contains(r#"value="critical, eu-west""#), "{}", details.body);
    for query in ["tag=critical", "group=Sales", "q=comp%20sal", "concern=not-linked", "use=production", "sort=expiry"]
    {
        let found = browser.get(&format!("/applications?{query}")).await;
        assert!(found.body.contains(">Company wiki</a>"), "{query}: {}", found.body);
    }
    for query in ["tag=other", "q=chat", "use=staging", "gravity=warning"] {
        let found = browser.get(&format!("/applications?{query}")).await;
        assert!(found.body.contains("No application is like this"), "{query}: {}", found.body);
    }
    let refused = browser.post(&path, &[("group", ""), ("tags", &"x".repeat(31))]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("A tag must be one line of 1 to 30 characters"), "{}", refused.body);
    assert!(browser.get("/").await.body.contains(r#"<strong class="stat-value">1</strong>"#), "it is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_breaks_a_rule_is_refused_with_one_clear_reason() {
    let browser = Browser::signed_in().await;
    let wrong = [
        ("/applications?product=Acme%20Wiki", "a product id must be"),
        ("/applications?gravity=high", "one of note, warning, problem"),
        ("/applications?concern=bad", "one of link-suspended"),
        ("/applications?use=both", "one of production, staging"),
        ("/applications?sort=size", "one of attention, name"),
        ("/applications?after=here", "The cursor is not one that this list gave"),
        ("/applications?sort=name&after=attention%200%20x", "The cursor is not one that this list gave"),
        ("/calendar?month=soon", "it is written as 2027-01"),
        ("/calendar?month=2027-13", "it is written as 2027-01"),
        ("/calendar?tag=a,b", "a tag must be"),
        ("/calendar?after=x", "The cursor is not one that this list gave"),
        ("/api/v1/fleet?gravity=high", "gravity: one of note"),
        ("/api/v1/fleet?after=here", "invalid-cursor"),
        ("/api/v1/fleet.csv?sort=size", "sort: one of"),
        ("/api/v1/fleet/totals?of=all", "of: one of products"),
        ("/api/v1/fleet/ends?product=a&tag=b", "at most one of them"),
        ("/api/v1/fleet/concerns?after=x", "invalid-cursor"),
        ("/api/v1/fleet/ends?from=soon", "from: "),
        ("/api/v1/messages?channel=x", "channel: "),
        ("/api/v1/evidence?since=2026-01-01", "unknown field `since`"),
        ("/api/v1/retention/preview?reports_days=many", "reports_days: "),
    ];
    for (path, reason) in wrong {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert!(answer.body.contains(reason), "{path}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g8_the_list_is_exported_as_csv_and_json() {
    let browser = Browser::signed_in().await;
    let actor = Actor::command_line("test");
    for name in ["=HYPERLINK(x)", "Wiki, \"old\""] {
        browser.central.add_application(&actor, name, "acme-wiki", "").await.expect("added");
    }
    let csv = browser.get("/api/v1/fleet.csv?sort=name").await;
    assert_eq!(csv.content_type, "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.body.split("\r\n").collect();
    assert!(lines[0].starts_with("application,id,product,"), "{}", csv.body);
    assert!(lines[1].starts_with("'=HYPERLINK(x),"), "no spreadsheet takes it for a formula: {}", csv.body);
    assert!(lines[2].starts_with("\"Wiki, \"\"old\"\"\","), "{}", csv.body);
    assert_eq!(lines.len(), 4, "{}", csv.body);
    let json = browser.get("/api/v1/fleet.json?sort=name").await;
    let items: Vec<serde_json::Value> = serde_json::from_str(&json.body).expect("JSON");
    assert_eq!(items[1]["name"], "Wiki, \"old\"");
    assert_eq!(items[1]["concerns"][0]["code"], "not-linked");
    let none: Vec<serde_json::Value> =
        serde_json::from_str(&browser.get("/api/v1/fleet.json?q=nothing").await.body).expect("JSON");
    assert_eq!(none, Vec::<serde_json::Value>::new());
}
