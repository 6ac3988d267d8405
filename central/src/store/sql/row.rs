//! Columns as values of the domain. Nothing that is stored is trusted to be what this version stores.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use seatline_protocol::notices::Step;
use seatline_protocol::{Digest, Sequence};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Gravity;
use crate::store::{StoreError, Stored};

/// The columns of a row, as a driver has them: by name, and null as nothing.
pub(super) trait Columns {
    /// A column of text.
    fn text(&self, column: &str) -> Stored<Option<&str>>;
    /// A column of whole numbers, times or booleans.
    fn integer(&self, column: &str) -> Stored<Option<i64>>;
    /// A column of bytes.
    fn bytes(&self, column: &str) -> Stored<Option<&[u8]>>;
}

/// A row that a query gave.
pub(super) struct Row<'r>(pub(super) &'r dyn Columns);

impl Row<'_> {
    /// A column of text.
    pub(super) fn text(&self, column: &str) -> Stored<String> {
        self.0.text(column)?.map(str::to_owned).ok_or_else(|| empty(column))
    }

    /// A column of text, or nothing.
    pub(super) fn text_option(&self, column: &str) -> Stored<Option<String>> {
        Ok(self.0.text(column)?.map(str::to_owned))
    }

    /// A column of bytes, or nothing.
    pub(super) fn bytes_option(&self, column: &str) -> Stored<Option<Vec<u8>>> {
        Ok(self.0.bytes(column)?.map(<[u8]>::to_vec))
    }

    /// A column that holds a number that is never below zero, as wide as `T`.
    pub(super) fn number<T: TryFrom<i64, Error: Display>>(&self, column: &str) -> Stored<T> {
        self.number_option(column)?.ok_or_else(|| empty(column))
    }

    /// As [`Self::number`], or nothing.
    pub(super) fn number_option<T: TryFrom<i64, Error: Display>>(&self, column: &str) -> Stored<Option<T>> {
        self.0.integer(column)?.map(|number| T::try_from(number).map_err(|error| odd(column, error))).transpose()
    }

    /// A column that holds yes or no, as 1 or 0.
    pub(super) fn flag(&self, column: &str) -> Stored<bool> {
        Ok(self.number::<i64>(column)? != 0)
    }

    /// A column that holds the text of a value.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, column: &str) -> Stored<T> {
        self.parsed_option(column)?.ok_or_else(|| empty(column))
    }

    /// A column that holds the text of a value, or nothing.
    pub(super) fn parsed_option<T: FromStr<Err: Display>>(&self, column: &str) -> Stored<Option<T>> {
        self.0.text(column)?.map(|text| text.parse().map_err(|error| odd(column, error))).transpose()
    }

    /// A column that holds a digest: in short, see [`short`], or as documents write it.
    pub(super) fn digest(&self, column: &str) -> Stored<Digest> {
        self.digest_option(column)?.ok_or_else(|| empty(column))
    }

    /// As [`Self::digest`], or nothing.
    pub(super) fn digest_option(&self, column: &str) -> Stored<Option<Digest>> {
        let Some(text) = self.0.text(column)? else { return Ok(None) };
        if let Ok(digest) = text.parse() {
            return Ok(Some(digest));
        }
        let hash = BASE64.decode(text).ok().and_then(|hash| hash.try_into().ok());
        hash.map(|hash| Some(Digest::of_hash(hash))).ok_or_else(|| odd(column, "it is no digest"))
    }

    /// A column that holds a value as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Stored<T> {
        let text = self.0.text(column)?.ok_or_else(|| empty(column))?;
        serde_json::from_str(text).map_err(|error| odd(column, error))
    }

    /// As [`Self::json`], or nothing.
    pub(super) fn json_option<T: DeserializeOwned>(&self, column: &str) -> Stored<Option<T>> {
        self.0.text(column)?.map(|text| serde_json::from_str(text).map_err(|error| odd(column, error))).transpose()
    }

    /// A column that holds the name of one of an enum's variants, as documents write it.
    pub(super) fn named<T: DeserializeOwned>(&self, column: &str) -> Stored<T> {
        self.named_option(column)?.ok_or_else(|| empty(column))
    }

    /// As [`Self::named`], or nothing.
    pub(super) fn named_option<T: DeserializeOwned>(&self, column: &str) -> Stored<Option<T>> {
        let name = |text: &str| serde_json::from_value(text.into()).map_err(|error| odd(column, error));
        self.0.text(column)?.map(name).transpose()
    }

    /// A column that holds how grave something is, as its rank.
    pub(super) fn gravity(&self, column: &str) -> Stored<Gravity> {
        self.gravity_option(column)?.ok_or_else(|| empty(column))
    }

    /// As [`Self::gravity`], or nothing.
    pub(super) fn gravity_option(&self, column: &str) -> Stored<Option<Gravity>> {
        let Some(rank) = self.0.integer(column)? else { return Ok(None) };
        let found = Gravity::ALL.into_iter().find(|gravity| gravity.rank() == rank);
        found.map(Some).ok_or_else(|| odd(column, "it is no gravity"))
    }

    /// A column that holds how far something has come.
    pub(super) fn step(&self, column: &str) -> Stored<Step> {
        self.step_option(column)?.ok_or_else(|| empty(column))
    }

    /// As [`Self::step`], or nothing.
    pub(super) fn step_option(&self, column: &str) -> Stored<Option<Step>> {
        self.text_option(column)?.map(|step| Step::try_from(step).map_err(|error| odd(column, error))).transpose()
    }

    /// A column that holds a time.
    pub(super) fn time(&self, column: &str) -> Stored<Timestamp> {
        self.time_option(column)?.ok_or_else(|| empty(column))
    }

    /// A column that holds a time, or nothing.
    pub(super) fn time_option(&self, column: &str) -> Stored<Option<Timestamp>> {
        let time = |millis| Timestamp::from_millisecond(millis).map_err(|error| odd(column, error));
        self.0.integer(column)?.map(time).transpose()
    }

    /// A column that holds a sequence number.
    pub(super) fn sequence(&self, column: &str) -> Stored<Sequence> {
        self.sequence_option(column)?.ok_or_else(|| empty(column))
    }

    /// A column that holds a sequence number, or nothing.
    pub(super) fn sequence_option(&self, column: &str) -> Stored<Option<Sequence>> {
        let number: Option<u64> = self.number_option(column)?;
        number.map(|number| Sequence::try_from(number).map_err(|error| odd(column, error))).transpose()
    }
}

/// A digest in short, where millions of them are stored.
pub(super) fn short(digest: &Digest) -> String {
    BASE64.encode(digest.hash())
}

/// A value as JSON, to be stored.
pub(super) fn to_json<T: Serialize>(value: &T) -> Stored<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt { what: "a value", reason: error.to_string() })
}

/// The name of an enum's variant, as documents write it, to be stored.
pub(super) fn name_of<T: Serialize>(value: &T) -> Stored<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(StoreError::Corrupt { what: "a value", reason: "it has no name".to_owned() }),
    }
}

/// The error of a column that holds something else than this version stores.
pub(super) fn odd(column: &str, reason: impl Display) -> StoreError {
    StoreError::Corrupt { what: "a value", reason: format!("column {column}: {reason}") }
}

fn empty(column: &str) -> StoreError {
    odd(column, "it is empty")
}
