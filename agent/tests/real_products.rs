//! What docs/accounts.md shows for real products, tried on tables and answers as these products make them.

mod support;

use std::fs;
use std::path::Path;

use support::endpoint::{HttpServer, json, with_head};
use support::mariadb::MariaDb;
use support::postgres::Postgres;

const PAGE: &str = include_str!("../../docs/accounts.md");

/// The configuration that stands under a heading.
fn documented(product: &str) -> String {
    let section = PAGE.split("\n### ").find(|section| section.starts_with(product)).expect("the product's section");
    section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its configuration").to_owned()
}

/// The same with `database` at an address of the test's own, which needs no password.
fn at(product: &str, address: &str) -> String {
    let documented = documented(product);
    let lines = documented.lines().filter(|line| !line.starts_with("password_file"));
    let lines = lines.map(|line| match line.starts_with("database = ") {
        true => format!("database = '{address}'"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn read(text: &str) -> Vec<String> {
    let mut accounts = support::read(Path::new("/"), text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    accounts.sort();
    accounts
}

#[test]
fn every_documented_product_is_a_valid_configuration() {
    let products: Vec<&str> = PAGE.split("\n### ").skip(1).filter_map(|section| section.lines().next()).collect();
    assert_eq!(products.len(), 6);
    for product in products {
        assert!(support::config(Path::new("/"), &documented(product)).accounts.is_some(), "{product}");
    }
}

#[test]
fn c4_gitea_is_read_without_its_organisations() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("gitea.db");
    rusqlite::Connection::open(&path)
        .expect("a database")
        .execute_batch(
            "CREATE TABLE user (id INTEGER PRIMARY KEY, lower_name TEXT, name TEXT, email TEXT, type INTEGER,
                                is_active INTEGER, prohibit_login INTEGER, last_login_unix INTEGER);
             INSERT INTO user VALUES (1, 'ann', 'Ann', 'ann@example.org', 0, 1, 0, 1772359200),
                 (2, 'acme', 'Acme', '', 1, 0, 0, NULL), (3, 'bob', 'Bob', 'bob@example.org', 0, 0, 0, 0),
                 (4, 'cai', 'Cai', 'cai@example.org', 0, 1, 1, 1772359200), (5, 'ci', 'CI', '', 4, 1, 0, NULL);",
        )
        .expect("its users");
    assert_eq!(
        read(&at("Gitea", path.to_str().expect("a path"))),
        [
            "ann@example.org al- 2026-03-01",
            "bob@example.org -l- never",
            "cai@example.org a-- 2026-03-01",
            "ci als never"
        ]
    );
}

#[test]
fn c4_mattermost_and_redmine_are_read_from_postgresql() {
    let server = Postgres::start();
    server.execute(
        "CREATE TABLE users (id varchar(26) PRIMARY KEY, email varchar(128), username varchar(64), deleteat bigint,
                             roles varchar(256));
         CREATE TABLE status (userid varchar(26) PRIMARY KEY, status varchar(32), lastactivityat bigint);
         CREATE TABLE bots (userid varchar(26) PRIMARY KEY, ownerid varchar(190));
         INSERT INTO users VALUES ('a', 'ann@example.org', 'ann', 0, 'system_admin system_user'),
             ('b', 'bob@example.org', 'bob', 1772359200000, 'system_user'), ('c', 'cai@example.org', 'cai', 0, 'system_guest'),
             ('d', 'd@localhost', 'deploy', 0, 'system_user');
         INSERT INTO status VALUES ('a', 'online', 1772359200000), ('b', 'offline', 1772359200000);
         INSERT INTO bots VALUES ('d', 'a')",
    );
    assert_eq!(
        read(&at("Mattermost", &server.address("owner", "wiki"))),
        [
            "ann@example.org al- 2026-03-01",
            "bob@example.org -l- 2026-03-01",
            "cai@example.org a-- never",
            "d@localhost als never"
        ]
    );

    server.execute(
        "DROP TABLE users;
         CREATE TABLE users (id serial PRIMARY KEY, login varchar NOT NULL, status integer NOT NULL, type varchar,
                             last_login_on timestamp without time zone);
         CREATE TABLE email_addresses (id serial PRIMARY KEY, user_id integer, address varchar, is_default boolean);
         INSERT INTO users (id, login, status, type, last_login_on) VALUES
             (1, 'ann', 1, 'User', '2026-03-01 10:00:00'), (2, 'bob', 3, 'User', NULL), (3, '', 1, 'AnonymousUser', NULL);
         INSERT INTO email_addresses (user_id, address, is_default) VALUES
             (1, 'ann@example.org', true), (1, 'ann@home.example.org', false)",
    );
    assert_eq!(
        read(&at("Redmine", &server.address("owner", "wiki"))),
        ["ann@example.org al- 2026-03-01", "bob -l- never"]
    );
}

#[test]
fn c4_nextcloud_is_read_from_mariadb() {
    let server = MariaDb::start();
    server.execute(
        "CREATE TABLE oc_users (uid varchar(64) PRIMARY KEY, displayname varchar(64));
         CREATE TABLE oc_preferences (userid varchar(64), appid varchar(32), configkey varchar(64), configvalue longtext);
         INSERT INTO oc_users VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('cai', 'Cai');
         INSERT INTO oc_preferences VALUES ('ann', 'settings', 'email', 'ann@example.org'),
             ('ann', 'login', 'lastLogin', '1772359200'), ('bob', 'core', 'enabled', 'false'),
             ('cai', 'core', 'enabled', 'true'), ('cai', 'settings', 'email', '')",
    );
    assert_eq!(
        read(&at("Nextcloud", &server.address())),
        ["ann@example.org al- 2026-03-01", "bob -l- never", "cai al- never"]
    );
}

#[test]
fn c4_gitlab_is_read_page_by_page() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("gitlab.token"), "glpat-1\n").expect("a token");
    let server = HttpServer::start(|path, out| {
        let first = r#"[{"id": 1, "username": "ann", "email": "ann@example.org", "state": "active", "bot": false,
                         "last_activity_on": "2026-03-01", "using_license_seat": true},
                        {"id": 2, "username": "bob", "email": "bob@example.org", "state": "blocked", "bot": false,
                         "last_activity_on": null, "using_license_seat": false}]"#;
        let second = r#"[{"id": 3, "username": "project_7_bot", "email": "bot@example.org", "state": "active", "bot": true,
                          "last_activity_on": "2026-03-01"}]"#;
        match path.contains("id_after=2") {
            true => json(out, second),
            false => with_head(out, "200 OK", &format!("Link: <{path}&id_after=2>; rel=\"next\"\r\n"), first),
        }
    });
    let text = documented("GitLab").replace("https://gitlab.example.org", &server.url(""));
    let mut accounts = support::read(dir.path(), &text).expect("the accounts");
    accounts.sort();
    assert_eq!(
        accounts,
        ["ann@example.org al- 2026-03-01", "bob@example.org --- never", "bot@example.org als 2026-03-01"]
    );
    assert_eq!(server.asked().len(), 2, "two pages: {:?}", server.asked());
}

#[test]
fn every_code_of_a_source_is_explained() {
    let codes = include_str!("../src/accounts/error.rs").split('"').filter(|text| text.starts_with("source-"));
    let explained: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for code in codes {
        assert!(explained.contains(&code), "{code} is not explained in docs/accounts.md");
    }
}
