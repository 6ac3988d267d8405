//! Columns as values of the domain. Nothing that is stored is trusted to be what this version stores.

use std::error::Error;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use seatline_protocol::Sequence;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;

/// A column that holds the text of a value.
pub(super) fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| odd(column, error))
}

/// A column that holds the text of a value, or nothing.
pub(super) fn parsed_option<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| odd(column, error))).transpose()
}

/// A column that holds a value as JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| odd(column, error))
}

/// A column that holds the name of one of an enum's variants, as documents write it.
pub(super) fn named<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    named_option(row, column)?.ok_or_else(|| odd(column, "it is empty"))
}

/// As [`named`], or nothing.
pub(super) fn named_option<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_value(text.into()).map_err(|error| odd(column, error))).transpose()
}

/// A column that holds a time.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|error| odd(column, error))
}

/// A column that holds a time, or nothing.
pub(super) fn time_option(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    millis.map(|millis| Timestamp::from_millisecond(millis).map_err(|error| odd(column, error))).transpose()
}

/// A column that holds a sequence number.
pub(super) fn sequence(row: &Row<'_>, column: &str) -> rusqlite::Result<Sequence> {
    let number: u64 = row.get(column)?;
    Sequence::try_from(number).map_err(|error| odd(column, error))
}

/// A column that holds a sequence number, or nothing.
pub(super) fn sequence_option(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Sequence>> {
    let number: Option<u64> = row.get(column)?;
    number.map(|number| Sequence::try_from(number).map_err(|error| odd(column, error))).transpose()
}

/// A value as JSON, to be stored.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt { what: "a value", reason: error.to_string() })
}

/// The name of an enum's variant, as documents write it, to be stored.
pub(super) fn name_of<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(StoreError::Corrupt { what: "a value", reason: "it has no name".to_owned() }),
    }
}

fn odd(column: &str, reason: impl Into<Box<dyn Error + Send + Sync>>) -> rusqlite::Error {
    let reason = format!("column {column}: {}", reason.into());
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, reason.into())
}
