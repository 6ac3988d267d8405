//! Every command of `docs/central-command-line.md`, through the real program.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use seatline_protocol::{ExchangeRequest, ExchangeResponse};
use seatline_tests::until;
use serde_json::{Value, json};
use support::{Central, PASSWORD, Product, program};

fn text(central: &Central, arguments: &[&str]) -> String {
    let output = central.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The names of a JSON object's fields.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn admin_create_makes_a_password_or_takes_one() {
    let central = Central::idle();
    let made = central.json(&["admin", "create", "Ada"]);
    assert_eq!(fields(&made), ["created_at", "name", "password", "role"]);
    assert_eq!((made["name"].as_str(), made["password"].as_str().map(str::len)), (Some("ada"), Some(24)));
    assert_eq!(
        fields(&central.input(&["admin", "create", "bob", "--password-stdin"], PASSWORD)),
        ["created_at", "name", "role"]
    );
    assert_eq!(central.failure(&["admin", "create", "ADA"]), "conflict");
    assert_eq!(central.failure(&["admin", "create", "a b"]), "invalid");
    assert_eq!(central.failure(&["admin", "create", "eve", "--password-stdin"]), "invalid", "an empty password");
    assert!(text(&central, &["admin", "create", "eve"]).contains("Password: "));
}

#[test]
fn admin_password_sets_another_one_and_says_whose() {
    let central = Central::idle();
    assert_eq!(central.failure(&["admin", "password", "ada"]), "no-data");
    central.json(&["admin", "create", "ada"]);
    assert_eq!(central.failure(&["admin", "password", "eve"]), "not-found");
    let made = central.json(&["admin", "password", "Ada"]);
    assert_eq!((fields(&made), &made["name"]), (vec!["name", "password"], &json!("ada")));
    assert_eq!(fields(&central.input(&["admin", "password", "ada", "--password-stdin"], PASSWORD)), ["name"]);
    assert_eq!(central.failure(&["admin", "password", "ada", "--password-stdin"]), "invalid", "an empty password");
    assert!(text(&central, &["admin", "password", "ada"]).contains("Password: "));
}

#[test]
fn g11_users_are_added_with_a_role_and_the_last_administrator_stays() {
    let central = Central::idle();
    central.json(&["admin", "create", "ada"]);
    let made = central.input(&["user", "add", "vic", "--role", "viewer", "--password-stdin"], PASSWORD);
    assert_eq!((fields(&made), &made["role"]), (vec!["created_at", "name", "role"], &json!("viewer")));
    assert_eq!(central.run(&["user", "add", "eve", "--role", "owner"]).status.code(), Some(2), "there is no such role");
    let listed = central.json(&["user", "list"]);
    let roles: Vec<_> = listed.as_array().expect("a list").iter().map(|user| (&user["name"], &user["role"])).collect();
    assert_eq!(roles, [(&json!("ada"), &json!("administrator")), (&json!("vic"), &json!("viewer"))]);
    assert_eq!(fields(&listed[0]), ["created_at", "last_sign_in_at", "name", "role", "sign_in"]);
    assert_eq!(central.failure(&["user", "role", "ada", "viewer"]), "last-administrator");
    assert_eq!(central.failure(&["user", "remove", "ada"]), "last-administrator");
    assert_eq!(central.json(&["user", "role", "vic", "administrator"])["role"], "administrator");
    assert_eq!(central.json(&["user", "end-sessions", "vic"]), json!({ "name": "vic", "ended": 0 }));
    assert_eq!(central.failure(&["user", "end-sessions", "eve"]), "not-found");
    assert!(central.json(&["user", "password", "vic"])["password"].is_string());
    assert_eq!(central.json(&["user", "remove", "ada"]), json!({ "removed": "ada" }));
    assert_eq!(central.failure(&["user", "remove", "ada"]), "not-found");
    assert!(text(&central, &["user", "list"]).contains("vic   administrator  password"));
}

