//! Dates as people write them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// The time that `text` names: a day stands for its beginning in UTC, a time has its zone.
pub fn read(text: &str) -> Option<Timestamp> {
    let day = |text: &str| Offset::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    // A time without a zone would be read as its day, hours and all: it is refused.
    if text.len() == "2027-06-30".len() { day(text) } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_beginning_in_utc_and_a_time_needs_its_zone() {
        let shown = |text| read(text).map(|time| time.to_string());
        assert_eq!(shown("2027-06-30").as_deref(), Some("2027-06-30T00:00:00Z"));
        assert_eq!(shown("2027-06-30T12:00:00+02:00").as_deref(), Some("2027-06-30T10:00:00Z"));
        for text in ["2027-06-31", "30.06.2027", "2027-06-30T12:00:00", "2027-06-30 12:00", "soon", ""] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
