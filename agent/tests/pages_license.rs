//! The page License Details, through the real binary and without JavaScript.

mod support;

use seatline_protocol::SecretKey;
use support::agent::{Agent, Finished};
use support::http::Answer;
use support::person::{PASSWORD, Person, hidden};
use support::site::Site as World;
use support::wait::until;

/// A running agent with an administrator who has signed in, after `prepare`.
fn world(prepare: impl FnOnce(&Agent)) -> World {
    World::new(prepare)
}

impl World {
    fn preview(&self, key: &str) -> Answer {
        self.ada.post("/license/preview", &[("key", key)])
    }

    /// Saves a key, with the password confirmed.
    fn save(&self, key: &str) -> Answer {
        self.ada.confirm();
        self.ada.post("/license/save", &[("key", key)])
    }

    fn page(&self) -> String {
        let page = self.ada.get("/license");
        assert_eq!(page.status, 200, "{page:?}");
        page.body
    }

    /// The page when the count that was asked for is over.
    fn counted(&self) -> String {
        until("the end of the count", || Some(self.page()).filter(|page| !page.contains("Counting since")))
    }

    fn governs(&self) -> String {
        let shown = self.agent.run(&["license", "show", "--json"]).json();
        shown["standing"]["governed_by"].as_str().unwrap_or_default().to_owned()
    }
}

fn saved(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (303, Some("/license?done=saved")), "{answer:?}");
}

/// The line of a refusal at the field, and that nothing was saved.
fn refusal(world: &World, answer: &Answer) -> String {
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(world.governs(), "L-1", "the old one stays");
    let rest = answer.body.split_once("aria-invalid=\"true\"").expect("the field says so").1;
    rest.split_once("<span>").and_then(|(_, rest)| rest.split_once("</span>")).expect("why").0.to_owned()
}

