//! What the components show, and that they show hostile text as text.

use seatline_ui::audit;
use seatline_ui::{
    AccountClasses, Badge, Banner, Choice, Copyable, Field, Gauge, Level, NavItem, Page, Prose, Tab, Tabs, Tone,
};

const HOSTILE: &str = r#""><script>alert(1)</script><a href='x' onclick=y style="z">"#;

fn page(title: &str, body: &str) -> String {
    Page {
        title,
        program: "Central",
        nav: &[NavItem { label: "Applications", href: "/applications", current: true }],
        user: Some("ada"),
        sign_out: "/sign-out",
        version: "0.1.0",
        body,
    }
    .to_string()
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
        page(HOSTILE, ""),
    ];
    for html in shown {
        let raw =
            ["<script>alert", "<a href='x'", "style=\"z\"", "\"><script"].iter().find(|part| html.contains(**part));
        assert_eq!(raw, None, "{html}");
    }
}
