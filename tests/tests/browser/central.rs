//! The pages of the central server.

use seatline_tests::{Agent, Central, Chromium, Look, PASSWORD, until};
use serde_json::json;

use super::{confirm, licensed, sign_in, sign_in_as};

/// A central server with an application that has reported twice, and a link that waits for approval.
fn central_with_links(agent: &Agent) -> (Central, Agent) {
    let central = Central::start();
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    agent.run(&["sync"]).ok();
    let waiting = licensed();
    waiting.run(&["link", "accept", &central.open_invite(), "--yes"]);
    central.run(&["alerts", "add-mail", "Operations", "--to", "ada@example.org", "--least", "note"]).ok();
    (central, waiting)
}

/// What the central server answers to `GET`, with what there is of each kind in the place of names: a page that is
/// added is looked at here. Without what is there in other stories alone.
fn addresses_of_central(central: &Central) -> Vec<String> {
    let of = |list: &str, index: usize| central.get(list)["items"][index]["id"].as_str().expect("an id").to_owned();
    let (application, waiting) = (of("/api/v1/applications", 0), of("/api/v1/links", 0));
    let channel = of("/api/v1/channels", 0);
    let routes = seatline_central::pages::routes().into_iter().filter(|route| route.method == "GET");
    let named = routes.map(|route| {
        let path = route.path.replace("{id}", &application).replace("{link}", &waiting).replace("{channel}", &channel);
        path.replace("{sequence}", "1").replace("{name}", "ada").replace("/difference", "/difference?from=1&to=2")
    });
    named.filter(|path| !path.contains('{')).collect()
}

#[test]
fn every_page_of_the_central_server_is_accessible_keeps_to_itself_and_fits_a_narrow_screen() {
    let agent = licensed();
    let (central, _waiting) = central_with_links(&agent);
    // Nothing is linked to them, which is worth a note; several can be acknowledged at once.
    for name in ["Unused wiki", "Unused wiki of the laboratory"] {
        central.post("/api/v1/applications", &json!({ "name": name, "product": "example-wiki" }));
    }
    central.open_invite();
    until("two alerts", || (central.get("/api/v1/alerts")["items"].as_array()?.len() == 2).then_some(()));
    let chromium = Chromium::start();
    let mut look = Look::at(&chromium, &central.url(), "central");
    look.open("/sign-in");
    sign_in(&chromium, &central.url());
    look.open("/confirm");
    confirm(&chromium, &central.url());
    let addresses = addresses_of_central(&central);
    let id = central.get("/api/v1/applications")["items"][0]["id"].as_str().expect("an id").to_owned();
    for page in look.pages(addresses.iter().map(String::as_str)) {
        look.open_as(page, &name_of(page, &id));
    }
    for (page, name) in [
        ("/applications?gravity=note".to_owned(), "applications-filtered"),
        ("/links?state=removed".to_owned(), "links-removed"),
        ("/links?state=invites".to_owned(), "links-invites"),
        ("/alerts?gravity=note".to_owned(), "alerts-filtered"),
        ("/alerts/channels/new?kind=webhook".to_owned(), "alerts-webhook-new"),
        ("/nowhere".to_owned(), "not-found"),
        (format!("/applications/{id}/history?range=all"), "application-history-all"),
        (format!("/people?application={id}"), "people-of-one"),
    ] {
        look.open_as(&page, name);
    }
    // What stands behind a summary.
    let unfold = "document.querySelectorAll('main details').forEach(more => { more.open = true })";
    for (page, name) in [(format!("/applications/{id}"), "application-forms"), ("/alerts".to_owned(), "alerts-forms")] {
        chromium.open(&format!("{}{page}", central.url()));
        chromium.run(unfold);
        look.page(name);
    }
    // Nobody knows of it until a time that is over.
    chromium.find("form[action='/alerts/acknowledge'] input[name=why]").write("it is linked next week");
    chromium.run("document.querySelector('main details input[name=until]').value = '2020-01-01T08:00'");
    chromium.find("form[action='/alerts/acknowledge'] button").click_through();
    chromium.find("main details[open] [aria-invalid=true]");
    look.page("alerts-refused");
    look.finish();
}

