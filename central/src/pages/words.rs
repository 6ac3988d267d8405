//! What these pages call the values of the central server itself; those of the protocol are called by
//! [`seatline_ui::words`].

use seatline_protocol::ReceiptVerdict;
use seatline_protocol::chain::ChainState;
use seatline_ui::{Badge, Tone};

use crate::domain::{LinkState, Trouble};

/// A trouble's tone, and its title in a few words.
pub fn trouble(trouble: &Trouble) -> (Tone, &'static str) {
    match trouble.code {
        "not-linked" => (Tone::Info, "No product is linked yet"),
        "never-reported" => (Tone::Info, "No report has come yet"),
        "link-suspended" => (Tone::Danger, "The link is suspended"),
        "fork" => (Tone::Danger, "The chain of reports is forked"),
        "server-id-changed" => (Tone::Warning, "The server ID has changed"),
        "staging-copy" => (Tone::Info, "A staging copy holds this link"),
        "other-product" => (Tone::Danger, "Another product is linked"),
        "over-quota" => (Tone::Danger, "More reports come than a day has room for"),
        "too-many-keys" => (Tone::Danger, "The key of the link was replaced too often"),
        "past-report" => (Tone::Warning, "Reports say that they are older than the link"),
        "too-many-documents" => (Tone::Warning, "More documents come than any product sends"),
        "overdue" => (Tone::Warning, "Reports are overdue"),
        "run-failed" => (Tone::Warning, "The last run failed"),
        "gap" => (Tone::Warning, "Reports are missing"),
        "verdict-outdated" => (Tone::Info, "The verdict may be out of date"),
        _ => (Tone::Warning, "Something is wrong"),
    }
}

/// What a link may do, in a badge.
pub fn link_state(state: LinkState) -> Badge {
    match state {
        LinkState::Pending => Badge::new(Tone::Neutral, "Waits for approval"),
        LinkState::Approved => Badge::new(Tone::Good, "Approved"),
        LinkState::Suspended => Badge::new(Tone::Danger, "Suspended"),
    }
}

/// How the reports of a link follow one another, in a badge.
pub fn chain(state: ChainState) -> Badge {
    match state {
        ChainState::Whole => Badge::new(Tone::Good, "Whole"),
        ChainState::Gap => Badge::new(Tone::Warning, "Gap"),
        ChainState::Rollback => Badge::new(Tone::Danger, "Rolled back"),
        ChainState::Fork => Badge::new(Tone::Danger, "Forked"),
    }
}

/// How a report fitted the chain, in a badge.
pub fn receipt(verdict: ReceiptVerdict) -> Badge {
    match verdict {
        ReceiptVerdict::Chained => Badge::new(Tone::Good, "Follows"),
        ReceiptVerdict::AfterGap => Badge::new(Tone::Warning, "After a gap"),
    }
}

/// By what browsers are known. The order matters: most also name those that they descend from.
const BROWSERS: [(&str, &str); 5] =
    [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
/// By what systems are known.
const SYSTEMS: [(&str, &str); 6] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// What a browser calls itself, in the words of whoever uses it. What is not known stays as it is.
pub fn browser(says: &str) -> String {
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| says.contains(mark)).map(|(_, name)| *name);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) if says.is_empty() => "A browser that does not say".to_owned(),
        (None, _) => says.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g11_a_session_is_told_by_the_browser_that_people_know() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36";
        for (says, words) in [
            (chrome, "Chrome on Linux"),
            (&format!("{chrome} Edg/142.0"), "Edge on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
            ("curl/8.14", "curl/8.14"),
            ("", "A browser that does not say"),
        ] {
            assert_eq!(browser(says), words);
        }
    }
}
