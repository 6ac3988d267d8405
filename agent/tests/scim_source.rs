//! Accounts from a real SCIM server, and from identity providers that do not behave.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::agent::Agent;
use support::endpoint::{HttpServer, json as answer, with_head};
use support::scim::ScimServer;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn source(url: &str, rest: &str) -> String {
    format!("[accounts]\ntime_limit = 20\n[accounts.scim]\nurl = '{url}'\n{rest}")
}

fn user(name: &str, more: &Value) -> Value {
    let mut user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name });
    let (user_fields, more) = (user.as_object_mut().expect("an object"), more.as_object().expect("an object"));
    user_fields.extend(more.clone());
    user
}

fn group(name: &str, members: &[(&str, &str)]) -> Value {
    let members: Vec<Value> = members.iter().map(|(kind, id)| json!({ "value": id, "type": kind })).collect();
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members })
}

/// Five users and two groups.
fn fill(server: &ScimServer) {
    let mails = json!([{ "value": "home@example.org" }, { "value": "ann@example.org", "primary": true }]);
    let ann = server.create("Users", &user("ann", &json!({ "emails": mails, "active": true })));
    server.create("Users", &user("bob", &json!({ "active": false })));
    let bot = server.create("Users", &user("bot-7", &json!({ "userType": "Service" })));
    server.create("Users", &user("dee", &json!({ "externalId": "2026-03-01T10:11:12Z" })));
    let extended = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        ENTERPRISE: { "costCenter": "2026-02-01" },
    });
    let eve = server.create("Users", &user("eve", &extended));
    let inner = server.create("Groups", &group("Inner", &[("User", &eve)]));
    server.create("Groups", &group("Wiki \"users\"", &[("User", &ann), ("User", &bot), ("Group", &inner)]));
}

fn read(server: &ScimServer, rest: &str) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("token"), "hunter2\n").expect("the token");
    let text = source(&server.url, &format!("token_file = 'token'\n{rest}"));
    let mut accounts = support::read(dir.path(), &text).expect("the accounts");
    accounts.sort();
    accounts
}

#[test]
fn c4_every_field_is_read_from_users_by_index_and_by_cursor() {
    for cursors in [false, true] {
        let server = ScimServer::start(cursors);
        assert_eq!(read(&server, ""), [""; 0], "nobody is there yet");
        fill(&server);
        let expected = [
            "ann@example.org al- unknown",
            "bob -l- unknown",
            "bot-7 al- unknown",
            "dee al- unknown",
            "eve al- unknown",
        ];
        for size in [1, 2, 5, 100] {
            assert_eq!(read(&server, &format!("page_size = {size}\n")), expected, "in pages of {size}");
        }
        let fields = format!(
            "page_size = 2\ngroup = 'Wiki \"users\"'\n[accounts.scim.fields]\nidentity = 'userName'\n\
             last_seen = ['externalId', '{ENTERPRISE}:costCenter']\n\
             service_account = {{ field = 'userType', is = 'service' }}\n"
        );
        let expected =
            ["ann al- never", "bob --- never", "bot-7 als never", "dee a-- 2026-03-01", "eve al- 2026-02-01"];
        assert_eq!(read(&server, &fields), expected);
        assert_eq!(read(&server, "filter = 'userName sw \"b\"'\n"), ["bob -l- unknown", "bot-7 al- unknown"]);
    }
}

#[test]
fn c4_the_whole_agent_counts_from_an_identity_provider() {
    let server = ScimServer::start(false);
    fill(&server);
    let agent = Agent::reading(&source(&server.url, "token_file = 'token'\n"));
    std::fs::write(agent.path("token"), "hunter2").expect("the token");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let accounts = &preview["next"]["outcome"]["collected"]["accounts"];
    assert_eq!((&accounts["total"], &accounts["deactivated"]), (&5.into(), &1.into()), "{accounts}");
}

#[test]
fn a_wrong_token_and_a_group_that_is_not_there_are_told() {
    let server = ScimServer::start(false);
    fill(&server);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("token"), "hunter3").expect("the token");
    let refusal = |rest: &str| support::refusal(dir.path(), &source(&server.url, rest));
    let (code, text) = refusal("token_file = 'token'\n");
    assert_eq!(code, "source-denied");
    assert!(!text.contains("hunter"), "{text}");
    std::fs::write(dir.path().join("token"), "hunter2").expect("the token");
    let (code, text) = refusal("token_file = 'token'\ngroup = 'Nobody'\n");
    assert!(code == "source-answer" && text.ends_with("has no group `Nobody`"), "{text}");
    server.create("Groups", &group("Inner", &[]));
    let (_, text) = refusal("token_file = 'token'\ngroup = 'Inner'\n");
    assert!(text.ends_with("has several groups `Inner`"), "{text}");
    let (code, _) = refusal("token_file = 'token'\nfilter = 'no filter'\n");
    assert_eq!(code, "source-answer");
}

