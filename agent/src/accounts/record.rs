//! From what a source gives for an account, in its own form, to the account: pure, and the same for JSON and for the
//! entries of a directory.

use serde_json::Value as Json;

use super::columns::{Columns, NAMES};
use super::error::SourceError;
use super::value::{Rows, Value};
use crate::config::accounts::fields::{Fields, Path, Test, Truth};
use crate::config::nearest_of;
use seatline_host::ports::Account;

/// What a source gives for an account.
pub trait Record {
    /// Gives the values at `path` to `take`, until it returns true.
    fn values<'r>(&'r self, path: &Path, take: &mut dyn FnMut(Value<'r>) -> bool);
}

/// Makes accounts of records, numbered as rows.
pub struct Records<'f> {
    fields: Option<&'f Fields>,
    rows: Rows,
}

impl<'f> Records<'f> {
    /// Whose fields are where `fields` says; without it, each field has the name that it has here.
    pub fn of(fields: Option<&'f Fields>) -> Self {
        let columns = fields.map_or([None; NAMES.len()], |fields| {
            let is_there = [
                true,
                fields.active.is_some(),
                fields.licensed_access.is_some(),
                fields.last_seen.is_some(),
                fields.service_account.is_some(),
            ];
            std::array::from_fn(|index| is_there[index].then_some(index))
        });
        Self { fields, rows: Rows::of(Columns(columns)) }
    }

    /// How many records there were.
    pub fn count(&self) -> u64 {
        self.rows.count
    }

    /// The account of the next record.
    ///
    /// # Errors
    /// The first value that cannot be understood, or what is no account at all.
    pub fn account<'r>(&'r mut self, record: &'r Json) -> Result<Account<'r>, SourceError> {
        let row = self.rows.count + 1;
        let Some(object) = record.as_object() else {
            self.rows.count += 1;
            return Err(SourceError::Record { row, rule: "is no JSON object".to_owned() });
        };
        if self.fields.is_some() {
            return self.mapped(object);
        }
        if let Some(unknown) = object.keys().find(|key| !NAMES.contains(&key.as_str())) {
            self.rows.count += 1;
            // A key that is like none of ours may be anything, also a name of somebody.
            let rule = match nearest_of(unknown, &NAMES) {
                Some(nearest) => {
                    format!("has `{}`, which means nothing: did you mean `{nearest}`?", super::short(unknown))
                }
                None => format!("has a field that means nothing: there are {}", NAMES.join(", ")),
            };
            return Err(SourceError::Record { row, rule });
        }
        self.rows.columns = Columns(std::array::from_fn(|index| object.contains_key(NAMES[index]).then_some(index)));
        self.rows.account(|index| object.get(NAMES[index]).map_or(Value::Null, of_json))
    }

    /// The account of the next record, whose fields are where they were said to be.
    ///
    /// # Errors
    /// The first value that cannot be understood.
    pub fn mapped<'r>(&'r mut self, record: &'r (impl Record + ?Sized)) -> Result<Account<'r>, SourceError> {
        let Some(fields) = self.fields else { return self.rows.account(|_| Value::Null) };
        let truth = |truth: &Option<Truth>| truth.as_ref().map_or(Value::Null, |truth| test(record, truth));
        self.rows.account(|index| match index {
            1 => truth(&fields.active),
            2 => truth(&fields.licensed_access),
            3 => first(record, fields.last_seen.as_deref().unwrap_or_default()),
            4 => truth(&fields.service_account),
            _ => first(record, &fields.identity),
        })
    }
}

/// The first value at any of the `places` that is there.
fn first<'r>(record: &'r (impl Record + ?Sized), places: &[Path]) -> Value<'r> {
    let mut found = Value::Null;
    for path in places {
        record.values(path, &mut |value| {
            found = if is_empty(value) { Value::Null } else { value };
            found != Value::Null
        });
        if found != Value::Null {
            break;
        }
    }
    found
}

fn is_empty(value: Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim_ascii().is_empty(),
        _ => false,
    }
}

