//! What a product asks: whether it may make more (`a6`), and what to show above its pages (`a4`).

use seatline_protocol::standing::{Banner, BannerLevel, LimitAnswer, LimitCheck};
use seatline_protocol::{Behaviour, Kind, License, Standing, standing};

use crate::given::{With as _, at, dimension, license, observed};

const NOW: &str = "2026-06-01";

fn ask(standing: &Standing, name: &str, additional: u64) -> LimitAnswer {
    standing.check_limit(&LimitCheck::of(dimension(name), additional))
}

fn line(answer: &LimitAnswer) -> String {
    let word = if answer.allowed { "go on" } else { "stop" };
    format!("{word} ({}): {}", answer.code.name(), answer.message.as_deref().unwrap_or("-"))
}

#[test]
fn a6_each_limit_answers_by_its_own_behaviour() {
    let table = [
        (Behaviour::Warn, 10, "go on (within): -"),
        (Behaviour::Warn, 20, "go on (near): With 90 seats, 10 are left of the 100 that the license allows."),
        (Behaviour::Warn, 30, "go on (near): With 100 seats, 0 are left of the 100 that the license allows."),
        (
            Behaviour::Refuse,
            31,
            "go on (in-allowance): 101 seats are more than the 100 that the license allows; 5 more are tolerated.",
        ),
        (
            Behaviour::Warn,
            36,
            "go on (over): 106 seats are more than the 100 that the license allows. Free some, or set a larger license.",
        ),
        (
            Behaviour::Restrict,
            36,
            "go on (stops-features): 106 seats are 1 more than the license allows: the licensed features stop until \
             they are freed, or a larger license is set.",
        ),
        (
            Behaviour::Refuse,
            36,
            "stop (refused): 106 seats would be 1 more than the license allows. Free some, or set a larger license.",
        ),
        (
            Behaviour::Refuse,
            u64::MAX,
            "stop (refused): 18,446,744,073,709,551,615 seats would be 18,446,744,073,709,551,510 more than the license \
             allows. Free some, or set a larger license.",
        ),
    ];
    for (behaviour, additional, expected) in table {
        let licenses = [license("L-1", "2026-01-01").limit("seats", 100, 5, behaviour)];
        let answer = ask(&standing(&licenses, &observed(&[("seats", 70)]), at(NOW)), "seats", additional);
        assert_eq!(line(&answer), expected);
        assert_eq!((answer.used, answer.max, answer.extra, answer.left), (Some(70), Some(100), 5, Some(30)));
    }
}

#[test]
fn a6_what_was_never_counted_or_is_not_limited_can_be_made() {
    let licenses = [license("L-1", "2026-01-01").limit("seats", 1, 0, Behaviour::Refuse)];
    let standing = standing(&licenses, &observed(&[]), at(NOW));
    assert_eq!(line(&ask(&standing, "seats", 9)), "go on (not-counted): -");
    assert_eq!(line(&ask(&standing, "pages", 9)), "go on (not-limited): -");
    let known = LimitCheck { used: Some(1), ..LimitCheck::of(dimension("seats"), 1) };
    assert_eq!(standing.check_limit(&known).code.name(), "refused", "the product knows better");
}

#[test]
fn a6_without_a_license_users_can_be_made_and_nothing_else() {
    let none = standing(&[], &observed(&[("seats", 3)]), at(NOW));
    let why = "No license of acme-wiki is set. Set the license key that its vendor sent.";
    assert_eq!(line(&ask(&none, "users", 1)), format!("go on (unlicensed): {why}"));
    assert_eq!(line(&ask(&none, "seats", 1)), format!("stop (unlicensed): {why}"));
    assert!(ask(&none, "seats", 0).allowed, "nobody asks for more");
}

#[test]
fn p1_an_add_on_has_limits_of_its_own() {
    let product = license("L-1", "2026-01-01").limit("users", 100, 0, Behaviour::Restrict);
    let add_on = license("A-1", "2026-01-01").add_on("acme-mail").limit("users", 10, 0, Behaviour::Restrict);
    let add_on = add_on.limit("boxes", 5, 0, Behaviour::Refuse);
    let standing = standing(&[product, add_on], &observed(&[("users", 11), ("boxes", 5)]), at(NOW));
    assert_eq!(standing.verdict.name(), "attention", "the product goes on");
    let mail = &standing.add_ons[0];
    assert_eq!((mail.verdict.name(), mail.limits[0].used, mail.limits[1].max), ("restricted", Some(11), Some(5)));
    assert!(standing.features.contains("l-1") && !standing.features.contains("a-1"));

    let of = |add_on: Option<&str>, name: &str| {
        let add_on = add_on.map(|product| product.parse().expect("a product"));
        let answer = standing.check_limit(&LimitCheck { add_on, ..LimitCheck::of(dimension(name), 1) });
        (answer.allowed, answer.code.name())
    };
    assert_eq!(of(None, "users"), (true, "within"), "the product's own limit");
    assert_eq!(of(Some("acme-mail"), "users"), (true, "stops-features"));
    assert_eq!(of(None, "boxes"), (false, "refused"), "only the add-on limits them");
    assert_eq!(of(Some("acme-mail"), "pages"), (true, "not-limited"));
    assert_eq!(of(Some("acme-chat"), "boxes"), (false, "unlicensed"));
}

#[test]
fn p1_an_add_on_without_a_license_in_force_says_why() {
    let licenses = [
        license("L-1", "2026-01-01"),
        license("A-1", "2026-01-01").add_on("acme-mail").expires("2026-02-01").limit("boxes", 5, 0, Behaviour::Warn),
    ];
    let standing = standing(&licenses, &observed(&[]), at(NOW));
    let mail = Some("acme-mail".parse().expect("a product"));
    let answer = standing.check_limit(&LimitCheck { add_on: mail, ..LimitCheck::of(dimension("boxes"), 1) });
    assert_eq!(
        line(&answer),
        "stop (unlicensed): License A-1 expired on 2026-02-01 UTC. Set the renewed license, or ask its vendor for one."
    );
}

