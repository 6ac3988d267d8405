//! Text that was pasted, or lies in a file: license keys, invites.

use std::io::Read as _;
use std::path::Path;

use crate::failure::Failure;

/// The most bytes that are read: more than any document that is pasted, with what mail adds to it.
const MAX_BYTES: u64 = 1024 * 1024;

/// The text of an argument: itself, or the file after an `@`, or standard input for `-`.
///
/// # Errors
/// When it cannot be read, is not UTF-8, or is far too long.
pub fn text_of(argument: &str) -> Result<String, Failure> {
    if argument == "-" {
        return read(std::io::stdin().lock(), "standard input");
    }
    match argument.strip_prefix('@') {
        None => Ok(argument.to_owned()),
        Some(path) => {
            let file = std::fs::File::open(path).map_err(|error| Failure::io("read", Path::new(path), &error))?;
            read(file, path)
        }
    }
}

fn read(from: impl std::io::Read, place: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new("file", format!("cannot read {place}: {error}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::new("too-large", format!("{place} is longer than any key or invite")));
    }
    String::from_utf8(bytes).map_err(|_| Failure::new("not-utf8", format!("{place} is not UTF-8 text")))
}
