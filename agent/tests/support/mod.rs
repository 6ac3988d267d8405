//! What the tests of the agent share.
#![allow(dead_code, unused_imports, reason = "every test file uses its own part")]

pub mod agent;
pub mod api;
pub mod central;
pub mod endpoint;
pub mod http;
pub mod mail;
pub mod mariadb;
pub mod person;
pub mod plugin;
pub mod running;
pub mod scim;
pub mod site;
pub mod slapd;
pub mod tool;
pub mod wait;

pub use seatline_tests::{postgres, server};

use std::path::Path;

use seatline_agent::accounts::{self, SourceError};
use seatline_agent::config::Config;
use seatline_host::ports::{Account, AccountSink, LastSeen, PortError};

/// A configuration with `rest` after the product.
pub fn config(dir: &Path, rest: &str) -> Config {
    let text = format!("[product]\nid = 'acme-wiki'\nname = 'Acme Wiki'\nversion = '4.2.0'\n{rest}");
    Config::parse(&text, dir).expect("a configuration")
}

/// What the source that `text` configures gives, one line for each account.
pub fn read(dir: &Path, text: &str) -> Result<Vec<String>, SourceError> {
    let mut kept = Kept::default();
    let read = accounts::read(config(dir, text).accounts.as_ref().expect("accounts"), &mut kept)?;
    assert_eq!(read, kept.0.len() as u64);
    Ok(kept.0)
}

/// The code and the line of the refusal to read the source that `text` configures.
pub fn refusal(dir: &Path, text: &str) -> (&'static str, String) {
    let error = read(dir, text).expect_err("a refusal");
    (error.code(), error.to_string())
}

/// Keeps what a source gives, one line for each account.
#[derive(Default)]
pub struct Kept(pub Vec<String>);

impl AccountSink for Kept {
    fn push(&mut self, account: Account<'_>) -> Result<(), PortError> {
        let mark = |on, mark| if on { mark } else { '-' };
        let seen = match account.last_seen {
            LastSeen::Unknown => "unknown".to_owned(),
            LastSeen::Never => "never".to_owned(),
            LastSeen::On(day) => day.to_string(),
        };
        self.0.push(format!(
            "{} {}{}{} {seen}",
            account.identity,
            mark(account.active, 'a'),
            mark(account.licensed_access, 'l'),
            mark(account.service_account, 's'),
        ));
        Ok(())
    }
}

/// Counts, and keeps nothing.
#[derive(Default)]
pub struct Counted(pub u64);

impl AccountSink for Counted {
    fn push(&mut self, _: Account<'_>) -> Result<(), PortError> {
        self.0 += 1;
        Ok(())
    }
}
