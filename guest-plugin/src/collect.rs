//! One run: what the host gives is gathered into one report. What it refuses is left out, and the report says so.

use crate::bindings::seatline::license_visibility::accounts::Page;
use crate::bindings::seatline::license_visibility::application_link::Settings;
use crate::bindings::seatline::license_visibility::journal::Level;
use crate::bindings::seatline::license_visibility::types::{
    AccountCounts, CountingRule, License, Measurement, Omission, Refusal, Report,
};
use crate::remarks;
use crate::tally::{Rule, Tally};

/// The accounts that are asked for at once: 104 KiB of columns.
const PAGE: u32 = 8_192;

/// The host as a run sees it: the imports of the contract.
pub trait Host {
    /// `application-link.current-settings`.
    fn settings(&mut self) -> Result<Settings, Refusal>;
    /// `accounts.next-page`.
    fn accounts(&mut self, cursor: Option<u64>, max: u32) -> Result<Page, Refusal>;
    /// `usage.measure`.
    fn measurements(&mut self) -> Result<Vec<Measurement>, Refusal>;
    /// `licensing.licenses`.
    fn licenses(&mut self) -> Result<Vec<License>, Refusal>;
    /// `application-link.submit`.
    fn submit(&mut self, report: Report) -> Result<(), Refusal>;
    /// `journal.log`.
    fn log(&mut self, level: Level, line: &str);
}

/// Collects and submits. `today` is a day.
///
/// # Errors
/// One line for an administrator, when the host does not take the report.
pub fn run(host: &mut impl Host, today: u32) -> Result<(), String> {
    let mut omissions = Omissions(Vec::new());
    let counted = host
        .settings()
        .map_err(|refusal| ("application-link", remarks::reason(&refusal)))
        .and_then(|settings| count(host, &settings, today).map_err(|reason| ("accounts", reason)));
    let (accounts, people, notes) = match counted {
        Ok(Counted { accounts, people, notes }) => (Some(accounts), Some(people), notes),
        Err((subject, reason)) => {
            omissions.add(host, subject, reason);
            (None, None, Vec::new())
        }
    };
    let measurements = host.measurements().unwrap_or_else(|refusal| omissions.refused(host, "usage", &refusal));
    let licenses = host.licenses().unwrap_or_else(|refusal| omissions.refused(host, "licensing", &refusal));
    host.log(Level::Debug, &format!("{} other dimensions, {} licenses", measurements.len(), licenses.len()));
    let report = Report { accounts, measurements, licenses, people, omissions: omissions.0, notes };
    host.submit(report).map_err(|refusal| format!("the report was not taken: {}", remarks::reason(&refusal)))
}

/// What one complete pass through the accounts came to.
struct Counted {
    accounts: AccountCounts,
    people: Vec<u8>,
    notes: Vec<String>,
}

