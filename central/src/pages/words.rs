//! What pages call things: the domain's values in plain words, each with its tone.

use seatline_protocol::license::Behaviour;
use seatline_protocol::standing::{LimitState, ReasonCode, Status, Verdict};
use seatline_protocol::{Counting, Dimension, Kind, ReceiptVerdict};
use seatline_ui::{Badge, Level, Tone};

use crate::domain::{LinkState, Trouble};

/// The verdict on an application's licenses, in a badge.
pub fn verdict(verdict: Option<Verdict>) -> Badge {
    match verdict {
        Some(Verdict::Licensed) => Badge::new(Tone::Good, "Licensed"),
        Some(Verdict::Attention) => Badge::new(Tone::Warning, "Needs attention"),
        Some(Verdict::Restricted) => Badge::new(Tone::Danger, "Restricted"),
        Some(Verdict::Unlicensed) => Badge::new(Tone::Danger, "Unlicensed"),
        None => Badge::new(Tone::Neutral, "Not known yet"),
    }
}

/// What a license comes to, in a badge.
pub fn status(status: Status) -> Badge {
    let (tone, text) = match status {
        Status::Active => (Tone::Good, "Active"),
        Status::Grace => (Tone::Warning, "In grace"),
        Status::Upcoming => (Tone::Info, "Upcoming"),
        Status::Expired => (Tone::Danger, "Expired"),
        Status::NotApplicable => (Tone::Danger, "Not applicable"),
        Status::Replaced => (Tone::Neutral, "Replaced"),
    };
    Badge::new(tone, text)
}

/// The kind of a license.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Commercial => "Commercial",
        Kind::Academic => "Academic",
        Kind::Community => "Community",
        Kind::Evaluation => "Evaluation (trial)",
        Kind::Staging => "Staging",
        Kind::Developer => "Developer",
    }
}

/// How a count lies to its limit, in a badge.
pub fn limit_state(state: LimitState) -> Badge {
    match state {
        LimitState::Unknown => Badge::new(Tone::Neutral, "Not counted"),
        LimitState::Within => Badge::new(Tone::Good, "Within the limit"),
        LimitState::Near => Badge::new(Tone::Warning, "Near the limit"),
        LimitState::InAllowance => Badge::new(Tone::Warning, "In the allowance"),
        LimitState::Over => Badge::new(Tone::Danger, "Over the limit"),
    }
}

/// The colour of a gauge for a limit.
pub fn level(state: LimitState) -> Level {
    match state {
        LimitState::Unknown | LimitState::Within => Level::Within,
        LimitState::Near | LimitState::InAllowance => Level::Near,
        LimitState::Over => Level::Over,
    }
}

/// What happens beyond a limit.
pub fn behaviour(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Warn => "Beyond it people are told, and nothing stops.",
        Behaviour::Restrict => "Beyond it the licensed features stop until the count is within it again.",
        Behaviour::Refuse => "Beyond it the product refuses more.",
    }
}

/// How grave a reason for a verdict is.
pub fn reason_tone(code: ReasonCode) -> Tone {
    match code {
        ReasonCode::NoLicense
        | ReasonCode::WrongProduct
        | ReasonCode::WrongEdition
        | ReasonCode::WrongServer
        | ReasonCode::Expired
        | ReasonCode::Restricted
        | ReasonCode::OverLimit => Tone::Danger,
        ReasonCode::NotYetValid
        | ReasonCode::MaintenanceEndedBeforeRelease
        | ReasonCode::InGrace
        | ReasonCode::InAllowance
        | ReasonCode::NearLimit
        | ReasonCode::ExpiresSoon
        | ReasonCode::MaintenanceEnded
        | ReasonCode::MaintenanceEndsSoon => Tone::Warning,
    }
}

/// A reason for a verdict in a few words.
pub fn reason(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::NoLicense => "No license",
        ReasonCode::WrongProduct => "License of another product",
        ReasonCode::WrongEdition => "License of another edition",
        ReasonCode::WrongServer => "License of another server",
        ReasonCode::Expired => "License expired",
        ReasonCode::NotYetValid => "License begins later",
        ReasonCode::Restricted => "Features stopped",
        ReasonCode::OverLimit => "Over a limit",
        ReasonCode::MaintenanceEndedBeforeRelease => "Release not covered",
        ReasonCode::InGrace => "In grace",
        ReasonCode::InAllowance => "In the allowance",
        ReasonCode::NearLimit => "Near a limit",
        ReasonCode::ExpiresSoon => "Expires soon",
        ReasonCode::MaintenanceEnded => "Maintenance ended",
        ReasonCode::MaintenanceEndsSoon => "Maintenance ends soon",
    }
}

/// A trouble's tone, and its title in a few words.
pub fn trouble(trouble: &Trouble) -> (Tone, &'static str) {
    match trouble.code {
        "not-linked" => (Tone::Info, "No product is linked yet"),
        "never-reported" => (Tone::Info, "No report has come yet"),
        "link-suspended" => (Tone::Danger, "The link is suspended"),
        "fork" => (Tone::Danger, "The chain of reports is forked"),
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

/// How a report fitted the chain, in a badge.
pub fn receipt(verdict: ReceiptVerdict) -> Badge {
    match verdict {
        ReceiptVerdict::Chained => Badge::new(Tone::Good, "Follows"),
        ReceiptVerdict::AfterGap => Badge::new(Tone::Warning, "After a gap"),
    }
}

/// The counting rule in words.
pub fn counting(counting: Counting) -> &'static str {
    match counting {
        Counting::Account => "every account, from its creation on",
        Counting::FirstSignIn => "an account counts from its first sign-in on",
    }
}

/// A dimension as a heading: `lines-of-code` is `Lines of code`.
pub fn dimension(dimension: &Dimension) -> String {
    sentence(&dimension.as_str().replace(['-', '_', '.'], " "))
}

/// `text` with its first letter in upper case.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_read_as_headings() {
        let named = |name: &str| dimension(&name.parse().expect("a dimension"));
        assert_eq!(named("lines-of-code"), "Lines of code");
        assert_eq!(named("users"), "Users");
        assert_eq!(sentence(""), "");
    }
}
