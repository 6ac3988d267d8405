//! What tells of a state: banners, badges; and text to copy.

use std::fmt;

use askama::Template;

use crate::format::capitalised;
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
    /// Its name in the stylesheet: `text-danger` colours a text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    /// The drawing that goes with it.
    pub fn icon(self) -> Icon {
        match self {
            Self::Good => Icon::Check,
            Self::Neutral => Icon::Clock,
            Self::Info => Icon::Info,
            Self::Warning => Icon::Warning,
            Self::Danger => Icon::Danger,
        }
    }

    /// The word before a banner's title, for those who hear the page.
    pub(crate) fn spoken(self) -> &'static str {
        match self {
            Self::Good => "Done",
            Self::Neutral | Self::Info => "Note",
            Self::Warning => "Warning",
            Self::Danger => "Problem",
        }
    }
}

/// A sentence for people, in which what stands between backticks is code: `` run `seatline sync` there ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prose(String);

impl Prose {
    /// The text as a sentence: it begins with a capital letter and ends with a full stop.
    pub fn sentence(text: &str) -> Self {
        let mut sentence = capitalised(text);
        if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?', '…']) {
            sentence.push('.');
        }
        Self(sentence)
    }
}

impl Prose {
    /// The text as it is: no part of it is code.
    pub fn plain(text: &str) -> Self {
        Self(text.replace('`', "'"))
    }

    /// The text as it was written.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl From<&str> for Prose {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        // An even number of parts means that one backtick has no partner: then all of them are only characters.
        let paired = parts.len() % 2 == 1;
        for (i, part) in parts.into_iter().enumerate() {
            let text = askama::filters::escape(part, askama::filters::Html).map_err(|_| fmt::Error)?;
            match i {
                0 => write!(f, "{text}")?,
                _ if !paired => write!(f, "`{text}")?,
                _ if i % 2 == 1 => write!(f, "<code>{text}</code>")?,
                _ => write!(f, "{text}")?,
            }
        }
        Ok(())
    }
}

impl askama::filters::HtmlSafe for Prose {}

/// A message above the content of a page: what is the matter, why, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "banner.html")]
pub struct Banner {
    tone: Tone,
    title: String,
    lines: Vec<Prose>,
}

impl Banner {
    /// A banner with a title and one line of explanation, which may be empty.
    pub fn new(tone: Tone, title: impl Into<String>, line: impl Into<Prose>) -> Self {
        let lines = Some(line.into()).filter(|line| !line.0.is_empty());
        Self { tone, title: title.into(), lines: lines.into_iter().collect() }
    }

    /// A banner with several lines of explanation.
    pub fn list(tone: Tone, title: impl Into<String>, lines: Vec<Prose>) -> Self {
        Self { tone, title: title.into(), lines }
    }

    /// How grave it is: the gravest stand first.
    pub fn tone(&self) -> Tone {
        self.tone
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
    source = r#"<div class="copyable{% if is_prose %} copyable-prose{% endif %}"><pre tabindex="0" role="region" aria-label="{{ label }}">{{ text }}</pre></div>"#
)]
pub struct Copyable {
    label: String,
    text: String,
    is_prose: bool,
}

impl Copyable {
    /// The text, and what it is called by those who hear the page.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into(), is_prose: false }
    }

    /// The same for lines of words, which break between words alone.
    pub fn prose(self) -> Self {
        Self { is_prose: true, ..self }
    }
}

impl askama::filters::HtmlSafe for Copyable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_the_rest_is_escaped() {
        let cases = [
            ("run `seatline sync` there", "Run <code>seatline sync</code> there."),
            ("a `<b>` & `c`", "A <code>&#60;b&#62;</code> &#38; <code>c</code>."),
            ("one ` alone, and `two`", "One ` alone, and `two`."),
            ("done!", "Done!"),
            ("", ""),
        ];
        for (text, html) in cases {
            assert_eq!(Prose::sentence(text).to_string(), html);
        }
    }
}
