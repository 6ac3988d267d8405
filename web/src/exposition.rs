//! Metrics in the text format of Prometheus (version 0.0.4), which everything that collects metrics understands.
//!
//! ```
//! use seatline_web::exposition::{Exposition, Kind};
//!
//! let mut page = Exposition::default();
//! page.family("reports_total", Kind::Counter, "Reports that were made.").value(3_u64);
//! page.family("limit_max", Kind::Gauge, "What is licensed.").sample(&[("dimension", "users")], 500_u64);
//! assert!(page.into_text().ends_with("# TYPE limit_max gauge\nlimit_max{dimension=\"users\"} 500\n"));
//! ```

use std::fmt::{self, Display, Write as _};

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The media type of the format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the samples of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows, until the program starts anew; its name ends in `_total`.
    Counter,
    /// A number that comes and goes.
    Gauge,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// A page of metrics.
#[derive(Debug, Default)]
pub struct Exposition(String);

/// The samples of one name.
pub struct Family<'e> {
    text: &'e mut String,
    name: &'static str,
    kind: Kind,
    help: &'static str,
    /// Whether its head is written: a family without a sample does not stand on the page.
    begun: bool,
}

impl Exposition {
    /// A family of samples. All of them are given at once: a name stands on a page once.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        debug_assert!(!self.0.contains(&format!("# TYPE {name} ")), "{name} stands twice");
        Family { text: &mut self.0, name, kind, help, begun: false }
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// The sample without labels.
    pub fn value(&mut self, value: impl Number) -> &mut Self {
        self.sample(&[], value)
    }

    /// The sample without labels, where there is a value.
    pub fn maybe(&mut self, value: Option<impl Number>) -> &mut Self {
        if let Some(value) = value {
            self.value(value);
        }
        self
    }

    /// A sample with labels. Whatever their values hold, the page stays one that can be read.
    pub fn sample(&mut self, labels: &[(&'static str, &str)], value: impl Number) -> &mut Self {
        let (name, text) = (self.name, &mut *self.text);
        // Writing into a string does not fail.
        if !self.begun {
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", Escaped(self.help), self.kind.name());
            self.begun = true;
        }
        text.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ = write!(text, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, Escaped(value));
        }
        let _ = writeln!(text, "{} {}", if labels.is_empty() { "" } else { "}" }, value.shown());
        self
    }
}

/// What can be a value: everything that becomes a 64-bit float at the collector.
pub trait Number {
    /// The value as the format writes it.
    fn shown(&self) -> impl Display;
}

impl Number for u64 {
    fn shown(&self) -> impl Display {
        *self
    }
}

impl Number for i64 {
    fn shown(&self) -> impl Display {
        *self
    }
}

impl Number for bool {
    fn shown(&self) -> impl Display {
        u8::from(*self)
    }
}

impl Number for f64 {
    fn shown(&self) -> impl Display {
        // Its `inf` and `NaN` are words of the format as well.
        *self
    }
}

/// Text between quotes, or behind the name in `# HELP`, where an escaped quote is not wrong either.
struct Escaped<'t>(&'t str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

impl IntoResponse for Exposition {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
        (headers, self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_of_each_name_once_what_it_is() {
        let mut page = Exposition::default();
        page.family("a_total", Kind::Counter, "Things.").sample(&[("x", "1"), ("y", "2")], 3_u64).sample(&[], true);
        page.family("b_seconds", Kind::Gauge, "Time.").value(-1.5);
        page.family("c", Kind::Gauge, "Nothing.").maybe(None::<u64>);
        let text = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 3\na_total 1\n\
                    # HELP b_seconds Time.\n# TYPE b_seconds gauge\nb_seconds -1.5\n";
        assert_eq!(page.into_text(), text);
    }

    #[test]
    fn no_label_breaks_out_of_its_quotes() {
        let mut page = Exposition::default();
        page.family("a", Kind::Gauge, "A.").sample(&[("x", "\"} 1\nb{y=\"\\")], 1_u64);
        assert!(page.into_text().ends_with("\na{x=\"\\\"} 1\\nb{y=\\\"\\\\\"} 1\n"));
    }
}
