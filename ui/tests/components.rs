//! What the components show, and that they show hostile text as text.

use jiff::Timestamp;
use seatline_protocol::standing::{LicenseStanding, LimitStanding, LimitState, Reason, ReasonCode, Status};
use seatline_protocol::{Behaviour, Kind};
use seatline_ui::{
    AccountClasses, Badge, Banner, Chart, Choice, Copyable, Failure, Field, Gauge, Level, LicenseCard, LimitCard,
    NavItem, Outlook, Page, Prose, SignIn, Step, Tab, Tabs, Tone, audit, reason_banners,
};

const HOSTILE: &str = r#""><script>alert(1)</script><a href='x' onclick=y style="z">"#;

fn page(title: &str, body: &str) -> String {
    Page {
        title,
        program: "Central",
        base: "",
        nav: &[NavItem { label: "Applications", href: "/applications", current: true }],
        user: Some("ada"),
        account: None,
        sign_out: Some("/sign-out"),
        secure: None,
        version: "0.1.0",
        reload: None,
        body,
    }
    .to_string()
}

/// An expired license that says `text` wherever it says something of its own.
fn license(text: &str) -> LicenseStanding {
    LicenseStanding {
        id: "L-1".parse().expect("a license id"),
        product: "acme-wiki".parse().expect("a product id"),
        add_on_of: None,
        edition: Some(text.to_owned()),
        kind: Kind::Evaluation,
        licensee: text.to_owned(),
        limits: Vec::new(),
        features: [text.to_owned()].into(),
        begins: Timestamp::UNIX_EPOCH,
        expires: Some(Timestamp::UNIX_EPOCH),
        grace_ends: None,
        maintenance_until: None,
        support: false,
        mode: seatline_protocol::Mode::Installation,
        set_for: Default::default(),
        prerequisites: Vec::new(),
        status: Status::Expired,
        reason: Some(text.to_owned()),
    }
}

fn limit(used: Option<u64>) -> LimitStanding {
    LimitStanding {
        dimension: "lines-of-code".parse().expect("a dimension"),
        max: Some(1_000_000),
        extra: 0,
        used,
        state: LimitState::Within,
        behaviour: Behaviour::Restrict,
    }
}

fn reason(code: ReasonCode, message: &str) -> Reason {
    Reason { code, message: message.to_owned(), license: None, add_on: None, dimension: None, at: None }
}

/// Six days of users of which one was not counted, and a forecast, that say `text` wherever they say something.
fn chart(text: &str) -> Chart {
    let day = |n: i64| Timestamp::from_second(1_790_812_800 + n * 86_400).expect("a time");
    let step = |n, low, count| Step { from: day(n), until: day(n + 1), count, low, high: count, limit: Some(500) };
    Chart {
        id: text.to_owned(),
        title: text.to_owned(),
        unit: text.to_owned(),
        summary: text.to_owned(),
        from: day(0),
        until: day(14),
        steps: vec![step(0, 400, 400), step(1, 400, 410), step(2, 410, 410), step(4, 410, 430), step(5, 430, 430)],
        outlook: (0..8)
            .map(|n| (n, n as f64))
            .map(|(n, far)| Outlook {
                at: day(6 + n),
                low: 430.0 - 2.0 * far,
                likely: 430.0 + 6.0 * far,
                high: 430.0 + 14.0 * far,
            })
            .collect(),
        confidence: text.to_owned(),
    }
}

fn sign_in(text: &str) -> SignIn {
    SignIn {
        server: text.to_owned(),
        action: "/sign-in".to_owned(),
        banner: Some(Banner::new(Tone::Danger, text, text)),
        name: text.to_owned(),
        next: text.to_owned(),
        single_sign_on: Some((text.to_owned(), text.to_owned())),
        hint: text.into(),
    }
}

#[test]
fn c6_a_license_shows_its_kind_its_dates_and_what_it_comes_to() {
    let now = Timestamp::from_second(3 * 86_400 + 1).expect("a time");
    insta::assert_snapshot!("license", LicenseCard::new(&license("Example Ltd"), true, now));
}

#[test]
fn a3_a_limit_shows_its_gauge_or_why_it_was_not_counted() {
    insta::assert_snapshot!("limit", LimitCard::new(&limit(Some(250_000)), None));
    let uncounted = LimitCard::new(&limit(None), Some("the query failed")).to_string();
    assert!(uncounted.contains("<p>Not counted: the query failed (limit 1,000,000).</p>"), "{uncounted}");
}

#[test]
fn a4_the_reasons_of_a_verdict_become_banners_the_gravest_first() {
    let reasons = [
        reason(ReasonCode::NearLimit, "near"),
        reason(ReasonCode::Expired, "expired"),
        reason(ReasonCode::OverLimit, "over"),
    ];
    let banners = reason_banners(&reasons);
    assert_eq!(banners.iter().map(Banner::tone).collect::<Vec<_>>(), [Tone::Danger, Tone::Warning]);
    let grave = banners[0].to_string();
    assert!(grave.contains("<li>Expired.</li>") && grave.contains("<li>Over.</li>") && !grave.contains("Near"));
    assert_eq!(reason_banners(&[]), []);
}

