//! Licenses by command, file and environment, through the real binary.

mod support;

use seatline_protocol::{License, SecretKey, seal};
use serde_json::Value;
use support::agent::{Agent, seatline, vendor};

fn set_ids(agent: &Agent) -> Vec<String> {
    let shown = agent.run(&["license", "show", "--json"]).json();
    let ids = shown["keys"].as_array().expect("keys").iter();
    ids.map(|key| key["license"]["id"].as_str().expect("an id").to_owned()).collect()
}

fn governing(agent: &Agent) -> Value {
    agent.run(&["license", "show", "--json"]).json()["standing"]["governed_by"].take()
}

#[test]
fn c7_the_server_id_is_made_once_and_stays() {
    let agent = Agent::new();
    let first = agent.server_id();
    assert_eq!(first.len(), 24);
    assert!(agent.run(&["server-id"]).ok().contains(&first));
    let key = agent.issue(&["--kind", "commercial"]);
    agent.run(&["license", "set", &key]).ok();
    agent.configure("\n[log]\nlevel = 'debug'\n");
    assert_eq!(agent.server_id(), first);
}

#[test]
fn init_never_overwrites_an_instance() {
    let agent = Agent::new();
    let before = std::fs::read(agent.path("seatline.toml")).expect("the configuration");
    let again = agent.run(&["init", "--product", "other", "--name", "Other", "--version", "1"]);
    again.refused("already-initialised");
    assert_eq!(std::fs::read(agent.path("seatline.toml")).expect("the configuration"), before);
}

#[test]
fn init_holds_its_options_to_the_rules_of_the_configuration() {
    seatline(&["init", "--product", "x", "--name", "two\nlines", "--version", "1"]).refused("config-value");
    let usage = seatline(&["init", "--product", "Not An Id", "--name", "x", "--version", "1"]);
    assert_eq!(usage.code, 2, "{}", usage.err);
}

#[test]
fn c1_a_key_that_mail_has_wrapped_is_accepted_from_argument_file_and_standard_input() {
    let agent = Agent::new();
    let key = agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=5"]);
    let lines: Vec<String> = key.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let mail = format!("-----BEGIN LICENSE-----\r\n> {}\r\n-----END LICENSE-----\r\n", lines.join("\r\n>  "));
    let set = agent.run(&["license", "set", &mail, "--json"]).json();
    assert_eq!((&set["license"]["id"], &set["was_set"]), (&Value::from("L-1"), &Value::from(false)));
    std::fs::write(agent.path("mail.txt"), &mail).expect("the mail");
    let file = format!("@{}", agent.path("mail.txt").display());
    assert_eq!(agent.run(&["license", "set", &file, "--json"]).json()["was_set"], true);
    assert_eq!(agent.run_with_input(&["license", "set", "-", "--json"], &mail).json()["was_set"], true);
    assert_eq!(set_ids(&agent), ["L-1"]);
}

#[test]
fn c1_a_bad_key_is_refused_with_its_reason_and_the_old_one_stays() {
    let agent = Agent::new();
    agent.reconfigure("version = \"4.2.0\"", "version = \"4.2.0\"\nedition = \"silver\"");
    let good = agent.issue(&["--kind", "commercial", "--id", "GOOD"]);
    agent.run(&["license", "set", &good]).ok();
    let other_key = SecretKey::from_seed(&[7; 32]);
    let license: License = seal::open(&good, &[vendor().public()]).expect("a license");
    let changed = good.replacen("eyJpZCI6", "eyJpZCI7", 1);
    let cases = [
        ("empty", String::new()),
        ("not-a-document", "hello".to_owned()),
        ("truncated", good[..good.len() - 9].to_owned()),
        ("bad-signature", changed),
        ("unknown-key", seal::seal(&license, &other_key).expect("a license")),
        ("expired", agent.issue(&["--kind", "commercial", "--expires", "2020-01-01", "--not-before", "2019-01-01"])),
        ("wrong-product", agent.issue(&["--kind", "commercial", "--product", "other"])),
        ("wrong-edition", agent.issue(&["--kind", "commercial", "--edition", "gold"])),
        ("wrong-server", agent.issue(&["--kind", "commercial", "--server", "0000-0000-0000-0000-0000"])),
        ("same-id", agent.issue(&["--kind", "developer", "--id", "GOOD"])),
    ];
    for (code, key) in &cases {
        agent.run(&["license", "set", key]).refused(code);
        let shown = agent.run(&["license", "set", key, "--json"]);
        let error: Value = serde_json::from_str(&shown.out).expect("an error as JSON");
        assert_eq!(error["error"]["code"], *code);
        assert_eq!(governing(&agent), "GOOD", "after {code}");
    }
    assert_eq!(set_ids(&agent), ["GOOD"]);
}

