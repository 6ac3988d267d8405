//! Several hosts in one address: the nodes of a database that is kept available, of which one takes changes at a time.
//!
//! A node that is switched off refuses at once, or not at all, as does one that stands still; then the others must not
//! wait for their turn until nobody waits for them any more. So each has a head start before the next one, and
//! whichever lets us in first is it. While one says nothing, those that did not let us in are asked again and again: it
//! may be that one of them is just being made the one that takes changes.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Connection, Socket};

use crate::address::{ConnectError, connect_error, place};
use crate::connection::silent;

/// How long a host is alone before the next one is tried too.
const HEAD_START: Duration = Duration::from_millis(500);

/// How soon those that did not let us in are asked again while another one says nothing.
const AGAIN: Duration = Duration::from_secs(1);

/// The port of PostgreSQL where nothing else is said.
const USUAL_PORT: u16 = 5432;

/// A client, and what carries its bytes.
type Connected<T> = (Client, Connection<Socket, T>);

/// Connects to the one of the hosts in `config` that lets us in, within `patience`.
///
/// # Errors
/// What is in the way at each, where none does.
pub(crate) async fn connect<T>(
    config: &Config,
    tls: T,
    patience: Duration,
) -> Result<Connected<T::Stream>, ConnectError>
where
    T: MakeTlsConnect<Socket> + Clone + Send + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let deadline = Instant::now() + patience;
    let hosts = apart(config);
    let mut next: VecDeque<usize> = (0..hosts.len()).collect();
    let (mut attempts, mut failures) = (JoinSet::new(), Vec::new());
    loop {
        if let Some(n) = next.pop_front() {
            let (host, tls) = (hosts[n].clone(), tls.clone());
            attempts.spawn(async move {
                let failure = match timeout_at(deadline, host.connect(tls)).await {
                    Ok(Ok(connected)) => return Ok(connected),
                    Ok(Err(error)) => connect_error(&error, ""),
                    Err(_) => ConnectError::Unreachable { place: String::new(), reason: silent(patience) },
                };
                Err((n, failure))
            });
        }
        let wait = if next.is_empty() { AGAIN } else { HEAD_START };
        match timeout(wait, attempts.join_next()).await {
            // The attempts at the others end with the set.
            Ok(Some(Ok(Ok(connected)))) => return Ok(connected),
            Ok(Some(Ok(Err(failure)))) => failures.push(failure),
            // An attempt that was broken off says nothing of its host.
            Ok(Some(Err(_))) => {}
            Ok(None) => return Err(none(config, failures)),
            // No answer yet: the next one begins, or those that have answered are asked again.
            Err(_) if next.is_empty() => {
                let (again, refused) = failures.into_iter().partition(|(_, failure)| is_passing(failure));
                failures = refused;
                next.extend(again.into_iter().map(|(n, _): (usize, ConnectError)| n));
            }
            Err(_) => {}
        }
    }
}

/// Whether a host that did not let us in may do so a moment later.
fn is_passing(failure: &ConnectError) -> bool {
    matches!(failure, ConnectError::Unreachable { .. })
}

/// That no host has let us in.
fn none(config: &Config, mut failures: Vec<(usize, ConnectError)>) -> ConnectError {
    if !failures.is_empty() && !failures.iter().any(|(_, failure)| is_passing(failure)) {
        return ConnectError::Refused { database: place(config) };
    }
    failures.sort_by_key(|(n, _)| *n);
    let reasons = failures.iter().map(|(n, error)| match error {
        ConnectError::Unreachable { reason, .. } if count(config) == 1 => reason.clone(),
        ConnectError::Unreachable { reason, .. } => format!("{}: {reason}", name(config, *n)),
        ConnectError::Refused { .. } => format!("{} refuses the user or the password", name(config, *n)),
    });
    let reason = reasons.collect::<Vec<_>>().join("; ");
    ConnectError::Unreachable { place: format!("the database {}", place(config)), reason }
}

/// Means, of several hosts, the one that takes changes, unless one that takes none is asked for.
pub(crate) fn mean_the_one_that_takes_changes(config: &mut Config) {
    if count(config) > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// The same for each host alone.
fn apart(config: &Config) -> Vec<Config> {
    (0..count(config)).map(|n| alone(config, n)).collect()
}

fn alone(config: &Config, n: usize) -> Config {
    let mut host = Config::new();
    match config.get_hosts().get(n) {
        Some(Host::Tcp(name)) => drop(host.host(name)),
        #[cfg(unix)]
        Some(Host::Unix(directory)) => drop(host.host_path(directory)),
        None => {}
    }
    config.get_hostaddrs().get(n).map(|address| host.hostaddr(*address));
    port(config, n).map(|port| host.port(port));
    config.get_user().map(|user| host.user(user));
    config.get_password().map(|password| host.password(password));
    config.get_dbname().map(|name| host.dbname(name));
    config.get_options().map(|options| host.options(options));
    config.get_application_name().map(|name| host.application_name(name));
    config.get_connect_timeout().map(|time| host.connect_timeout(*time));
    config.get_tcp_user_timeout().map(|time| host.tcp_user_timeout(*time));
    config.get_keepalives_interval().map(|time| host.keepalives_interval(time));
    config.get_keepalives_retries().map(|count| host.keepalives_retries(count));
    host.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    host.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    host.channel_binding(config.get_channel_binding()).load_balance_hosts(config.get_load_balance_hosts());
    host.target_session_attrs(config.get_target_session_attrs());
    host
}

/// The port of the n-th host, where it has one: one port is that of all.
fn port(config: &Config, n: usize) -> Option<u16> {
    config.get_ports().get(n).or(config.get_ports().first()).copied()
}

/// How many hosts there are.
pub(crate) fn count(config: &Config) -> usize {
    config.get_hosts().len().max(config.get_hostaddrs().len())
}

/// The n-th host, for an administrator.
pub(crate) fn host(config: &Config, n: usize) -> String {
    match config.get_hosts().get(n) {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(directory)) => directory.display().to_string(),
        None => config.get_hostaddrs().get(n).map(ToString::to_string).unwrap_or_default(),
    }
}

