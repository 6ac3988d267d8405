//! A strict reader over TOML: it knows every key of a section beforehand, and every refusal has its line.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not TOML.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A key or a section that means nothing here.
    #[error("line {line}: unknown key `{key}`{}", hint(.nearest))]
    UnknownKey {
        /// The line, from 1.
        line: usize,
        /// The key with its section, such as `accounts.querry`.
        key: String,
        /// The known key that is most like it, if one is.
        nearest: Option<String>,
    },
    /// A value that breaks the rule of its key, or a key that is missing.
    #[error("line {line}: `{key}` {rule}")]
    Value {
        /// The line, from 1.
        line: usize,
        /// The key with its section.
        key: String,
        /// What the value must be.
        rule: String,
    },
}

impl Problem {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "config-syntax",
            Self::UnknownKey { .. } => "config-unknown-key",
            Self::Value { .. } => "config-value",
        }
    }
}

fn hint(key: &Option<String>) -> String {
    key.as_ref().map(|key| format!(": did you mean `{key}`?")).unwrap_or_default()
}

/// The known key that is most like `key`; none where all are far from it.
pub fn nearest_of<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(&key.to_lowercase(), candidate);
    let (best, score) = known.iter().map(|known| (*known, likeness(known))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    (score > 0.75).then_some(best)
}

