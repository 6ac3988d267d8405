//! What tells of a state: banners, badges; and text to copy.

use std::fmt;

use askama::Template;

use crate::icon::Icon;

/// How good or bad something is. Words and an icon always say it too, never colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing to do.
    Good,
    /// Without judgement.
    Neutral,
    /// To know.
    Info,
    /// Needs attention.
    Warning,
    /// Not in order.
    Danger,
}

impl Tone {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Good => Icon::Check,
            Self::Neutral => Icon::Clock,
            Self::Info => Icon::Info,
            Self::Warning => Icon::Warning,
            Self::Danger => Icon::Danger,
        }
    }

    /// The word before a banner's title, for those who hear the page.
    fn spoken(self) -> &'static str {
        match self {
            Self::Good => "Done",
            Self::Neutral | Self::Info => "Note",
            Self::Warning => "Warning",
            Self::Danger => "Problem",
        }
    }
}

/// A message above the content of a page: what is the matter, why, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "banner.html")]
pub struct Banner {
    tone: Tone,
    title: String,
    lines: Vec<String>,
}

impl Banner {
    /// A banner with a title and one line of explanation, which may be empty.
    pub fn new(tone: Tone, title: impl Into<String>, line: impl Into<String>) -> Self {
        let line = line.into();
        Self { tone, title: title.into(), lines: if line.is_empty() { Vec::new() } else { vec![line] } }
    }

    /// A banner with several lines of explanation.
    pub fn list(tone: Tone, title: impl Into<String>, lines: Vec<String>) -> Self {
        Self { tone, title: title.into(), lines }
    }
}

impl askama::filters::HtmlSafe for Banner {}

/// A state in a word or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    tone: Tone,
    text: String,
}

impl Badge {
    /// A badge that says `text`.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = askama::filters::escape(&self.text, askama::filters::Html).map_err(|_| fmt::Error)?;
        write!(f, r#"<span class="badge badge-{}">{}{text}</span>"#, self.tone.name(), self.tone.icon())
    }
}

impl askama::filters::HtmlSafe for Badge {}

/// A text to copy as a whole: one click selects all of it, and a button copies it where there is JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<div class="copyable"><pre tabindex="0" role="region" aria-label="{{ label }}">{{ text }}</pre></div>"#
)]
pub struct Copyable {
    label: String,
    text: String,
}

impl Copyable {
    /// The text, and what it is called by those who hear the page.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into() }
    }
}

impl askama::filters::HtmlSafe for Copyable {}