#[test]
fn a1_the_first_sign_in_leads_to_where_the_license_is_pasted_and_then_to_its_standing() {
    let world = world(|_| {});
    assert_eq!(world.ada.get("/").header("location"), Some("/license"));
    let first = world.page();
    assert!(first.contains("Paste your license") && first.contains("Unlicensed"), "{first}");
    let key = world.agent.issue(&["--kind", "academic", "--id", "L-1", "--limit", "users=50", "--feature", "sso"]);
    assert!(world.preview(&key).body.contains("Preview of a license"));
    saved(&world.save(&key));
    let page = world.page();
    for shown in ["Licensed", "L-1", "Academic", "Example Ltd", "50", "sso", "Server ID"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(page.contains(&world.agent.server_id()), "c7, s1");
}

#[test]
fn c1_each_refusal_says_its_own_reason_and_the_old_license_stays() {
    let world = world(|agent| {
        let key = agent.issue(&["--kind", "commercial", "--id", "L-1"]);
        agent.run(&["license", "set", &key]).ok();
    });
    world.ada.confirm();
    let key = world.agent.issue(&["--kind", "commercial", "--id", "L-2"]);
    let stranger = SecretKey::from_seed(&[7; 32]);
    let other = Agent::trusting(&[stranger.public()]);
    std::fs::write(other.path("stranger.secret"), stranger.to_paserk().as_bytes()).expect("a key");
    let path = other.path("stranger.secret");
    let unknown = other.run(&[
        "license",
        "issue",
        "--key",
        path.to_str().expect("a path"),
        "--product",
        "acme-wiki",
        "--licensee",
        "X",
        "--kind",
        "commercial",
    ]);
    let mut tampered = key.clone();
    tampered.replace_range(30..31, if &key[30..31] == "A" { "B" } else { "A" });
    let cases = [
        (String::new(), "empty"),
        (key[..key.len() / 2].to_owned(), "cut"),
        (tampered, "signature"),
        (unknown.ok().trim().to_owned(), "unknown key"),
        (world.agent.issue(&["--kind", "commercial", "--id", "P", "--product", "other-product"]), "wrong product"),
        (
            world.agent.issue(&["--kind", "commercial", "--id", "S", "--server", "6C49-PHGB-64KX-JV40-FE8P"]),
            "wrong server",
        ),
        ("v4.public.nonsense".to_owned(), "nonsense"),
    ];
    let mut reasons = std::collections::BTreeSet::new();
    for (bad, what) in &cases {
        let by_command: Finished = world.agent.run_with_input(&["license", "set", "-"], bad);
        let line = by_command.err.lines().find_map(|line| line.strip_prefix("error: ")).expect("a line").to_owned();
        let why = refusal(&world, &world.ada.post("/license/save", &[("key", bad)]));
        // The page says in its own typography what the command says.
        let plain = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_lowercase();
        let stripped = why.replace("<code>", "").replace("</code>", "").replace("&#39;", "").replace("&#34;", "");
        assert!(plain(&line).starts_with(&plain(&stripped)), "{what}: {why} / {line}");
        reasons.insert(why);
    }
    assert!(reasons.len() >= 6, "{reasons:?}");
}

#[test]
fn c1_a_key_that_is_wrapped_or_in_a_file_is_taken() {
    let world = world(|_| {});
    let key = world.agent.issue(&["--kind", "commercial", "--id", "L-1"]);
    let wrapped = key.as_bytes().chunks(60).map(|line| format!("> {}\r\n", String::from_utf8_lossy(line)));
    let mail = format!("-----BEGIN LICENSE-----\r\n{}-----END LICENSE-----\r\n", wrapped.collect::<String>());
    let page = world.preview(&mail);
    assert!(page.body.contains("Nothing gets worse"), "{}", page.body);

    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n\r\n--x\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"license.txt\"\r\nContent-Type: text/plain\r\n\r\n{mail}\r\n--x--\r\n"
    );
    let multipart = [("Content-Type", "multipart/form-data; boundary=x")];
    let page = world.ada.send("POST", "/license/preview", &multipart, &body);
    assert!(page.body.contains("Nothing gets worse"), "{}", page.body);
    // What the preview sends on is what was in the file.
    saved(&world.save(&hidden(&page.body, "key").replace("&#13;", "\r").replace("&#62;", ">")));
    assert_eq!(world.governs(), "L-1");
}

#[test]
fn c2_a_change_without_confirmation_is_kept_until_the_password_is_confirmed_and_done_once() {
    let world = world(|_| {});
    let key = world.agent.issue(&["--kind", "commercial", "--id", "L-1"]);
    let asked = world.ada.post("/license/save", &[("key", &key)]);
    assert_eq!(asked.status, 403);
    assert!(
        asked.body.contains("Confirm your password") && !asked.body.contains(&key),
        "no form goes back into the page"
    );
    assert_eq!(world.governs(), "");
    let pending = hidden(&asked.body, "pending");

    let wrong = world.ada.post("/license/save", &[("confirm-password", "wrong"), ("pending", &pending)]);
    assert_eq!(wrong.status, 401);
    assert_eq!(world.governs(), "");
    let other = Person::signed_in(&world.address, "ada");
    let stolen = other.post("/license/save", &[("confirm-password", PASSWORD), ("pending", &pending)]);
    assert_eq!(stolen.status, 409, "it waits for the session that sent it");
    let elsewhere = world.ada.post("/license/threshold", &[("confirm-password", PASSWORD), ("pending", "made up")]);
    assert_eq!(elsewhere.status, 409);
    world.ada.post("/confirm/end", &[]);

    let asked = world.ada.post("/license/save", &[("key", &key)]);
    let pending = hidden(&asked.body, "pending");
    let confirm = || world.ada.post("/license/save", &[("confirm-password", PASSWORD), ("pending", &pending)]);
    saved(&confirm());
    assert_eq!(world.governs(), "L-1");
    world.ada.post("/confirm/end", &[]);
    assert_eq!(confirm().status, 409, "replayed");
}