#[test]
fn g11_a_token_is_narrowed_and_never_may_more_than_its_owner() {
    let central = Central::idle();
    central.json(&["admin", "create", "ada"]);
    central.input(&["user", "add", "vic", "--role", "viewer", "--password-stdin"], PASSWORD);
    let token = |more: &[&str]| central.json(&[&["token", "create"], more].concat());
    assert_eq!(token(&["vic"])["scopes"], json!(["read"]), "all that the owner may");
    assert_eq!(token(&["ada"])["scopes"], json!(["administer"]));
    let made = token(&["ada", "--scope", "reports:read", "--scope", "links:operate", "--days", "30"]);
    assert_eq!(made["scopes"], json!(["links:operate", "reports:read"]));
    assert!(made["expires_at"].is_string());
    assert_eq!(central.failure(&["token", "create", "vic", "--scope", "links:operate"]), "invalid");
    for days in ["0", "3651"] {
        assert_eq!(central.failure(&["token", "create", "ada", "--days", days]), "invalid");
    }
    assert_eq!(central.run(&["token", "create", "ada", "--scope", "write"]).status.code(), Some(2));
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let central = Central::idle();
    central.json(&["admin", "create", "ada"]);
    assert_eq!(central.failure(&["token", "create", "eve"]), "not-found");
    let made = central.json(&["token", "create", "ada", "--label", "nightly export"]);
    assert_eq!(
        fields(&made),
        ["account", "created_at", "expires_at", "id", "label", "last_used_day", "scopes", "token"]
    );
    let (id, token) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    assert!(token.starts_with("slt_"));
    let listed = text(&central, &["token", "list", "--json"]);
    assert!(listed.contains(id) && !listed.contains(token), "the secret is not kept");
    assert_eq!(central.json(&["token", "revoke", id]), json!({ "revoked": id }));
    assert_eq!(central.json(&["token", "list"]), json!([]));
    assert_eq!(central.failure(&["token", "revoke", id]), "not-found");
    assert_eq!(central.failure(&["token", "revoke", "nonsense"]), "not-found");
}

#[test]
fn w1_applications_of_any_vendor_are_added_and_listed() {
    let central = Central::idle();
    let wiki = ["application", "add", "Company wiki", "--product", "acme-wiki", "--url", "https://wiki.example.org"];
    let added = central.json(&wiki);
    assert_eq!(fields(&added), ["created_at", "id", "link", "name", "product", "url"]);
    let scan = ["application", "add", "Analysis", "--product", "other.vendor-scan", "--url", "http://scan.intranet"];
    central.json(&scan);
    let listed = central.json(&["application", "list"]);
    let names: Vec<_> = listed.as_array().expect("a list").iter().map(|row| row["name"].as_str()).collect();
    assert_eq!(names, [Some("Analysis"), Some("Company wiki")]);
    assert_eq!((&listed[0]["link_state"], &listed[0]["latest"]), (&Value::Null, &Value::Null));
    assert_eq!(central.failure(&["application", "add", "COMPANY WIKI", "--product", "acme-wiki"]), "conflict");
    for (name, product, url) in [
        ("", "acme-wiki", ""),
        ("a\nb", "acme-wiki", ""),
        ("Wiki", "Acme Wiki", ""),
        ("Wiki", "acme-wiki", "javascript:alert(1)"),
        ("Wiki", "acme-wiki", "https://ada:secret@wiki.example.org"),
    ] {
        let code = central.failure(&["application", "add", name, "--product", product, "--url", url]);
        assert_eq!(code, "invalid", "{name} {product} {url}");
    }
    let table = text(&central, &["application", "list"]);
    assert!(table.starts_with("NAME") && table.contains("  never\n"), "{table}");
}

