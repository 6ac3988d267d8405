//! Nobody is shown what he is refused then: every page as each role sees it (`g11`).

use axum::http::{Method, StatusCode};
use seatline_protocol::SecretKey;

use super::stories::Browser;
use crate::domain::Role;
use crate::server::routes;

/// What a page offers: forms and links to this server, with the method that the browser would use.
fn offered(page: &str) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for (tag, attribute) in [("<form ", "action=\""), ("<a ", "href=\"")] {
        for text in page.split(tag).skip(1) {
            let text = text.split('>').next().unwrap_or_default();
            let Some(address) = text.split(attribute).nth(1).and_then(|rest| rest.split('"').next()) else { continue };
            let path = address.split(['?', '#']).next().unwrap_or_default();
            if path.starts_with('/') {
                let method = if text.contains("method=\"post\"") { Method::POST } else { Method::GET };
                found.push((method, path.to_owned()));
            }
        }
    }
    found
}

/// Whether a route's path is that of an address.
fn is_at(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let fits = |(part, given): (&&str, &&str)| part == given || (part.starts_with('{') && !given.is_empty());
    route.len() == path.len() && route.iter().zip(&path).all(fits)
}

/// The least role that a path needs. Of two routes that fit, the one with fewer names in it is meant.
fn needed(method: &Method, path: &str) -> Option<Role> {
    let fitting = routes().into_iter().filter(|route| route.method == *method && is_at(route.path, path));
    fitting.min_by_key(|route| route.path.matches('{').count()).map(|route| route.need.role)
}

#[tokio::test]
async fn g11_no_page_offers_what_the_role_of_who_looks_may_not_do() {
    let mut browser = Browser::signed_in().await;
    let application = browser.application().await;
    let key = SecretKey::from_seed(&[7; 32]);
    let link = browser.link(&key, Some(&application)).await;
    browser.report(&link, &key).await;
    let waiting = browser.link(&SecretKey::from_seed(&[8; 32]), None).await;
    browser.central.add_application(&super::stories::story(), "Empty", "acme-wiki", "").await.expect("added");
    let addresses = |route: &str| {
        let link = if route.starts_with("/links/{link}") { &waiting } else { &link };
        let path = route.replace("{id}", application.id.as_str()).replace("{link}", link.as_str());
        path.replace("{sequence}", "1").replace("{name}", "vic")
    };
    for (name, role) in [("vic", Role::Viewer), ("otto", Role::Operator), ("ada", Role::Administrator)] {
        browser.sign_in(name).await;
        browser.confirm().await;
        let mut looked_at = 0;
        for route in super::super::routes().into_iter().filter(|route| route.method == Method::GET) {
            let (path, answer) = (addresses(route.path), browser.get(&addresses(route.path)).await);
            if role < route.need.role {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}: {path}");
            }
            if !answer.content_type.starts_with("text/html") {
                continue;
            }
            looked_at += 1;
            for (method, offered) in offered(&answer.body) {
                if ["/sign-out", "/sign-in"].contains(&offered.as_str()) || offered.starts_with("/assets/") {
                    continue;
                }
                let needed = needed(&method, &offered);
                let needed = needed.unwrap_or_else(|| panic!("{path} offers {method} {offered}, which is nowhere"));
                assert!(role >= needed, "{path} offers {method} {offered} to a {role}: it needs the role {needed}");
            }
        }
        assert!(looked_at > 10, "{role}: {looked_at} pages");
    }
}

#[test]
fn the_walk_finds_forms_links_and_what_they_need() {
    let page = r#"<a class="x" href="/applications/new">Add</a><form class="y" method="post" action="/links/abc/approve">
        <a href="https://elsewhere.example">Away</a><form method="get" action="/people?x=1">"#;
    let expected = [
        (Method::POST, "/links/abc/approve".to_owned()),
        (Method::GET, "/people".to_owned()),
        (Method::GET, "/applications/new".to_owned()),
    ];
    assert_eq!(offered(page), expected);
    assert_eq!(needed(&Method::GET, "/applications/new"), Some(Role::Operator), "not that of an application");
    assert_eq!(needed(&Method::GET, "/applications/abc"), Some(Role::Viewer));
    assert_eq!(needed(&Method::POST, "/nowhere"), None);
}
