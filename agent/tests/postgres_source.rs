//! Accounts from a real PostgreSQL server.

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use seatline_agent::accounts::{self, SourceError};
use seatline_agent::product::ConfiguredProduct;
use seatline_host::ports::{Account, AccountSink, PortError, Product as _};
use support::postgres::Postgres;
use support::{Kept, config};

/// One server for all tests of this file; each uses a table of its own.
static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

fn read_at(address: &str, query: &str) -> Result<Vec<String>, SourceError> {
    let text = format!("[accounts]\ndatabase = '{address}'\nquery = \"\"\"{query}\"\"\"\n");
    let mut kept = Kept::default();
    accounts::read(config(Path::new("/"), &text).accounts.as_ref().expect("accounts"), &mut kept)?;
    Ok(kept.0)
}

fn read(query: &str) -> Result<Vec<String>, SourceError> {
    read_at(&SERVER.address("owner", "wiki"), query)
}

fn refusal(query: &str) -> (&'static str, String) {
    let error = read(query).expect_err("a refusal");
    (error.code(), error.to_string())
}

/// A table `name` of users, with a row of every kind.
fn users(name: &str) {
    SERVER.execute(&format!(
        "CREATE TABLE {name} (id int, mail text, active boolean, access smallint, seen timestamptz, bot text);
         INSERT INTO {name} VALUES (1, 'ann@example.org', true, 1, '2026-03-02 01:00:00+05:30', 'no'),
             (2, 'Zoë', false, 0, NULL, 'f'), (3, 'bot-7', true, 1, '2026-03-01 12:00:00.123456Z', 'yes')"
    ));
}

#[test]
fn c4_every_field_is_read_by_the_name_of_its_column() {
    users("fields");
    let query = "select bot as service_account, mail as identity, active, access as \"Licensed_Access\", \
                 seen as last_seen from fields order by id; ";
    let expected = ["ann@example.org al- 2026-03-01", "Zoë --- never", "bot-7 als 2026-03-01"];
    assert_eq!(read(query).expect("the accounts"), expected);
}

#[test]
fn c4_the_whole_agent_counts_from_postgresql() {
    users("whole");
    let agent = support::agent::Agent::new();
    agent.install_plugin();
    agent.reconfigure("'wiki.db'", &format!("\"{}\"", SERVER.address("owner", "wiki")));
    agent.reconfigure("from users'''", "from whole'''");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let accounts = &preview["next"]["outcome"]["collected"]["accounts"];
    assert_eq!((&accounts["total"], &accounts["counted"]), (&3.into(), &1.into()), "{accounts}");
    assert_eq!((&accounts["deactivated"], &accounts["service_accounts"]), (&1.into(), &1.into()));
}

#[test]
fn every_type_that_can_hold_a_field_is_read() {
    let cases = [
        ("42::bigint", "date '2026-03-01'"),
        ("'a1b2c3d4-0000-0000-0000-000000000000'::uuid", "timestamp '2026-03-01 10:00:00'"),
        ("'ann'::varchar(9)", "1772323200::bigint"),
        ("'ann'::name", "1772323200000::numeric"),
        ("'ann'::char(3)", "extract(epoch from timestamptz '2026-03-01 10:00:00.5Z')"),
        ("'ann'::text", "'2026-03-01T10:00:00Z'::text"),
        ("'ann'", "1772323200.25::float8"),
    ];
    for (identity, seen) in cases {
        let accounts = read(&format!("select {identity} as identity, {seen} as last_seen -- a remark")).expect(seen);
        assert!(accounts[0].ends_with(" al- 2026-03-01"), "{accounts:?}");
    }
}

#[test]
fn more_rows_than_are_in_memory_at_once_come_each_once_and_in_order() {
    for rows in [0, 4095, 4096, 4097, 20_000] {
        let accounts = read(&format!("select i as identity from generate_series(1, {rows}) i")).expect("the accounts");
        let expected: Vec<String> = (1..=rows).map(|i| format!("{i} al- unknown")).collect();
        assert_eq!(accounts, expected);
    }
}

#[test]
fn a_value_that_cannot_be_understood_fails_the_pass_and_is_not_repeated() {
    let rows = "(values (1, 'ann', 't'), (2, NULL, 't'), (3, 'bob', 'perhaps')) as v (id, mail, active)";
    let (code, text) = refusal(&format!("select mail as identity from {rows} order by id"));
    assert_eq!(code, "source-value");
    assert_eq!(text, "row 2: `identity` is missing: every account needs a mail address or a login");
    let (_, text) = refusal(&format!("select id as identity, active from {rows} order by id"));
    assert!(text.starts_with("row 3: `active` must be") && !text.contains("perhaps"), "{text}");
    let (_, text) = refusal("select 1 as identity, 'infinity'::timestamptz as last_seen");
    assert!(text.starts_with("row 1: `last_seen` must be"), "{text}");
    let (_, text) = refusal("select repeat('x', 1000000) as identity");
    assert_eq!(text, "row 1: `identity` is longer than 1024 bytes");
}