#[test]
fn the_form_to_sign_in_and_a_failure_hold_to_the_rules_of_pages() {
    let way_out = ("Begin again", "/".to_owned());
    let failure = Failure { title: "Not done", banner: Banner::new(Tone::Warning, "What", "Why."), way_out };
    for body in [sign_in("Example Ltd").to_string(), failure.to_string()] {
        assert_eq!(audit::findings(&page("A title", &body)), Vec::<String>::new());
    }
}

#[test]
fn a_page_frames_its_content() {
    let html = page("Applications", "<h1>Applications</h1>");
    assert_eq!(audit::findings(&html), Vec::<String>::new());
    // The addresses of the assets change with their bytes.
    let mut shown = String::new();
    for (i, part) in html.split("/assets/").enumerate() {
        shown += if i == 0 { part } else { "/assets/HASH" };
        shown += if i == 0 { "" } else { &part[16..] };
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn the_gauge_shows_use_limit_and_threshold() {
    insta::assert_snapshot!("gauge_within", Gauge::new("users", 4180, Some(5000), Level::Within));
    insta::assert_snapshot!("gauge_over", Gauge::new("users", 5230, Some(5000), Level::Over).extra(100));
    insta::assert_snapshot!("gauge_small_without_limit", Gauge::new("users", 12, None, Level::Within).small());
}

#[test]
fn g8_a_chart_is_a_drawing_with_its_table() {
    let chart = chart("Users");
    assert_eq!(audit::findings(&page("A title", &format!("<h1>A title</h1>{chart}"))), Vec::<String>::new());
    insta::assert_snapshot!("chart", chart);
}

#[test]
fn b7_the_classes_of_accounts_add_up_in_a_table() {
    let classes = AccountClasses {
        total: 5000,
        counted: 4180,
        dormant: 310,
        dormancy_days: 90,
        never_signed_in: 120,
        no_access: 240,
        deactivated: 420,
        service_accounts: 40,
    };
    insta::assert_snapshot!(classes);
}

#[test]
fn a_field_keeps_what_was_typed_and_says_what_is_wrong() {
    let name = Field::text("name", "Name").value("Wiki").hint("What people call it.").error(Some("it is taken"));
    insta::assert_snapshot!("field_with_an_error", name.required());
    let choices = vec![
        Choice { value: "3600", label: "every hour".to_owned() },
        Choice { value: "86400", label: "every day".to_owned() },
    ];
    let key = Field::area("key", "License key").value("\nv4.public.\n  abc").error(Some("it is `truncated`"));
    insta::assert_snapshot!("field_area", key);
    insta::assert_snapshot!("field_select", Field::select("interval", "Interval", choices).value("86400"));
}

#[test]
fn a_password_is_never_sent_back() {
    let html = Field::password("password", "Password").value("correct horse").to_string();
    assert!(!html.contains("correct"), "{html}");
}

#[test]
fn hostile_text_stays_text_in_every_component() {
    let choices = vec![Choice { value: HOSTILE, label: HOSTILE.to_owned() }];
    let shown = [
        Banner::new(Tone::Danger, HOSTILE, HOSTILE).to_string(),
        Banner::list(Tone::Info, HOSTILE, vec![HOSTILE.into(), Prose::sentence(HOSTILE)]).to_string(),
        Badge::new(Tone::Good, HOSTILE).to_string(),
        Copyable::new(HOSTILE, HOSTILE).to_string(),
        Gauge::new(HOSTILE, 1, Some(2), Level::Near).to_string(),
        Gauge::new(HOSTILE, 1, None, Level::Near).small().to_string(),
        Field::text("name", HOSTILE).value(HOSTILE).hint(HOSTILE).error(Some(HOSTILE)).suffix(HOSTILE).to_string(),
        Field::select("name", HOSTILE, choices).value(HOSTILE).to_string(),
        Tabs { label: HOSTILE.to_owned(), tabs: vec![Tab { label: "A", href: HOSTILE.to_owned(), current: true }] }
            .to_string(),
        Field::area("name", HOSTILE).value(HOSTILE).to_string(),
        LicenseCard::new(&license(HOSTILE), true, Timestamp::UNIX_EPOCH).to_string(),
        LimitCard::new(&limit(None), Some(HOSTILE)).to_string(),
        reason_banners(&[reason(ReasonCode::Expired, HOSTILE)])[0].to_string(),
        sign_in(HOSTILE).to_string(),
        chart(HOSTILE).to_string(),
        page(HOSTILE, ""),
    ];
    for html in shown {
        let raw =
            ["<script>alert", "<a href='x'", "style=\"z\"", "\"><script"].iter().find(|part| html.contains(**part));
        assert_eq!(raw, None, "{html}");
    }
}
