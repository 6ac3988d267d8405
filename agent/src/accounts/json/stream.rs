//! Reading one answer of JSON as it comes: its list of accounts one by one, and a few values beside it. Nothing else is
//! kept.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use crate::accounts::command::MAX_LINE_BYTES;
use crate::accounts::error::SourceError;
use crate::accounts::http::body_error;
use crate::accounts::{TimeLimit, short};

/// The most bytes of an account, and of everything that stands between two: as much as a line of a command may have.
const MAX_RECORD_BYTES: u64 = MAX_LINE_BYTES;
/// Stands in a path for every element of a list.
const EACH: &str = "*";

/// What is looked for in an answer.
pub struct Wanted<'w> {
    /// The way to the list; none, where there is none to be read.
    pub items: Option<&'w [String]>,
    /// The ways to single values.
    pub scalars: &'w [&'w [String]],
}

/// What was found beside the list.
pub struct Found {
    /// The single values, in the order of the ways to them.
    pub scalars: Vec<Option<String>>,
    /// Whether there was a list.
    pub has_items: bool,
}

/// Reads `body` to its end, and gives each element of the list to `element`.
///
/// # Errors
/// When it is not JSON, or an element or what is between them too large, or `element` does not go on. `rows` tells how
/// many rows came before, for messages; `place` is where the answer comes from.
pub fn read(
    body: impl Read,
    wanted: &Wanted<'_>,
    limit: TimeLimit,
    place: &str,
    rows: impl Fn() -> u64,
    element: &mut dyn FnMut(Json) -> Result<(), SourceError>,
) -> Result<Found, SourceError> {
    let meter = Rc::new(Cell::new(0));
    let mut found = Found { scalars: vec![None; wanted.scalars.len()], has_items: false };
    let mut state = State { found: &mut found, element, failed: None, meter: Rc::clone(&meter) };
    let ways: Vec<Way<'_>> = wanted
        .items
        .map(|rest| Way { target: None, rest })
        .into_iter()
        .chain(wanted.scalars.iter().enumerate().map(|(index, rest)| Way { target: Some(index), rest }))
        .collect();
    let mut json = serde_json::Deserializer::from_reader(Metered { body, meter: Rc::clone(&meter) });
    let read = Node { ways, state: &mut state }.deserialize(&mut json).and_then(|()| json.end());
    let failed = state.failed.take();
    match (read, failed) {
        (_, Some(failed)) => Err(failed),
        (Ok(()), None) => Ok(found),
        (Err(_), None) if meter.get() > MAX_RECORD_BYTES => Err(SourceError::TooLarge {
            rows: rows(),
            what: "an account, or what is beside the accounts,",
            bytes: MAX_RECORD_BYTES,
        }),
        (Err(error), None) => Err(match (error.io_error_kind(), error.is_eof()) {
            (Some(kind), _) => body_error(kind, limit, rows()),
            (None, true) => SourceError::BrokenOff { rows: rows(), reason: "the answer ended too early".to_owned() },
            // The words of the parser may quote a value; where it was cannot.
            (None, false) => SourceError::Answer(format!(
                "{} does not answer with the JSON that is expected (line {}, column {})",
                short(place),
                error.line(),
                error.column()
            )),
        }),
    }
}

/// Counts what is read since the last account.
struct Metered<R> {
    body: R,
    meter: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.meter.get() > MAX_RECORD_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.body.read(buffer)?;
        self.meter.set(self.meter.get() + read as u64);
        Ok(read)
    }
}

struct State<'s> {
    found: &'s mut Found,
    element: &'s mut dyn FnMut(Json) -> Result<(), SourceError>,
    failed: Option<SourceError>,
    meter: Rc<Cell<u64>>,
}

/// The rest of the way to something: to the list, or to the value of this index.
#[derive(Clone, Copy)]
struct Way<'w> {
    target: Option<usize>,
    rest: &'w [String],
}

/// A place of the answer that something is at or below.
struct Node<'n, 's, 'w> {
    ways: Vec<Way<'w>>,
    state: &'n mut State<'s>,
}