#[test]
fn an_invite_says_where_the_server_is_reached() {
    let mut central = Central::idle();
    central.application("Company wiki");
    central.start();
    let made = central.json(&["invite", "--application", "company wiki"]);
    assert_eq!(fields(&made), ["expires_at", "fingerprint", "id", "invite"]);
    let product = Product::new(1, made["invite"].as_str().expect("an invite"));
    assert_eq!(product.invite.central_url, central.url());
    assert_eq!(product.invite.application.as_deref(), Some("Company wiki"));
    assert_eq!(Some(product.central.fingerprint().as_str()), made["fingerprint"].as_str());
    let lifetime = product.invite.expires_at.duration_since(product.invite.issued_at);
    assert_eq!(lifetime.as_mins(), 30);
    assert_eq!(central.failure(&["invite", "--application", "nothing"]), "not-found");
    let output = central.run(&["invite"]);
    let alone = String::from_utf8(output.stdout).expect("text");
    assert!(alone.starts_with("v4.public.") && alone.lines().count() == 1, "it can be piped as it is: {alone}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("seatline link accept"));
}

#[test]
fn open_invites_are_listed_and_withdrawn() {
    let mut central = Central::idle();
    central.application("Company wiki");
    central.start();
    assert_eq!(central.json(&["invite", "list"]), json!([]));
    let made = central.json(&["invite", "--application", "Company wiki"]);
    let listed = central.json(&["invite", "list"]);
    assert_eq!(fields(&listed[0]), ["application", "application_name", "created_at", "expires_at", "id"]);
    let id = made["id"].as_str().expect("an id");
    assert_eq!(listed[0]["id"], id);
    assert!(text(&central, &["invite", "list"]).contains(id));
    assert_eq!(central.json(&["invite", "withdraw", id]), json!({ "withdrawn": id }));
    assert_eq!(central.failure(&["invite", "withdraw", id]), "not-found");
    let late = Product::new(1, made["invite"].as_str().expect("an invite")).exchange(&central);
    assert_eq!(late.refusals[0].code, "invite-unknown");
}

#[test]
fn links_are_listed_approved_suspended_and_set() {
    let mut central = Central::idle();
    central.application("Company wiki");
    central.application("Other");
    central.start();
    let mut product = Product::new(1, &central.invite(None));
    product.take(&product.exchange(&central));
    let link = product.link.clone().expect("it has one").to_string();
    let listed = central.json(&["link", "list"]);
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&json!(link), &json!("pending")));
    assert_eq!(listed[0]["product"]["server_id"], json!(product.facts().server_id));
    assert_eq!(central.failure(&["link", "suspend", &link]), "conflict", "it was never approved");
    let approved = central.json(&["link", "approve", &link, "--application", "Company wiki"]);
    let expected = [
        "application",
        "approved_at",
        "chain",
        "created_at",
        "fingerprint",
        "id",
        "key",
        "met",
        "product",
        "settings",
        "state",
    ];
    assert_eq!((fields(&approved), &approved["state"]), (expected.to_vec(), &json!("approved")));
    assert_eq!(central.failure(&["link", "approve", &link, "--application", "Other"]), "conflict");
    let set = central.json(&["link", "settings", &link, "--interval", "120", "--dormancy-days", "30"]);
    assert_eq!((&set["settings"]["interval"], &set["settings"]["revision"]), (&json!(120), &json!(2)));
    assert_eq!(central.failure(&["link", "settings", &link, "--interval", "5"]), "invalid");
    let bad = central.run(&["link", "settings", &link, "--counting", "never"]);
    assert_eq!(bad.status.code(), Some(2), "wrong usage");
    assert_eq!(central.json(&["link", "suspend", &link])["state"], "suspended");
    assert_eq!(central.failure(&["link", "approve", "nonsense", "--application", "Other"]), "not-found");
    assert!(text(&central, &["link", "list"]).contains(&product.key.public().fingerprint()));
}

