//! An interval as people write it: `90m`, `2h`, `1h30m`, `1d`; a bare number is seconds.

use seatline_protocol::settings::{MAX_INTERVAL, MIN_INTERVAL};
use serde::{Deserialize, Deserializer, de};

/// The seconds of a synchronisation interval, from one minute to 31 days.
///
/// # Errors
/// One line that says how it is written, or what its bounds are.
pub fn parse(text: &str) -> Result<u32, String> {
    let seconds = seconds(text.trim()).ok_or("an interval is written such as 15m, 90m, 2h, 1h30m or 1d")?;
    match u32::try_from(seconds) {
        Ok(seconds) if (MIN_INTERVAL..=MAX_INTERVAL).contains(&seconds) => Ok(seconds),
        _ => Err("an interval is from one minute to 31 days".to_owned()),
    }
}

fn seconds(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (mut total, mut number) = (0u64, String::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            number.push(first);
            rest = &rest[1..];
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match rest[..end].trim().to_ascii_lowercase().as_str() {
            "" if number.is_empty() => return None,
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
        rest = &rest[end..];
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}

/// The interval as it is written shortest: `90m`, `2h`.
pub fn short(seconds: u32) -> String {
    match seconds {
        days if days % 86_400 == 0 => format!("{}d", days / 86_400),
        hours if hours % 3600 == 0 => format!("{}h", hours / 3600),
        minutes if minutes % 60 == 0 => format!("{}m", minutes / 60),
        seconds => format!("{seconds}s"),
    }
}

/// Reads an interval of JSON: a number of seconds, or a text.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Seconds(u32),
        Text(String),
    }
    match Option::<Given>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Given::Seconds(seconds)) => Ok(Some(seconds)),
        Some(Given::Text(text)) => parse(&text).map(Some).map_err(de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w4_an_interval_is_read_as_people_write_it() {
        for (text, seconds) in [
            ("60", 60),
            ("1m", 60),
            ("90m", 5400),
            (" 2h ", 7200),
            ("1h30m", 5400),
            ("1 h 30 min", 5400),
            ("1D", 86_400),
            ("31 days", 31 * 86_400),
            ("90s", 90),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
        for bad in ["", "m", "59s", "32d", "1x", "h2", "1h30", "-1h", "1.5h", "99999999999999999999h", "1m 2"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for seconds in [60, 90, 5400, 7200, 86_400, 604_800] {
            assert_eq!(parse(&short(seconds)), Ok(seconds));
        }
    }
}
