//! Small drawings beside words. They say nothing that the words do not, so assistive technology skips them.

use std::fmt;

/// A drawing of 16 by 16 units, in the colour of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A tick: in order.
    Check,
    /// An i in a circle: to know.
    Info,
    /// A triangle: needs attention.
    Warning,
    /// A cross in a circle: not in order.
    Danger,
    /// A clock: waiting.
    Clock,
    /// A person.
    Person,
    /// A plus: something new.
    Plus,
    /// A padlock: a secure session.
    Lock,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Check => "M3 8.5l3.5 3.5L13 4.5",
            Self::Info => "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M8 7.25v3.75M8 4.9v.1",
            Self::Warning => "M8 2L14.75 13.75H1.25zM8 6.5v3.25M8 11.6v.1",
            Self::Danger => {
                "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M5.75 5.75l4.5 4.5M10.25 5.75l-4.5 4.5"
            }
            Self::Clock => "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M8 4.5V8l2.25 1.75",
            Self::Person => {
                "M8 2a2.75 2.75 0 1 0 0 5.5a2.75 2.75 0 1 0 0-5.5M2.75 14c.3-3 2.4-4.5 5.25-4.5s4.95 1.5 5.25 4.5"
            }
            Self::Plus => "M8 3v10M3 8h10",
            Self::Lock => "M3.5 7.25h9v6.5h-9zM5.25 7V5a2.75 2.75 0 0 1 5.5 0v2M8 10v1.25",
        }
    }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>"#, self.path())
    }
}

impl askama::filters::HtmlSafe for Icon {}