#[test]
fn w5_licenses_are_shown_as_text_and_as_json() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed = product.report(1042);
    product.send(&central, &[sealed]);
    let shown = text(&central, &["licenses", "Company wiki"]);
    for expected in ["Acme Wiki 9.2.1", "counted           1,042", "total             1,052", "1 node runs"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let reported: Vec<&str> =
        shown.lines().filter(|line| line.contains("reported ") || line.contains("Counted ")).collect();
    assert!(reported.len() == 2 && reported.iter().all(|line| line.contains(" UTC")), "times as on the pages: {shown}");
    assert!(reported[0].ends_with(" UTC (report 1)") && !shown.contains('Z'), "{shown}");
    let link = product.link.clone().expect("linked");
    let id = central.json(&["application", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let (mut by_command, mut by_api) =
        (central.json(&["licenses", "company wiki"]), central.api(&format!("/api/v1/applications/{id}/licenses")));
    by_command["as_of"] = Value::Null;
    by_api["as_of"] = Value::Null;
    assert_eq!(by_command, by_api, "command and API say the same");
    assert_eq!(by_command["link"]["id"], json!(link));
    assert_eq!(central.failure(&["licenses", "nothing"]), "not-found");
}

#[test]
fn g4_an_exchange_by_file_is_answered_as_one_over_the_network() {
    let mut central = Central::idle();
    central.application("Company wiki");
    // There is no server: product and central only ever exchange files.
    let mut product = Product::new(1, &central.invite(Some("Company wiki")));
    let import = |request: &ExchangeRequest, status: i32| -> ExchangeResponse {
        let (file, out) = (central.file("in.json"), central.file("out.json"));
        fs::write(&file, serde_json::to_vec(request).expect("JSON")).expect("written");
        let (file, out) = (file.to_str().expect("text"), out.to_str().expect("text"));
        let to_file = central.run(&["import", file, "--out", out]);
        assert_eq!(to_file.status.code(), Some(status), "{to_file:?}");
        assert!(to_file.stdout.is_empty());
        let mode = fs::metadata(out).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a welcome holds the key for pseudonyms");
        assert_eq!(central.run(&["import", file, "--out", "-"]).stdout, fs::read(out).expect("read"));
        let again = central.run(&["import", file]);
        assert_eq!(again.stdout, fs::read(out).expect("read"), "a file that is imported again has the same answer");
        serde_json::from_slice(&again.stdout).expect("an answer")
    };
    let welcome = import(&ExchangeRequest { join: Some(product.join()), ..Default::default() }, 0);
    assert!(product.take(&welcome).is_empty());
    let reports = vec![product.report(1), product.report(2)];
    let by_file = import(&ExchangeRequest { reports: reports.clone(), ..Default::default() }, 0);
    assert!(product.take(&by_file).is_empty());
    assert_eq!(product.receipts.len(), 2);
    let bad =
        import(&ExchangeRequest { reports: vec![reports[0].clone(), "garbage".to_owned()], ..Default::default() }, 3);
    assert_eq!((bad.receipts.len(), bad.refusals[0].code.as_str()), (1, "not-a-document"));
    central.start();
    assert_eq!(product.send(&central, &reports).receipts, by_file.receipts, "the same receipts online");
}

#[test]
fn what_is_no_exchange_is_not_imported() {
    let central = Central::idle();
    central.json(&["admin", "create", "ada"]);
    let file = central.file("in.json");
    let path = file.to_str().expect("text");
    assert_eq!(central.failure(&["import", path]), "file", "it is not there");
    fs::write(&file, [0xff, 0xfe, 0x00]).expect("written");
    assert_eq!(central.failure(&["import", path]), "malformed");
    fs::write(&file, vec![b' '; seatline_protocol::exchange::MAX_REQUEST_BYTES + 1]).expect("written");
    assert_eq!(central.failure(&["import", path]), "too-large");
}

#[test]
fn serve_ends_in_good_order_and_says_what_is_wrong_before_it_begins() {
    let mut central = Central::started();
    assert_eq!(central.end(), Some(0), "told by SIGTERM");
    let open = central.run(&["serve", "--listen", "0.0.0.0:0", "--json"]);
    let error: Value = serde_json::from_slice(&open.stdout).expect("JSON");
    assert_eq!((open.status.code(), error["error"]["code"].as_str()), (Some(1), Some("no-public-url")));
    let plain = ["serve", "--listen", "127.0.0.1:0", "--public-url", "http://licenses.example.org"];
    assert_eq!(central.failure(&plain), "invalid", "HTTPS is required beyond the loopback interface");
    assert_eq!(central.failure(&["serve", "--listen", "127.0.0.1:0", "--name", "two\nlines"]), "invalid");
    let below = ["serve", "--listen", "127.0.0.1:0", "--public-url", "https://example.org/licenses"];
    assert_eq!(central.failure(&below), "invalid", "pages stand at the root of a host");
    central.start();
    let taken = central.url().trim_start_matches("http://").to_owned();
    assert_eq!(central.failure(&["serve", "--listen", &taken]), "listen");
}

#[test]
fn the_data_belongs_to_its_key_and_to_its_owner_alone() {
    let central = Central::idle();
    central.application("Company wiki");
    for private in ["central.db", "central.key", "pseudonym.key"] {
        let mode = fs::metadata(central.file(private)).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{private}");
    }
    fs::rename(central.file("central.key"), central.file("lost.key")).expect("moved");
    assert_eq!(central.failure(&["invite"]), "no-key", "a new key would be refused by every product");
    fs::rename(central.file("lost.key"), central.file("central.key")).expect("moved back");
    central.invite(None);
    fs::set_permissions(central.file("central.key"), fs::Permissions::from_mode(0o644)).expect("changed");
    assert_eq!(central.failure(&["invite"]), "key-exposed");
}

#[test]
fn the_data_directory_is_an_option_or_a_variable() {
    let central = Central::idle();
    central.application("Company wiki");
    let by_variable =
        program().args(["application", "list", "--json"]).env("SEATLINE_CENTRAL_DIR", central.dir()).output();
    let listed: Value = serde_json::from_slice(&by_variable.expect("runs").stdout).expect("JSON");
    assert_eq!(listed[0]["name"], "Company wiki");
    let help = program().arg("--help").output().expect("runs");
    assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"));
    let mistyped = central.file("mistyped");
    for command in [&["application", "list"][..], &["licenses", "Company wiki"], &["invite"], &["token", "list"]] {
        let output = program().args(command).arg("--json").arg("--dir").arg(&mistyped).output().expect("runs");
        let error: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((output.status.code(), error["error"]["code"].as_str()), (Some(1), Some("no-data")), "{command:?}");
    }
    assert!(!mistyped.exists(), "what is mistyped is not made");
    assert_eq!(program().arg("no-such-command").output().expect("runs").status.code(), Some(2));
}

#[test]
fn g8_b9_what_the_pages_show_of_the_fleet_is_there_for_scripts() {
    let central = Central::started();
    let (mut wiki, mut other) = (central.linked("Company wiki", 1), central.linked("Second wiki", 2));
    for (product, users) in [(&mut wiki, 40), (&mut other, 60)] {
        let report = product.report(users);
        assert!(product.send(&central, &[report]).refusals.is_empty());
    }
    // Lists are made by the review, within about a second.
    let is_listed = || central.json(&["fleet", "list"]).as_array().is_some_and(|items| items.len() == 2);
    until("both are reviewed", || is_listed().then_some(()));
    let name = |list: &Value, n: usize| list[n]["name"].as_str().expect("a name").to_owned();
    let by_name = central.json(&["fleet", "list", "--sort", "name"]);
    assert_eq!([name(&by_name, 0), name(&by_name, 1)], ["Company wiki", "Second wiki"]);
    assert_eq!(central.json(&["fleet", "list", "--search", "second"]).as_array().map(Vec::len), Some(1));
    assert_eq!(central.json(&["fleet", "list", "--limit", "1"]).as_array().map(Vec::len), Some(1));
    assert_eq!(central.failure(&["fleet", "list", "--gravity", "none"]), "invalid");
    assert!(text(&central, &["fleet", "list"]).contains("Company wiki"));

    let history = central.json(&["history", "Company wiki", "--range", "all"]);
    let path = format!("/api/v1/applications/{}/history?range=all", by_name[0]["application"].as_str().expect("an id"));
    assert_eq!(history["dimensions"], central.api(&path)["dimensions"], "what the API gives");
    assert_eq!(
        (&history["dimensions"][0]["dimension"], &history["dimensions"][0]["highest"]["count"]),
        (&"users".into(), &40.into())
    );
    let shown = text(&central, &["history", "Company wiki"]);
    assert!(shown.contains("no forecast yet"), "{shown}");
    assert_eq!(central.failure(&["history", "Nothing"]), "not-found");

    let people = central.json(&["people", "Company wiki", "Second wiki"]);
    assert_eq!(people["applications"].as_array().map(Vec::len), Some(2));
    assert_eq!(central.json(&["people", "--product", "acme-wiki"])["applications"], people["applications"]);
    // The server counts while the command waits, also a set that is small.
    let counted = central.json(&["people", "--all", "--count"]);
    assert_eq!((&counted["newest"]["state"], &counted["open"]), (&"done".into(), &Value::Null), "{counted}");
    assert_eq!(counted["newest"]["counted"]["applications"], people["applications"].as_array().map_or(0, Vec::len));
    assert_eq!(central.json(&["people", "--staging"])["applications"], serde_json::json!([]), "none is for staging");
    assert!(text(&central, &["people", "--staging"]).ends_with("Together: there is no application of this set\n"));
    let shown = text(&central, &["people", "--product", "acme-wiki", "--count"]);
    assert!(shown.contains("Product acme-wiki: ") && shown.contains("(just now)"), "{shown}");
    assert_eq!(central.run(&["people"]).status.code(), Some(2), "of nothing");
    assert_eq!(
        central.run(&["people", "Company wiki", "--group", "sales"]).status.code(),
        Some(2),
        "of one or the other"
    );
    let shown = text(&central, &["people", "Company wiki"]);
    assert!(shown.contains("no report with a sketch"), "{shown}");
    assert!(shown.ends_with("Together: not known, as the people of none of them are counted\n"), "{shown}");
}
