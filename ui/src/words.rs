//! What pages call things: the values of the protocol in plain words, each with its tone. Central and every product say
//! the same.

use seatline_protocol::license::Behaviour;
use seatline_protocol::standing::{Ends, LimitState, ReasonCode, Status, TimeLeft, Verdict};
use seatline_protocol::{Counting, Dimension, Kind};

use crate::format::{capitalised, counted};
use crate::gauge::Level;
use crate::signs::{Badge, Tone};

/// The verdict on a product's licenses, in a badge.
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
    let (tone, text) = status_words(status);
    Badge::new(tone, text)
}

/// What a license comes to, in a word or two.
pub fn status_text(status: Status) -> &'static str {
    status_words(status).1
}

fn status_words(status: Status) -> (Tone, &'static str) {
    match status {
        Status::Active => (Tone::Good, "Active"),
        Status::Grace => (Tone::Warning, "In grace"),
        Status::Upcoming => (Tone::Info, "Upcoming"),
        Status::Expired => (Tone::Danger, "Expired"),
        Status::NotApplicable => (Tone::Danger, "Not applicable"),
        Status::Replaced => (Tone::Neutral, "Replaced"),
    }
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
        | ReasonCode::StagingOnly
        | ReasonCode::WrongNode
        | ReasonCode::Expired
        | ReasonCode::Restricted
        | ReasonCode::OverLimit => Tone::Danger,
        ReasonCode::NotYetValid
        | ReasonCode::MaintenanceEndedBeforeRelease
        | ReasonCode::InGrace
        | ReasonCode::ServerChanged
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
        ReasonCode::StagingOnly => "License for staging",
        ReasonCode::WrongNode => "License of a node that does not run",
        ReasonCode::Expired => "License expired",
        ReasonCode::NotYetValid => "License begins later",
        ReasonCode::Restricted => "Features stopped",
        ReasonCode::OverLimit => "Over a limit",
        ReasonCode::MaintenanceEndedBeforeRelease => "Release not covered",
        ReasonCode::InGrace => "In grace",
        ReasonCode::ServerChanged => "License of the server ID before",
        ReasonCode::InAllowance => "In the allowance",
        ReasonCode::NearLimit => "Near a limit",
        ReasonCode::ExpiresSoon => "Expires soon",
        ReasonCode::MaintenanceEnded => "Maintenance ended",
        ReasonCode::MaintenanceEndsSoon => "Maintenance ends soon",
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
    capitalised(&dimension.as_str().replace(['-', '_', '.'], " "))
}

/// `312 days left`, `ended 3 days ago`: of the license itself, or of its maintenance (`c6`).
pub fn time_left(left: TimeLeft) -> String {
    let what = match left.ends {
        Ends::License => "",
        Ends::Maintenance => " of maintenance",
    };
    let count = |days: i64| counted(days.unsigned_abs(), "day", "days");
    match (left.days, left.ends) {
        (0, _) => format!("less than a day{what} left"),
        (1.., _) => format!("{}{what} left", count(left.days)),
        // Whole days are counted downwards: what ended an hour ago has -1.
        (-1, Ends::License) => "ended less than a day ago".to_owned(),
        (-1, Ends::Maintenance) => "maintenance ended less than a day ago".to_owned(),
        (_, Ends::License) => format!("ended {} ago", count(left.days + 1)),
        (_, Ends::Maintenance) => format!("maintenance ended {} ago", count(left.days + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_read_as_headings() {
        let named = |name: &str| dimension(&name.parse().expect("a dimension"));
        assert_eq!(named("lines-of-code"), "Lines of code");
        assert_eq!(named("users"), "Users");
    }

    #[test]
    fn the_time_left_says_of_what() {
        let time_left = |ends, days| time_left(TimeLeft { ends, at: jiff::Timestamp::UNIX_EPOCH, days });
        assert_eq!(time_left(Ends::License, 312), "312 days left");
        assert_eq!(time_left(Ends::Maintenance, 1), "1 day of maintenance left");
        assert_eq!(time_left(Ends::License, 0), "less than a day left");
        assert_eq!(time_left(Ends::License, -1), "ended less than a day ago");
        assert_eq!(time_left(Ends::Maintenance, -3), "maintenance ended 2 days ago");
    }
}
