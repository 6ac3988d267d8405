//! What administrators see, in the states that matter, and what holds for every page.

mod administration;
mod fleet;
mod history;
mod links;
mod people;
mod roles;
mod stories;
mod world;

use seatline_protocol::report::Measured;
use seatline_protocol::{License, Mode, Outcome};
use seatline_ui::audit;
use world::*;

use super::applications::{ApplicationSent, NewApplication};
use super::details::{DetailsTab, LinkForm, LinkSent};
use super::frame::{Head, Place, html};
use super::licenses::LicensesTab;
use super::sign_in::sign_in_form;
use crate::actions::links::MadeInvite;
use crate::auth::{SignedIn, Via};
use crate::domain::{
    Application, ApplicationId, Chain, Gap, InviteId, Licenses, Link, LinkState, Role, Scopes, TokenId,
};

/// What a hostile product would send as a name.
const HOSTILE: &str = r#""><script>alert(1)</script><img src=x onerror=y style='z'>"#;

fn licenses_page(view: &Licenses) -> String {
    let has_gap = view.link.as_ref().is_some_and(|link| link.chain.missing() > 0);
    let forked = view.link.as_ref().is_some_and(|link| link.chain.forks > 0);
    let rows = if view.reported.is_some() { rows(has_gap.then_some(127)) } else { Vec::new() };
    let refused = if forked { refused() } else { Vec::new() };
    format!("{}\n{}", Head::new(view, Place::Licenses), LicensesTab::new(view, &rows, &refused))
}

fn details_page(tab: &DetailsTab) -> String {
    format!("{}\n{tab}", Head::new(&view_of(4180, &[license()]), Place::Details))
}

fn unlinked() -> Application {
    Application { link: None, ..application() }
}

fn never_reported() -> Licenses {
    Licenses::of(application(), Some(&Link { chain: Chain::default(), ..link() }), None, Vec::new(), now())
}

fn run_failed() -> Licenses {
    view(&link(), failed(128), Some(counted(127, collected(4180, &[license()]))))
}

fn with_gap() -> Licenses {
    let gaps = vec![Gap { from: sequence(120), to: sequence(122) }, Gap { from: sequence(126), to: sequence(126) }];
    let broken = Link { chain: Chain { stored: 124, gaps, ..link().chain }, ..link() };
    let newest = counted(128, collected(4180, &[license()]));
    view(&broken, newest.clone(), Some(newest))
}

fn forked() -> Licenses {
    let chain = Chain { forks: 3, forked_at: Some(at("2026-11-22T01:25:00Z")), ..link().chain };
    let newest = counted(128, collected(4180, &[license()]));
    view(&Link { chain, ..link() }, newest.clone(), Some(newest))
}

/// A product whose add-on is licensed by node, and lacks a license for one of its nodes.
fn with_add_ons() -> Licenses {
    let charts = License {
        id: "CHARTS-1".parse().expect("a license id"),
        product: "acme-charts".parse().expect("a product"),
        add_on_of: Some(product().id),
        mode: Mode::Node,
        limits: license().limits[..1].to_vec(),
        replaces: Vec::new(),
        ..license()
    };
    view_of(4180, &[license(), charts])
}

fn expired() -> Licenses {
    view_of(4180, &[replaced_license()])
}

fn pending() -> Link {
    let mut pending =
        Link { id: link_id(5), application: None, state: LinkState::Pending, approved_at: None, ..link() };
    pending.product.id = "other-wiki".parse().expect("a product");
    pending
}

fn made_invite() -> MadeInvite {
    MadeInvite {
        id: InviteId::from_random([1; 12]),
        invite: "v4.public.eyJjZW50cmFsX3VybCI6Imh0dHBzOi8vbGljZW5zZXMuZXhhbXBsZS5vcmcifQ".to_owned(),
        expires_at: at("2026-11-22T02:00:00Z"),
        fingerprint: link().key.fingerprint(),
    }
}

