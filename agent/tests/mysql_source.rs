//! Accounts from a real MariaDB server. Servers that do not behave are in `mysql_trouble.rs`.

mod support;

use std::path::Path;
use std::sync::LazyLock;

use seatline_agent::product::ConfiguredProduct;
use seatline_host::ports::Product as _;
use support::mariadb::MariaDb;
use support::{config, server};

/// One server for all tests of this file; each uses a table of its own.
static SERVER: LazyLock<MariaDb> = LazyLock::new(MariaDb::start);

fn accounts(address: &str, query: &str) -> String {
    format!("[accounts]\ndatabase = '{address}'\nquery = \"\"\"{query}\"\"\"\n")
}

fn read(query: &str) -> Vec<String> {
    support::read(Path::new("/"), &accounts(&SERVER.address(), query)).expect("the accounts")
}

fn refusal(query: &str) -> (&'static str, String) {
    support::refusal(Path::new("/"), &accounts(&SERVER.address(), query))
}

/// A table `name` of users, with a row of every kind.
fn users(name: &str) {
    SERVER.execute(&format!(
        "CREATE TABLE {name} (id int, mail varchar(99), active bit, access boolean, seen datetime(6), bot text);
         INSERT INTO {name} VALUES (1, 'ann@example.org', 1, 1, '2026-03-01 10:00:00', 'no'),
             (2, 'Zoë', 0, 0, NULL, 'f'), (3, 'bot-7', 1, 1, '2026-03-01 12:00:00.123456', 'yes')"
    ));
}

#[test]
fn c4_every_field_is_read_by_the_name_of_its_column() {
    users("fields");
    let query = "select bot as service_account, mail as identity, active, access as `Licensed_Access`, \
                 seen as last_seen from fields order by id; ";
    assert_eq!(read(query), ["ann@example.org al- 2026-03-01", "Zoë --- never", "bot-7 als 2026-03-01"]);
}

#[test]
fn c4_the_whole_agent_counts_from_mariadb() {
    users("whole");
    let agent = support::agent::Agent::new();
    agent.install_plugin();
    agent.reconfigure("'wiki.db'", &format!("\"{}\"", SERVER.address()));
    agent.reconfigure("from users'''", "from whole'''");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let collected = &preview["next"]["outcome"]["collected"];
    let accounts = &collected["accounts"];
    assert_eq!((&accounts["total"], &accounts["counted"]), (&3.into(), &1.into()), "{accounts}");
    assert_eq!((&accounts["deactivated"], &accounts["service_accounts"]), (&1.into(), &1.into()));
    assert!(collected.to_string().contains("17"), "the dimension `pages` is measured there as well: {collected}");
}

#[test]
fn every_type_that_can_hold_a_field_is_read() {
    let cases = [
        ("42", "date '2026-03-01'"),
        ("uuid()", "timestamp '2026-03-01 10:00:00'"),
        ("cast('ann' as char)", "1772323200"),
        ("cast('ann' as binary)", "1772323200000"),
        ("'ann'", "cast(1772323200.25 as decimal(20, 6))"),
        ("'ann'", "from_unixtime(1772323200)"),
        ("'ann'", "'2026-03-01T10:00:00Z'"),
        ("b'101010'", "1772323200"),
    ];
    for (identity, seen) in cases {
        let accounts = read(&format!("select {identity} as identity, {seen} as last_seen -- a remark"));
        assert!(accounts[0].ends_with(" al- 2026-03-01"), "{accounts:?}");
    }
    assert_eq!(read("select 'ann' as identity, '0000-00-00 00:00:00' as last_seen"), ["ann al- never"]);
}

#[test]
fn a_time_with_a_zone_is_the_day_in_utc() {
    SERVER.execute(
        "SET time_zone = '+05:30'; CREATE TABLE zoned (seen timestamp NULL);
         INSERT INTO zoned VALUES ('2026-03-02 01:00:00')",
    );
    assert_eq!(read("select 'ann' as identity, seen as last_seen from zoned"), ["ann al- 2026-03-01"]);
}

#[test]
fn many_rows_come_each_once_and_in_order() {
    let accounts = read("select seq as identity from seq_1_to_20000");
    let expected: Vec<String> = (1..=20_000).map(|i| format!("{i} al- unknown")).collect();
    assert_eq!(accounts, expected);
    assert!(read("select 1 as identity from seq_1_to_2 where seq > 2").is_empty());
}

#[test]
fn a_value_that_cannot_be_understood_fails_the_pass_and_is_not_repeated() {
    let rows = "(select 1 as id, 'ann' as mail, 't' as active union all select 2, null, 't' union all \
                select 3, 'bob', 'perhaps') as v";
    let (code, text) = refusal(&format!("select mail as identity from {rows} order by id limit 9"));
    assert_eq!(code, "source-value");
    assert_eq!(text, "row 2: `identity` is missing: every account needs a mail address or a login");
    let (_, text) = refusal(&format!("select id as identity, active from {rows} order by id limit 9"));
    assert!(text.starts_with("row 3: `active` must be") && !text.contains("perhaps"), "{text}");
    let (_, text) = refusal("select repeat('x', 1000000) as identity");
    assert_eq!(text, "row 1: `identity` is longer than 1024 bytes");
    let (_, text) = refusal("select x'ff' as identity");
    assert_eq!(text, "row 1: `identity` is not UTF-8");
}

