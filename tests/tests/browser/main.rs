//! The pages in a real browser: what everybody must be able to use, by eye, by ear, by keyboard, and without
//! JavaScript.

mod central;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use seatline_agent::pages::routes::routes;
use seatline_tests::{Agent, Central, Chromium, Look, PASSWORD, Vendor, plugin};

/// Signs in with the mouse.
fn sign_in(chromium: &Chromium, url: &str) {
    sign_in_as(chromium, url, "ada");
}

fn sign_in_as(chromium: &Chromium, url: &str, name: &str) {
    chromium.open(&format!("{url}/sign-in"));
    chromium.find("input[name=name]").write(name);
    chromium.find("input[name=password]").write(PASSWORD);
    chromium.find("main button").click_through();
    assert!(!chromium.address().contains("/sign-in"), "{}", chromium.text());
}

/// What the agent answers to `GET`, as it says itself: a page that is added is looked at here.
fn addresses() -> impl Iterator<Item = &'static str> {
    routes().into_iter().filter(|route| route.method == "GET").map(|route| route.path)
}

/// An agent with a license and counts.
fn licensed() -> Agent {
    let vendor = Vendor::new();
    let agent = Agent::new(&vendor);
    agent.run(&["license", "set", &vendor.license(70, &["--feature", "sso", "--expires", "2090-01-01"])]).ok();
    agent.run(&["sync"]);
    agent
}

/// Settings for notices that reach nobody, and a notice about it.
fn tell_in_vain(agent: &Agent) {
    let mail = ["--host", "localhost", "--port", "1", "--security", "plain", "--sender", "wiki@example.org"];
    let who = ["--recipient", "ada@example.org", "--threshold", "users=80"];
    agent.run(&[&["notices", "settings"], &mail[..], &who].concat()).ok();
    agent.run(&["notices", "add-webhook", "http://127.0.0.1:1/hook"]).ok();
    agent.run(&["notices", "check"]).ok();
}

#[test]
fn every_page_is_accessible_keeps_to_itself_and_fits_a_narrow_screen() {
    let (central, agent) = (Central::start(), licensed());
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    tell_in_vain(&agent);
    let serving = agent.serve();
    let chromium = Chromium::start();
    let mut look = Look::at(&chromium, &serving.url(), "agent");
    look.open("/sign-in");
    sign_in(&chromium, &serving.url());
    for page in look.pages(addresses()) {
        look.open(page);
    }
    chromium.open(&format!("{}/notifications", serving.url()));
    chromium.find("form[action$=test] button").click_through();
    assert!(chromium.text().contains("Not reached"), "s7: {}", chromium.text());
    look.page("notifications-tested");
    look.finish();
}

#[test]
fn a2_every_page_of_a_viewer_and_every_refusal_is_accessible_too() {
    let agent = licensed();
    let serving = agent.serve();
    agent.run_with_input(&["user", "add", "vic", "--role", "viewer", "--password-stdin"], PASSWORD).ok();
    let chromium = Chromium::start();
    sign_in_as(&chromium, &serving.url(), "vic");
    let mut look = Look::at(&chromium, &serving.url(), "viewer");
    for page in ["/license", "/links", "/notifications", "/system", "/links/new", "/no/such/page"] {
        look.open(page);
    }
    look.finish();

    sign_in(&chromium, &serving.url());
    chromium.open(&format!("{}/confirm", serving.url()));
    chromium.find("input[name=confirm-password]").write(PASSWORD);
    chromium.find("main form button").click_through();
    let mut look = Look::at(&chromium, &serving.url(), "refusals");
    for (name, page, field, value, form) in [
        ("license", "/license", "textarea[name=key]", "no key", "form[action$=preview]"),
        ("invite", "/links/new", "textarea[name=invite]", "no invite", "form[action$=review]"),
        ("mail", "/notifications", "input[name=host]", "no/host", "form[action$=mail]"),
        ("reminders", "/notifications", "input[name=expiry]", "tomorrow", "form[action$=reminders]"),
    ] {
        chromium.open(&format!("{}{page}", serving.url()));
        chromium.find(field).write(value);
        chromium.find(&format!("{form} button[type=submit]")).click_through();
        chromium.find("[aria-invalid=true]");
        look.page(name);
    }
    look.finish();
}

#[test]
fn the_look_at_a_page_finds_what_it_looks_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{BAD_PAGE}", BAD_PAGE.len());
        }
    });
    let chromium = Chromium::start();
    let mut look = Look::at(&chromium, &format!("http://{address}"), "bad");
    look.open("/");
    for found in [
        "scrolls sideways",
        r#"out of line with those beside them: ["Port","Sender"]"#,
        "image-alt",
        "color-contrast",
        "asks http://127.0.0.1:1/",
        "the console says",
    ] {
        assert!(look.problems().iter().any(|problem| problem.contains(found)), "{found}: {:?}", look.problems());
    }
}

/// A page with one defect of each kind.
const BAD_PAGE: &str = r#"<!DOCTYPE html><html lang="en"><title>Bad</title><main><h1>Bad</h1>
    <p style="color: #aaa; background: #fff">Too pale</p><div style="width: 2000px">Too wide</div>
    <div class="fields-2" style="display: flex"><div class="field"><label>Port</label><p>587</p>
    <input class="input"></div><div class="field"><label>Sender</label><br><input class="input"></div></div>
    <img src="http://127.0.0.1:1/elsewhere.png"></main><script>console.error("an error")</script></html>"#;

/// Confirms the password on the page that asks for it.
fn confirm(chromium: &Chromium, url: &str) {
    chromium.open(&format!("{url}/confirm"));
    chromium.find("input[name=confirm-password]").write(PASSWORD);
    chromium.find("main form button").click_through();
}