#[test]
fn b3_c9_a_preview_shows_every_effect_and_changes_nothing() {
    let world = world(|agent| {
        let key = agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=50", "--feature", "sso"]);
        agent.run(&["license", "set", &key]).ok();
        agent.install_plugin();
        agent.run(&["sync"]);
    });
    let smaller = world.agent.issue(&[
        "--kind",
        "commercial",
        "--id",
        "L-2",
        "--limit",
        "users=3:restrict",
        "--feature",
        "api",
        "--replaces",
        "L-1",
        "--expires",
        "2090-01-01",
    ]);
    let page = world.preview(&smaller).body;
    for shown in [
        "Read this before you save it",
        "This license allows 3 users, and 4 are counted now",
        "Over the limit",
        "Restricted",
        "2090-01-01",
        "4 on 20",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(world.governs(), "L-1");
    let again = world.preview(&hidden(&page, "key"));
    assert!(again.body.contains("Read this before"), "it can be looked at twice");
    let known = world.agent.run(&["license", "show", "--json"]).json();
    assert_eq!(known["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn c3_refresh_counts_again_without_javascript() {
    let world = world(|agent| {
        let key = agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=50"]);
        agent.run(&["license", "set", &key]).ok();
        agent.install_plugin();
        agent.run(&["sync"]);
    });
    assert!(world.page().contains(r#"<span class="gauge-used">4 "#), "{}", world.page());
    let database = rusqlite::Connection::open(world.agent.path("wiki.db")).expect("the database");
    database.execute_batch("INSERT INTO users VALUES ('new@example.org', 1, 1, NULL, 0)").expect("an account");
    let refreshed = world.ada.post("/license/refresh", &[]);
    assert_eq!((refreshed.status, refreshed.header("location")), (303, Some("/license")));
    // A count that takes longer goes on after the answer.
    let page = world.counted();
    assert!(page.contains(r#"<span class="gauge-used">5 "#) && page.contains("Counted <time"), "{page}");
}

#[test]
fn p1_an_add_on_has_its_own_field_that_takes_its_license_alone() {
    let world = world(|agent| {
        for options in [&["--id", "L-1"][..], &["--id", "C-1", "--product", "acme-charts", "--add-on-of", "acme-wiki"]]
        {
            let key = agent.issue(&[options, &["--kind", "commercial"]].concat());
            agent.run(&["license", "set", &key]).ok();
        }
    });
    let page = world.page();
    assert!(page.contains("Add-on acme-charts") && page.contains("New license key of acme-charts"), "{page}");
    let charts = ["--kind", "commercial", "--id", "C-2", "--product", "acme-charts", "--add-on-of", "acme-wiki"];
    let charts = world.agent.issue(&charts);
    let own = world.agent.issue(&["--kind", "commercial", "--id", "L-2"]);
    for (key, of, why) in [
        (&charts, "", "this field is for the product&#39;s own"),
        (&own, "acme-charts", "this is a license of the product itself"),
        (&charts, "acme-tables", "this field is for"),
        (&own, "*", "this field is for add-ons"),
    ] {
        let refused = world.ada.post("/license/preview", &[("key", key), ("of", of)]);
        assert_eq!(refused.status, 422, "{of}");
        let body = refused.body.to_lowercase();
        assert!(body.contains(why), "{of}: {body}");
    }
    world.ada.confirm();
    saved(&world.ada.post("/license/save", &[("key", &charts), ("of", "acme-charts")]));
    assert_eq!(world.governs(), "L-1");
}

#[test]
fn c8_a_key_can_be_set_for_one_node() {
    let world = world(|agent| agent.reconfigure("version = \"4.2.0\"", "version = \"4.2.0\"\nnodes = ['n1', 'n2']"));
    let key = world.agent.issue(&["--kind", "commercial", "--id", "L-1"]);
    world.ada.confirm();
    saved(&world.ada.post("/license/save", &[("key", &key), ("node", "n1")]));
    let page = world.page();
    assert!(page.contains("lacks a license") && page.contains("Set for the nodes"), "p3: {page}");
    let long = "n".repeat(500);
    assert_eq!(world.ada.post("/license/save", &[("key", &key), ("node", &long)]).status, 422);
}

#[test]
fn s4_an_administrator_sets_the_threshold_on_the_gauge() {
    let world = world(|agent| {
        let key = agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=10"]);
        agent.run(&["license", "set", &key]).ok();
        agent.install_plugin();
        agent.run(&["sync"]);
    });
    assert!(world.page().contains("mark at 90%"));
    world.ada.confirm();
    let set = |dimension: &str, percent: &str| {
        world.ada.post("/license/threshold", &[("dimension", dimension), ("percent", percent)]).status
    };
    assert_eq!(set("users", "40"), 303);
    let page = world.page();
    assert!(page.contains("mark at 40%") && page.contains("Past your threshold"), "{page}");
    for bad in ["0", "101", "-1", "ninety", "", "1e2", "99999999999999999999"] {
        assert_eq!(set("users", bad), 400, "{bad}");
    }
    for bad in ["", "no/dimension", "pages", "<script>"] {
        assert_eq!(set(bad, "50"), 404, "{bad}");
    }
    assert!(world.page().contains("mark at 40%"));
}

#[test]
fn a7_the_page_the_export_and_the_replacement_are_there_whatever_the_state() {
    let world = world(|agent| {
        let key = agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=50"]);
        agent.run(&["license", "set", &key]).ok();
        agent.install_plugin();
        agent.run(&["sync"]);
    });
    let export = || world.ada.get("/license/export");
    assert!(export().body.contains("BEGIN LICENSE"));
    let disposition = export().header("content-disposition").expect("a file").to_owned();
    assert!(disposition.starts_with("attachment; filename=\"licenses-"), "{disposition}");

    // The product's database is gone: the counts of before stand there, and a count says what is wrong.
    std::fs::remove_file(world.agent.path("wiki.db")).expect("removed");
    world.ada.post("/license/refresh", &[]);
    let page = world.counted();
    assert!(page.contains("The last count is not complete") && page.contains("L-1"), "{page}");
    assert!(export().body.contains("BEGIN LICENSE"));

    // The license keys are damaged: what was read last holds, and the page says what to do.
    let path = world.agent.path("state/licenses.json");
    let good = std::fs::read(&path).expect("the keys");
    std::fs::write(&path, "{ damaged").expect("damaged");
    let page = world.page();
    assert!(
        page.contains("`licenses` of the state is damaged")
            || page.contains("<code>licenses</code> of the state is damaged"),
        "{page}"
    );
    assert!(page.contains("New license key") && page.contains("L-1"), "{page}");
    let failed = export();
    assert_eq!(failed.status, 503);
    assert!(failed.body.contains("restore it from a backup"), "{}", failed.body);
    let next = world.agent.issue(&["--kind", "commercial", "--id", "L-2", "--replaces", "L-1"]);
    let refused = world.save(&next);
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("of the state is damaged") || refused.body.contains("is damaged"),
        "{}",
        refused.body
    );

    // Moved away, as it says, the key is set anew.
    std::fs::remove_file(&path).expect("moved away");
    saved(&world.save(&next));
    assert!(world.page().contains("L-2"));
    std::fs::write(&path, good).expect("restored");
    // Another's change is seen within about a second.
    until("the license of before", || world.page().contains("L-1").then_some(()));
}

#[test]
fn bad_forms_are_refused_without_harm() {
    let world = world(|_| {});
    world.ada.confirm();
    for path in ["/license/preview", "/license/save", "/license/threshold"] {
        world.misuse(path, true);
    }
    for path in ["/license/refresh", "/confirm"] {
        world.misuse(path, false);
    }
    assert_eq!(world.governs(), "");
    let shown = world.preview("\"><script>alert(1)</script>").body;
    assert!(shown.contains("&#60;script&#62;") && !shown.contains("<script>alert"), "{shown}");
}