/// Every kind of page in its states: name, title, content.
fn gallery() -> Vec<(&'static str, String)> {
    let wiki = application();
    let both = [link(), Link { id: link_id(4), state: LinkState::Suspended, ..link() }];
    let named = |name: &str, n: u8, view: Licenses| {
        let application = Application {
            id: ApplicationId::from_random([n; 12]),
            name: name.parse().expect("a name"),
            ..view.application
        };
        Licenses { application, ..view }
    };
    let list = [
        named("Company wiki", 1, view_of(4180, &[license()])),
        named("Build server", 2, Licenses::of(unlinked(), None, None, Vec::new(), now())),
        named("Issue tracker", 3, view_of(5230, &[license()])),
        named("Code quality", 4, run_failed()),
        named("Research platform", 5, forked()),
        named("Chat", 6, never_reported()),
    ];
    let refused_form = LinkForm::refused(
        &both,
        LinkSent { link: link_id(3).to_string(), interval: "other".into(), other: "soon".into(), ..Default::default() },
        "other",
        "give a whole number of minutes from 1 to 44,640",
    );
    let mut pages = vec![
        ("sign_in", sign_in_form("Example Organisation", None, "", Some("/applications"), None).to_string()),
        ("application_new", NewApplication::default().to_string()),
        (
            "application_new_refused",
            NewApplication::refused(
                ApplicationSent { name: "Wiki".into(), product: "Acme Wiki".into(), url: "https://wiki".into() },
                "product",
                "a product id must be 1 to 64 characters of a-z 0-9 - _ . that start with a letter",
            )
            .to_string(),
        ),
        ("licenses_not_linked", licenses_page(&Licenses::of(unlinked(), None, None, Vec::new(), now()))),
        ("licenses_no_report_yet", licenses_page(&never_reported())),
        ("licenses_all_well", licenses_page(&view_of(4180, &[license(), replaced_license()]))),
        ("licenses_over_limit", licenses_page(&view_of(5230, &[license()]))),
        ("licenses_expired", licenses_page(&expired())),
        ("licenses_run_failed", licenses_page(&run_failed())),
        ("licenses_gap", licenses_page(&with_gap())),
        ("licenses_fork", licenses_page(&forked())),
        ("licenses_moved", licenses_page(&moved())),
        ("licenses_add_ons", licenses_page(&with_add_ons())),
        ("details_without_link", details_page(&DetailsTab::new(&unlinked(), &[], &[]))),
        ("details", details_page(&DetailsTab::new(&wiki, &both, &[pending()]))),
        ("details_invite", details_page(&DetailsTab::new(&wiki, &both, &[]).with_invite(&made_invite(), now()))),
        ("details_of_a_viewer", details_page(&DetailsTab::new(&wiki, &both, &[pending()]).seen_by(false))),
        ("details_refused", details_page(&DetailsTab::new(&wiki, &both, &[]).with_form(refused_form))),
    ];
    pages.extend(history::gallery());
    pages.extend(people::gallery());
    pages.extend(fleet::gallery(&list));
    pages.extend(links::gallery());
    pages
}

fn whole(body: &str) -> String {
    let who = SignedIn {
        name: "ada".parse().expect("a name"),
        role: Role::Administrator,
        via: Via::Token {
            id: TokenId::from_random([1; 12]),
            scopes: Scopes::all_of(Role::Administrator),
            rests: false,
        },
        address: "127.0.0.1".parse().expect("an address"),
        asked_at: now(),
    };
    html("A title", Some(&who), body)
}

#[test]
fn w5_pages_look_as_they_were_approved() {
    for (name, body) in gallery() {
        insta::assert_snapshot!(name, body);
    }
}

