//! What people and machines see on standard output: text with colour on a terminal, or one JSON value.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Failure;

/// Where the result of a command goes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Whether a machine reads it.
    pub json: bool,
}

impl Output {
    /// Shows `value` as JSON, or else the text that `page` writes.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn show(&self, value: &impl Serialize, page: impl FnOnce(&mut Page)) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string_pretty(value).map_err(|error| Failure::of("output", &error))?;
            return write(&format!("{json}\n"));
        }
        let mut text = Page::default();
        page(&mut text);
        write(&text.0)
    }

    /// Shows a document as it is, the same for people and machines.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn raw(&self, document: &str) -> Result<(), Failure> {
        write(document)
    }

    /// Shows how the command failed: a line for people on standard error, and the same as JSON for machines.
    pub fn fail(&self, failure: &Failure) {
        tell(format_args!("{}error:{:#} {} [{}]\n", BAD, BAD, failure.message, failure.code));
        if self.json && !failure.is_shown {
            let error = serde_json::json!({ "error": { "code": failure.code, "message": failure.message } });
            // There is nowhere left to complain to.
            let _ = write(&format!("{error:#}\n"));
        }
    }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read the output has seen enough of it.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::of("output", &error)),
    }
}

/// Tells of something that is not as it should be, and is no reason to stop.
pub fn warn(code: &str, message: impl Display) {
    let Failure { message, .. } = Failure::new(code, message.to_string());
    tell(format_args!("{}warning:{:#} {message} [{code}]\n", ATTENTION, ATTENTION));
}

/// Tells something beside the result, on standard error, at once. Where it cannot be written, such as to a file on a full
/// disk, there is nobody to hear it, and the command goes on all the same.
pub fn tell(text: impl Display) {
    let mut beside = anstream::stderr().lock();
    let _ = write!(beside, "{text}").and_then(|()| beside.flush());
}

/// The style of what is in order.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// The style of what needs attention.
pub const ATTENTION: Style = AnsiColor::Yellow.on_default().bold();
/// The style of what is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of what stands beside.
const FAINT: Style = Style::new().dimmed();

/// Text for people.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// A line.
    pub fn line(&mut self, text: impl Display) {
        // Writing into a string does not fail, here and below.
        let _ = writeln!(self.0, "{text}");
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.0.push('\n');
    }

    /// A name and what it is, the names aligned.
    pub fn fact(&mut self, name: &str, value: impl Display) {
        let _ = writeln!(self.0, "{FAINT}{name:<14}{FAINT:#}{value}");
    }

    /// A table, its columns as wide as they need to be.
    pub fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        let cell = |row: &[String], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
        let widths: Vec<usize> = (0..heads.len())
            .map(|column| rows.iter().map(|row| cell(row, column)).max().unwrap_or(0).max(heads[column].len()))
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let _ = writeln!(self.0, "{FAINT}{}{FAINT:#}", line(&mut heads.iter().copied()));
        for row in rows {
            let _ = writeln!(self.0, "{}", line(&mut row.iter().map(String::as_str)));
        }
    }
}

impl Page {
    /// The text, with its styles.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// `text` in a style, where the terminal shows styles.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A time as people read it, in UTC.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A time, and how far it is from `now` in days.
pub fn time_from(at: Timestamp, now: Timestamp) -> String {
    let days = |from: Timestamp, to: Timestamp| to.duration_since(from).as_hours() / 24;
    match (days(now, at), days(at, now)) {
        (1.., _) if days(now, at) == 1 => format!("{} (1 day left)", time(at)),
        (left @ 1.., _) => format!("{} ({left} days left)", time(at)),
        (_, 1) => format!("{} (1 day ago)", time(at)),
        (_, ago @ 1..) => format!("{} ({ago} days ago)", time(at)),
        _ => format!("{} (within a day)", time(at)),
    }
}

/// A count with its thousands set apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things, such as `1 report` and `2 reports`.
pub fn count_of(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", count(number as u64), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_its_thousands_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!([0, 1, 1000].map(|number| count_of(number, "report")), ["0 reports", "1 report", "1,000 reports"]);
    }

    #[test]
    fn a_time_says_how_far_it_is() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let from = |text: &str| time_from(text.parse().expect("a time"), now);
        assert_eq!(from("2026-05-01T12:00:00Z"), "2026-05-01 12:00 UTC (61 days left)");
        assert_eq!(from("2026-03-02T12:00:00Z"), "2026-03-02 12:00 UTC (1 day left)");
        assert_eq!(from("2026-03-01T13:00:00Z"), "2026-03-01 13:00 UTC (within a day)");
        assert_eq!(from("2026-02-27T12:00:00Z"), "2026-02-27 12:00 UTC (2 days ago)");
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let mut page = Page::default();
        page.table(&["A", "BB"], &[vec!["xyz".to_owned(), "1".to_owned()]]);
        assert_eq!(anstream::adapter::strip_str(&page.0).to_string(), "A    BB\nxyz  1\n");
    }
}
