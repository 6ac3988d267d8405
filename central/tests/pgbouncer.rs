//! Two servers whose connections to PostgreSQL go through a real PgBouncer, which pools sessions.

mod support;

use std::path::Path;
use std::process::Command;

use seatline_tests::postgres::{Postgres, give_to_server};
use seatline_tests::server::{Guarded, free_port, is_root};
use support::stream::{Stream, is_whole, pair};

/// A PgBouncer before `server`, and its port; whoever comes is the owner of everything.
fn pooling(server: &Postgres) -> (Guarded, u16) {
    let dir = tempfile::Builder::new().prefix("pgbouncer").tempdir_in("/tmp").expect("a directory").keep();
    let port = free_port();
    let behind = server.address("owner", "wiki");
    let behind = behind.split(" dbname=").next().expect("host, port and user");
    let config = format!(
        "[databases]\n* = {behind}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = session\ndefault_pool_size = 20\n"
    );
    std::fs::write(dir.join("pgbouncer.ini"), config).expect("written");
    let program = Path::new("/usr/sbin/pgbouncer");
    assert!(program.is_file(), "PgBouncer is needed for this test: install Debian's package `pgbouncer`");
    let mut command = Command::new(program);
    if is_root() {
        give_to_server(&dir);
        command.args(["--user", "postgres"]);
    }
    command.arg(dir.join("pgbouncer.ini"));
    let mut guarded = Guarded::start(&dir, &command);
    guarded.wait(&dir, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (guarded, port)
}

#[test]
fn b1_sessions_that_pgbouncer_pools_serve_and_what_ends_them_loses_nothing() {
    let mut server = Postgres::start_with(&["max_connections=60", "synchronous_commit=off"]);
    let (_pooler, port) = pooling(&server);
    let (one, mut other, mut products) = pair(&format!("host=127.0.0.1 port={port} user=owner dbname=wiki"), 2);
    let stream = Stream::to(&[&one, &other]);
    stream.during(&mut products, || {
        server.stop("QUIT");
        drop(server.start_again());
        stream.more(40);
        // A session that another one had before begins as a new one does.
        other.kill();
        stream.restart(&mut other);
        stream.more(40);
    });
    products.iter_mut().for_each(|product| is_whole(product, &one));
}