/// Parses `text`, and gives its top level to `read`.
///
/// # Errors
/// The first [`Problem`], of the syntax or of `read`.
pub fn read<T>(
    text: &str,
    known: &[&'static str],
    read: impl FnOnce(&Section<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let table = DeTable::parse(text).map_err(|error| Problem::Syntax {
        line: line_of(text, error.span().unwrap_or(0..0)),
        message: error.message().to_owned(),
    })?;
    read(&Section::over(text, table.get_ref(), table.span(), "", known)?)
}

fn line_of(text: &str, span: Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}

/// One table of a document, whose keys are all known.
pub struct Section<'d> {
    text: &'d str,
    table: &'d DeTable<'d>,
    span: Range<usize>,
    name: String,
    known: Vec<&'static str>,
}

/// A value and where it stands.
pub struct Found<'s, 'd> {
    section: &'s Section<'d>,
    key: &'static str,
    value: &'d Spanned<DeValue<'d>>,
}

impl<'d> Section<'d> {
    fn over(
        text: &'d str,
        table: &'d DeTable<'d>,
        span: Range<usize>,
        name: &str,
        known: &[&'static str],
    ) -> Result<Self, Problem> {
        let section = Self { text, table, span, name: name.to_owned(), known: known.to_vec() };
        match table.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            None => Ok(section),
            Some(key) => Err(Problem::UnknownKey {
                line: line_of(text, key.span()),
                key: section.path(key.get_ref()),
                nearest: nearest_of(key.get_ref(), known).map(|nearest| section.path(nearest)),
            }),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The value of `key`, if it is there.
    pub fn find(&self, key: &'static str) -> Option<Found<'_, 'd>> {
        debug_assert!(self.known.contains(&key), "{key} is read, and not among the known keys");
        self.table.get(key).map(|value| Found { section: self, key, value })
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn require(&self, key: &'static str) -> Result<Found<'_, 'd>, Problem> {
        self.find(key).ok_or_else(|| self.refuse(key, "is missing"))
    }

    /// A problem with `key` that only the section as a whole shows, at the section's line.
    pub fn refuse(&self, key: &str, rule: impl Display) -> Problem {
        let line = match self.table.get(key) {
            Some(value) => line_of(self.text, value.span()),
            None => line_of(self.text, self.span.clone()),
        };
        Problem::Value { line, key: self.path(key), rule: rule.to_string() }
    }
}

impl<'d> Found<'_, 'd> {
    /// A refusal of this value: `rule` continues the sentence "`key` …".
    pub fn refuse(&self, rule: impl Display) -> Problem {
        Problem::Value {
            line: line_of(self.section.text, self.value.span()),
            key: self.section.path(self.key),
            rule: rule.to_string(),
        }
    }

    fn wrong_type(&self, expected: &str) -> Problem {
        self.refuse(format_args!("must be {expected}, not {}", with_article(self.value.get_ref().type_str())))
    }

    /// The value as text.
    ///
    /// # Errors
    /// When it is no text, or blank.
    pub fn text(&self) -> Result<&'d str, Problem> {
        let text = self.value.get_ref().as_str().ok_or_else(|| self.wrong_type("a text"))?;
        if text.trim().is_empty() { Err(self.refuse("must not be empty")) } else { Ok(text) }
    }

    /// The value as a checked text, such as an id.
    ///
    /// # Errors
    /// When it is no text, or not one of its kind.
    pub fn parse<T: FromStr<Err: Display>>(&self) -> Result<T, Problem> {
        self.text()?.parse().map_err(|error| self.refuse(format_args!("is not valid: {error}")))
    }

    /// The value as a whole number in `range`.
    ///
    /// # Errors
    /// When it is no whole number, or outside.
    pub fn number(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, Problem> {
        let integer = self.value.get_ref().as_integer().ok_or_else(|| self.wrong_type("a whole number"))?;
        u64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.refuse(format_args!("must be from {} to {}", range.start(), range.end())))
    }

    /// The value as `true` or `false`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn truth(&self) -> Result<bool, Problem> {
        self.value.get_ref().as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// The value as a list of texts.
    ///
    /// # Errors
    /// When it is no list, or one of its values no text.
    pub fn texts(&self) -> Result<Vec<&'d str>, Problem> {
        let array = self.value.get_ref().as_array().ok_or_else(|| self.wrong_type("a list of texts"))?;
        array.iter().map(|value| Found { section: self.section, key: self.key, value }.text()).collect()
    }

    /// Whether the value is a text.
    pub fn is_text(&self) -> bool {
        self.value.get_ref().as_str().is_some()
    }

    /// The value as a text, or as a list of texts.
    ///
    /// # Errors
    /// When it is neither.
    pub fn text_or_texts(&self) -> Result<Vec<&'d str>, Problem> {
        if self.is_text() { self.text().map(|text| vec![text]) } else { self.texts() }
    }

    /// The value as a section with the `known` keys.
    ///
    /// # Errors
    /// When it is no section, or has an unknown key.
    pub fn section(&self, known: &[&'static str]) -> Result<Section<'d>, Problem> {
        let expected = || self.wrong_type(&format!("a section, written `[{}]`", self.key));
        let table = self.value.get_ref().as_table().ok_or_else(expected)?;
        Section::over(self.section.text, table, self.value.span(), &self.section.path(self.key), known)
    }

    /// The value as a list of sections with the `known` keys.
    ///
    /// # Errors
    /// When it is no list of sections, or one has an unknown key.
    pub fn sections(&self, known: &[&'static str]) -> Result<Vec<Section<'d>>, Problem> {
        let expected = || self.wrong_type(&format!("written `[[{}]]`", self.key));
        let array = self.value.get_ref().as_array().ok_or_else(expected)?;
        array
            .iter()
            .map(|value| {
                let table = value.get_ref().as_table().ok_or_else(expected)?;
                Section::over(self.section.text, table, value.span(), &self.section.path(self.key), known)
            })
            .collect()
    }
}

fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {type_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let known = &["product", "dimension"];
        let result = read(text, known, |top| {
            let product = top.require("product")?.section(&["id", "limit"])?;
            product.require("id")?.text()?;
            product.find("limit").map(|limit| limit.number(1..=10)).transpose()?;
            top.find("dimension").map(|list| list.sections(&["name"])).transpose().map(|_| ())
        });
        result.expect_err("a problem").to_string()
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one_and_its_line() {
        assert_eq!(
            problem("[product]\nid = 'a'\nlimt = 3"),
            "line 3: unknown key `product.limt`: did you mean `product.limit`?"
        );
        assert_eq!(problem("[prodct]\nid = 'a'"), "line 1: unknown key `prodct`: did you mean `product`?");
        assert_eq!(problem("zzz = 1"), "line 1: unknown key `zzz`");
        assert_eq!(
            problem("[product]\nid = 'a'\n[[dimension]]\nnaem = 'x'"),
            "line 4: unknown key `dimension.naem`: did you mean `dimension.name`?"
        );
    }

    #[test]
    fn a_wrong_value_names_its_key_and_its_rule() {
        assert_eq!(problem("[product]\nid = 3"), "line 2: `product.id` must be a text, not an integer");
        assert_eq!(problem("[product]\nid = ' '"), "line 2: `product.id` must not be empty");
        assert_eq!(problem("\n[product]\nlimit = 3"), "line 2: `product.id` is missing");
        assert_eq!(problem("[product]\nid = 'a'\nlimit = 11"), "line 3: `product.limit` must be from 1 to 10");
        assert_eq!(problem("[product]\nid = 'a'\nlimit = -1"), "line 3: `product.limit` must be from 1 to 10");
        assert_eq!(problem("product = 3"), "line 1: `product` must be a section, written `[product]`, not an integer");
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        assert!(problem("[product]\nid = 'a'\nid = 'b'").starts_with("line 3: duplicate key"));
        assert!(problem("[product]\nid = 'a").starts_with("line 2: "));
    }
}