/// Counts all accounts in one pass, or gives the reason why there is no count: part of a pass is never reported.
fn count(host: &mut impl Host, settings: &Settings, today: u32) -> Result<Counted, String> {
    let rule = match settings.counting {
        CountingRule::Account => Rule::Account,
        CountingRule::FirstSignIn => Rule::FirstSignIn,
    };
    let mut tally = Tally::new(rule, today, settings.dormancy_days);
    let mut cursor = None;
    let mut pages = 0;
    loop {
        let page = host.accounts(cursor, PAGE).map_err(|refusal| remarks::reason(&refusal))?;
        let added = tally.add(&page.pseudonyms, &page.states, &page.last_seen);
        added.map_err(|_| "the host gave a page whose columns differ in length".to_owned())?;
        pages += 1;
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let counts = tally.counts();
    host.log(Level::Info, &remarks::summary(&counts, pages));
    let accounts = AccountCounts {
        total: counts.total,
        counted: counts.counted,
        deactivated: counts.deactivated,
        no_access: counts.no_access,
        never_signed_in: counts.never_signed_in,
        service_accounts: counts.service_accounts,
        dormant: counts.dormant,
        counting: settings.counting,
    };
    Ok(Counted { accounts, people: tally.people(), notes: remarks::notes(&counts, rule) })
}

/// What is missing from the report, and why.
struct Omissions(Vec<Omission>);

impl Omissions {
    fn add(&mut self, host: &mut impl Host, subject: &str, reason: String) {
        host.log(Level::Warn, &format!("{subject} is left out: {reason}"));
        self.0.push(Omission { subject: subject.to_owned(), reason });
    }

    /// Notes the refusal, and gives the empty list that stands in the report instead.
    fn refused<T>(&mut self, host: &mut impl Host, subject: &str, refusal: &Refusal) -> Vec<T> {
        self.add(host, subject, remarks::reason(refusal));
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::seatline::license_visibility::types::{LicenseKind, LicenseStatus};

    /// A host that answers from memory, and refuses what it is told to.
    #[derive(Default)]
    struct Memory {
        accounts: Vec<(u64, u8, u32)>,
        /// The page, from 0, at which the product fails.
        fails_at: Option<u64>,
        refuses: &'static [&'static str],
        asked: Vec<(Option<u64>, u32)>,
        submitted: Vec<Report>,
        log: Vec<String>,
    }

    impl Memory {
        fn of(accounts: impl IntoIterator<Item = (u64, u8, u32)>) -> Self {
            Self { accounts: accounts.into_iter().collect(), ..Self::default() }
        }

        fn granted(&self, interface: &str) -> Result<(), Refusal> {
            if self.refuses.contains(&interface) { Err(Refusal::NotGranted) } else { Ok(()) }
        }

        fn report(mut self) -> Report {
            run(&mut self, 20_000).expect("the report is taken");
            assert_eq!(self.submitted.len(), 1, "a run submits one report");
            self.submitted.remove(0)
        }
    }

    impl Host for Memory {
        fn settings(&mut self) -> Result<Settings, Refusal> {
            self.granted("settings")?;
            Ok(Settings { linked: true, interval: 3_600, dormancy_days: 90, counting: CountingRule::FirstSignIn })
        }

        fn accounts(&mut self, cursor: Option<u64>, max: u32) -> Result<Page, Refusal> {
            self.granted("accounts")?;
            self.asked.push((cursor, max));
            let page = cursor.unwrap_or(0);
            if self.fails_at == Some(page) {
                return Err(Refusal::Unavailable("the database is locked".to_owned()));
            }
            let begin = page as usize * max as usize;
            let end = self.accounts.len().min(begin + max as usize);
            let accounts = &self.accounts[begin..end];
            Ok(Page {
                pseudonyms: accounts.iter().map(|account| account.0).collect(),
                states: accounts.iter().map(|account| account.1).collect(),
                last_seen: accounts.iter().map(|account| account.2).collect(),
                next: (end < self.accounts.len()).then_some(page + 1),
            })
        }

        fn measurements(&mut self) -> Result<Vec<Measurement>, Refusal> {
            self.granted("usage")?;
            Ok(vec![Measurement { dimension: "channels".to_owned(), value: Ok(12) }])
        }

        fn licenses(&mut self) -> Result<Vec<License>, Refusal> {
            self.granted("licensing")?;
            Ok(vec![License {
                id: "L-1".to_owned(),
                product: "acme-wiki".to_owned(),
                add_on_of: None,
                edition: None,
                kind: LicenseKind::Commercial,
                licensee: "Example Ltd".to_owned(),
                limits: Vec::new(),
                features: vec!["search".to_owned()],
                expires: Some(1_800_000_000),
                maintenance_until: None,
                status: LicenseStatus::Active,
                reason: None,
            }])
        }

        fn submit(&mut self, report: Report) -> Result<(), Refusal> {
            self.granted("submit")?;
            self.submitted.push(report);
            Ok(())
        }

        fn log(&mut self, _: Level, line: &str) {
            self.log.push(line.to_owned());
        }
    }

    const USED: u8 = 7;

    #[test]
    fn a_report_holds_counts_people_measurements_and_licenses() {
        let report =
            Memory::of([(1, USED, 19_990), (2, USED, 100), (3, 3, 0), (4, 8, 0), (5, 0, 0), (6, 1, 0)]).report();
        let counts = report.accounts.expect("counts");
        assert_eq!((counts.total, counts.counted, counts.dormant), (6, 2, 1));
        assert_eq!((counts.never_signed_in, counts.service_accounts), (1, 1));
        assert_eq!((counts.deactivated, counts.no_access), (1, 1));
        assert_eq!(counts.counting, CountingRule::FirstSignIn);
        assert!(report.people.is_some_and(|sketch| !sketch.is_empty()));
        assert_eq!((report.measurements.len(), report.licenses.len(), report.omissions.len()), (1, 1, 0));
    }

    #[test]
    fn accounts_are_read_in_one_pass_of_pages_of_8192() {
        let mut host = Memory::of((0..20_000).map(|n| (n, USED, 19_999)));
        run(&mut host, 20_000).expect("the report is taken");
        assert_eq!(host.asked, [(None, 8_192), (Some(1), 8_192), (Some(2), 8_192)]);
        assert_eq!(host.submitted[0].accounts.as_ref().map(|counts| counts.total), Some(20_000));
        assert!(host.log[0].starts_with("20000 accounts in 3 pages: 20000 counted"), "{:?}", host.log);
    }

    #[test]
    fn accounts_that_fail_in_the_middle_are_left_out_whole() {
        let report = Memory { fails_at: Some(1), ..Memory::of((0..20_000).map(|n| (n, USED, 19_999))) }.report();
        assert!(report.accounts.is_none() && report.people.is_none(), "nothing of the pages before is reported");
        assert_eq!(report.omissions.len(), 1);
        assert_eq!(report.omissions[0].subject, "accounts");
        assert_eq!(report.omissions[0].reason, "the database is locked");
        assert_eq!((report.measurements.len(), report.licenses.len()), (1, 1), "the rest is reported");
    }

    #[test]
    fn what_is_not_granted_is_an_omission_and_never_a_failure() {
        let report = Memory { refuses: &["accounts", "usage", "licensing"], ..Memory::default() }.report();
        let subjects: Vec<_> = report.omissions.iter().map(|omission| omission.subject.as_str()).collect();
        assert_eq!(subjects, ["accounts", "usage", "licensing"]);
        assert!(report.omissions.iter().all(|omission| omission.reason.contains("not granted")));
    }

    #[test]
    fn without_the_counting_rule_nothing_is_counted() {
        let report = Memory { refuses: &["settings"], ..Memory::of([(1, USED, 19_990)]) }.report();
        assert!(report.accounts.is_none());
        assert_eq!(report.omissions[0].subject, "application-link");
    }

    #[test]
    fn a_report_that_the_host_does_not_take_is_an_error_of_the_run() {
        let mut host = Memory { refuses: &["submit"], ..Memory::default() };
        let error = run(&mut host, 20_000).expect_err("it cannot be submitted");
        assert!(error.starts_with("the report was not taken: "), "{error}");
    }

    #[test]
    fn a_product_without_accounts_reports_zeros() {
        let report = Memory::default().report();
        assert_eq!(report.accounts.map(|counts| counts.total), Some(0));
    }
}
