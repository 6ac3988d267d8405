//! Several servers on one PostgreSQL are one server; what happens to it, or to one of them, loses nothing.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use seatline_protocol::ExchangeRequest;
use seatline_tests::postgres::Postgres;
use serde_json::json;
use support::stream::{Stream, is_whole, pair};
use support::{Central, PASSWORD, agent, send};

/// The server of the stories that leave it as it is.
static SERVER: LazyLock<Postgres> = LazyLock::new(|| Postgres::start_with(&["max_connections=100"]));

/// The address of a new database on `server`.
fn database(server: &Postgres) -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let name = format!("central_{}", MADE.fetch_add(1, Ordering::Relaxed));
    server.execute(&format!("CREATE DATABASE {name}"));
    server.address("owner", &name)
}

/// The cookie of `ada`, who signs in at a server.
fn signed_in(central: &Central) -> String {
    let form = [("name", "ada"), ("password", PASSWORD)];
    let response = agent().post(format!("{}/sign-in", central.url())).send_form(form).expect("answered");
    assert_eq!(response.status(), 303);
    let cookie = response.headers()["set-cookie"].to_str().expect("text");
    cookie.split(';').next().expect("its value").to_owned()
}

fn page(central: &Central, cookie: &str) -> u16 {
    let page = agent().get(format!("{}/applications", central.url())).header("Cookie", cookie).call();
    page.expect("answered").status().as_u16()
}

#[test]
fn two_replicas_are_one_server() {
    let one = Central::started_on(&database(&SERVER));
    let mut other = one.replica();
    other.start();
    let mut product = one.linked("Company wiki", 1);
    let link = product.link.clone().expect("linked");

    let first = product.report(10);
    let second = product.report(11);
    for (central, report) in [(&one, &first), (&other, &second)] {
        let response = product.send(central, std::slice::from_ref(report));
        assert_eq!(product.take(&response), []);
    }
    let receipts = product.receipts.clone();
    let again = product.send(&other, &[first, second]);
    product.take(&again);
    assert_eq!(product.receipts[2..], receipts[..], "the receipts are those of the first time, wherever that was");
    assert_eq!(other.api(&format!("/api/v1/links/{link}"))["chain"]["stored"], 2);

    let cookie = signed_in(&one);
    assert_eq!([page(&one, &cookie), page(&other, &cookie)], [200, 200], "a session is good at either");

    one.json(&["link", "settings", link.as_str(), "--interval", "600"]);
    let third = product.report(12);
    let response = product.send(&other, &[third]);
    product.take(&response);
    assert_eq!(product.settings.as_ref().map(|settings| settings.interval), Some(600), "with the next exchange");

    // The other has looked up who sends, and knows the link: it must not go by that.
    let suspended = one.request("POST", &format!("/api/v1/links/{link}/suspend"), None);
    assert_eq!(suspended.status(), 200);
    let fourth = product.report(13);
    assert_eq!(product.refused(&other, &[fourth]), ["link-suspended"], "at once, at either");

    one.input(&["admin", "password", "ada", "--password-stdin"], "another battery staple");
    assert_eq!([page(&one, &cookie), page(&other, &cookie)], [303, 303], "a session that was ended is over at either");
}

#[test]
fn b2_one_report_at_two_replicas_at_once_has_one_receipt() {
    let one = Central::started_on(&database(&SERVER));
    let mut other = one.replica();
    other.start();
    let mut product = one.linked("Company wiki", 2);
    for round in 0..20 {
        let report = product.report(round);
        let request = ExchangeRequest { reports: vec![report], ..Default::default() };
        let answers = thread::scope(|scope| {
            let sent = [&one, &other, &one, &other].map(|central| scope.spawn(|| send(central, &request)));
            sent.map(|sent| sent.join().expect("answered"))
        });
        for answer in &answers {
            assert_eq!(product.take(answer), []);
        }
        let receipts = product.receipts.split_off(product.receipts.len() - 4);
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "one receipt: {receipts:?}");
        product.receipts.push(receipts[0].clone());
    }
    let link = product.link.clone().expect("linked");
    let chain = &one.api(&format!("/api/v1/links/{link}"))["chain"];
    assert_eq!((&chain["stored"], &chain["gaps"], &chain["forks"]), (&json!(20), &json!([]), &json!(0)));
}

