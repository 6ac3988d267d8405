//! What these pages call the values of the central server itself; those of the protocol are called by [`seatline_ui::words`].

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
