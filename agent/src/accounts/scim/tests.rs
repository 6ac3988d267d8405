#[path = "../../../tests/support/endpoint.rs"]
#[allow(dead_code, reason = "others ask it otherwise")]
mod endpoint;

use endpoint::{HttpServer, json};

use super::*;
use crate::config::Config;
use crate::config::accounts::AccountSource;

#[test]
fn the_members_of_a_group_and_of_the_groups_inside_it_have_a_bound_together() {
    let server = HttpServer::start(|path, out| match path.contains("/Groups/") {
        false => json(
            out,
            r#"{"totalResults": 1, "Resources": [{"members": [{"value": "a"}, {"value": "b"},
            {"value": "i", "type": "Group"}]}]}"#,
        ),
        true => json(out, r#"{"members": [{"value": "a"}, {"value": "c"}]}"#),
    });
    let members = |max_members| {
        let text =
            format!("[product]\nid = 'x'\nname = 'X'\nversion = '1'\n[accounts.scim]\nurl = '{}'\n", server.url("/v2"));
        let config = Config::parse(&text, std::path::Path::new("/")).expect("a configuration");
        let AccountSource::Scim(provider) = config.accounts.expect("accounts").source else { panic!("SCIM") };
        let limit = TimeLimit::starting_now(20);
        let http = Http::of(&provider.endpoint, limit).expect("a client");
        Scim { http, limit, max_members }.members("g").map(|members| members.count())
    };
    assert_eq!(members(3).expect("as many as may be"), 3, "whoever is in both is one");
    let refused = members(2).expect_err("one too many").to_string();
    assert!(refused.ends_with("has a group with more than 2 members"), "{refused}");
}
