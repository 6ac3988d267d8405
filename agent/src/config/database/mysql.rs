//! The address of a database of MySQL or MariaDB, as a URL.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// The port where none is written.
const DEFAULT_PORT: u16 = 3306;

/// A database of MySQL or MariaDB, with everything that a connection needs.
#[derive(Clone)]
pub struct MysqlAddress {
    /// Where the server listens.
    pub server: Server,
    /// Whom to sign in.
    pub user: String,
    /// The password; empty for a user without one.
    pub password: Zeroizing<String>,
    /// The database that names in the query are looked up in.
    pub database: String,
    /// Whether `sslmode` asks for TLS, or for none.
    pub tls: Option<bool>,
    /// The authority that signed the server's certificate, where it is none of the public ones: a file in PEM form.
    pub tls_ca_file: Option<PathBuf>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// At a host and port.
    Tcp(String, u16),
    /// At a socket of this machine.
    Socket(PathBuf),
}

impl MysqlAddress {
    /// The address in `text`, if it is a URL `mysql://USER@HOST:PORT/DATABASE` or `mariadb://…`, with the options
    /// `socket` and `sslmode` behind a question mark.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let rest = text.strip_prefix("mysql://").or_else(|| text.strip_prefix("mariadb://"))?;
        Some(Self::of(rest).map_err(|rule| format!("is not an address of MySQL or MariaDB: {rule}")))
    }

    /// No refusal repeats a part of the text, in which there may be a password.
    fn of(rest: &str) -> Result<Self, &'static str> {
        let (location, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = location.split_once('/').unwrap_or((location, ""));
        let (sign_in, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = sign_in.split_once(':').unwrap_or((sign_in, ""));
        if user.is_empty() || database.is_empty() {
            return Err("it must name a user and a database, as in mysql://USER@HOST/DATABASE");
        }
        let mut address = Self {
            server: Server::Tcp(String::new(), DEFAULT_PORT),
            user: decoded(user)?,
            password: Zeroizing::new(decoded(password)?),
            database: decoded(database)?,
            tls: None,
            tls_ca_file: None,
        };
        let mut socket = None;
        for (name, value) in options.split('&').filter(|option| !option.is_empty()).filter_map(|o| o.split_once('=')) {
            match (name, value) {
                ("socket", path) => socket = Some(PathBuf::from(decoded(path)?)),
                ("sslmode", "require") => address.tls = Some(true),
                ("sslmode", "disable") => address.tls = Some(false),
                ("sslmode", _) => return Err("`sslmode` must be require or disable"),
                _ => return Err("the options are `socket` and `sslmode`"),
            }
        }
        address.server = match (socket, host) {
            (Some(_), _) if address.tls == Some(true) => return Err("a socket has no TLS: leave `sslmode` out"),
            (Some(path), "" | "localhost") => Server::Socket(path),
            (Some(_), _) => return Err("it names both a host and a socket"),
            (None, "") => return Err("it must name a host, or a `socket`"),
            (None, host) => {
                let (name, port) = split_port(host).ok_or("the port is not a number")?;
                Server::Tcp(name.to_owned(), port)
            }
        };
        Ok(address)
    }
}

/// A host and its port; the address of IPv6 stands in brackets.
fn split_port(host: &str) -> Option<(&str, u16)> {
    let end_of_name = host.rfind(']').map_or(0, |at| at + 1);
    match host[end_of_name..].rfind(':') {
        None => Some((host, DEFAULT_PORT)),
        Some(at) => host[end_of_name + at + 1..].parse().ok().map(|port| (&host[..end_of_name + at], port)),
    }
}

fn decoded(text: &str) -> Result<String, &'static str> {
    percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| "it is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        MysqlAddress::parse(text).expect("a URL of MySQL").err().expect("a refusal")
    }

    #[test]
    fn a_url_names_user_host_port_and_database() {
        let address =
            MysqlAddress::parse("mysql://se%40t:p%3Aw@db.example.org:3307/wi%2Fki").expect("MySQL").expect("whole");
        assert_eq!(address.server, Server::Tcp("db.example.org".to_owned(), 3307));
        assert_eq!((address.user.as_str(), address.database.as_str()), ("se@t", "wi/ki"));
        assert_eq!((address.password.as_str(), address.tls), ("p:w", None));
        let server = |text| MysqlAddress::parse(text).expect("MySQL").expect("whole").server;
        assert_eq!(server("mariadb://u@[::1]/d"), Server::Tcp("[::1]".to_owned(), 3306));
        assert_eq!(server("mariadb://u@[::1]:3307/d?sslmode=require"), Server::Tcp("[::1]".to_owned(), 3307));
        assert_eq!(server("mysql://u@localhost/d?socket=/run/my.sock"), Server::Socket("/run/my.sock".into()));
        assert_eq!(server("mysql://u@/d?socket=/run/my.sock"), Server::Socket("/run/my.sock".into()));
        assert!(MysqlAddress::parse("postgres://u@h/d").is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_nothing_is_repeated() {
        for text in [
            "mysql://h/d",
            "mysql://u:hunter2@h",
            "mysql://u:hunter2@/d",
            "mysql://u:hunter2@h:hunter2/d",
            "mysql://u:hunter2@h/d?sslmode=hunter2",
            "mysql://u@h/d?hunter2=1",
            "mysql://u@h/d?socket=/s",
            "mysql://u@localhost/d?socket=/s&sslmode=require",
            "mysql://u@h/%ff",
        ] {
            let reason = refusal(text);
            assert!(reason.starts_with("is not an address of MySQL or MariaDB: "), "{reason}");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
