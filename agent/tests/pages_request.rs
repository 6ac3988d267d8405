//! The request for a license on the pages (`s10`), through the real binary and without JavaScript.

mod support;

use seatline_protocol::LicenseRequest;
use support::site::Site as World;
use support::wait::until;

/// A running agent with a license, and an administrator who has signed in.
fn world() -> World {
    World::new(|agent| {
        let limit = ["--limit", "users=3", "--expires", "2090-01-01"];
        let key = agent.issue(&[&["--kind", "commercial", "--id", "L-1"], &limit[..]].concat());
        agent.run(&["license", "set", &key]).ok();
    })
}

/// The text that is there to be copied.
fn copyable(page: &str) -> String {
    let rest = page.split_once("<pre ").and_then(|(_, rest)| rest.split_once('>')).expect("a text to copy").1;
    rest.split_once("</pre>").expect("its end").0.to_owned()
}

#[test]
fn s10_the_request_is_there_as_text_to_send_and_as_a_file_that_the_vendors_tool_answers() {
    let World { agent, ada, running: _running, .. } = world();
    let page = ada.get("/license").body;
    assert!(page.contains("href=\"/license/request\""), "it is reached from License Details");
    let text = copyable(&ada.get("/license/request").body);
    let server_id = agent.server_id();
    for fact in [server_id.as_str(), "4.2.0", "L-1 (commercial), for Example Ltd", "active, expires on 2090-01-01"] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
    assert!(!text.contains("Wish"), "{text}");

    let query = "?users=600&edition=enterprise&add_on=&note=from+July+on";
    let page = ada.get(&format!("/license/request{query}")).body;
    let wish = "600 users; edition enterprise; from July on";
    assert!(copyable(&page).contains(wish) && page.contains("value=\"from July on\""), "{page}");
    let link = page.split("href=\"").find(|rest| rest.starts_with("/license/request.json")).expect("the file");
    let link = link.split('"').next().expect("its address").replace("&#38;", "&");
    let file = ada.get(&link);
    let name = format!("attachment; filename=\"license-request-{}.json\"", server_id);
    assert_eq!((file.status, file.header("content-disposition")), (200, Some(name.as_str())), "{file:?}");
    let request = LicenseRequest::read(file.body.as_bytes()).expect("a request");
    assert_eq!(request.wish.as_deref(), Some(wish));

    // The vendor answers the file, and the key replaces the present one.
    std::fs::write(agent.path("request.json"), &file.body).expect("the file");
    let path = agent.path("request.json");
    let key = agent.run(&[
        "license",
        "issue",
        "--key",
        agent.path("vendor.secret").to_str().expect("a path"),
        "--request",
        path.to_str().expect("a path"),
        "--kind",
        "commercial",
        "--limit",
        "users=600",
        "--id",
        "L-2",
    ]);
    agent.run(&["license", "set", key.ok().trim()]).ok();
    assert!(copyable(&ada.get("/license/request").body).contains("L-2 (commercial)"));
}

#[test]
fn s10_p1_a_request_can_be_for_an_add_on() {
    let World { agent, ada, running: _running, .. } = world();
    let options = ["--kind", "commercial", "--id", "C-1", "--product", "acme-charts", "--add-on-of", "acme-wiki"];
    agent.run(&["license", "set", &agent.issue(&options)]).ok();
    let licensed = "Licensed here: <code>acme-charts</code>";
    until("the add-on", || ada.get("/license/request").body.contains(licensed).then_some(()));
    let text = copyable(&ada.get("/license/request?add_on=acme-charts").body);
    assert!(text.contains("Request for a license of acme-charts") && text.contains("C-1 (commercial)"), "{text}");
}

#[test]
fn s10_what_is_not_valid_is_refused_at_its_field_and_gives_no_file() {
    let World { ada, agent: _agent, running: _running, .. } = world();
    let long = "x".repeat(251);
    let cases = [
        ("users=0".to_owned(), "Write a whole number of users"),
        ("users=many".to_owned(), "Write a whole number of users"),
        ("add_on=No+Such".to_owned(), "An add-on&#39;s ID is made of"),
        (format!("edition={long}"), "An edition is one line of at most 100 characters"),
        (format!("note={long}"), "A note is one line of at most 250 characters"),
        ("note=two%0Alines".to_owned(), "A note is one line"),
        ("note=%1b[31mred".to_owned(), "A note is one line"),
    ];
    for (query, why) in cases {
        let page = ada.get(&format!("/license/request?{query}"));
        assert_eq!(page.status, 422, "{query}");
        assert_eq!(page.body.matches("aria-invalid=\"true\"").count(), 1, "{query}");
        assert!(page.body.contains(why) && !page.body.contains("<pre"), "{query}: {}", page.body);
        let file = ada.get(&format!("/license/request.json?{query}"));
        assert_eq!(file.status, 400, "{query}");
        assert!(file.body.contains("To the request"), "{}", file.body);
    }
    for query in ["users=1&users=2", "note=%ff", "note=\"><script>alert(1)</script>"] {
        let page = ada.get(&format!("/license/request?{}", query.replace(['"', '<', '>'], "%3C")));
        assert!(matches!(page.status, 200 | 400), "{query}: {page:?}");
    }
    let shown = ada.get("/license/request?note=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(!shown.body.contains("<script>alert"), "{}", shown.body);
    assert!(ada.post("/license/request", &[("users", "1")]).status == 405);
    assert!(matches!(ada.get(&format!("/license/request?note={}", "x".repeat(600 * 1024))).status, 414 | 431 | 400));
}
