//! Reports that are not true, and calls that break the contract: each is refused with its rule.

use seatline_host::sandbox::Limits;
use seatline_protocol::text;

use crate::stage::run;

/// The lines of the journal, each `what: answer`.
fn answers(name: &str) -> (Vec<String>, seatline_host::sandbox::Submission) {
    let record = run(name, Limits { submits: 100, passes: 10, ..Limits::default() });
    let lines = record.journal.into_iter().map(|line| line.text).collect();
    (lines, record.result.expect("the last report was honest"))
}

#[test]
fn b7_a_report_that_the_host_knows_to_be_untrue_is_refused_with_its_rule() {
    let (told, submission) = answers("liar");
    assert_eq!(
        told,
        [
            "before any pass: accounts: no pass over the accounts was completed in this run",
            "licenses unseen: licenses: `licensing.licenses` was not asked in this run",
            "one too many: accounts.total: 11, but the host gave 10",
            "classes short: accounts: the classes must add up to the total, and dormant be at most counted",
            "classes overflow: accounts: the classes must add up to the total, and dormant be at most counted",
            "dormant beyond counted: accounts: the classes must add up to the total, and dormant be at most counted",
            "another rule: accounts.counting: the settings demand `account`",
            "never signed in: accounts.never-signed-in: must be 0 with the rule `account`",
            "an altered license: licenses: not as `licensing.licenses` gave them; report them unaltered, or none",
            "a license too few: licenses: not as `licensing.licenses` gave them; report them unaltered, or none",
            "users measured: measurements: `users` is counted from the accounts",
            "a bad name: measurements: `Lines of Code`: a dimension must be 1 to 64 characters of a-z 0-9 - _ . that \
             start with a letter",
            "measured twice: measurements: `lines` is there twice",
            "too many measurements: measurements: at most 64",
            "free bytes: people: not a compact theta sketch",
            "a giant sketch: people: at most 65536 bytes",
            "a sketch of nobody: people: a sketch goes with the accounts that it was made of",
            "a long note: notes: at most 200 characters",
            "many notes: omissions and notes: at most 16 each",
            "a long subject: omissions: a subject: at most 64 characters",
        ]
    );
    assert!(told.iter().all(|line| text::is_line(line, 400)));
    assert_eq!(submission.collected.notes, ["one [31mline"], "a note is cleaned");
    assert!(!submission.read_licenses, "they were read, and not reported");
}

#[test]
fn a_page_is_refused_where_the_contract_does_not_allow_it_and_the_pass_goes_on() {
    let (told, submission) = answers("bad-cursor");
    assert_eq!(
        told,
        [
            "no accounts: invalid: max-accounts: from 1 to 65536",
            "too many accounts: invalid: max-accounts: from 1 to 65536",
            "a cursor before any pass: invalid: cursor: not that of the page before",
            "a cursor from nowhere: invalid: cursor: not that of the page before",
            "the cursor before: invalid: cursor: not that of the page before",
            "pages of 1 1 1",
        ]
    );
    assert_eq!(submission.collected.accounts.expect("counts").total, 10);
}