fn banners(licenses: &[License], counts: &[(&str, u64)], now: &str) -> Vec<String> {
    let brief = |banner: &Banner| {
        let code = serde_json::to_value(banner.code).expect("a name");
        let day = |time: Option<jiff::Timestamp>| time.map_or("-".to_owned(), |time| time.to_string()[..10].to_owned());
        let days = banner.days_left.map_or(String::new(), |days| format!(", {days} days"));
        let code = code.as_str().expect("a text");
        format!("{} {code} from {} to {}{days}", banner.level.name(), day(banner.since), day(banner.until))
    };
    standing(licenses, &observed(counts), at(now)).banners(at(now)).iter().map(brief).collect()
}

#[test]
fn a4_banners_tell_of_limits_and_of_expiries_near_and_passed() {
    let ends = license("L-1", "2026-01-01").expires("2026-07-01").grace(14).limit("users", 10, 0, Behaviour::Restrict);
    let table: [(&str, u64, &[&str]); 6] = [
        ("2026-02-01", 5, &[]),
        ("2026-02-01", 9, &["warning near-limit from - to -"]),
        ("2026-02-01", 11, &["error restricted from - to -"]),
        ("2026-06-21", 5, &["warning expires-soon from - to 2026-07-01, 10 days"]),
        ("2026-07-02", 5, &["warning in-grace from 2026-07-01 to 2026-07-15, 13 days"]),
        ("2026-08-01", 5, &["error expired from 2026-07-01 to -"]),
    ];
    for (now, users, expected) in table {
        assert_eq!(banners(std::slice::from_ref(&ends), &[("users", users)], now), expected, "{now} {users}");
    }
    assert_eq!(banners(&[], &[], NOW), ["error no-license from - to -"]);
}

#[test]
fn a4_the_gravest_banner_stands_first_and_an_add_on_gives_warnings_alone() {
    let licenses = [
        license("L-1", "2026-01-01").expires("2026-06-20").limit("users", 1, 0, Behaviour::Restrict),
        license("A-1", "2026-01-01").add_on("acme-mail").expires("2026-02-01"),
    ];
    let gravest = banners(&licenses, &[("users", 2)], NOW);
    assert_eq!(gravest[0], "error restricted from - to -");
    let mail = standing(&licenses, &observed(&[]), at(NOW)).banners(at(NOW));
    assert!(mail.iter().all(|banner| banner.level == BannerLevel::Warning), "{mail:?}");
    let of_mail = mail.iter().find(|banner| banner.add_on.is_some()).expect("a banner of the add-on");
    assert_eq!((of_mail.until, of_mail.since), (None, Some(at("2026-02-01"))));
}

#[test]
fn a4_maintenance_that_has_ended_is_no_banner_for_good() {
    let ended = [license("L-1", "2026-01-01").maintained("2026-05-01")];
    assert_eq!(banners(&ended, &[], NOW), Vec::<String>::new());
    let ends = [license("L-1", "2026-01-01").maintained("2026-06-11")];
    assert_eq!(banners(&ends, &[], NOW), ["warning maintenance-ends-soon from - to 2026-06-11, 10 days"]);
}

#[test]
fn s11_support_lasts_as_long_as_the_maintenance_of_what_governs() {
    let entitles = |license: License, now: &str| standing(&[license], &observed(&[]), at(now)).support;
    let supported = || license("L-1", "2026-01-01").with(|license| license.support = true);
    assert!(entitles(supported(), NOW));
    assert!(!entitles(license("L-1", "2026-01-01"), NOW));
    assert!(entitles(supported().maintained("2026-06-02"), NOW));
    assert!(!entitles(supported().maintained("2026-06-01"), NOW));
    assert!(!entitles(supported().expires("2026-05-01"), NOW));
    assert!(entitles(supported().expires("2026-05-20").grace(30), NOW), "it still holds");
}

#[test]
fn p4_a_standing_shows_the_prerequisites_of_each_license() {
    let needed = serde_json::json!([
        {"name": "Example Base", "edition": "Server", "cost": "paid"}, {"name": "Example Base", "cost": "free"}
    ]);
    let needed: Vec<seatline_protocol::Prerequisite> = serde_json::from_value(needed).expect("prerequisites");
    let add_on = license("A-1", "2026-01-01").add_on("acme-mail").with(|license| license.prerequisites = needed);
    let standing = standing(&[add_on], &observed(&[]), at(NOW));
    let shown: Vec<String> = standing.licenses[0].prerequisites.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["Example Base (Server), paid", "Example Base, free"]);
}

#[test]
fn c5_the_kind_is_shown_and_has_no_say_in_its_place() {
    for kind in Kind::ALL {
        let observed = seatline_protocol::Observed { staging: kind == Kind::Staging, ..observed(&[]) };
        let standing = standing(&[license("L-1", "2026-01-01").kind(kind)], &observed, at(NOW));
        assert_eq!((standing.licenses[0].kind, standing.verdict.name()), (kind, "licensed"));
    }
}

#[test]
fn the_name_of_a_reason_is_the_one_in_documents() {
    use seatline_protocol::standing::ReasonCode;
    let source = include_str!("../../src/standing/verdict.rs");
    let names = source.split("impl ReasonCode").nth(1).and_then(|rest| rest.split("\n}\n").next()).expect("its names");
    let names: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let code: ReasonCode = serde_json::from_str(&format!("\"{name}\"")).expect("a code");
        assert_eq!(code.name(), name);
    }
}