/// What becomes of reading from a provider that gives `page` for users, and describes itself as `pagination`.
fn from_provider(
    pagination: &'static str,
    page: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (&'static str, String) {
    let server = HttpServer::start(move |path, out| match path {
        "/v2/ServiceProviderConfig" => answer(out, &format!("{{\"pagination\": {pagination}}}")),
        _ if path.starts_with("/v2/Users") => answer(out, &page(path)),
        _ => with_head(out, "404 None", "", ""),
    });
    support::refusal(Path::new("/"), &source(&server.url("/v2"), ""))
}

#[test]
fn a_provider_that_does_not_describe_itself_is_read_by_index() {
    let server = HttpServer::start(|path, out| match path {
        "/Users?count=100&startIndex=1" => {
            answer(out, r#"{"totalResults": 2, "startIndex": 1, "Resources": [{"userName": "ann"}]}"#)
        }
        "/Users?count=100&startIndex=2" => answer(out, r#"{"totalResults": 2, "Resources": [{"USERNAME": "bob"}]}"#),
        _ => with_head(out, "404 None", "", ""),
    });
    let accounts = support::read(Path::new("/"), &source(&server.url("/"), "")).expect("the accounts");
    assert_eq!(accounts, ["ann al- unknown", "bob al- unknown"]);
}

#[test]
fn pages_without_end_and_pages_that_are_missing_are_told() {
    let (code, text) = from_provider("{}", |_| r#"{"totalResults": 9, "Resources": [{"userName": "ann"}]}"#.to_owned());
    assert!(code == "source-pages" && text.ends_with("gives the same page again, without end"), "{text}");
    let (code, text) = from_provider("{}", |_| r#"{"totalResults": 9, "Resources": []}"#.to_owned());
    assert!(code == "source-answer" && text.ends_with("gives fewer users than it says there are"), "{text}");
    let (_, text) =
        from_provider("{}", |_| r#"{"totalResults": 9, "startIndex": 3, "Resources": [{"id": "1"}]}"#.to_owned());
    assert!(text.contains("`identity` is missing"), "{text}");
    let (_, text) =
        from_provider("{}", |_| r#"{"totalResults": 9, "startIndex": 3, "Resources": [{"userName": "a"}]}"#.to_owned());
    assert!(text.ends_with("gives another page than the one that was asked for"), "{text}");
    let (_, text) = from_provider("{}", |_| r#"{"Resources": [{"userName": "ann"}]}"#.to_owned());
    assert!(text.ends_with("does not say how many there are (`totalResults`)"), "{text}");
    let (_, text) = from_provider("{}", |_| "{}".to_owned());
    assert!(text.ends_with("answers without a list of `Resources`"), "{text}");
    let (code, _) = from_provider("{\"cursor\": true}", |_| r#"{"nextCursor": "c", "Resources": []}"#.to_owned());
    assert_eq!(code, "source-pages");
}

#[test]
fn what_cannot_be_understood_counts_nothing_and_is_not_repeated() {
    for page in [
        "hunter2",
        r#"{"totalResults": 1, "Resources": ["hunter2"]}"#,
        r#"{"totalResults": 1, "Resources": [{"userName": "hunter2", "active": "hunter2"}]}"#,
        r#"{"totalResults": 1, "Resources": [{"userName": ["#,
    ] {
        let (code, text) = from_provider("{}", move |_| page.to_owned());
        assert!(["source-answer", "source-record", "source-value", "source-broken-off"].contains(&code), "{code}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn groups_inside_each_other_end_and_have_a_bound() {
    let groups = |members: fn(&str) -> String| {
        let server = HttpServer::start(move |path, out| match path {
            _ if path.starts_with("/Groups?") => {
                answer(out, &format!("{{\"totalResults\": 1, \"Resources\": [{{\"members\": {}}}]}}", members("0")))
            }
            _ if path.starts_with("/Groups/") => {
                answer(out, &format!("{{\"members\": {}}}", members(path.rsplit('/').next().unwrap_or_default())))
            }
            _ if path.starts_with("/Users") => {
                answer(out, r#"{"totalResults": 1, "Resources": [{"id": "u", "userName": "ann"}]}"#)
            }
            _ => with_head(out, "404 None", "", ""),
        });
        support::read(Path::new("/"), &source(&server.url("/"), "group = 'g'\n"))
    };
    let circle = groups(|_| r#"[{"value": "1", "type": "Group"}, {"value": "u"}]"#.to_owned());
    assert_eq!(circle.expect("the accounts"), ["ann al- unknown"]);
    let endless = groups(|path| {
        let next = path.parse::<u64>().unwrap_or_default() + 1;
        format!("[{{\"value\": \"{next}\", \"$ref\": \"https://x/Groups/{next}\"}}]")
    });
    let error = endless.expect_err("too many").to_string();
    assert!(error.ends_with("has a group with more than 1000 groups inside"), "{error}");
}