#[test]
fn c1_what_is_no_text_or_far_too_long_is_refused() {
    let agent = Agent::new();
    std::fs::write(agent.path("latin1"), b"\xe9").expect("a file");
    agent.run(&["license", "set", &format!("@{}", agent.path("latin1").display())]).refused("not-utf8");
    agent.run(&["license", "set", &format!("@{}", agent.path("nowhere").display())]).refused("file");
    agent.run_with_input(&["license", "set", "-"], &"x".repeat(300_000)).refused("too-large");
    std::fs::write(agent.path("huge"), vec![b'x'; 2_000_000]).expect("a file");
    agent.run(&["license", "set", &format!("@{}", agent.path("huge").display())]).refused("too-large");
}

#[test]
fn c10_a_renewal_keeps_the_old_key_as_history_and_a_next_one_can_wait() {
    let agent = Agent::new();
    for options in [
        &["--id", "Y1", "--expires", "2090-01-01", "--limit", "users=5"][..],
        &["--id", "Y2", "--expires", "2091-01-01", "--limit", "users=9", "--replaces", "Y1"],
        &["--id", "Y3", "--not-before", "2091-01-01"],
    ] {
        let key = agent.issue(&[&["--kind", "commercial"], options].concat());
        agent.run(&["license", "set", &key]).ok();
    }
    assert_eq!(set_ids(&agent), ["Y1", "Y2", "Y3"]);
    assert_eq!(governing(&agent), "Y2");
    let shown = agent.run(&["license", "show", "--json"]).json();
    let statuses: Vec<(&str, &str)> = shown["standing"]["licenses"]
        .as_array()
        .expect("licenses")
        .iter()
        .map(|license| (license["id"].as_str().expect("id"), license["status"].as_str().expect("status")))
        .collect();
    assert!(statuses.contains(&("Y1", "replaced")) && statuses.contains(&("Y3", "upcoming")), "{statuses:?}");
}

#[test]
fn g1_keys_of_several_vendors_are_trusted_at_once() {
    let new = SecretKey::from_seed(&[9; 32]);
    let agent = Agent::trusting(&[vendor().public(), new.public()]);
    let old_license = agent.issue(&["--kind", "commercial", "--id", "OLD"]);
    let mut license: License = seal::open(&old_license, &[vendor().public()]).expect("a license");
    license.id = "NEW".parse().expect("an id");
    let new_license = seal::seal(&license, &new).expect("a license");
    agent.run(&["license", "set", &old_license]).ok();
    agent.run(&["license", "set", &new_license]).ok();
    assert_eq!(set_ids(&agent), ["OLD", "NEW"]);
}

#[test]
fn g2_a_key_in_the_configured_file_is_set_at_the_next_start() {
    let agent = Agent::new();
    agent.reconfigure("[license]\n", "[license]\nfile = 'license.key'\n");
    assert_eq!(set_ids(&agent).len(), 0, "a file that is not there is no error");
    std::fs::write(agent.path("license.key"), agent.issue(&["--kind", "academic", "--id", "FILED"])).expect("the key");
    assert_eq!(set_ids(&agent), ["FILED"]);
    std::fs::write(agent.path("license.key"), "v4.public.rubbish").expect("a bad key");
    let shown = agent.run(&["license", "show"]);
    assert!(shown.err.starts_with("warning: the license key in the file "), "{}", shown.err);
    assert!(shown.ok().contains("FILED"), "the old one stays");
    std::fs::write(agent.path("license.key"), vec![b'x'; 2_000_000]).expect("far too much");
    let shown = agent.run(&["license", "show"]);
    assert!(shown.err.ends_with("it has more than 1048576 bytes [too-large]\n"), "{}", shown.err);
    assert!(shown.ok().contains("FILED"), "the old one stays");
}

