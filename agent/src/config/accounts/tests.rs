//! What the sections of sources may say, and what they may not.

use std::path::Path;

use super::super::Config;

fn problem(rest: &str) -> String {
    let product = "[product]\nid = 'acme-wiki'\nname = 'Acme Wiki'\nversion = '4.2.0'\n";
    Config::parse(&format!("{product}{rest}"), Path::new("/data")).expect_err("a problem").to_string()
}

#[test]
fn each_rule_of_an_endpoint_is_named_with_its_line_and_key() {
    let cases = [
        ("url = 'ftp://h/'", "`accounts.json.url` must begin with https:// and a host"),
        ("url = 'users'", "`accounts.json.url` must begin with https:// and a host"),
        (
            "url = 'https://u:hunter2@h/'",
            "`accounts.json.url` holds a user or a password: put them into `user` and `password_file`",
        ),
        (
            "url = 'http://wiki.example.org/'",
            "`accounts.json.url` would be read in clear, and anybody on the way could read and change it: begin it with \
             https://, or write `allow_unencrypted = true`",
        ),
        (
            "url = 'http://[::1]/'\ntls_ca_file = 'ca.pem'",
            "`accounts.json.tls_ca_file` has no effect beside http://: leave one of them out",
        ),
        ("url = 'https://h'\nuser = 'u'", "`accounts.json.user` needs `password_file` or `password_env` beside it"),
        ("url = 'https://h'\npassword_env = 'P'", "`accounts.json.password_file` needs a `user` beside it"),
        (
            "url = 'https://h'\ntoken_env = 'T'\nuser = 'u'\npassword_env = 'P'",
            "`accounts.json.user` cannot stand beside a token: there is one way to sign in",
        ),
        (
            "url = 'https://h'\ntoken_header = 'X'",
            "`accounts.json.token_header` needs `token_file` or `token_env` beside it",
        ),
        (
            "url = 'https://h'\ntoken_header = 'a b'\ntoken_env = 'T'",
            "`accounts.json.token_header` is no name of a header",
        ),
        ("url = 'https://h'\nnext_parameter = 'c'", "`accounts.json.next_parameter` needs a `next` beside it"),
        (
            "url = 'https://h'\nnext = 'n'\npage_parameter = 'p'",
            "`accounts.json.page_parameter` cannot stand beside another way to the next page: next, next_link, \
             page_parameter, offset_parameter",
        ),
        ("url = 'https://h'\nfirst_page = 0", "`accounts.json.first_page` needs a `page_parameter` beside it"),
        ("items = 'u'", "`accounts.json.url` is missing"),
        (
            "url = 'https://h'\nfields = { identity = 'u', last_seen = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] }",
            "`accounts.json.fields.last_seen` must name 1 to 8 places",
        ),
        ("url = 'https://h'\nfields = { identity = [] }", "`accounts.json.fields.identity` must name 1 to 8 places"),
    ];
    for (text, expected) in cases {
        let problem = problem(&format!("[accounts.json]\n{text}"));
        let rule = problem.split_once(": ").expect("a line before").1;
        assert_eq!(rule, expected);
    }
}

#[test]
fn an_endpoint_in_clear_is_allowed_by_a_key_that_says_so() {
    let text = "[product]\nid = 'a'\nname = 'A'\nversion = '1'\n[accounts.json]\nurl = 'http://wiki.example.org/'\n\
                allow_unencrypted = true";
    Config::parse(text, Path::new("/data")).expect("allowed");
}

#[test]
fn the_example_names_every_key_of_a_source() {
    let example = include_str!("../../../seatline.example.toml");
    let named = |key: &str| {
        example.lines().any(|line| {
            line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} = "))
                || line.contains(&format!(".{key}]"))
                || line.contains(&format!("{key}, as above"))
        })
    };
    let fields = crate::accounts::NAMES;
    let keys = super::http::KEYS
        .iter()
        .chain(&super::json::KEYS)
        .chain(&super::command::KEYS)
        .chain(&super::ldap::KEYS)
        .chain(&super::scim::KEYS)
        .chain(&fields);
    let missing: Vec<_> = keys.filter(|key| !named(key)).collect();
    assert!(missing.is_empty(), "not documented in the example: {missing:?}");
}

#[test]
fn each_rule_of_a_directory_is_named_with_its_line_and_key() {
    let clear = "`accounts.ldap.url` would be read in clear, and anybody on the way could read the password: begin it with \
                 ldaps://, or write `start_tls = true` or `allow_unencrypted = true`";
    let cases = [
        ("url = 'ldap://ldap.example.org'\nbase = 'b'", clear),
        ("url = 'https://h'\nbase = 'b'", "`accounts.ldap.url` must begin with ldaps://, ldap:// or ldapi://"),
        (
            "url = 'ldaps://cn=a:b@h'\nbase = 'b'",
            "`accounts.ldap.url` must be a host, and a port if it is not the usual one",
        ),
        (
            "url = 'ldapi://'\nbase = 'b'",
            "`accounts.ldap.url` must name a socket, as in ldapi://%2Frun%2Fslapd%2Fldapi, which has no TLS",
        ),
        (
            "url = 'ldaps://h'\nbase = 'b'\nstart_tls = true",
            "`accounts.ldap.start_tls` is for ldap://: ldaps:// has TLS already",
        ),
        ("url = 'ldaps://h'", "`accounts.ldap.base` is missing"),
        (
            "url = 'ldaps://h'\nbase = 'b'\nfilter = 'uid=*'\nbind_dn = 'x'",
            "`accounts.ldap.bind_dn` needs `password_file` or `password_env` beside it",
        ),
        (
            "url = 'ldaps://h'\nbase = 'b'\nfilter = '(uid='",
            "`accounts.ldap.filter` is no filter of LDAP, such as \"(objectClass=inetOrgPerson)\"",
        ),
        ("url = 'ldaps://h'\nbase = 'b'\nscope = 'all'", "`accounts.ldap.scope` must be \"subtree\" or \"one\""),
        (
            "url = 'ldaps://h'\nbase = 'b'\nschema = 'ad'",
            "`accounts.ldap.schema` must be \"active-directory\", or left out",
        ),
        ("url = 'ldaps://h'\nbase = 'b'\npage_size = 0", "`accounts.ldap.page_size` must be from 1 to 10000"),
        (
            "url = 'ldaps://h'\nbase = 'b'\nfields = { identity = 'a.b' }",
            "`accounts.ldap.fields` must name attributes: one name each, without dots and slashes",
        ),
        (
            "url = 'ldap://127.0.0.1'\nbase = 'b'\ntls_ca_file = 'ca.pem'",
            "`accounts.ldap.tls_ca_file` has no effect on a connection without TLS: leave it out",
        ),
    ];
    for (text, expected) in cases {
        let problem = problem(&format!("[accounts.ldap]\n{text}"));
        assert_eq!(problem.split_once(": ").expect("a line before").1, expected);
    }
}
