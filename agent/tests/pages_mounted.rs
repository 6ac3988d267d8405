//! The pages inside a product, under a path of its own and behind its own sign-in: the example `mounted`.

#[path = "../examples/mounted.rs"]
mod mounted;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use mounted::{PASSWORD, PATH, Sessions, host, wiki};
use seatline_agent::pages::Need;
use seatline_agent::pages::routes::routes;
use seatline_host::Host;
use seatline_protocol::{License, SecretKey, seal};
use tower::ServiceExt as _;

struct Product {
    _dir: tempfile::TempDir,
    host: Arc<Host>,
    wiki: Router,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    location: Option<String>,
    cookie: Option<String>,
    body: String,
}

fn vendor() -> SecretKey {
    SecretKey::from_seed(&[42; 32])
}

fn key() -> String {
    let license: License = serde_json::from_value(serde_json::json!({
        "id": "L-1", "product": "example-wiki", "kind": "commercial", "licensee": "Example Ltd", "support": true,
        "limits": [{ "dimension": "users", "max": 25 }], "issued": "2026-01-01T00:00:00Z",
    }))
    .expect("a license");
    seal::seal(&license, &vendor()).expect("a key")
}

impl Product {
    fn new(asks: bool) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let host = host(dir.path(), vec![vendor().public()]).expect("a host");
        let wiki = wiki(Arc::clone(&host), Sessions::default(), asks).expect("the pages");
        Self { _dir: dir, host, wiki }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "wiki.example.org");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let answer = self.wiki.clone().oneshot(request).await.expect("an answer");
        let text = |name| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        let (status, location, cookie) = (answer.status(), text(header::LOCATION), text(header::SET_COOKIE));
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        Answer { status, location, cookie, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Signs somebody in to the product, and gives the cookie.
    async fn sign_in(&self, name: &str) -> String {
        let form = format!("name={name}&password={PASSWORD}");
        let answer = self.send(Method::POST, "/sign-in", &[FORM], &form).await;
        answer.cookie.expect("a cookie").split(';').next().expect("its value").to_owned()
    }

    async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.send(Method::GET, path, &[("Cookie", cookie)], "").await
    }

    async fn post(&self, cookie: &str, path: &str, form: &str) -> Answer {
        self.send(Method::POST, path, &[("Cookie", cookie), FORM], form).await
    }

    fn is_licensed(&self) -> bool {
        self.host.standing().expect("a standing").governed_by.is_some()
    }
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Every address that a page leads to or takes something from.
fn addresses(page: &str) -> BTreeSet<String> {
    let attributes = ["href", "src", "action", "hx-get", "hx-post"];
    let of = |name: &str| {
        let mark = format!(" {name}=\"");
        page.split(&mark).skip(1).map(|rest| rest.split('"').next().expect("its end").to_owned()).collect::<Vec<_>>()
    };
    attributes.iter().flat_map(|name| of(name)).filter(|address| !address.starts_with('#')).collect()
}

#[tokio::test]
async fn every_page_form_and_file_stands_under_the_path_of_the_product() {
    let product = Product::new(true);
    product.host.set_license(&key()).expect("a license");
    let root = product.sign_in("root").await;
    let confirmed = product.post(&root, &format!("{PATH}/confirm"), &format!("confirm-password={PASSWORD}")).await;
    assert_eq!(confirmed.location.as_deref(), Some(PATH));
    let mut seen = BTreeSet::new();
    let mut next: Vec<String> = vec![PATH.to_owned()];
    next.extend(
        routes().into_iter().filter(|route| route.method == Method::GET).map(|route| format!("{PATH}{}", route.path)),
    );
    // A product tells its people itself; and without a link there is nothing to export.
    next.retain(|path| !path.ends_with('/') && !path.contains("/notifications") && !path.ends_with("/links/export"));
    while let Some(path) = next.pop() {
        let path = path.replace("&#38;", "&");
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = product.get(&root, &path).await;
        let is_form = answer.status == StatusCode::METHOD_NOT_ALLOWED;
        assert!(is_form || answer.status.is_success() || answer.status.is_redirection(), "{path}: {answer:?}");
        assert_eq!(answer.cookie, None, "{path}: the session is the product's");
        let leads: Vec<String> = answer.location.into_iter().chain(addresses(&answer.body)).collect();
        for address in leads {
            assert!(address.starts_with(PATH), "{path} leads to {address}");
            next.push(address);
        }
    }
    for needed in ["/license", "/system", "/plugin", "/support", "/license/preview", "/plugin/hold"] {
        assert!(seen.contains(&format!("{PATH}{needed}")), "{needed}: {seen:?}");
    }
    assert!(seen.iter().any(|path| path.ends_with(".css")), "{seen:?}");
    let page = product.get(&root, &format!("{PATH}/license")).await.body;
    assert!(!page.contains("Sign out"), "that is the product's");
}

