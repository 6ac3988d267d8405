//! Who sees the pages, and who may change what they show.

mod support;

use axum::http::Method;
use seatline_agent::pages::Need;
use seatline_agent::pages::routes::{Route, routes, way_in};
use seatline_agent::users::Role;
use support::agent::Agent;
use support::http::Answer;
use support::person::{PASSWORD, Person, add_user, hidden};
use support::running::Running;

fn started() -> (Agent, Running, String) {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    add_user(&agent, "ada", "administrator");
    add_user(&agent, "vic", "viewer");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    (agent, running, address)
}

/// Asks a route with nothing in its form.
fn ask(person: &Person, route: &Route) -> Answer {
    let path = route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    let path = path.collect::<Vec<_>>().join("/");
    match route.method == Method::GET {
        true => person.get(&path),
        false => person.post(&path, &[]),
    }
}

fn is_way_in(answer: &Answer) -> bool {
    answer.header("location").is_some_and(|location| location.starts_with("/sign-in"))
}

#[test]
fn a2_every_route_answers_each_role_as_it_says() {
    let (_agent, _running, address) = started();
    let stranger = Person::stranger(&address);
    let [viewer, administrator] = ["vic", "ada"].map(|name| Person::signed_in(&address, name));
    assert!(routes().len() > 4 && routes().iter().all(|route| route.need != Need::Nothing));
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        assert!(is_way_in(&ask(&stranger, &route)), "{name}: a stranger is sent to the sign-in page");
        let as_viewer = ask(&viewer, &route);
        match route.need.role() {
            Some(Role::Viewer) => assert!(as_viewer.status != 403 && !is_way_in(&as_viewer), "{name}: {as_viewer:?}"),
            _ => {
                assert_eq!(as_viewer.status, 403, "{name}");
                assert!(as_viewer.body.contains("This is for administrators"), "{name}: {}", as_viewer.body);
            }
        }
        let as_administrator = ask(&administrator, &route);
        assert!(!as_administrator.body.contains("This is for administrators"), "{name}");
        if route.need == Need::Confirmed {
            assert_eq!(as_administrator.status, 403, "{name}");
            assert!(as_administrator.body.contains("Confirm your password"), "{name}: {}", as_administrator.body);
        } else {
            assert!(!is_way_in(&as_administrator) && as_administrator.status != 403, "{name}: {as_administrator:?}");
        }
        // No route changes anything by GET.
        assert!(route.need != Need::Confirmed || route.method != Method::GET, "{name}");
    }
    for route in way_in() {
        assert_ne!(ask(&stranger, &route).status, 403, "{}", route.path);
    }
}

#[test]
fn what_does_not_exist_is_told_to_those_alone_who_may_look() {
    let (_agent, _running, address) = started();
    let (stranger, viewer) = (Person::stranger(&address), Person::signed_in(&address, "vic"));
    assert_eq!(stranger.get("/no/such?a=b").header("location"), Some("/sign-in?next=/no/such%3Fa%3Db"));
    let page = viewer.get("/no/such");
    assert_eq!(page.status, 404);
    assert!(page.body.contains("Nothing is at this address") && page.body.contains("<nav"), "{}", page.body);
    assert_eq!(viewer.send("DELETE", "/license", &[], "").status, 405);
}

#[test]
fn a1_without_any_user_the_pages_say_which_command_makes_one_and_let_nobody_in() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let stranger = Person::stranger(&running.address());
    let page = stranger.get("/sign-in");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("There is no user yet") && page.body.contains("<code>seatline user add NAME</code>"));
    assert_eq!(stranger.post("/sign-in", &[("name", "ada"), ("password", PASSWORD)]).status, 401);
    add_user(&agent, "ada", "administrator");
    assert_eq!(stranger.post("/sign-in", &[("name", "Ada"), ("password", PASSWORD)]).status, 303, "without a restart");
}

#[test]
fn a_session_ends_at_sign_out_with_its_password_and_with_its_user() {
    let (agent, _running, address) = started();
    let person = Person::signed_in(&address, "ada");
    let cookie = person.post("/sign-out", &[]);
    assert!(cookie.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")), "{cookie:?}");
    assert!(is_way_in(&person.get("/license")), "the cookie of before is worth nothing");

    let (person, other) = (Person::signed_in(&address, "ada"), Person::signed_in(&address, "vic"));
    agent.run(&["user", "password", "ada"]).ok();
    assert!(is_way_in(&person.get("/license")));
    assert_eq!(other.get("/license").status, 200);
    agent.run(&["user", "remove", "vic"]).ok();
    assert!(is_way_in(&other.get("/license")));
}

#[test]
fn the_cookie_is_for_this_program_alone_and_out_of_reach_of_scripts() {
    let (_agent, _running, address) = started();
    let answer = Person::stranger(&address).post("/sign-in", &[("name", "ada"), ("password", PASSWORD)]);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("seatline=") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
}

#[test]
fn guesses_are_slowed_down() {
    let (_agent, _running, address) = started();
    let stranger = Person::stranger(&address);
    let guess = || stranger.post("/sign-in", &[("name", "ada"), ("password", "wrong")]);
    let statuses: Vec<u16> = (0..6).map(|_| guess().status).collect();
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[5], 429);
    let page = guess();
    assert!(page.body.contains("Too many attempts") && !page.body.contains("wrong\""), "{}", page.body);
}

#[test]
fn c2_a_secure_session_is_shown_and_can_be_ended() {
    let (_agent, _running, address) = started();
    let person = Person::signed_in(&address, "ada");
    assert!(!person.get("/license").body.contains("Secure session until"));
    let wrong = person.post("/confirm?next=/license", &[("confirm-password", "wrong")]);
    assert_eq!(wrong.status, 401);
    let page = person.get("/confirm?next=/license");
    assert!(page.body.contains("Confirm your password") && hidden(&page.body, "username") == "ada");
    let confirmed = person.post("/confirm?next=/license", &[("confirm-password", PASSWORD)]);
    assert_eq!((confirmed.status, confirmed.header("location")), (303, Some("/license")));
    let page = person.get("/license").body;
    assert!(page.contains("Secure session until") && page.contains("(in 9 minutes)"), "{page}");
    let other_session = Person::signed_in(&address, "ada");
    assert!(!other_session.get("/license").body.contains("Secure session until"), "it is that of one session");
    person.post("/confirm/end", &[]);
    assert!(!person.get("/license").body.contains("Secure session until"));
}
