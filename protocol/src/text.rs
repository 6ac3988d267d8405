//! Text that people read: what came from outside, made fit to be shown, and numbers and days.

use jiff::Timestamp;

/// `text` as one line of at most `max` characters: control characters, line breaks and invisible direction marks become
/// spaces, runs of spaces one space, and what is cut off is marked by `…`.
///
/// For everything that a plugin, a product, a key or the network sent, before it reaches a page, a terminal or a log.
pub fn line(text: &str, max: usize) -> String {
    let mut cleaned = String::new();
    let mut count = 0;
    let mut pending_space = false;
    for c in text.chars() {
        if is_unprintable(c) || c.is_whitespace() {
            pending_space = count > 0;
            continue;
        }
        let needed = if pending_space { 2 } else { 1 };
        if count + needed > max {
            cleaned.truncate(cleaned.char_indices().nth(max.saturating_sub(1)).map_or(cleaned.len(), |(at, _)| at));
            cleaned.push('…');
            return cleaned;
        }
        if pending_space {
            cleaned.push(' ');
        }
        cleaned.push(c);
        count += needed;
        pending_space = false;
    }
    cleaned
}

/// Control characters, and the format characters that reorder or hide text (Unicode UAX 9, "Trojan Source").
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether `text` is already what [`line()`] would make of it: the rule for text inside documents.
pub fn is_line(text: &str, max: usize) -> bool {
    line(text, max) == text
}

/// A count with its thousands set apart, as people read it: `5,000`.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The day of a time in UTC, as people read it: `2026-11-15 UTC`.
pub fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_holds_no_escape_sequence_and_no_reordering() {
        assert_eq!(line("a\u{1b}[31mred\r\n\u{202e}b  c ", 80), "a [31mred b c");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("abc def", 4), "abc…");
        assert_eq!(line("abcd", 4), "abcd");
        assert_eq!(line("  ", 4), "");
    }

    #[test]
    fn a_number_has_its_thousands_set_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (5_000_000, "5,000,000")];
        for (count, text) in cases {
            assert_eq!(number(count), text);
        }
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
    }

    proptest! {
        #[test]
        fn a_line_is_bounded_and_stays_as_it_is(text in ".*", max in 1usize..40) {
            let once = line(&text, max);
            prop_assert!(once.chars().count() <= max);
            prop_assert!(is_line(&once, max), "{once:?}");
            prop_assert!(!once.chars().any(is_unprintable));
        }
    }
}