/// What a test says of a record.
fn test<'r>(record: &'r (impl Record + ?Sized), truth: &Truth) -> Value<'r> {
    let is_there = |test: &mut dyn FnMut(Value<'_>) -> bool| {
        let (mut any, mut is_missing) = (false, true);
        record.values(&truth.path, &mut |value| {
            is_missing &= is_empty(value);
            any = test(value);
            any
        });
        match (truth.missing, is_missing) {
            (Some(meaning), true) => (meaning, true),
            _ => (any, false),
        }
    };
    match &truth.test {
        Test::Itself => match (first(record, std::slice::from_ref(&truth.path)), truth.missing) {
            (Value::Null, Some(meaning)) => Value::Bool(meaning),
            (value, _) => value,
        },
        Test::Is(words) => Value::Bool(is_there(&mut |value| is_one_of(value, words)).0),
        Test::IsNot(words) => match is_there(&mut |value| is_one_of(value, words)) {
            (meaning, true) => Value::Bool(meaning),
            (any, false) => Value::Bool(!any),
        },
        Test::Present(wanted) => Value::Bool(is_there(&mut |value| !is_empty(value)).0 == *wanted),
        Test::Bits(bits) => of_bits(record, truth, |number| number & bits == *bits),
        Test::WithoutBits(bits) => of_bits(record, truth, |number| number & bits == 0),
    }
}

/// What `test` says of the bits of a number. Active Directory writes its 32 bits as a number with a sign.
fn of_bits<'r>(record: &'r (impl Record + ?Sized), truth: &Truth, test: impl Fn(u64) -> bool) -> Value<'r> {
    let number = match first(record, std::slice::from_ref(&truth.path)) {
        Value::Null => return truth.missing.map_or(Value::Null, Value::Bool),
        Value::Integer(number) => Some(number),
        Value::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok()),
        _ => None,
    };
    number.map_or(Value::Other, |number| Value::Bool(test(number.cast_unsigned())))
}

fn is_one_of(value: Value<'_>, words: &[String]) -> bool {
    let mut digits = Vec::new();
    let text: &[u8] = match value {
        Value::Text(text) => text,
        Value::Bool(true) => b"true",
        Value::Bool(false) => b"false",
        Value::Integer(number) => {
            digits.extend(number.to_string().bytes());
            &digits
        }
        Value::Null | Value::Real(_) | Value::Time(_) | Value::Other => return false,
    };
    words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

impl Record for serde_json::Map<String, Json> {
    fn values<'r>(&'r self, path: &Path, take: &mut dyn FnMut(Value<'r>) -> bool) {
        if let [first, rest @ ..] = &path.segments[..]
            && let Some(inner) = member(self, first)
        {
            values_in(inner, rest, take);
        }
    }
}

/// A member by its name, or else without regard to case: SCIM's names have none (RFC 7643, section 2.1).
fn member<'r>(object: &'r serde_json::Map<String, Json>, name: &str) -> Option<&'r Json> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Gives what is at the end of `rest` to `take`. Of a list without a number in the path, every element is looked at,
/// the one that is marked as primary first; of an object at the end, its `value` and its `display` (RFC 7643, section
/// 2.4).
fn values_in<'r>(json: &'r Json, rest: &[String], take: &mut dyn FnMut(Value<'r>) -> bool) -> bool {
    match (json, rest) {
        (Json::Array(list), [index, inner @ ..]) if index.parse::<usize>().is_ok() => {
            let element = index.parse().ok().and_then(|index: usize| list.get(index));
            element.is_some_and(|element| values_in(element, inner, take))
        }
        (Json::Array(list), _) => {
            let is_primary = |element: &&Json| element.get("primary") == Some(&Json::Bool(true));
            let primary = list.iter().filter(is_primary);
            let others = list.iter().filter(|element| !is_primary(element));
            // No list inside the list: what nobody means would only take long.
            primary.chain(others).any(|element| !element.is_array() && values_in(element, rest, take))
        }
        (Json::Object(object), [name, inner @ ..]) => {
            member(object, name).is_some_and(|member| values_in(member, inner, take))
        }
        (Json::Object(object), []) => {
            let parts = ["value", "display"].iter().filter_map(|name| object.get(*name));
            let mut parts = parts.filter(|part| !part.is_object() && !part.is_array()).peekable();
            if parts.peek().is_none() { take(Value::Other) } else { parts.any(|part| take(of_json(part))) }
        }
        (scalar, []) => take(of_json(scalar)),
        _ => false,
    }
}

/// A value of JSON.
fn of_json(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(real)) => Value::Real(real),
            _ => Value::Other,
        },
        Json::String(text) => Value::Text(text.as_bytes()),
        Json::Array(_) | Json::Object(_) => Value::Other,
    }
}

