//! Alerts: what is open, what is over, who is told, and what was sent.

pub mod channels;
pub mod form;
pub mod known;
pub mod list;
pub mod messages;
pub mod several;

use seatline_ui::{Tab, Tabs};

/// The pages of the alerts: a tab for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is open now.
    Open,
    /// What is over, and what has happened.
    Past,
    /// Who is told.
    Channels,
    /// What was sent.
    Messages,
}

/// The tabs, with the one that is open.
fn tabs(open: Part) -> Tabs {
    let all = [
        (Part::Open, "Open", "/alerts"),
        (Part::Past, "Past", "/alerts/past"),
        (Part::Channels, "Channels", "/alerts/channels"),
        (Part::Messages, "Messages", "/alerts/messages"),
    ];
    let tab =
        |(part, label, href): (Part, &'static str, &str)| Tab { label, href: href.to_owned(), current: part == open };
    Tabs { label: "Alerts".to_owned(), tabs: all.map(tab).into() }
}