#[test]
fn a_replica_that_ends_gives_its_jobs_back_before_its_last_answer() {
    let mut one = Central::started_on(&database(&SERVER));
    let holder = |central: &Central| {
        let jobs = central.api("/api/v1/jobs");
        let review = jobs.as_array().expect("a list").iter().find(|job| job["name"] == "review").cloned();
        review.map(|job| job["holder"].clone())
    };
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
            thread::yield_now();
        }
    };
    until("the review begins", &|| holder(&one).is_some());
    let first = holder(&one);
    let mut other = one.replica();
    other.start();

    // A question that is not asked to its end: the server waits for the rest of it.
    let mut open = TcpStream::connect(one.url().trim_start_matches("http://")).expect("connected");
    open.write_all(b"POST /link/v1/exchange HTTP/1.1\r\nHost: central\r\nContent-Length: 2\r\n\r\n{").expect("sent");
    assert_eq!(holder(&one), first, "it is the one that was first");
    one.tell_to_end();
    until("the other one goes on with the review", &|| holder(&other) != first);
    open.write_all(b"}").expect("sent");
    let mut answer = String::new();
    open.read_to_string(&mut answer).expect("it is answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "the first one has not ended before: {answer:?}");
    assert_eq!(one.end(), Some(0));
}

#[test]
fn replicas_that_begin_at_once_make_the_tables_once() {
    let database = database(&SERVER);
    let begun = Central::idle();
    begun.json(&["application", "add", "Elsewhere", "--product", "wiki"]);
    let replicas: Vec<Central> = (0..4).map(|_| Central::idle_on(&database)).collect();
    // All with the same keys: which of them is first is left to chance.
    for replica in &replicas {
        begun.copy_keys(replica);
    }
    thread::scope(|scope| {
        for (n, replica) in replicas.iter().enumerate() {
            scope
                .spawn(move || replica.json(&["application", "add", &format!("Application {n}"), "--product", "wiki"]));
        }
    });
    let listed = replicas[0].json(&["application", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(4));
}

#[test]
fn a_replica_without_the_key_of_the_data_is_refused_and_makes_none() {
    let one = Central::started_on(&database(&SERVER));
    let stranger = Central::idle_on(one.database());
    assert_eq!(stranger.failure(&["application", "list"]), "no-key");
    assert!(!stranger.dir().join("central.key").exists(), "a key that nobody has pinned would be of no use");
    std::fs::copy(one.dir().join("central.key"), stranger.dir().join("central.key")).expect("a copy");
    assert_eq!(stranger.failure(&["application", "list"]), "no-key", "people are counted by the other one");
    one.copy_keys(&stranger);
    stranger.json(&["application", "list"]);
    let elsewhere = Central::idle();
    elsewhere.json(&["application", "add", "Elsewhere", "--product", "wiki"]);
    elsewhere.copy_keys(&stranger);
    assert_eq!(stranger.failure(&["application", "list"]), "invalid", "another key than the products have pinned");
    std::fs::copy(one.dir().join("central.key"), stranger.dir().join("central.key")).expect("a copy");
    let output = stranger.run(&["application", "list"]);
    let error = String::from_utf8(output.stderr).expect("text");
    assert!(
        error.contains("pseudonym.key") && error.ends_with("[invalid]\n"),
        "equal people would have other names: {error}"
    );
}

#[test]
fn commands_do_not_begin_anew_where_the_database_was_forgotten() {
    let mut central = Central::started_on(&database(&SERVER));
    central.end();
    let forgetful = |arguments: &[&str]| {
        let output = support::program().args(arguments).arg("--dir").arg(central.dir()).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    for arguments in [&["application", "list"][..], &["serve"], &["application", "add", "Wiki", "--product", "wiki"]] {
        let (status, error) = forgetful(arguments);
        assert_eq!(status, Some(1), "{error}");
        assert!(error.ends_with("[no-database]\n") && error.contains("--database"), "{error}");
    }
    assert!(!central.dir().join("central.db").exists());
}

#[test]
fn a_password_of_the_database_is_shown_nowhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("database");
    for text in [
        "postgres://seatline:hunter2@127.0.0.1:1/central",
        "postgres://seatline:hunter2@127.0.0.1:port/central",
        "mysql://seatline:hunter2@127.0.0.1/central",
        "hunter2",
    ] {
        std::fs::write(&file, text).expect("written");
        for (option, value) in [("--database", text), ("--database-file", file.to_str().expect("text"))] {
            let mut command = support::program();
            command.args(["serve", option, value, "--json", "--dir"]).arg(dir.path()).env("SEATLINE_LOG", "trace");
            let output = command.output().expect("it runs");
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(said.contains("error") && !said.contains("hunter2"), "{said}");
        }
    }
    let help = support::program().arg("--help").env("SEATLINE_CENTRAL_DATABASE", "postgres://hunter2@db/x").output();
    assert!(!String::from_utf8_lossy(&help.expect("it runs").stdout).contains("hunter2"));
}

#[test]
fn b1_every_report_with_a_receipt_is_there_after_replicas_and_the_database_were_killed() {
    let mut server = Postgres::start_with(&["max_connections=60", "synchronous_commit=off"]);
    let (mut one, mut other, mut products) = pair(&database(&server), 4);
    let stream = Stream::to(&[&one, &other]);
    stream.during(&mut products, || {
        // A crash of the database: both go on by themselves when it is there again.
        server.stop("QUIT");
        drop(server.start_again());
        stream.more(40);
        // A server is killed in the middle of its commits, again and again; the others' products go on meanwhile.
        for _ in 0..3 {
            other.kill();
            stream.more(20);
            stream.restart(&mut other);
            stream.more(20);
        }
        server.stop("INT");
        drop(server.start_again());
        stream.more(40);
    });
    products.iter_mut().for_each(|product| is_whole(product, &one));
    one.end();
}

#[test]
fn a_database_that_took_no_changes_is_written_to_when_it_does() {
    let server = Postgres::start_with(&["max_connections=60"]);
    let database = database(&server);
    let central = Central::started_on(&database);
    let mut product = central.linked("Company wiki", 3);
    // As behind an address that led to a replica for a moment: the connections that were made then stay.
    let name = database.rsplit('=').next().expect("a name");
    server.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    server.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    let report = product.report(1);
    let request = ExchangeRequest { reports: vec![report.clone()], ..Default::default() };
    let refused = agent().post(format!("{}/link/v1/exchange", central.url())).send_json(&request).expect("answered");
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    server.execute(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    let response = product.send(&central, &[report]);
    assert_eq!((product.take(&response), product.receipts.len()), (vec![], 1));
}

#[test]
fn a_database_that_stands_still_is_answered_for_by_503_and_forgotten_about_when_it_goes_on() {
    let server = Postgres::start_with(&["max_connections=60"]);
    let central = Central::started_on(&database(&server));
    let mut product = central.linked("Company wiki", 3);
    let report = product.report(1);
    server.stand_still("STOP");
    let ask = || {
        let request = ExchangeRequest { reports: vec![report.clone()], ..Default::default() };
        let begun = Instant::now();
        let response =
            agent().post(format!("{}/link/v1/exchange", central.url())).send_json(&request).expect("answered");
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        begun.elapsed()
    };
    let (first, next) = (ask(), ask());
    assert!(next < first / 2, "nobody else waits for it: {next:?} after {first:?}");
    server.stand_still("CONT");
    let deadline = Instant::now() + Duration::from_secs(60);
    let answered = loop {
        let request = ExchangeRequest { reports: vec![report.clone()], ..Default::default() };
        let mut sent =
            agent().post(format!("{}/link/v1/exchange", central.url())).send_json(&request).expect("answered");
        if sent.status() == 200 {
            break sent.body_mut().read_json().expect("JSON");
        }
        assert!(Instant::now() < deadline, "it goes on by itself");
        thread::yield_now();
    };
    assert_eq!(product.take(&answered), []);
}

#[test]
fn a_server_whose_database_is_away_says_so_and_where_it_looked() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = support::program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--dir"]).arg(dir.path());
    command.env("SEATLINE_CENTRAL_DATABASE", "postgres://seatline@127.0.0.1:1/central").stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut error = String::new();
    child.stderr.take().expect("its errors").read_to_string(&mut error).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert!(error.contains("`central` at 127.0.0.1") && error.contains("refused"), "{error}");
}