#[test]
fn a_row_beyond_every_account_is_refused() {
    let server = MariaDb::start_with(&["max_allowed_packet=64M".to_owned()]);
    let text = accounts(&server.address(), "select repeat('x', 17 * 1024 * 1024) as identity");
    let expected = "reading broke off after 0 rows: a row has more than 16777214 bytes";
    assert_eq!(support::refusal(Path::new("/"), &text), ("source-broken-off", expected.to_owned()));
}

#[test]
fn a_message_of_the_database_that_quotes_a_value_is_not_shown() {
    SERVER.execute(
        "DELIMITER //\nCREATE FUNCTION quoting() RETURNS int BEGIN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'hunter2'; RETURN 1; END//",
    );
    let (code, text) = refusal("select quoting() as identity");
    assert_eq!(code, "source-broken-off");
    assert_eq!(text, "reading broke off after 0 rows: the server says error 1644");
}

#[test]
fn a_wrong_query_is_refused_with_its_reason() {
    users("wrong");
    let (code, text) = refusal("select male as identity from wrong");
    assert_eq!(code, "source-query");
    assert!(text.starts_with("the query is not accepted: Unknown column 'male' in "), "{text}");
    assert_eq!(refusal("select mail from wrong").0, "source-columns");
    assert_eq!(refusal("selekt").0, "source-query");
    assert_eq!(refusal("select 1 as identity from missing").0, "source-query");
    let columns: Vec<String> = (0..65).map(|column| format!("1 as c{column}")).collect();
    let (_, text) = refusal(&format!("select {}", columns.join(", ")));
    assert_eq!(text, "the query's columns: there are more than 64");
}

#[test]
fn a_query_that_would_write_is_refused_and_writes_nothing() {
    users("written");
    SERVER.execute("DELIMITER //\nCREATE FUNCTION sneak() RETURNS int BEGIN DELETE FROM written; RETURN 1; END//");
    for query in [
        "delete from written returning mail as identity",
        "select 1 as identity) as x; delete from written; select * from (select 1",
        "create table other (y int)",
        "drop table written",
        "select mail as identity into outfile '/tmp/seatline-outfile' from written",
        "call sneak()",
        "set global max_connections = 1",
    ] {
        assert_eq!(refusal(query).0, "source-query", "{query}");
    }
    assert_eq!(refusal("select sneak() as identity").0, "source-query-writes");
    assert_eq!(read("select mail as identity from written").len(), 3);
}

#[test]
fn a_user_without_the_right_to_read_is_told_so() {
    users("secret");
    SERVER.execute("CREATE USER reader@localhost; GRANT CREATE ON wiki.* TO reader@localhost");
    let address = SERVER.address().replace("root", "reader");
    let (code, text) = support::refusal(Path::new("/"), &accounts(&address, "select mail as identity from secret"));
    assert_eq!(code, "source-denied");
    assert!(text.contains("denied to user 'reader'@'localhost' for table `wiki`.`secret`"), "{text}");
}

#[test]
fn a_password_comes_from_its_file_and_a_wrong_one_is_refused_without_it() {
    SERVER
        .execute("CREATE USER filed@'127.0.0.1' IDENTIFIED BY 'hunter2'; GRANT SELECT ON wiki.* TO filed@'127.0.0.1'");
    let dir = tempfile::tempdir().expect("a directory");
    let text = accounts(&SERVER.tcp("filed"), "select 1 as identity") + "password_file = 'password'\n";
    assert_eq!(support::refusal(dir.path(), &text).0, "source-secret");
    std::fs::write(dir.path().join("password"), "hunter2\n").expect("the password");
    assert_eq!(support::read(dir.path(), &text).expect("a connection").len(), 1);
    std::fs::write(dir.path().join("password"), "hunter3").expect("another password");
    let (code, text) = support::refusal(dir.path(), &text);
    assert_eq!(code, "source-denied");
    assert_eq!(text, "not allowed to read: the database `wiki` at 127.0.0.1 refuses the user or the password");
}

#[test]
fn a_way_to_sign_in_that_is_not_to_be_had_is_named() {
    SERVER.execute(
        "INSTALL SONAME 'auth_ed25519'; CREATE USER curve@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('hunter2')",
    );
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("password"), "hunter2").expect("the password");
    let text = accounts(&SERVER.tcp("curve"), "select 1 as identity") + "password_file = 'password'\n";
    let (code, text) = support::refusal(dir.path(), &text);
    assert_eq!(code, "source-unreachable");
    assert!(text.contains("the server asks for `client_ed25519` to sign in; make a user"), "{text}");
}