#[test]
fn g2_a_key_in_the_environment_is_set_at_the_next_start() {
    let agent = Agent::new();
    let key = agent.issue(&["--kind", "community", "--id", "ENV"]);
    let output = agent.command(&["license", "show"]).env("SEATLINE_LICENSE", &key).output().expect("the binary starts");
    assert!(support::agent::Finished::from(output).ok().contains("ENV (active)"));
    assert_eq!(set_ids(&agent), ["ENV"], "it stays when the variable is gone");
    let garbage = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    let garbage: &std::ffi::OsStr = garbage;
    let output = agent.command(&["license", "show"]).env("SEATLINE_LICENSE", garbage).output().expect("it starts");
    let shown = support::agent::Finished::from(output);
    assert!(shown.err.ends_with("it is not UTF-8 text [not-utf8]\n"), "{}", shown.err);
    assert!(shown.ok().contains("ENV (active)"), "the old one stays");
}

#[test]
fn g2_a_key_that_was_set_is_not_judged_again_by_what_has_changed_since() {
    let agent = Agent::new();
    agent.reconfigure("version = \"4.2.0\"", "version = \"4.2.0\"\nedition = \"silver\"");
    agent.reconfigure("[license]\n", "[license]\nfile = 'license.key'\n");
    let key = agent.issue(&["--kind", "commercial", "--edition", "silver"]);
    std::fs::write(agent.path("license.key"), &key).expect("the key");
    assert_eq!(set_ids(&agent).len(), 1);
    agent.reconfigure("silver", "gold");
    agent.run(&["license", "set", &key]).refused("wrong-edition");
    let shown = agent.run(&["license", "show"]);
    assert_eq!(shown.err, "", "its standing says it, and no warning at every command");
}

#[test]
fn a_key_can_be_looked_at_without_being_set() {
    let agent = Agent::new();
    let key = agent.issue(&["--kind", "evaluation", "--id", "TRIAL", "--server", "0000-0000-0000-0000-0000"]);
    let inspected = agent.run(&["license", "inspect", &key, "--json"]).json();
    assert_eq!(inspected["license"]["id"], "TRIAL");
    assert_eq!((&inspected["settable"]["ok"], &inspected["settable"]["code"]), (&false.into(), &"wrong-server".into()));
    assert!(set_ids(&agent).is_empty());
    let public = vendor().public().to_string();
    let elsewhere = seatline(&["license", "inspect", &key, "--vendor-key", &public, "--json"]).json();
    assert_eq!(elsewhere["settable"], Value::Null, "there is no instance to hold it against");
    seatline(&["license", "inspect", &key]).refused("config-missing");
}

#[test]
fn a_vendors_secret_key_is_for_its_owner_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let stem = dir.path().join("acme");
    let stem = stem.to_str().expect("a path");
    let made = seatline(&["license", "keygen", "--out", stem, "--json"]).json();
    let secret = dir.path().join("acme.secret");
    assert_eq!(std::fs::metadata(&secret).expect("the key").permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&secret).expect("the key");
    let public = text.trim().parse::<SecretKey>().expect("a key").public().to_string();
    assert_eq!(made["public_key"], public);
    let again = seatline(&["license", "keygen", "--out", stem]);
    assert!(!again.out.contains("k4.secret") && !again.err.contains("k4.secret"));
    again.refused("file-exists");
    assert_eq!(std::fs::read_to_string(&secret).expect("the key"), text);
    std::fs::remove_file(&secret).expect("the secret key is gone");
    seatline(&["license", "keygen", "--out", stem]).refused("file-exists");
    assert!(!secret.exists(), "no secret key without its public key");
}

#[test]
fn a_license_with_impossible_facts_is_not_issued() {
    let agent = Agent::new();
    let secret = agent.path("vendor.secret");
    std::fs::write(&secret, vendor().to_paserk().as_bytes()).expect("the key");
    let issue = |more: &[&str]| {
        let key = secret.to_str().expect("a path");
        let base =
            ["license", "issue", "--key", key, "--product", "acme-wiki", "--licensee", "X", "--kind", "commercial"];
        agent.run(&[&base, more].concat())
    };
    issue(&["--limit", "users=1", "--limit", "users=2"]).refused("invalid-content");
    issue(&["--not-before", "2030-01-01", "--expires", "2029-01-01"]).refused("invalid-content");
    issue(&["--counting", "account"]).refused("usage");
    for bad in [&["--limit", "users"][..], &["--kind", "gift"], &["--expires", "soon"], &["--server", "x"]] {
        assert_eq!(issue(bad).code, 2, "{bad:?}");
    }
    std::fs::write(&secret, vendor().public().to_string()).expect("another key");
    issue(&[]).refused("key-wrong-type");
}