impl Node<'_, '_, '_> {
    /// Keeps a single value that stands here.
    fn keep(self, value: &str) {
        for way in &self.ways {
            if let (Some(index), []) = (way.target, way.rest) {
                self.state.found.scalars[index] = Some(value.to_owned());
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let inner = |way: &Way<'_>| way.rest.first().is_some_and(|name| name.eq_ignore_ascii_case(&key));
            let ways: Vec<_> =
                self.ways.iter().filter(|way| inner(way)).map(|way| Way { rest: &way.rest[1..], ..*way }).collect();
            if ways.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Node { ways, state: self.state })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.ways.iter().any(|way| way.target.is_none() && way.rest.is_empty()) {
            self.state.found.has_items = true;
            self.state.meter.set(0);
            while let Some(element) = list.next_element::<Json>()? {
                self.state.meter.set(0);
                if let Err(failed) = (self.state.element)(element) {
                    self.state.failed = Some(failed);
                    return Err(A::Error::custom("not wanted"));
                }
            }
            return Ok(());
        }
        let ways: Vec<_> = self
            .ways
            .iter()
            .filter(|way| way.rest.first().is_some_and(|name| name == EACH))
            .map(|way| Way { rest: &way.rest[1..], ..*way })
            .collect();
        while list.next_element_seed(Node { ways: ways.clone(), state: self.state })?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        // Some write an empty list so.
        if self.ways.iter().any(|way| way.target.is_none() && way.rest.is_empty()) {
            self.state.found.has_items = true;
        }
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        // Some write so that there is no next page.
        if value {
            self.keep("true");
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.keep(value);
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(text: &str) -> Vec<String> {
        text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    fn read_text(text: &str, items: &str, scalar: &str) -> Result<(Vec<String>, Option<String>), SourceError> {
        let mut elements = Vec::new();
        let (items, scalar) = (way(items), way(scalar));
        let wanted = Wanted { items: Some(&items), scalars: &[&scalar] };
        let limit = TimeLimit::starting_now(9);
        let mut keep = |json: Json| {
            elements.push(json.to_string());
            Ok(())
        };
        let found = read(text.as_bytes(), &wanted, limit, "x", || 0, &mut keep)?;
        assert_eq!(found.has_items, !elements.is_empty() || text.contains("[]") || text.contains("null"));
        Ok((elements, found.scalars.into_iter().next().flatten()))
    }

    #[test]
    fn the_list_and_what_is_beside_it_are_found_wherever_they_stand() {
        let before = read_text(
            r#"{"next":"c2","more":{"users":[9]},"data":{"users":[1,{"a":[2]}],"x":[[]]}}"#,
            "data/users",
            "next",
        );
        assert_eq!(before, Ok((vec!["1".to_owned(), r#"{"a":[2]}"#.to_owned()], Some("c2".to_owned()))));
        let whole = read_text("[1,2]", "", "next");
        assert_eq!(whole, Ok((vec!["1".to_owned(), "2".to_owned()], None)));
        let inner = read_text(r#"{"groups":[{"m":[1]},{"x":0},{"m":[2]}],"n":7}"#, "groups/*/m", "n");
        assert_eq!(inner, Ok((vec!["1".to_owned(), "2".to_owned()], Some("7".to_owned()))));
        assert_eq!(read_text(r#"{"data":null,"n":false}"#, "data", "n"), Ok((vec![], None)));
    }

    #[test]
    fn what_is_no_json_or_ends_too_early_is_refused_without_its_values() {
        for (text, code) in [
            ("<html>hunter2", "source-answer"),
            (r#"[1, hunter2]"#, "source-answer"),
            (r#"[1] hunter2"#, "source-answer"),
            (r#"[1, "hunter2"#, "source-broken-off"),
            ("", "source-broken-off"),
        ] {
            let error = read_text(text, "", "n").expect_err(text);
            assert_eq!(error.code(), code, "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn an_account_is_bounded_and_the_list_is_not() {
        let many = format!("[{}1]", "\"0123456789abcdef\",".repeat(100_000));
        assert_eq!(read_text(&many, "", "n").map(|(elements, _)| elements.len()), Ok(100_001));
        let wide = "x".repeat(300_000);
        for text in [format!("[\"{wide}\"]"), format!("[1,{}2]", " ".repeat(300_000)), format!("{{\"{wide}\":[]}}")] {
            assert_eq!(read_text(&text, "", "n").expect_err("too large").code(), "source-too-large");
        }
    }
}
