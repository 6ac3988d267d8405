//! The sample product: *Acme Wiki*, whose SQLite database holds accounts of every class.
//!
//! The accounts are the same in every run but for the days of the last sign-in, which are counted back from today. What
//! the generator meant each account to be is counted apart from any query, so that a report can be held against it.

use std::path::Path;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::failure::{Context as _, Failure};

/// The product id, which licenses name.
pub const ID: &str = "acme-wiki";
/// The name that people know it by.
pub const NAME: &str = "Acme Wiki";
/// The version that runs.
pub const VERSION: &str = "4.2.0";

const SCHEMA: &str = "
create table users (
    id             integer primary key,
    email          text not null unique,
    name           text not null,
    kind           text not null check (kind in ('person', 'bot')),
    deactivated_at text,
    last_login_at  text
);
create table grants (
    user_id    integer not null references users (id),
    permission text not null,
    primary key (user_id, permission)
) without rowid;
create table pages (id integer primary key, title text not null);
";

/// How the agent reads the accounts.
pub const ACCOUNTS: &str = "select u.email as identity,
       u.deactivated_at is null as active,
       u.last_login_at as last_seen,
       u.kind = 'bot' as service_account,
       exists (select 1 from grants g where g.user_id = u.id and g.permission = 'use') as licensed_access
from users u";

/// How the agent counts the pages.
pub const PAGES: &str = "select count(*) from pages";

/// What was put into the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// All accounts.
    pub total: u64,
    /// People who may use the product and have signed in.
    pub used: u64,
    /// Those of them who were last here more than 90 days ago.
    pub dormant: u64,
    /// Switched off.
    pub deactivated: u64,
    /// Active, without the right to use the product.
    pub no_access: u64,
    /// May use the product, but never have.
    pub never_signed_in: u64,
    /// Machines.
    pub service_accounts: u64,
    /// The other dimension.
    pub pages: u64,
}

/// What an account is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Regular,
    Dormant,
    Deactivated,
    NoAccess,
    NeverSignedIn,
    Service,
}

impl Part {
    /// The part of the `n`-th account: of a hundred, 70 regular, 8 dormant, 9 deactivated, 6 without access, 4 never
    /// signed in, 3 machines.
    fn of(n: u64) -> Self {
        // 37 and 100 have no common divisor, so each hundred has every remainder once, well mixed.
        match n * 37 % 100 {
            0..70 => Self::Regular,
            70..78 => Self::Dormant,
            78..87 => Self::Deactivated,
            87..93 => Self::NoAccess,
            93..97 => Self::NeverSignedIn,
            _ => Self::Service,
        }
    }

    /// How many days ago the last sign-in was. Some of those who may not use the product have done so before.
    fn last_seen(self, n: u64) -> Option<Span> {
        let days = |least: u64, most: u64| {
            let span = least + n * 7 % (most - least + 1);
            i64::try_from(span).unwrap_or(i64::MAX).days()
        };
        match self {
            Self::Regular => Some(days(0, 80)),
            Self::Dormant => Some(days(100, 700)),
            Self::Deactivated | Self::NoAccess if n.is_multiple_of(2) => Some(days(0, 700)),
            Self::Service => Some(days(0, 1)),
            _ => None,
        }
    }

    /// Whether the account has the right to use the product. A deactivated one may have kept it.
    fn has_access(self, n: u64) -> bool {
        match self {
            Self::NoAccess => false,
            Self::Deactivated => n.is_multiple_of(3),
            _ => true,
        }
    }

    fn count_in(self, contents: &mut Contents) {
        contents.total += 1;
        match self {
            Self::Regular => contents.used += 1,
            Self::Dormant => {
                contents.used += 1;
                contents.dormant += 1;
            }
            Self::Deactivated => contents.deactivated += 1,
            Self::NoAccess => contents.no_access += 1,
            Self::NeverSignedIn => contents.never_signed_in += 1,
            Self::Service => contents.service_accounts += 1,
        }
    }
}