#[test]
fn a_server_that_is_not_there_and_a_database_that_is_not_there_are_named() {
    let at = |address: &str| support::refusal(Path::new("/"), &accounts(address, "select 1 as identity"));
    let (code, text) = at("mysql://x@127.0.0.1:1/wiki");
    assert_eq!(code, "source-unreachable");
    assert!(text.starts_with("cannot reach the database `wiki` at 127.0.0.1: "), "{text}");
    let (_, text) = at(&SERVER.address().replace("/wiki", "/wikki"));
    assert!(text.ends_with("Unknown database 'wikki'"), "{text}");
}

#[test]
fn a_table_that_is_locked_is_reported_as_locked() {
    users("locked");
    let holder = std::thread::spawn(|| SERVER.execute("LOCK TABLE locked WRITE; DO SLEEP(60)"));
    // The lock is there once its session sleeps.
    let sleeping = "from information_schema.processlist where info like 'DO SLEEP(60)%'";
    while SERVER.execute(&format!("select count(*) {sleeping}")).trim() != "1" {}
    assert_eq!(refusal("select mail as identity from locked").0, "source-locked");
    let id = SERVER.execute(&format!("select id {sleeping}"));
    SERVER.execute(&format!("KILL QUERY {id}"));
    holder.join().expect("the lock is released");
}

#[test]
fn a_query_without_end_is_stopped_at_the_time_limit() {
    let endless = "select concat(a.seq, b.seq) as identity from seq_1_to_1000000 a, seq_1_to_1000000 b";
    for query in ["select sleep(60) as identity", endless] {
        let text = accounts(&SERVER.address(), query) + "time_limit = 1\n";
        assert_eq!(support::refusal(Path::new("/"), &text).0, "source-time-limit", "{query}");
    }
}

#[test]
fn a_dimension_is_one_number() {
    let address = SERVER.address();
    let dimension =
        |name, query| format!("[[dimension]]\nname = '{name}'\ndatabase = '{address}'\nquery = '{query}'\n");
    let text = [
        dimension("pages", "select count(*) from seq_1_to_7"),
        dimension("decimal", "select cast(7 as decimal(9, 0));"),
        dimension("unsigned", "select cast(7 as unsigned)"),
        dimension("none", "select 1 from seq_1_to_1 where false"),
        dimension("two", "select seq from seq_1_to_2"),
        dimension("wide", "select 1 as a, 2 as b"),
        dimension("negative", "select -1"),
        dimension("null", "select null"),
        dimension("fraction", "select 1.5"),
    ]
    .concat();
    let measured = ConfiguredProduct::new(config(Path::new("/"), &text)).measure();
    let numbers: Vec<Option<u64>> = measured.into_iter().map(|(_, result)| result.ok()).collect();
    assert_eq!(numbers, [Some(7), Some(7), Some(7), None, None, None, None, None, None]);
}

#[test]
fn a_connection_by_tls_is_made_to_a_server_whose_authority_is_named_and_to_no_other() {
    let certificates = server::certificates();
    let file = |name: &str| certificates.path().join(name).display().to_string();
    let server = MariaDb::start_with(&[
        format!("ssl-cert={}", file("server.pem")),
        format!("ssl-key={}", file("server.key")),
        format!("ssl-ca={}", file("ca.pem")),
    ]);
    server.execute("CREATE USER remote@'%' IDENTIFIED BY 'hunter2' REQUIRE SSL; GRANT SELECT ON wiki.* TO remote@'%'");
    std::fs::write(certificates.path().join("password"), "hunter2").expect("the password");
    let text = |address: &str, rest: &str| {
        let query = "select variable_value as identity from information_schema.session_status \
                     where variable_name = 'ssl_version'";
        accounts(address, query) + "password_file = 'password'\n" + rest
    };
    let ca = "tls_ca_file = 'ca.pem'\n";
    let address = server.tcp("remote");
    let read = support::read(certificates.path(), &text(&address, ca)).expect("a connection by TLS");
    assert_eq!(read, ["TLSv1.3 al- unknown"]);
    let (_, error) = support::refusal(certificates.path(), &text(&(address.clone() + "?sslmode=require"), ""));
    assert!(error.contains("UnknownIssuer"), "{error}");
    let (_, error) = support::refusal(certificates.path(), &text(&address.replace("127.0.0.1", "localhost"), ca));
    assert!(error.contains("not valid for name"), "{error}");
    let (code, _) = support::refusal(certificates.path(), &text(&address, ""));
    assert_eq!(code, "source-denied", "in clear, to this machine, the server refuses this user");
    let (_, error) = support::refusal(certificates.path(), &text(&(SERVER.tcp("root") + "?sslmode=require"), ""));
    assert!(error.ends_with("the server does not support TLS"), "{error}");
}