#[cfg(test)]
mod tests {
    use seatline_host::ports::LastSeen;
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).expect("a place")
    }

    fn at(record: &Json, text: &str) -> String {
        match first(record.as_object().expect("an object"), &[path(text)]) {
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        }
    }

    fn holds(record: &Json, test_of: Test, text: &str, missing: Option<bool>) -> Value<'static> {
        let truth = Truth { path: path(text), test: test_of, missing };
        match test(record.as_object().expect("an object"), &truth) {
            Value::Bool(truth) => Value::Bool(truth),
            Value::Null => Value::Null,
            _ => Value::Other,
        }
    }

    #[test]
    fn a_value_is_found_by_pointer_by_name_and_in_lists() {
        let record = json!({
            "userName": "ann", "name": { "given": "Ann" }, "a.b": "dot",
            "emails": [{ "value": "work@x" }, { "value": "home@x", "primary": true }],
            "phones": [{ "number": 7 }], "tags": ["one", "two"], "empty": " ", "none": null,
        });
        assert_eq!(at(&record, "username"), "ann", "a name of SCIM has no case");
        assert_eq!(at(&record, "name.given"), "Ann");
        assert_eq!(at(&record, "/a.b"), "dot");
        assert_eq!(at(&record, "emails"), "home@x", "the primary one");
        assert_eq!(at(&record, "/emails/0/value"), "work@x");
        assert_eq!(at(&record, "/tags/1"), "two");
        assert_eq!(at(&record, "tags"), "one");
        assert_eq!(at(&record, "phones"), "Other", "an object without a value");
        for missing in ["none", "empty", "nothing", "name.given.more", "/tags/2", "/tags/x"] {
            assert_eq!(at(&record, missing), "Null", "{missing}");
        }
        let places = [path("nothing"), path("empty"), path("userName")];
        assert_eq!(first(record.as_object().expect("an object"), &places), Value::Text(b"ann"));
    }

    #[test]
    fn a_test_asks_all_values_and_says_what_missing_means() {
        let record = json!({
            "state": "Active", "deleted": null, "left": "2026-01-01", "flags": "514", "code": 3,
            "groups": [{ "value": "g1", "display": "Wiki users" }, { "value": "g2" }],
        });
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let truth = |truth| Value::Bool(truth);
        assert_eq!(holds(&record, Test::Is(words(&["active"])), "state", None), truth(true));
        assert_eq!(holds(&record, Test::IsNot(words(&["blocked"])), "state", None), truth(true));
        assert_eq!(holds(&record, Test::Is(words(&["wiki users"])), "groups", None), truth(true));
        assert_eq!(holds(&record, Test::Is(words(&["g2"])), "groups", None), truth(true));
        assert_eq!(holds(&record, Test::Is(words(&["g3"])), "groups", None), truth(false));
        assert_eq!(holds(&record, Test::IsNot(words(&["g1"])), "groups", None), truth(false));
        assert_eq!(holds(&record, Test::Is(words(&["3"])), "code", None), truth(true));
        assert_eq!(holds(&record, Test::Is(words(&["x"])), "gone", Some(true)), truth(true));
        assert_eq!(holds(&record, Test::IsNot(words(&["x"])), "gone", Some(false)), truth(false));
        assert_eq!(holds(&record, Test::Present(false), "deleted", None), truth(true));
        assert_eq!(holds(&record, Test::Present(true), "left", None), truth(true));
        assert_eq!(holds(&record, Test::WithoutBits(2), "flags", None), truth(false));
        assert_eq!(holds(&record, Test::Bits(512), "flags", None), truth(true));
        assert_eq!(holds(&record, Test::Bits(2), "state", None), Value::Other);
        assert_eq!(holds(&record, Test::Bits(2), "gone", Some(true)), truth(true));
        assert_eq!(holds(&record, Test::Itself, "gone", None), Value::Null);
        assert_eq!(holds(&record, Test::Itself, "gone", Some(true)), truth(true));
    }

    #[test]
    fn a_record_with_our_names_has_no_others() {
        let mut records = Records::of(None);
        let record = json!({ "identity": "ann", "active": false, "last_seen": 1_772_323_200 });
        let account = records.account(&record).expect("an account");
        assert_eq!((account.identity, account.active, account.licensed_access), ("ann", false, true));
        assert_eq!(account.last_seen, LastSeen::On("2026-03-01".parse().expect("a day")));
        let account =
            |records: &mut Records<'_>, record: Json| records.account(&record).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(
            account(&mut records, json!({ "identity": "bob", "last_sen": 0 })),
            Err("row 2: has `last_sen`, which means nothing: did you mean `last_seen`?".to_owned())
        );
        let stranger =
            account(&mut records, json!({ "identity": "bob", "bob@example.org": 0 })).expect_err("a stranger");
        assert!(
            stranger.starts_with("row 3: has a field that means nothing") && !stranger.contains("bob"),
            "{stranger}"
        );
        assert_eq!(account(&mut records, json!(["bob"])), Err("row 4: is no JSON object".to_owned()));
        let missing = account(&mut records, json!({ "active": true })).expect_err("no identity");
        assert!(missing.starts_with("row 5: `identity` is missing"), "{missing}");
        assert_eq!(records.count(), 5);
    }
}
