//! Lines for an administrator: notes, reasons of omissions, and what goes into the journal.

use crate::bindings::seatline::license_visibility::types::Refusal;
use crate::tally::{Counts, Rule};

/// The most characters of a reason or note, a rule of the contract.
const MAX_LINE: usize = 200;

/// What a refusal says, as one line within the contract's length.
pub fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotGranted => "the administrator has not granted it to this plugin".to_owned(),
        Refusal::Unavailable(text) | Refusal::Quota(text) | Refusal::Invalid(text) => line(text),
    }
}

/// What an administrator should know of `counts` that the numbers alone do not say.
pub fn notes(counts: &Counts, rule: Rule) -> Vec<String> {
    let mut notes = Vec::new();
    if counts.last_seen_unknown > 0 {
        notes.push(format!(
            "Of {} counted accounts the last sign-in is not known: they are not among the dormant.",
            counts.last_seen_unknown
        ));
    }
    if rule == Rule::FirstSignIn && counts.counted == 0 && counts.never_signed_in > 0 {
        notes.push(
            "Accounts count from the first sign-in, and the product tells of none: does it say who has signed in?"
                .to_owned(),
        );
    }
    notes
}

/// The counts as one line of the journal.
pub fn summary(counts: &Counts, pages: u64) -> String {
    let Counts { total, counted, deactivated, no_access, never_signed_in, service_accounts, dormant, .. } = counts;
    format!(
        "{total} accounts in {pages} pages: {counted} counted ({dormant} dormant), {deactivated} deactivated, \
         {no_access} without access, {never_signed_in} never signed in, {service_accounts} service accounts"
    )
}

/// `text` on one line, cut at the contract's length.
fn line(text: &str) -> String {
    text.chars().take(MAX_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_at_most_200_characters() {
        let reason = reason(&Refusal::Unavailable(format!("locked\n{}", "ä".repeat(300))));
        assert!(reason.starts_with("locked ää"), "{reason}");
        assert_eq!(reason.chars().count(), MAX_LINE);
    }

    #[test]
    fn a_note_tells_of_counts_that_rest_on_nothing() {
        let untold = Counts { total: 5, never_signed_in: 5, ..Counts::default() };
        assert_eq!(notes(&untold, Rule::FirstSignIn).len(), 1);
        assert_eq!(notes(&untold, Rule::Account), Vec::<String>::new());
        let unknown = Counts { total: 5, counted: 5, last_seen_unknown: 2, ..Counts::default() };
        assert!(notes(&unknown, Rule::Account)[0].starts_with("Of 2 counted accounts"));
        let longest = Counts { last_seen_unknown: u64::MAX, counted: u64::MAX, ..Counts::default() };
        assert!(notes(&longest, Rule::Account).iter().all(|note| note.chars().count() <= MAX_LINE));
    }
}