#[test]
fn b6_s11_pages_with_all_that_waits_for_approval_are_accessible_too() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    agent.run(&["license", "set", &vendor.license(70, &["--support", "--expires", "2090-01-01"])]).ok();
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    agent.run(&["report", "hold", "on"]).ok();
    agent.run(&["sync"]).ok();
    agent.run(&["plugin", "offer", plugin("fixtures/honest.wasm").to_str().expect("a path")]).ok();
    let serving = agent.serve();
    let chromium = Chromium::start();
    sign_in(&chromium, &serving.url());
    let mut look = Look::at(&chromium, &serving.url(), "waiting");
    for page in ["/plugin", "/plugin/next", "/support", "/system", "/license/request?users=none"] {
        look.open(page);
    }
    look.finish();
}

#[test]
fn b4_the_question_of_a_changed_server_id_and_a_count_that_lasts_are_accessible_too() {
    let central = Central::start();
    let production = licensed();
    production.link(&central.invite());
    production.run(&["sync"]).ok();
    let copy = production.copied();
    let staging = "\n[identity]\nstaging = true\n";
    copy.configure(staging);
    copy.run(&["sync"]).refused("server-id-unconfirmed");
    let for_ever = "time_limit = 600\n[accounts.command]\nrun = ['/bin/sh', '-c', 'while true; do sleep 1; done']\n";
    copy.read_accounts_by(&format!("{for_ever}{staging}"));
    let serving = copy.serve();
    let chromium = Chromium::start();
    sign_in(&chromium, &serving.url());
    let mut look = Look::at(&chromium, &serving.url(), "moved");
    look.open("/system");
    chromium.find("#question form button");
    look.open("/plugin/next");
    assert!(chromium.text().contains("The product is counted"), "{}", chromium.text());
    look.finish();
}

#[test]
fn a1_a_license_is_set_by_the_keyboard_alone() {
    let vendor = Vendor::new();
    let agent = Agent::new(&vendor);
    let serving = agent.serve();
    let chromium = Chromium::start();
    chromium.open(&serving.url());
    chromium.fill_in("Name", "ada");
    chromium.fill_in("Password", PASSWORD);
    chromium.enter_to("License Details");
    let mut look = Look::at(&chromium, &serving.url(), "first-run");
    look.page("first-run");
    chromium.fill_in("License", &vendor.license(100, &["--id", "L-1"]));
    chromium.tab_to("Preview");
    chromium.enter_to("Preview of a license");
    look.page("preview");
    chromium.tab_to("Save");
    chromium.enter_to("Confirm your password");
    look.page("confirm");
    chromium.fill_in("Password", PASSWORD);
    chromium.enter_to("License Details");
    assert!(chromium.text().contains("The license key is saved, and in effect."), "{}", chromium.text());
    look.page("saved");
    look.finish();
    let shown = agent.run(&["license", "show", "--json"]).json();
    assert_eq!(shown["standing"]["governed_by"], "L-1");
}

#[test]
fn w3_an_invite_behind_the_fragment_passes_the_sign_in_reaches_its_field_and_makes_a_link() {
    let (central, agent) = (Central::start(), licensed());
    let serving = agent.serve();
    let chromium = Chromium::start();
    chromium.open(&format!("{}/links/new#invite={}", serving.url(), central.open_invite()));
    chromium.fill_in("Name", "ada");
    chromium.fill_in("Password", PASSWORD);
    chromium.enter_to("New link");
    assert_eq!(chromium.address(), format!("{}/links/new", serving.url()), "the invite leaves the address");
    let mut look = Look::at(&chromium, &serving.url(), "links");
    look.page("new");
    chromium.tab_to("Continue");
    chromium.enter_to("Review the link");
    look.page("review");
    chromium.tab_to("Link");
    chromium.enter_to("Confirm your password");
    chromium.fill_in("Password", PASSWORD);
    chromium.enter_to("Application Links");
    assert!(chromium.text().contains("Waiting for approval"), "{}", chromium.text());
    look.page("pending");
    let link = agent.run(&["link", "show", "--json"]).json();
    central.approve(link["link"]["link"].as_str().expect("its id"));
    chromium.find("form[action$=sync] button").click_through();
    assert!(chromium.text().contains("In force"), "{}", chromium.text());
    look.page("in-force");
    look.finish();
}

#[test]
fn every_page_works_without_javascript() {
    let vendor = Vendor::new();
    let agent = Agent::new(&vendor);
    let serving = agent.serve();
    let chromium = Chromium::start();
    sign_in(&chromium, &serving.url());
    let pages: Vec<&str> = Look::at(&chromium, &serving.url(), "without-scripts").pages(addresses());
    let has_copy_button = || {
        chromium.open(&format!("{}/license/request", serving.url()));
        chromium.source().contains("button-small copy")
    };
    assert!(has_copy_button(), "a script adds it");
    chromium.forbid_scripts();
    assert!(!has_copy_button(), "no script runs");
    for page in pages {
        chromium.open(&format!("{}{page}", serving.url()));
        assert!(!chromium.find("main h1").text().is_empty(), "{page}: {}", chromium.text());
    }
    sign_in(&chromium, &serving.url());
    assert!(chromium.title().starts_with("License Details"), "{}", chromium.title());
    chromium.find("textarea[name=key]").write(&vendor.license(100, &["--id", "L-1"]));
    chromium.find("form[action$=preview] button").click_through();
    chromium.find("form[action$=save] button").click_through();
    chromium.find("input[name=confirm-password]").write(PASSWORD);
    chromium.find("main form button").click_through();
    assert!(chromium.text().contains("The license key is saved"), "{}", chromium.text());
    chromium.find("form[action$=refresh] button").click_through();
    assert!(chromium.text().contains("Counted "), "{}", chromium.text());
}
