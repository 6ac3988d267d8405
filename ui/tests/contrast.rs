//! The tokens' colours hold to WCAG 2.2 AA, in light and in dark: computed from the stylesheet itself.

use std::collections::BTreeMap;

/// Text on its ground: success criterion 1.4.3, at least 4.5 to 1.
const TEXT: &[(&str, &[&str])] = &[
    ("text", &["bg", "surface", "sunken", "info-soft", "good-soft", "warning-soft", "danger-soft"]),
    ("text-2", &["bg", "surface", "sunken", "neutral-soft"]),
    ("accent", &["bg", "surface", "accent-soft"]),
    ("accent-hover", &["bg", "surface"]),
    ("on-accent", &["accent", "accent-hover"]),
    ("good", &["good-soft", "surface"]),
    ("info", &["info-soft", "surface"]),
    ("warning", &["warning-soft", "surface"]),
    ("danger", &["danger-soft", "surface"]),
];

/// Parts of controls and drawings on their ground: success criterion 1.4.11, at least 3 to 1.
const DRAWN: &[(&str, &[&str])] = &[
    ("line-strong", &["surface"]),
    ("accent", &["bg", "surface", "sunken"]),
    ("fill-within", &["surface", "track"]),
    ("fill-near", &["surface", "track"]),
    ("fill-over", &["surface", "track"]),
    ("mark", &["surface", "track"]),
    ("text-2", &["track"]),
    ("class-counted", &["surface"]),
    ("class-dormant", &["surface"]),
    ("class-never-signed-in", &["surface"]),
    ("class-no-access", &["surface"]),
    ("class-deactivated", &["surface"]),
    ("class-service", &["surface"]),
];

type Colours = BTreeMap<String, [u8; 3]>;

/// The colours of a part of the stylesheet.
fn colours(css: &str) -> Colours {
    let declaration = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let number = u32::from_str_radix(value.strip_suffix(';')?, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some((name.to_owned(), [red, green, blue]))
    };
    css.lines().filter_map(declaration).collect()
}

/// WCAG's relative luminance.
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|channel| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// WCAG's contrast ratio, from 1 to 21.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn failures(theme: &str, colours: &Colours) -> Vec<String> {
    let mut failures = Vec::new();
    for (least, pairs) in [(4.5, TEXT), (3.0, DRAWN)] {
        for (front, grounds) in pairs {
            for ground in *grounds {
                let ratio = contrast(colours[*front], colours[*ground]);
                if ratio < least {
                    failures.push(format!("{theme}: {front} on {ground} is {ratio:.2}, less than {least}"));
                }
            }
        }
    }
    failures
}

#[test]
fn every_pair_of_colours_has_the_contrast_of_wcag_aa() {
    assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 1e-9);
    let css = include_str!("../assets/css/tokens.css");
    let (light, dark) = css.split_once("@media (prefers-color-scheme: dark)").expect("there is a dark theme");
    let (light, dark) = (colours(light), colours(dark));
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>(), "each theme sets every colour");
    let failures = [failures("light", &light), failures("dark", &dark)].concat();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn colours_stand_in_the_tokens_alone() {
    for (name, css) in [
        ("base.css", include_str!("../assets/css/base.css")),
        ("components.css", include_str!("../assets/css/components.css")),
        ("charts.css", include_str!("../assets/css/charts.css")),
        ("pages.css", include_str!("../assets/css/pages.css")),
    ] {
        let screen = css.split("@media print").next().unwrap_or_default();
        let coloured = screen.lines().find(|line| line.contains(": #"));
        assert_eq!(coloured, None, "{name}");
    }
}
