//! What comes with the program: the unit of systemd and its user, each held against the tool that reads it, and the page
//! of the commands, held against the program.

#[path = "../../agent/tests/support/tool.rs"]
#[allow(dead_code, reason = "others look at other files")]
mod tool;

use std::collections::BTreeSet;
use std::process::Command;

use tool::{hold_unit, user_made};

const PROGRAM: &str = env!("CARGO_BIN_EXE_seatline-central");

#[test]
fn the_unit_of_systemd_is_valid_and_leaves_the_server_little_to_reach() {
    hold_unit("seatline-central.service", ("/usr/bin/seatline-central", "serve"), PROGRAM);
}

#[test]
fn the_user_of_the_unit_is_one_that_systemd_makes() {
    let line = user_made("seatline-central.sysusers", "seatline-central");
    assert!(line.ends_with(":/var/lib/seatline-central:/usr/sbin/nologin"), "{line}");
}

/// The commands below these words, as the help of the program lists them; with the words themselves, where they are a
/// command also without another one.
fn commands_of(words: &[String]) -> BTreeSet<Vec<String>> {
    let output = Command::new(PROGRAM).args(words).arg("--help").output().expect("runs");
    let help = String::from_utf8(output.stdout).expect("text");
    let usage = help.split_once("Usage: ").map(|(_, rest)| rest).expect("its use");
    let is_command = usage.lines().take_while(|line| !line.is_empty()).any(|line| !line.ends_with("<COMMAND>"));
    let itself = is_command.then(|| words.to_vec());
    let listed = help.split_once("\nCommands:\n").map_or("", |(_, listed)| listed);
    let lines = listed.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| *name != "help");
    let below =
        names.filter(|name| !name.is_empty()).flat_map(|name| commands_of(&[words, &[name.to_owned()]].concat()));
    itself.into_iter().chain(below).collect()
}

#[test]
fn every_command_is_documented_and_every_documented_one_is_there() {
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    let document = include_str!("../../docs/central-command-line.md");
    let headings = document.lines().filter(|line| line.starts_with("## `"));
    let documented: BTreeSet<Vec<String>> = headings
        .flat_map(|heading| heading.split('`').filter(is_word))
        .map(|command| command.split(' ').take_while(is_word).map(str::to_owned).collect())
        .collect();
    assert_eq!(commands_of(&[]), documented);
}