#[test]
fn b9_people_of_a_large_set_are_counted_by_a_button_and_the_page_follows_by_itself() {
    let central = Central::start();
    // With the one that is there, one more than are counted at once.
    for n in 1..=128 {
        central.post("/api/v1/applications", &json!({ "name": format!("Wiki {n}"), "product": "example-wiki" }));
    }
    let agent = licensed();
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    until("the review of all", || {
        let totals = central.get("/api/v1/fleet/totals");
        let all = totals["items"].as_array()?.iter().find(|sum| sum["dimension"] == "")?;
        (all["applications"] == 129).then_some(())
    });
    let chromium = Chromium::start();
    sign_in(&chromium, &central.url());
    let mut look = Look::at(&chromium, &central.url(), "central-people");
    look.open_as("/people?use=production", "not-counted");
    let button = "#counts form[action='/people/counts'] button";
    assert_eq!(chromium.find(button).text(), "Count them");
    chromium.find(button).click_through();
    // The button is away until the count is done, and comes back without anybody opening the page again.
    until("the numbers", || chromium.text().contains("Count again").then_some(()));
    assert!(chromium.text().contains("1 of 129"), "{}", chromium.text());
    look.page("counted");
    chromium.run("document.querySelector('select[name=every]').value = 'week'");
    chromium.find("form[action='/people/schedule'] button").click_through();
    until("the first count by the schedule, and so a chart", || {
        chromium.open(&format!("{}/people?use=production", central.url()));
        chromium.source().contains("<figure class=\"chart\">").then_some(())
    });
    look.page("over-time");
    look.open_as("/people", "counted-sets");
    look.finish();
}

/// What the screenshots of a page are called, the same in every run.
fn name_of(page: &str, application: &str) -> String {
    let page = page.split('?').next().unwrap_or(page);
    if page == format!("/applications/{application}") {
        return "application-details".to_owned();
    }
    let parts = page.trim_matches('/').replace(application, "").replace("applications//", "application-");
    match parts.strip_prefix("links/").filter(|link| *link != "new") {
        Some(_) => "link".to_owned(),
        None if parts.starts_with("alerts/channels/") && parts != "alerts/channels/new" => "alerts-channel".to_owned(),
        None if parts.is_empty() => "start".to_owned(),
        None => parts.trim_matches('/').replace('/', "-"),
    }
}

#[test]
fn g11_what_a_form_of_the_central_server_answers_is_accessible_too() {
    let agent = licensed();
    let (central, _waiting) = central_with_links(&agent);
    let (chromium, url) = (Chromium::start(), central.url());
    let id = central.get("/api/v1/applications")["items"][0]["id"].as_str().expect("an id").to_owned();
    sign_in(&chromium, &url);
    confirm(&chromium, &url);
    let mut look = Look::at(&chromium, &url, "central-forms");
    let send = |page: &str, form: &str| {
        chromium.open(&format!("{url}{page}"));
        chromium.find(&format!("form[action$='{form}'] button[type=submit]")).click_through();
    };
    send("/links/new", "/links/invites");
    look.page("invite");
    send(&format!("/applications/{id}"), "/invites");
    look.page("invite-of-application");
    for (name, page, field, value, form) in [
        ("approval-refused", "/links", "input[name=application]", "Nothing", "/approve"),
        ("wizard-refused", "/links/new", "input[name=address]", "ftp://wiki", "/wizard"),
        ("application-refused", "/applications/new", "input[name=product]", "Acme Wiki", "/applications"),
    ] {
        chromium.open(&format!("{url}{page}"));
        if name == "application-refused" {
            chromium.find("input[name=name]").write("A wiki");
        }
        chromium.find(field).write(value);
        chromium.find(&format!("form[action$='{form}'] button[type=submit]")).click_through();
        chromium.find("[aria-invalid=true]");
        look.page(name);
    }
    chromium.open(&format!("{url}/account/tokens/new"));
    chromium.find("input[name=label]").write("nightly export");
    chromium.find("main form button[type=submit]").click_through();
    look.page("token-made");
    look.open("/administration/tokens");
    look.finish();
}

#[test]
fn g11_every_page_that_a_viewer_sees_is_accessible_too() {
    let agent = licensed();
    let (central, _waiting) = central_with_links(&agent);
    let user = ["user", "add", "vic", "--role", "viewer", "--password-stdin"];
    central.run_with_input(&user, PASSWORD).ok();
    let chromium = Chromium::start();
    let id = central.get("/api/v1/applications")["items"][0]["id"].as_str().expect("an id").to_owned();
    sign_in_as(&chromium, &central.url(), "vic");
    let mut look = Look::at(&chromium, &central.url(), "central-viewer");
    for page in ["/", "/links", "/applications", "/administration/users", "/account"] {
        look.open(page);
    }
    look.open_as(&format!("/applications/{id}"), "details");
    look.finish();
}
