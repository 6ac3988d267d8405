//! The page of links in its states, and what is done there.

use axum::http::StatusCode;
use jiff::SignedDuration;
use seatline_protocol::chain::ChainState;
use seatline_protocol::{LinkId, SecretKey};

use super::stories::{Browser, story};
use super::world::*;
use crate::domain::{Application, FormerKey, InviteId, Link, LinkRow, LinkState, OpenInvite, RemovedRow};
use crate::pages::links::{Candidates, LinksPage, OnePage};
use crate::store::Page;

fn row(link: Link, state: ChainState) -> LinkRow {
    let is_given = link.application.is_some();
    LinkRow {
        application_name: is_given.then(|| "Company wiki".to_owned()),
        last_report_at: is_given.then(|| now() - SignedDuration::from_mins(12)),
        chain_state: state,
        link,
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

/// The pages in their states.
pub(super) fn gallery() -> Vec<(&'static str, String)> {
    let waiting = || row(super::pending(), ChainState::Whole);
    let suspended = Link { id: link_id(4), state: LinkState::Suspended, ..link() };
    let all = || page(vec![waiting(), row(suspended.clone(), ChainState::Rollback), row(link(), ChainState::Whole)]);
    let none = Candidates::default();
    let removed = page(vec![
        RemovedRow {
            link: link_id(6),
            removed_at: now(),
            product: Some(product()),
            application_name: Some("Company wiki".to_owned()),
        },
        RemovedRow { link: link_id(7), removed_at: now(), product: None, application_name: None },
    ]);
    let invite = |n: u8, application: Option<Application>| OpenInvite {
        id: InviteId::from_random([n; 12]),
        application_name: application.as_ref().map(|application| application.name.to_string()),
        application: application.map(|application| application.id),
        created_at: now() - SignedDuration::from_mins(12),
        expires_at: now() + SignedDuration::from_mins(18),
    };
    let invites = page(vec![invite(2, Some(application())), invite(1, None)]);
    let former = FormerKey {
        key: SecretKey::from_seed(&[2; 32]).public(),
        fingerprint: SecretKey::from_seed(&[2; 32]).public().fingerprint(),
        until: sequence(12),
        replaced_at: now(),
    };
    vec![
        ("links_none", LinksPage::new(page(Vec::new()), &none, now(), true).to_string()),
        ("links", LinksPage::new(all(), &none, now(), true).to_string()),
        ("links_of_a_viewer", LinksPage::new(all(), &none, now(), false).to_string()),
        ("links_removed", LinksPage::of_removed(&removed, now(), true).to_string()),
        ("links_invites", LinksPage::of_invites(&invites, now(), true).to_string()),
        ("links_invites_of_a_viewer", LinksPage::of_invites(&invites, now(), false).to_string()),
        ("link", OnePage::new(&row(link(), ChainState::Gap), &[former], None, now()).to_string()),
        ("link_pending_of_a_viewer", OnePage::new(&waiting(), &[], None, now()).to_string()),
    ]
}

async fn is_there(browser: &Browser, link: &LinkId) -> Option<LinkState> {
    browser.central.store().link(link).await.expect("asked").map(|link| link.state)
}

#[tokio::test]
async fn w3_a_link_that_waits_is_approved_on_the_page_of_links_for_an_application_or_a_new_one() {
    let browser = Browser::signed_in().await;
    browser.application().await;
    let (first, second) = (SecretKey::from_seed(&[8; 32]), SecretKey::from_seed(&[9; 32]));
    let (link, other) = (browser.link(&first, None).await, browser.link(&second, None).await);
    let shown = browser.get("/links").await.body;
    for key in [&first, &second] {
        assert!(shown.contains(&key.public().fingerprint()), "{shown}");
    }
    let approve =
        async |link: &LinkId, form: &[(&str, &str)]| browser.post(&format!("/links/{link}/approve"), form).await;

    browser.central.add_application(&story(), "Build server", "build-server", "").await.expect("added");
    for (name, why) in [("Nothing", "no application of this name"), ("Build server", "is of the product")] {
        let refused = approve(&link, &[("application", name)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(why) && refused.body.contains(&format!("value=\"{name}\"")), "{}", refused.body);
        assert_eq!(seatline_ui::audit::findings(&refused.body), Vec::<String>::new());
    }
    assert_eq!(is_there(&browser, &link).await, Some(LinkState::Pending), "nothing was approved");

    let approved = approve(&link, &[("application", "company WIKI")]).await;
    assert_eq!((approved.status, approved.location.as_str()), (StatusCode::SEE_OTHER, "/links?done=approved"));
    assert_eq!(is_there(&browser, &link).await, Some(LinkState::Approved));
    let taken = approve(&other, &[("application", "Company wiki"), ("new", "yes")]).await;
    assert!(taken.body.contains("an application of this name already"), "{}", taken.body);
    assert_eq!(approve(&other, &[("application", "Second wiki"), ("new", "yes")]).await.status, StatusCode::SEE_OTHER);
    let second = "Second wiki".parse().expect("a name");
    let added = browser.central.store().application_named(&second).await.expect("asked").expect("it was added");
    assert_eq!((added.product.as_str(), added.link), ("acme-wiki", Some(other.clone())));
    let late = approve(&other, &[("application", "Third wiki"), ("new", "yes")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "somebody else was faster: {}", late.body);
    let third = "Third wiki".parse().expect("a name");
    assert_eq!(browser.central.store().application_named(&third).await.expect("asked"), None);
    let listed = browser.get("/links?done=approved").await.body;
    assert!(listed.contains("The link is approved.") && listed.contains("Second wiki"), "{listed}");
    assert!(!listed.contains("Waiting for approval"), "{listed}");
}

#[tokio::test]
async fn w3_a_refused_link_goes_and_is_remembered_and_an_approved_one_is_not_refused() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let waiting = browser.link(&SecretKey::from_seed(&[8; 32]), None).await;
    let approved = browser.link(&SecretKey::from_seed(&[7; 32]), Some(&application)).await;
    let refused = browser.post(&format!("/links/{waiting}/refuse"), &[]).await;
    assert_eq!(refused.location, "/links?done=refused", "{}", refused.body);
    assert_eq!(is_there(&browser, &waiting).await, None);
    let removed = browser.get("/links?state=removed").await.body;
    assert!(removed.contains(waiting.as_str()) && removed.contains("Acme Wiki"), "{removed}");
    let late = browser.post(&format!("/links/{approved}/refuse"), &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    assert_eq!(is_there(&browser, &approved).await, Some(LinkState::Approved));
}

#[tokio::test]
async fn w3_an_invite_that_is_open_is_withdrawn_on_the_page_of_links() {
    let mut browser = Browser::signed_in().await;
    let application = browser.application().await;
    let made = browser.central.make_invite(&story(), Some(&application.id)).await.expect("an invite");
    let withdraw = format!("/links/invites/{}/withdraw", made.id);
    browser.sign_in("vic").await;
    let seen = browser.get("/links?state=invites").await.body;
    assert!(seen.contains("Company wiki") && !seen.contains(&withdraw), "{seen}");
    browser.sign_in("otto").await;
    let shown = browser.get("/links?state=invites").await.body;
    assert!(shown.contains(&withdraw), "{shown}");
    assert_eq!(browser.post(&withdraw, &[]).await.location, "/links?state=invites&done=withdrawn");
    let after = browser.get("/links?state=invites&done=withdrawn").await.body;
    assert!(after.contains("The invite is withdrawn.") && after.contains("No invite is open."), "{after}");
    assert_eq!(browser.post(&withdraw, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn w3_an_invite_without_an_application_leads_back_to_the_page_of_links() {
    let browser = Browser::signed_in().await;
    let made = browser.post("/links/invites", &[]).await;
    let token = made.body.split("seatline link accept ").nth(1).and_then(|rest| rest.split('<').next());
    let keys = [browser.central.public_key()];
    let invite: seatline_protocol::Invite =
        seatline_protocol::seal::open(token.expect("the command is shown"), &keys).expect("an invite");
    assert_eq!(invite.return_url.as_deref(), Some("https://central.example/links"));
    let wizard = browser.post("/links/wizard", &[("address", "https://wiki.example.org/")]).await;
    assert!(wizard.body.contains("href=\"https://wiki.example.org/links/new#invite=v4.public."), "{}", wizard.body);
    let refused = browser.post("/links/wizard", &[("address", "wiki")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("id=\"error-address\""), "{}", refused.body);
    let filtered = browser.get("/links?product=Acme+Wiki").await;
    assert_eq!(filtered.status, StatusCode::BAD_REQUEST, "{}", filtered.body);
}
