//! The page Application Links and its wizard (`w3`), and the way by file (`g4`), through the real binary and without
//! JavaScript. The central server cannot be reached here; its documents are sealed by the test. In `tests/` the real
//! one answers.

mod support;

use jiff::SignedDuration;
use seatline_protocol::exchange::MAX_RESPONSE_BYTES;
use seatline_protocol::{ExchangeResponse, Refusal};
use serde_json::Value;
use support::agent::Agent;
use support::central::Central;
use support::http::Answer;
use support::person::{PASSWORD, Person, hidden};
use support::site::Site as World;
use support::wait;

/// A running agent with an administrator who has signed in.
fn world() -> World {
    World::new(Agent::install_plugin)
}

/// The same with a link that waits for its answer, and the password confirmed.
fn joining() -> World {
    let world = world();
    world.ada.confirm();
    done(&world.ada.post("/links/accept", &[("invite", &Central::new().invite())]), "linked");
    world
}

impl World {
    fn page(&self) -> String {
        let page = self.ada.get("/links");
        assert_eq!(page.status, 200, "{page:?}");
        page.body
    }

    fn link(&self) -> Value {
        self.agent.run(&["link", "show", "--json"]).json()["link"].take()
    }

    fn import(&self, response: &ExchangeResponse) -> Answer {
        self.import_text(&serde_json::to_string(response).expect("JSON"))
    }

    /// Sends an answer as a file.
    fn import_text(&self, answer: &str) -> Answer {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"answer\"\r\n\r\n\r\n--x\r\nContent-Disposition: form-data; \
             name=\"file\"; filename=\"answer.json\"\r\n\r\n{answer}\r\n--x--\r\n"
        );
        self.ada.send("POST", "/links/import", &[("Content-Type", "multipart/form-data; boundary=x")], &body)
    }

    fn approve(&self) {
        done(&self.import(&Central::new().approval(&self.agent)), "imported");
    }
}

fn done(answer: &Answer, what: &str) {
    let target = format!("/links?done={what}");
    assert_eq!((answer.status, answer.header("location")), (303, Some(target.as_str())), "{answer:?}");
}

/// Waits until the page of the links shows this.
fn until(world: &World, shown: &str) -> String {
    wait::until(shown, || Some(world.page()).filter(|page| page.contains(shown)))
}

/// Waits until the synchronisation that was asked for is over.
fn until_synchronised(world: &World) {
    wait::until("the end of the synchronisation", || (!world.page().contains("Synchronising since")).then_some(()));
}

#[test]
fn w3_an_invite_is_reviewed_confirmed_and_joined() {
    let world = world();
    assert!(world.page().contains("This product is not linked"));
    let invite = Central::new().invite();
    let review = world.ada.post("/links/review", &[("invite", &format!("  {}\r\n{} ", &invite[..90], &invite[90..]))]);
    assert_eq!(review.status, 200, "{review:?}");
    let fingerprint = Central::new().key.public().fingerprint();
    let server_id = world.agent.server_id();
    for shown in
        ["Example Central", "http://127.0.0.1:1", &fingerprint, "What will be sent", server_id.as_str(), "main"]
    {
        assert!(review.body.contains(shown), "{shown}: {}", review.body);
    }
    assert_eq!(world.link(), Value::Null, "nothing is done before it is confirmed");

    let sent = hidden(&review.body, "invite").replace("&#13;", "\r");
    let asked = world.ada.post("/links/accept", &[("invite", &sent)]);
    assert_eq!(asked.status, 403);
    assert!(asked.body.contains("Confirm your password") && !asked.body.contains(&invite[..90]), "{}", asked.body);
    assert_eq!(world.link(), Value::Null);
    let confirmation = [("confirm-password", PASSWORD), ("pending", &hidden(&asked.body, "pending"))];
    done(&world.ada.post("/links/accept", &confirmation), "linked");
    assert_eq!(world.link()["state"], "joining");

    let page = until(&world, "The last exchange failed");
    for shown in ["Joining", "has not answered yet", "(<code>central-unreachable</code>)", &fingerprint] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let join = world.agent.exported().join.expect("the join");
    assert!(!page.contains(&join) && !page.contains(&invite[..90]), "no secret stands in the page");
    let again = world.ada.post("/links/accept", &[("invite", &invite)]);
    assert_eq!(again.status, 409, "replayed");
    assert!(again.body.contains("This product is linked already"), "{}", again.body);
}