/// The n-th host and its port, where that is not the usual one.
pub(crate) fn name(config: &Config, n: usize) -> String {
    let host = host(config, n);
    match port(config, n) {
        Some(port) if port != USUAL_PORT => format!("{host}:{port}"),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use tokio_postgres::NoTls;

    use super::*;

    #[test]
    fn each_host_alone_has_all_that_was_said_of_it_and_of_all() {
        let said = "postgres://wiki:hunter2@pg1:1,pg2:2/central?options=-csearch_path%3Dx&connect_timeout=3&sslmode=require\
                    &keepalives_idle=7&keepalives_interval=8&keepalives_retries=9&tcp_user_timeout=6&application_name=me\
                    &channel_binding=require&sslnegotiation=direct&load_balance_hosts=random";
        let hosts = apart(&said.parse().expect("a URL"));
        let expected = [("pg1:1", "pg2:2"), ("pg2:2", "pg1:1")].map(|(this, other)| {
            let alone = said.replace(&format!("{},", other), "").replace(&format!(",{}", other), "");
            assert!(alone.contains(this));
            alone.parse::<Config>().expect("a URL")
        });
        assert_eq!(hosts, expected);
    }

    #[test]
    fn of_several_the_one_that_takes_changes_is_meant_unless_another_one_is_asked_for() {
        for (address, meant) in [
            ("host=a,b", TargetSessionAttrs::ReadWrite),
            ("host=a,b target_session_attrs=read-only", TargetSessionAttrs::ReadOnly),
            ("host=a", TargetSessionAttrs::Any),
        ] {
            let mut config: Config = address.parse().expect("options");
            mean_the_one_that_takes_changes(&mut config);
            assert!(apart(&config).iter().all(|host| host.get_target_session_attrs() == meant), "{address}");
        }
    }

    /// The port of a server that does `then` with who comes first.
    fn serving(then: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        std::thread::spawn(move || then(listener.accept().expect("somebody comes").0));
        port
    }

    #[tokio::test]
    async fn a_host_that_is_silent_keeps_no_other_waiting_and_each_says_what_is_in_the_way() {
        let (hang_up, hung_up) = std::sync::mpsc::channel::<()>();
        let silent = serving(move |visitor| {
            let _ = hung_up.recv();
            drop(visitor);
        });
        // It comes to this one while the first says nothing; only then do both hang up.
        let second = serving(move |_visitor| drop(hang_up));
        let closed = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port").port();
        let ports = format!("{silent},{second},{closed}");
        let config: Config =
            format!("host=127.0.0.1,127.0.0.1,127.0.0.1 port={ports} user=x").parse().expect("options");
        let failure = connect(&config, NoTls, Duration::from_secs(60)).await.map(drop);
        let failure = failure.expect_err("nobody is there").to_string();
        for port in [silent, second, closed] {
            assert!(failure.contains(&format!("127.0.0.1:{port}: ")), "{failure}");
        }
        assert!(failure.contains("refused"), "{failure}");
    }

    #[tokio::test]
    async fn one_that_does_not_let_us_in_is_asked_again_while_another_one_says_nothing() {
        let (hang_up, hung_up) = std::sync::mpsc::channel::<()>();
        let silent = serving(move |visitor| {
            let _ = hung_up.recv();
            drop(visitor);
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let second = listener.local_addr().expect("its address").port();
        std::thread::spawn(move || {
            // It lets nobody in; only when it is asked again, the silent one hangs up.
            let _asked: Vec<_> = listener.incoming().take(2).map(drop).collect();
            drop(hang_up);
        });
        let config: Config =
            format!("host=127.0.0.1,127.0.0.1 port={silent},{second} user=x").parse().expect("options");
        let failure = connect(&config, NoTls, Duration::from_secs(60)).await.map(drop).expect_err("nobody lets us in");
        assert!(!failure.to_string().contains("has not answered"), "{failure}");
    }

    #[tokio::test]
    async fn a_host_that_says_nothing_is_given_up_in_time() {
        let (_hold, held) = std::sync::mpsc::channel::<()>();
        let port = serving(move |visitor| {
            let _ = held.recv();
            drop(visitor);
        });
        let config: Config = format!("host=127.0.0.1 port={port} user=x").parse().expect("options");
        let failure = connect(&config, NoTls, Duration::from_secs(1)).await.map(drop).expect_err("nobody answers");
        assert!(failure.to_string().contains("has not answered for 1 second"), "{failure}");
    }
}