#[test]
fn a_message_of_the_database_that_quotes_a_value_is_not_shown() {
    let (code, text) = refusal("select mail::int as identity from (values ('hunter2@example.org')) as v (mail)");
    assert_eq!(code, "source-broken-off");
    assert_eq!(text, "reading broke off after 0 rows: PostgreSQL says SQLSTATE 22P02");
}

#[test]
fn a_wrong_query_is_refused_with_its_reason() {
    users("wrong");
    let (code, text) = refusal("select male as identity from wrong");
    assert_eq!((code, text.as_str()), ("source-query", "the query is not accepted: column \"male\" does not exist"));
    assert_eq!(refusal("select mail from wrong").0, "source-columns");
    assert_eq!(refusal("selekt").0, "source-query");
    assert_eq!(refusal("select 1 as identity from missing").0, "source-query");
}

#[test]
fn a_query_that_would_write_is_refused_and_writes_nothing() {
    users("written");
    SERVER.execute("CREATE FUNCTION sneak() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM written RETURNING 1'");
    for query in [
        "delete from written returning mail as identity",
        "with gone as (delete from written returning mail) select mail as identity from gone",
        "select 1 as identity) as x; delete from written; select (1",
        "create table other (y int)",
    ] {
        assert_eq!(refusal(query).0, "source-query", "{query}");
    }
    assert_eq!(refusal("select sneak() as identity").0, "source-query-writes");
    assert_eq!(read("select mail as identity from written").expect("the accounts").len(), 3);
}

#[test]
fn a_user_without_the_right_to_read_is_told_so() {
    users("secret");
    SERVER.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter2'");
    let error = read_at(&SERVER.address("reader", "wiki"), "select mail as identity from secret");
    let error = error.expect_err("no right");
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("source-denied", "not allowed to read: permission denied for table secret")
    );
}

#[test]
fn a_password_comes_from_its_file_and_a_wrong_one_is_refused_without_it() {
    SERVER.execute("CREATE ROLE filed LOGIN PASSWORD 'hunter2'");
    let dir = tempfile::tempdir().expect("a directory");
    let text = format!(
        "[accounts]\ndatabase = 'postgres://filed@127.0.0.1:{}/wiki'\npassword_file = 'password'\nquery = 'select 1 as identity'\n",
        SERVER.port
    );
    let config = config(dir.path(), &text);
    let read = || accounts::read(config.accounts.as_ref().expect("accounts"), &mut Kept::default());
    assert_eq!(read().expect_err("no file yet").code(), "source-secret");
    std::fs::write(dir.path().join("password"), "hunter2\n").expect("the password");
    assert_eq!(read(), Ok(1));
    std::fs::write(dir.path().join("password"), "hunter3").expect("another password");
    let error = read().expect_err("a wrong password");
    assert_eq!(
        error.to_string(),
        "not allowed to read: the database `wiki` at 127.0.0.1 refuses the user or the password"
    );
}

#[test]
fn a_server_that_is_not_there_and_a_database_that_is_not_there_are_named() {
    let error = read_at("host=127.0.0.1 port=1 user=x dbname=wiki", "select 1 as identity").expect_err("no server");
    assert_eq!(error.code(), "source-unreachable");
    assert!(error.to_string().contains("`wiki` at 127.0.0.1"), "{error}");
    let error = read_at(&SERVER.address("owner", "wikki"), "select 1 as identity").expect_err("no database");
    assert!(error.to_string().ends_with("database \"wikki\" does not exist"), "{error}");
}

#[test]
fn a_table_that_is_locked_is_reported_as_locked() {
    users("locked");
    let mut client = SERVER.client();
    let mut holder = client.transaction().expect("a transaction");
    holder.batch_execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").expect("the lock");
    assert_eq!(refusal("select mail as identity from locked").0, "source-locked");
}

#[test]
fn a_query_without_end_is_stopped_at_the_time_limit() {
    let text = format!(
        "[accounts]\ndatabase = '{}'\ntime_limit = 1\nquery = 'select pg_sleep(60)::text as identity'\n",
        SERVER.address("owner", "wiki")
    );
    let config = config(Path::new("/"), &text);
    let error = accounts::read(config.accounts.as_ref().expect("accounts"), &mut Kept::default());
    assert_eq!(error, Err(SourceError::TimeLimit(1)));
}