#[test]
fn w3_an_invite_that_is_none_or_is_over_is_refused_with_its_reason_and_does_not_come_back() {
    let world = world();
    world.ada.confirm();
    let good = Central::new().invite();
    let cases = [
        (String::new(), "nothing was pasted"),
        (good[..good.len() - 9].to_owned(), "incomplete"),
        (Central::new().invite_for(SignedDuration::from_secs(-1)), "expired at"),
        (world.agent.issue(&["--kind", "commercial"]), "signature"),
        ("\"><script>alert(1)</script>".to_owned(), ""),
        ("x".repeat(100_000), ""),
    ];
    for path in ["/links/review", "/links/accept"] {
        let mut reasons = std::collections::BTreeSet::new();
        for (bad, _) in &cases {
            let refused = world.ada.post(path, &[("invite", bad)]);
            assert_eq!(refused.status, 422, "{path} {bad}: {refused:?}");
            assert!(bad.is_empty() || !refused.body.contains(bad.as_str()), "{}", refused.body);
            let rest = refused.body.split_once("aria-invalid=\"true\"").expect("the field says so").1;
            let why = rest.split_once("<span>").and_then(|(_, rest)| rest.split_once("</span>")).expect("why").0;
            reasons.insert(why.to_owned());
        }
        assert!(reasons.len() >= 5, "{reasons:?}");
    }
    assert_eq!(world.link(), Value::Null);
}

#[test]
fn g4_a_link_is_joined_approved_and_used_by_file_alone() {
    let world = joining();
    let exported = world.ada.get("/links/export");
    let disposition = exported.header("content-disposition").expect("a file").to_owned();
    assert!(disposition.starts_with("attachment; filename=\"reports-"), "{disposition}");
    assert_eq!(exported.header("cache-control"), Some("no-store"));
    let sent: Value = serde_json::from_str(&exported.body).expect("JSON");
    assert_eq!(sent["join"].as_str(), world.agent.exported().join.as_deref());
    assert!(world.page().contains("Carry the join (it asks for the link) to the central server as a file"));

    world.approve();
    let page = world.page();
    assert!(page.contains("In force") && page.contains("every 10 minutes") && page.contains("30 days"), "{page}");
    world.ada.post("/links/sync", &[]);
    let page = until(&world, "of at most");
    assert!(page.contains("waiting report"), "{page}");
    assert!(page.contains("Carry 1 waiting report to the central server as a file"), "{page}");
    let waiting = world.agent.waiting();
    let receipts = Central::new().receipts(&waiting);
    done(&world.import(&receipts), "imported");
    let page = until(&world, "Last receipt");
    assert!(page.contains(&format!("for report {}, stored", waiting.last().expect("a report").1.sequence)), "{page}");
    done(&world.import(&receipts), "imported");
    assert_eq!(world.link()["state"], "approved", "the same file again changes nothing");
}

#[test]
fn g4_a_file_that_is_no_answer_changes_nothing_and_says_why() {
    let world = joining();
    let strange = Central::with_key(9).approval(&world.agent);
    let refusal = Refusal { document: "join".to_owned(), ..refusal() };
    let refused = ExchangeResponse { refusals: vec![refusal], ..Default::default() };
    let json = |response: &ExchangeResponse| serde_json::to_string(response).expect("JSON");
    for (bad, why) in [
        (String::new(), "Choose the file"),
        ("not JSON".to_owned(), "is not the answer of a central server"),
        ("{\"receipts\": 7}".to_owned(), "is not the answer of a central server"),
        ("[".repeat(50_000), "is not the answer of a central server"),
        (json(&strange), "in the answer was refused"),
        (json(&refused), "refused the join"),
    ] {
        let answer = world.import_text(&bad);
        assert_eq!(answer.status, 422, "{why}: {answer:?}");
        assert!(answer.body.contains(why), "{why}: {}", answer.body);
        assert_ne!(world.link()["state"], "approved");
    }
    let large = " ".repeat(MAX_RESPONSE_BYTES - 2);
    let answer = world.import_text(&format!("{{{large}}}"));
    done(&answer, "imported");
    let answer = world.import_text(&format!("{{ {large}}}"));
    assert!(answer.status == 422 && answer.body.contains("none is larger than 1 MiB"), "{answer:?}");
    assert_eq!(world.import_text(&large.repeat(2)).status, 413);
    world.ada.post("/confirm/end", &[]);
    assert_eq!(world.import(&Central::new().approval(&world.agent)).status, 403, "without confirmation");
    assert_ne!(world.link()["state"], "approved");
}

fn refusal() -> Refusal {
    let refusal =
        serde_json::json!({ "document": "join", "code": "invite-unknown", "message": "nobody knows this invite" });
    serde_json::from_value(refusal).expect("a refusal")
}

#[test]
fn w3_a_join_that_is_refused_for_good_says_the_way_out() {
    let world = joining();
    let refused = ExchangeResponse { refusals: vec![refusal()], ..Default::default() };
    assert_eq!(world.import(&refused).status, 422);
    let page = until(&world, "The central server has refused the join");
    assert!(page.contains("Nobody knows this invite") && page.contains("Remove this link"), "{page}");
}

#[test]
fn w6_synchronise_now_says_what_was_in_the_way() {
    let world = joining();
    let answer = world.ada.post("/links/sync", &[]);
    done(&answer, "synchronised");
    until_synchronised(&world);
    let page = world.ada.get("/links?done=synchronised").body;
    assert!(page.contains("did not come to its end") && page.contains("<code>central-unreachable</code>"), "{page}");
}