/// Makes the database at `path` with `accounts` accounts, as of `today`.
///
/// # Errors
/// When it cannot be written.
pub fn create(path: &Path, accounts: u64, today: Date) -> Result<Contents, Failure> {
    fill(path, accounts, today).context(format_args!("making the sample product's database {}", path.display()))
}

fn fill(path: &Path, accounts: u64, today: Date) -> Result<Contents, Box<dyn std::error::Error>> {
    let mut database = Connection::open(path)?;
    database.execute_batch(SCHEMA)?;
    let mut contents = Contents { pages: 1_240, ..Contents::default() };
    let transaction = database.transaction()?;
    {
        let mut user = transaction.prepare("insert into users values (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut grant = transaction.prepare("insert into grants values (?1, 'use')")?;
        let mut page = transaction.prepare("insert into pages values (?1, ?2)")?;
        for n in 0..accounts {
            let part = Part::of(n);
            part.count_in(&mut contents);
            let (email, name, kind) = who(part, n);
            let deactivated = (part == Part::Deactivated).then(|| today.saturating_sub(200.days()).to_string());
            let last_seen = part.last_seen(n).map(|ago| format!("{}T08:15:00Z", today.saturating_sub(ago)));
            user.execute(params![n, email, name, kind, deactivated, last_seen])?;
            if part.has_access(n) {
                grant.execute([n])?;
            }
        }
        for n in 0..contents.pages {
            page.execute(params![n, format!("Page {n}")])?;
        }
    }
    transaction.commit()?;
    Ok(contents)
}

/// The mail address, the name and the kind of the `n`-th account.
fn who(part: Part, n: u64) -> (String, String, &'static str) {
    const FIRST: [&str; 12] =
        ["Ada", "Bela", "Chidi", "Dunja", "Emre", "Freya", "Goran", "Hana", "Idris", "Jun", "Kaja", "Lior"];
    const LAST: [&str; 10] =
        ["Okafor", "Novak", "Silva", "Tanaka", "Weber", "Rossi", "Haddad", "Lindqvist", "Moreau", "Quispe"];
    if part == Part::Service {
        return (format!("build-{n}@bots.acme.example"), format!("Build robot {n}"), "bot");
    }
    let pick = |names: &[&'static str], salt: u64| names[(n * salt % names.len() as u64) as usize];
    let (first, last) = (pick(&FIRST, 5), pick(&LAST, 3));
    (format!("{first}.{last}{n}@acme.example"), format!("{first} {last}"), "person")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_holds_every_class_and_says_how_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wiki.db");
        let today = jiff::civil::date(2026, 3, 1);
        let contents = create(&path, 5_000, today).expect("the database");
        let parts = contents.used + contents.deactivated + contents.no_access + contents.never_signed_in;
        assert_eq!((contents.total, parts + contents.service_accounts), (5_000, 5_000));
        assert_eq!((contents.used, contents.dormant, contents.never_signed_in), (3_900, 400, 200));
        let database = Connection::open(&path).expect("the database");
        let count = |condition: &str| {
            let query = format!("select count(*) from ({ACCOUNTS}) where {condition}");
            database.query_one(&query, [], |row| row.get::<_, u64>(0)).expect("a count")
        };
        assert_eq!(count("service_account"), contents.service_accounts);
        assert_eq!(count("not service_account and not active"), contents.deactivated);
        assert_eq!(count("not service_account and active and not licensed_access"), contents.no_access);
        let seat = "not service_account and active and licensed_access";
        assert_eq!(count(&format!("{seat} and last_seen is not null")), contents.used);
        assert_eq!(count(&format!("{seat} and last_seen < '2025-12-01'")), contents.dormant);
        let pages = database.query_one(PAGES, [], |row| row.get::<_, u64>(0)).expect("a count");
        assert_eq!(pages, contents.pages);
    }
}