#[test]
fn a_server_that_stands_still_is_left_at_the_time_limit() {
    /// Lets the server stand still as soon as there is an account.
    struct Stopping<'s>(Option<&'s Postgres>);
    impl AccountSink for Stopping<'_> {
        fn push(&mut self, _: Account<'_>) -> Result<(), PortError> {
            if let Some(server) = self.0.take() {
                server.stand_still("STOP");
            }
            Ok(())
        }
    }
    let server = Postgres::start();
    let address = server.address("owner", "wiki");
    let text = format!(
        "[accounts]\ndatabase = '{address}'\ntime_limit = 2\nquery = 'select i as identity from generate_series(1, 3000000) i'\n\
         [[dimension]]\nname = 'pages'\nquery = 'select 1'\ntime_limit = 2\n"
    );
    let config = config(Path::new("/"), &text);
    let begun = Instant::now();
    // In the middle of its rows, and then for whoever connects.
    for _ in 0..2 {
        let read = accounts::read(config.accounts.as_ref().expect("accounts"), &mut Stopping(Some(&server)));
        assert_eq!(read, Err(SourceError::TimeLimit(2)));
    }
    assert_eq!(accounts::measure(&config.dimensions[0]), Err(SourceError::TimeLimit(2)));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn of_several_hosts_one_that_stands_still_keeps_nobody_from_the_others() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("its address").port();
    let address = SERVER.address("owner", "wiki").replace("host=", "host=127.0.0.1,");
    let address = address.replace("port=", &format!("port={port},"));
    assert_eq!(read_at(&address, "select 'ann' as identity").expect("the accounts"), ["ann al- unknown"]);
}

#[test]
fn a_dimension_is_one_number() {
    let address = SERVER.address("owner", "wiki");
    let dimension =
        |name, query| format!("[[dimension]]\nname = '{name}'\ndatabase = '{address}'\nquery = '{query}'\n");
    let text = [
        dimension("pages", "select count(*) from generate_series(1, 7)"),
        dimension("decimal", "select 7::numeric(9, 0);"),
        dimension("none", "select 1 where false"),
        dimension("two", "select generate_series(1, 2)"),
        dimension("negative", "select -1"),
        dimension("null", "select null"),
    ]
    .concat();
    let measured = ConfiguredProduct::new(config(Path::new("/"), &text)).measure();
    let numbers: Vec<Option<u64>> = measured.into_iter().map(|(_, result)| result.ok()).collect();
    assert_eq!(numbers, [Some(7), Some(7), None, None, None, None]);
}

#[test]
fn a_connection_by_tls_needs_a_certificate_that_is_trusted() {
    let address = |rest| format!("postgres://owner@127.0.0.1:{}/wiki?{rest}", SERVER.port);
    let error = read_at(&address("sslmode=require"), "select 1 as identity").expect_err("a server without TLS");
    assert_eq!(error.code(), "source-unreachable");
    assert!(error.to_string().ends_with("server does not support TLS"), "{error}");
}

#[test]
fn a_connection_by_tls_is_made_to_a_server_whose_authority_is_named() {
    let certificates = support::server::certificates();
    support::postgres::give_to_server(certificates.path());
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificates.path().join("server.pem").display()),
        format!("ssl_key_file={}", certificates.path().join("server.key").display()),
    ];
    let server = Postgres::start_with(&settings.each_ref().map(String::as_str));
    server.execute("CREATE ROLE remote LOGIN PASSWORD 'hunter2'");
    std::fs::write(certificates.path().join("password"), "hunter2").expect("the password");
    let read = |host: &str, ca_file: &str| {
        let text = format!(
            "[accounts]\ndatabase = 'postgres://remote@{host}:{}/wiki?sslmode=require'\npassword_file = 'password'\n\
             {ca_file}\nquery = 'select ssl::text || version as identity from pg_stat_ssl where pid = pg_backend_pid()'\n",
            server.port
        );
        let mut kept = Kept::default();
        accounts::read(config(certificates.path(), &text).accounts.as_ref().expect("accounts"), &mut kept)?;
        Ok::<_, SourceError>(kept.0)
    };
    assert_eq!(read("127.0.0.1", "tls_ca_file = 'ca.pem'").expect("a connection"), ["trueTLSv1.3 al- unknown"]);
    let error = read("127.0.0.1", "").expect_err("an authority that nobody trusts");
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    let error = read("localhost", "tls_ca_file = 'ca.pem'").expect_err("a name that is not in the certificate");
    assert!(error.to_string().contains("not valid for name"), "{error}");
}