#[test]
fn a_key_is_replaced_with_the_password_and_the_page_says_whether_central_knows() {
    let world = joining();
    assert_eq!(world.ada.post("/links/rotate", &[]).status, 409, "it is not in force");
    world.approve();
    let before = world.link()["fingerprint"].take();
    world.ada.post("/confirm/end", &[]);
    assert_eq!(world.ada.post("/links/rotate", &[]).status, 403);
    world.ada.confirm();
    done(&world.ada.post("/links/rotate", &[]), "rotated");
    assert_ne!(world.link()["fingerprint"], before);
    let page = world.page();
    assert!(page.contains("which the central server does not know yet") && !page.contains("Replace the key"), "{page}");
    assert_eq!(world.ada.post("/links/rotate", &[]).status, 409, "one is on its way");
}

#[test]
fn w3_a_link_that_the_central_server_has_removed_says_so_and_the_way_out() {
    let world = joining();
    world.approve();
    done(&world.ada.post("/links/sync", &[]), "synchronised");
    let page = until(&world, "waiting report");
    assert!(!page.contains("Reports that will never be received"), "{page}");
    let link = world.link()["link"].as_str().expect("an id").parse().expect("a link id");
    done(&world.import(&Central::new().removal(link)), "imported");
    let page = world.page();
    let (before, lost) = page.split_once("Reports that will never be received").expect("its reports are told of");
    assert!(lost.contains("Example Central has removed this link at") && lost.contains("<code>link-removed</code>"));
    assert!(page.contains("The central server has removed this link"), "{page}");
    assert!(page.contains("Remove this link, and accept a new invite"), "{page}");
    assert_eq!(world.link()["refusal"]["code"], "link-removed");
    done(&world.ada.post("/links/remove", &[("key", &hidden(before, "key"))]), "removed");
    assert!(world.page().contains("Reports that will never be received"), "also when the link is gone");
}

#[test]
fn a_link_is_removed_with_the_password_and_only_the_one_that_was_seen() {
    let world = joining();
    let key = hidden(&world.page(), "key");
    for wrong in ["", "0000", "<script>"] {
        assert_eq!(world.ada.post("/links/remove", &[("key", wrong)]).status, 409, "{wrong}");
    }
    world.ada.post("/confirm/end", &[]);
    assert_eq!(world.ada.post("/links/remove", &[("key", &key)]).status, 403);
    assert_ne!(world.link(), Value::Null);
    world.ada.confirm();
    done(&world.ada.post("/links/remove", &[("key", &key)]), "removed");
    assert_eq!(world.link(), Value::Null);
    assert_eq!(world.ada.post("/links/remove", &[("key", &key)]).status, 409, "replayed");
    assert_eq!(world.ada.get("/links/export").status, 404);
    done(&world.ada.post("/links/accept", &[("invite", &Central::new().invite())]), "linked");
    assert_eq!(world.ada.post("/links/remove", &[("key", &key)]).status, 409, "this is another link");
}

#[test]
fn b6_reports_that_wait_for_approval_are_told_by_a_synchronisation_and_before_and_after_the_link_is_removed() {
    let world = joining();
    world.approve();
    world.agent.run(&["report", "hold", "on"]).ok();
    let target = world.ada.post("/links/sync", &[]);
    done(&target, "synchronised");
    until_synchronised(&world);
    let page = world.ada.get("/links?done=synchronised").body;
    assert!(page.contains("The report was made, and waits for approval; 0 reports were sent."), "{page}");
    assert!(page.contains("<strong>1 report waits for approval, and will be discarded</strong>"), "{page}");
    assert!(page.contains("Nothing can be carried to the central server as a file now"), "{page}");
    let removed = world.ada.post("/links/remove", &[("key", &hidden(&page, "key"))]);
    let target = removed.header("location").expect("a target").to_owned();
    assert_eq!(target, "/links?done=removed&discarded=1");
    assert!(world.ada.get(&target).body.contains("1 report that waited for approval: discarded."));
}

#[test]
fn a_viewer_sees_the_link_and_no_form() {
    let world = joining();
    let page = Person::signed_in(&world.address, "vic").get("/links");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Example Central"), "{}", page.body);
    for hidden in ["/links/sync", "/links/remove", "/links/export", "/links/import"] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
}

#[test]
fn bad_forms_are_refused_without_harm() {
    let world = world();
    world.ada.confirm();
    for path in ["/links/review", "/links/accept", "/links/remove", "/links/import"] {
        world.misuse(path, true);
    }
    assert_eq!(world.link(), Value::Null);
}

#[test]
fn an_address_that_says_nonsense_of_what_was_done_is_refused_or_says_nothing() {
    let world = world();
    for (query, status) in [("done=removed&retired=abc", 400), ("done=removed&discarded=-1", 400), ("done=x", 200)] {
        let page = world.ada.get(&format!("/links?{query}"));
        assert!(page.status == status && page.body.contains("<h1>"), "{query}: {page:?}");
        assert!(!page.body.contains("The link is removed"), "{query}: {}", page.body);
    }
    let page = world.ada.get("/links?done=removed&retired=2&discarded=1").body;
    assert!(page.contains("2 reports that were never received") && page.contains("1 report that waited"), "{page}");
}