#[tokio::test]
async fn nobody_is_sent_to_the_products_sign_in_and_comes_back_to_a_page_of_the_product_alone() {
    let product = Product::new(true);
    let sent = |answer: Answer| (answer.status.as_u16(), answer.location.unwrap_or_default());
    let get = async |path: &str| sent(product.send(Method::GET, path, &[], "").await);
    let wanted = format!("{PATH}/license?done=saved");
    assert_eq!(get(&wanted).await, (303, "/sign-in?next=/admin/licensing/license%3Fdone%3Dsaved".to_owned()));
    for odd in ["//evil.example", "/\\evil.example", "/no/such"] {
        let (status, location) = get(&format!("{PATH}{}", odd.replace('\\', "%5C"))).await;
        assert!(status == 303 && location.starts_with("/sign-in?next=/admin/licensing"), "{odd}: {location}");
    }
    let form = product.send(Method::POST, &format!("{PATH}/license/save"), &[FORM], "key=x").await;
    assert_eq!(sent(form), (303, "/sign-in?next=/admin/licensing".to_owned()), "no page answers GET there");
    let htmx = product.send(Method::GET, &format!("{PATH}/license"), &[("HX-Request", "true")], "").await;
    assert_eq!(htmx.status, 401, "htmx is told where to go by a header");

    let path = "/sign-in?next=/admin/licensing/license%3Fdone%3Dsaved";
    let back = product.send(Method::POST, path, &[FORM], &format!("name=root&password={PASSWORD}")).await;
    assert_eq!(sent(back), (303, wanted));
}

#[tokio::test]
async fn a2_a_viewer_changes_nothing_and_whoever_has_no_role_sees_nothing() {
    let product = Product::new(false);
    let (vera, gast) = (product.sign_in("vera").await, product.sign_in("gast").await);
    for route in routes() {
        let path = format!("{PATH}{}", route.path.trim_end_matches('/'));
        let ask = async |cookie: &str| match route.method == Method::GET {
            true => product.get(cookie, &path).await.status,
            false => product.post(cookie, &path, "").await.status,
        };
        assert_eq!(ask(&gast).await, 403, "{path}");
        assert_eq!(ask(&vera).await == 403, route.need > Need::View, "{path}");
    }
    let saved = product.post(&vera, &format!("{PATH}/license/save"), &format!("key={}", key())).await;
    assert!(saved.status == 403 && !product.is_licensed());
}

#[tokio::test]
async fn c2_the_password_is_asked_for_by_the_pages_and_checked_by_the_product() {
    let product = Product::new(true);
    let root = product.sign_in("root").await;
    let path = format!("{PATH}/license/save");
    let asked = product.post(&root, &path, &format!("key={}", key())).await;
    assert!(asked.status == 403 && asked.body.contains("Confirm your password") && !product.is_licensed());
    let pending = asked.body.split("name=\"pending\" value=\"").nth(1).expect("what waits");
    let pending = pending.split('"').next().expect("its id").to_owned();
    let confirm = async |cookie: &str, password: &str| {
        product.post(cookie, &path, &format!("confirm-password={password}&pending={pending}")).await
    };
    assert_eq!(confirm(&root, "wrong").await.status, 401);
    let stolen = product.sign_in("root").await;
    assert_eq!(confirm(&stolen, PASSWORD).await.status, 409, "it waits for the session that sent it");
    let saved = confirm(&root, PASSWORD).await;
    assert_eq!(saved.location.as_deref(), Some("/admin/licensing/license?done=saved"));
    assert!(product.is_licensed());
    let ended = product.post(&root, &format!("{PATH}/confirm/end"), "").await;
    assert_eq!(ended.location.as_deref(), Some("/admin/licensing"));
    assert_eq!(confirm(&root, PASSWORD).await.status, 409, "replayed");
}

#[tokio::test]
async fn c2_a_product_that_confirms_by_itself_is_not_asked_again_and_other_sites_change_nothing() {
    let product = Product::new(false);
    let root = product.sign_in("root").await;
    let (path, form) = (format!("{PATH}/license/save"), format!("key={}", key()));
    for origin in ["https://evil.example", "http://wiki.example.org.evil.example", "null"] {
        let cross = product.send(Method::POST, &path, &[("Cookie", &root), FORM, ("Origin", origin)], &form).await;
        assert!(cross.status == 403 && !product.is_licensed(), "{origin}: {cross:?}");
    }
    let own = [("Cookie", root.as_str()), FORM, ("Origin", "https://wiki.example.org")];
    let saved = product.send(Method::POST, &path, &own, &form).await;
    assert_eq!((saved.status.as_u16(), product.is_licensed()), (303, true), "{saved:?}");
    let confirm = product.get(&root, &format!("{PATH}/confirm?next=/system")).await;
    assert_eq!(confirm.location.as_deref(), Some("/admin/licensing/system"));
}

#[test]
fn the_guide_shows_what_the_example_does() {
    let guide = include_str!("../../docs/embedding.md");
    let example = include_str!("../examples/mounted.rs");
    let block = guide.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the code");
    assert!(example.contains(block.trim_end()), "the code of docs/embedding.md is not that of the example:\n{block}");
}
