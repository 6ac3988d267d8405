//! The name that a person signs in with.

seatline_protocol::checked_string!(
    /// The name that a person signs in with. Letters in upper case are taken as lower case: `Ada` and `ada` are one
    /// person.
    AccountName,
    "a name to sign in with",
    "1 to 64 characters of a-z 0-9 . _ - @ that start with a letter or digit",
    |name| (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@')),
    |text| text.trim().to_ascii_lowercase()
);
