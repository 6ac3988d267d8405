//! A key comes back whole from mail, forms and shells (`c1`).

use proptest::prelude::*;
use proptest::sample::select;
use seatline_protocol::seal::{open, unwrap_pasted};
use seatline_protocol::{License, SecretKey, seal};

use crate::{license, sealed, vendor};

#[test]
fn c1_a_pasted_key_comes_back_whole() {
    let token = sealed();
    let (one, two) = token.split_at(100);
    let table = [
        ("as it is", token.clone()),
        ("white space around it", format!("\r\n\t {token}\u{a0}\n\n")),
        ("wrapped", format!("{one}\n{two}")),
        ("wrapped by Windows", format!("{one}\r\n{two}\r\n")),
        ("wrapped by an old Mac", format!("-----BEGIN LICENSE-----\r{one}\r{two}\r-----END LICENSE-----\r")),
        ("quoted by mail", format!("> {one}\n> {two}")),
        ("quoted twice", format!(">> {one}\n> > {two}")),
        ("indented and spaced", format!("    {one} {two}")),
        ("with invisible characters", format!("\u{feff}{one}\u{200b}\u{2060}{two}\u{200e}")),
        ("in quotation marks", format!("\"{token}\"")),
        ("as code", format!("```\n{token}\n```")),
        ("armoured", format!("-----BEGIN SEATLINE LICENSE-----\n{one}\n{two}\n-----END SEATLINE LICENSE-----")),
        ("armoured, in a field of one line", format!("-----BEGIN LICENSE-----{token}-----END LICENSE-----")),
        ("armoured, with spaces for line ends", format!("--- BEGIN KEY --- {one} {two} -----END KEY-----")),
        (
            "armour that was wrapped itself",
            format!("> -----BEGIN SEATLINE\n> LICENSE-----\n{token}\n-----END\nLICENSE-----"),
        ),
    ];
    for (how, pasted) in table {
        assert_eq!(unwrap_pasted(&pasted), token, "{how}");
    }
}

#[test]
fn a_line_of_a_wrapped_key_may_begin_with_dashes() {
    let whole = "v4.public.AAAA--BEGINNING--BBBB.CCCC";
    assert_eq!(unwrap_pasted("v4.public.AAAA\n--BEGINNING--\nBBBB.CCCC"), whole);
    assert_eq!(unwrap_pasted("-----BEGIN KEY-----\nv4.public.AAAA\n--BEGINNING--BBBB.CCCC\n-----END KEY-----"), whole);
}

#[test]
fn what_is_no_key_is_not_made_one() {
    for (pasted, code) in [("", "empty"), ("\n\u{200b} ", "empty"), ("see attachment", "not-a-document")] {
        let refused = open::<License>(&unwrap_pasted(pasted), &[vendor().public()]);
        assert_eq!(refused.expect_err("no key").code(), code, "{pasted:?}");
    }
    // Words around it are not armour: cutting them off would be guessing.
    let words = format!("Your key is {} Regards", sealed());
    assert_eq!(
        open::<License>(&unwrap_pasted(&words), &[vendor().public()]).expect_err("words").code(),
        "not-a-document"
    );
}

proptest! {
    #[test]
    fn c1_a_key_wrapped_at_any_width_comes_back_whole(
        seed in any::<[u8; 32]>(), width in 1usize..200,
        line_end in select(vec!["\n", "\r\n", "\r", "\n\n", "\u{2028}"]),
        before in select(vec!["", "> ", ">> ", "  ", "\t", "\u{a0}", "\u{200b}", ">\u{a0}> "]),
        after in select(vec!["", " ", "\u{a0}", "\u{feff}"]),
        armour in any::<bool>(),
    ) {
        let token = seal::seal(&license(), &SecretKey::from_seed(&seed)).expect("sealed");
        let mut text = token.clone();
        if armour {
            text = format!("-----BEGIN SEATLINE LICENSE-----{line_end}{token}{line_end}-----END SEATLINE LICENSE-----");
        }
        let characters: Vec<char> = text.chars().collect();
        let lines = characters.chunks(width).map(|line| format!("{before}{}{after}", line.iter().collect::<String>()));
        let pasted = lines.collect::<Vec<_>>().join(line_end);
        prop_assert_eq!(unwrap_pasted(&pasted), token);
    }

    #[test]
    fn unwrapping_leaves_no_white_space_and_never_panics(pasted in "\\PC{0,80}|[-> \n\rBEGINEDv4.public]{0,80}") {
        let once = unwrap_pasted(&pasted);
        prop_assert!(once.chars().all(|c| !c.is_whitespace()));
        let _ = open::<License>(&once, &[vendor().public()]);
    }
}
