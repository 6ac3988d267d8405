//! Pieces of HTML that a product puts into pages of its own: without style or script, and with class names that are
//! ours.

use std::fmt;

use seatline_protocol::standing::{Banner, BannerLevel};

use crate::signs::Tone;

/// A banner for the top of a product's pages (`a4`).
#[derive(Debug, Clone, Copy)]
pub struct BannerFragment<'b>(pub &'b Banner);

impl fmt::Display for BannerFragment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(banner) = self;
        let text = askama::filters::escape(&banner.text, askama::filters::Html).map_err(|_| fmt::Error)?;
        // Who cannot see the colour, or hears the page, is told how grave it is.
        let (level, spoken) = (banner.level.name(), tone(banner.level).spoken());
        writeln!(
            f,
            r#"<div class="seatline-banner seatline-banner-{level}" role="{}"><strong>{spoken}:</strong> {text}</div>"#,
            if level == "error" { "alert" } else { "status" },
        )
    }
}

fn tone(level: BannerLevel) -> Tone {
    match level {
        BannerLevel::Info => Tone::Info,
        BannerLevel::Warning => Tone::Warning,
        BannerLevel::Error => Tone::Danger,
    }
}

impl askama::filters::HtmlSafe for BannerFragment<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use seatline_protocol::standing::ReasonCode;

    #[test]
    fn a4_a_banner_for_a_products_own_pages_is_escaped_and_says_how_grave_it_is() {
        let banner = |level| Banner {
            level,
            code: ReasonCode::OverLimit,
            text: "5 <users> & more".to_owned(),
            since: None,
            until: None,
            days_left: None,
            dimension: None,
            add_on: None,
            license: None,
        };
        let html = BannerFragment(&banner(BannerLevel::Error)).to_string();
        let expected = r#"<div class="seatline-banner seatline-banner-error" role="alert"><strong>Problem:</strong> 5 &#60;users&#62; &#38; more</div>"#;
        assert_eq!(html.trim_end(), expected);
        assert!(
            BannerFragment(&banner(BannerLevel::Warning)).to_string().contains(r#"role="status"><strong>Warning:"#)
        );
    }
}