#[test]
fn every_page_can_be_read_without_seeing_it_and_holds_to_the_content_security_policy() {
    for (name, body) in gallery() {
        assert_eq!(audit::findings(&whole(&body)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_refresh_has_something_new_after_a_report_or_when_a_trouble_comes() {
    let before = super::licenses::seen(&view_of(4180, &[license()]));
    assert_eq!(before, super::licenses::seen(&view_of(4181, &[license()])), "the same report says the same");
    assert_ne!(before, super::licenses::seen(&forked()));
    let mut filled = with_gap();
    filled.link.as_mut().expect("linked").chain.stored += 1;
    assert_ne!(super::licenses::seen(&with_gap()), super::licenses::seen(&filled), "a part of the gap is filled");
    assert_ne!(before, super::licenses::seen(&run_failed()));
}

#[test]
fn a_refresh_brings_the_verdict_along_and_a_filter_the_way_out_of_it() {
    let pages = gallery();
    let page = |wanted: &str| &pages.iter().find(|(name, _)| *name == wanted).expect("a page").1;
    for (page, part, what) in
        [(page("licenses_expired"), "head", "Unlicensed"), (page("applications_filtered"), "filter-actions", "Clear")]
    {
        assert!(page.contains(&format!("hx-select-oob=\"#{part}\"")), "{page}");
        let begun = page.split_once(&format!("<div class=\"page-head\" id=\"{part}\">"));
        let begun = begun.or_else(|| page.split_once(&format!("<div class=\"actions\" id=\"{part}\">")));
        let (_, rest) = begun.unwrap_or_else(|| panic!("no part {part}: {page}"));
        assert!(rest[..rest.find("</div>\n").expect("its end")].contains(what), "{rest}");
    }
}

#[test]
fn hostile_text_from_a_product_stays_text() {
    let mut hostile = counted(128, collected(4180, &[license()]));
    let product = &mut hostile.report.product;
    (product.name, product.version, product.edition) = (HOSTILE.into(), HOSTILE.into(), Some(HOSTILE.into()));
    for node in &mut product.nodes {
        (node.id, node.version) = (HOSTILE.into(), HOSTILE.into());
    }
    hostile.report.reporter.host = HOSTILE.into();
    if let Some(plugin) = &mut hostile.report.reporter.plugin {
        (plugin.name, plugin.version) = (HOSTILE.into(), HOSTILE.into());
        plugin.granted = Some([HOSTILE.to_owned()].into());
    }
    if let Outcome::Collected(collected) = &mut hostile.report.outcome {
        collected.notes = vec![HOSTILE.into()];
        collected.omissions = vec![seatline_protocol::Omission { subject: HOSTILE.into(), reason: HOSTILE.into() }];
        for measurement in &mut collected.measurements {
            measurement.value = Measured::Failed(HOSTILE.into());
        }
        if let Some(standing) = &mut collected.standing {
            standing.features = [HOSTILE.to_owned()].into();
            for license in &mut standing.licenses {
                (license.licensee, license.edition) = (HOSTILE.into(), Some(HOSTILE.into()));
                (license.features, license.reason) = ([HOSTILE.to_owned()].into(), Some(HOSTILE.into()));
            }
            for limit in &mut standing.limits {
                limit.used = None;
            }
            let reason = seatline_protocol::standing::Reason {
                code: seatline_protocol::standing::ReasonCode::Expired,
                message: HOSTILE.into(),
                license: None,
                add_on: None,
                dimension: None,
                at: None,
            };
            standing.reasons = vec![reason];
        }
    }
    let mut failed = failed(129);
    failed.report.product = hostile.report.product.clone();
    if let Outcome::Failed(failure) = &mut failed.report.outcome {
        (failure.code, failure.message) = (HOSTILE.into(), HOSTILE.into());
    }
    let linked = Link { product: hostile.report.product.clone(), ..link() };
    let named = Application { name: HOSTILE.parse().expect("a name"), url: None, ..application() };
    let view = Licenses { application: named.clone(), ..view(&linked, failed, Some(hostile)) };
    let sent = ApplicationSent { name: HOSTILE.into(), product: HOSTILE.into(), url: HOSTILE.into() };
    let form = LinkSent {
        link: HOSTILE.into(),
        interval: HOSTILE.into(),
        other: HOSTILE.into(),
        dormancy_days: HOSTILE.into(),
        counting: HOSTILE.into(),
        daily_mib: HOSTILE.into(),
    };
    let form = LinkForm::refused(std::slice::from_ref(&linked), form, "link", HOSTILE);
    let pages = [
        licenses_page(&view),
        fleet::list_of(&[view]),
        details_page(
            &DetailsTab::new(&named, std::slice::from_ref(&linked), std::slice::from_ref(&linked)).with_form(form),
        ),
        NewApplication::refused(sent, "name", HOSTILE).to_string(),
        sign_in_form(HOSTILE, None, HOSTILE, Some(HOSTILE), None).to_string(),
    ];
    for page in pages {
        assert!(page.contains("&#60;script&#62;alert(1)"), "the text itself is shown: {page}");
        assert_eq!(audit::findings(&whole(&page)), Vec::<String>::new(), "{page}");
        let raw = ["<script>alert", "<img", "style='z'"].iter().find(|part| page.contains(**part));
        assert_eq!(raw, None, "{page}");
    }
}
