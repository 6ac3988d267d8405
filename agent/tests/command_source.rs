//! Accounts that a real program prints, well or badly.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use seatline_agent::accounts::{self, SourceError};
use seatline_agent::product::ConfiguredProduct;
use seatline_host::ports::Product as _;
use support::agent::Agent;
use support::config;

/// The source that a script of the shell is, with `rest` in its section.
fn script(script: &str, rest: &str) -> String {
    format!("[accounts]\ntime_limit = 20\n[accounts.command]\nrun = ['sh', '-c', '''{script}''']\n{rest}")
}

fn read(text: &str) -> Vec<String> {
    support::read(Path::new("/"), &script(text, "")).expect("the accounts")
}

fn refusal(text: &str) -> (&'static str, String) {
    support::refusal(Path::new("/"), &script(text, ""))
}

#[test]
fn c4_every_field_is_read_from_a_line_of_json() {
    let lines = r#"cat <<END
{"identity": "ann@example.org", "active": true, "licensed_access": 1, "last_seen": "2026-03-01", "service_account": "no"}

{"last_seen": null, "active": 0, "identity": "Zoë"}
{"identity": 7, "service_account": true, "last_seen": 1772323200000, "licensed_access": false}
END"#;
    assert_eq!(read(lines), ["ann@example.org al- 2026-03-01", "Zoë -l- never", "7 a-s 2026-03-01"]);
    assert_eq!(read("printf '{\"identity\": \"no line end\"}'"), ["no line end al- unknown"]);
    assert!(read("true").is_empty());
}

#[test]
fn c4_fields_with_other_names_are_found_where_the_configuration_says() {
    let fields = "[accounts.command.fields]
        identity = ['profile.email', 'login']
        active = { field = 'state', is = 'enabled' }
        licensed_access = { field = '/groups', is = ['wiki-users', 'wiki-admins'], missing = false }
        last_seen = 'seen'
        service_account = { field = 'robot', missing = false }";
    let lines = r#"cat <<END
{"profile": {"email": "ann@example.org"}, "login": "ann", "state": "enabled", "groups": ["x", "Wiki-Admins"], "seen": 0}
{"profile": {"email": ""}, "login": "bob", "state": "left", "robot": true, "more": {"a": [1]}, "seen": "2026-03-01"}
END"#;
    let accounts = support::read(Path::new("/"), &script(lines, fields)).expect("the accounts");
    assert_eq!(accounts, ["ann@example.org al- never", "bob --s 2026-03-01"]);
}

#[test]
fn c4_the_whole_agent_counts_from_a_command() {
    let agent =
        Agent::reading(&script("printf '{\"identity\": \"a\"}\n{\"identity\": \"b\", \"active\": false}\n'", ""));
    agent.configure("[[dimension]]\nname = 'pages'\n[dimension.command]\nrun = ['echo', '17']\n");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let collected = &preview["next"]["outcome"]["collected"];
    let accounts = &collected["accounts"];
    assert_eq!((&accounts["total"], &accounts["deactivated"]), (&2.into(), &1.into()), "{collected}");
    assert!(collected.to_string().contains("17"), "{collected}");
}

#[test]
fn a_command_that_fails_after_all_its_lines_counts_nothing() {
    let (code, text) =
        refusal("echo '{\"identity\": \"ann\"}'; echo first >&2; echo 'no such host: ann@x' >&2; exit 3");
    assert_eq!(code, "source-command");
    assert_eq!(text, "the command ended with the exit status 3 (`seatline accounts check` shows what it said)");
    let (_, text) = refusal("kill -SEGV $$");
    assert_eq!(text, "the command was ended by the signal 11");
}

#[test]
fn what_a_command_says_is_bounded_and_its_last_line_is_kept() {
    let error = support::read(Path::new("/"), &script("yes long | head -c 3000000 >&2; echo why >&2; exit 1", ""));
    let Err(SourceError::Command(end)) = error else { panic!("{error:?}") };
    assert_eq!(end.said.as_deref(), Some("why"));
    let error = support::read(Path::new("/"), &script("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1", ""));
    let Err(SourceError::Command(end)) = error else { panic!("{error:?}") };
    assert_eq!(end.said.map(|said| said.chars().count()), Some(100));
}

#[test]
fn a_line_that_cannot_be_understood_fails_the_pass_and_is_not_repeated() {
    for garbage in ["hunter2", "[\"hunter2\"]", "{\"identity\": \"hunter2\"", "\"hunter2\"", "null"] {
        let (code, text) = refusal(&format!("printf '%s\\n' '{{\"identity\": 1}}' '{garbage}'"));
        assert_eq!((code, text.as_str()), ("source-record", "row 2: is no JSON object"), "{garbage}");
    }
    let (code, text) = refusal("echo '{\"identity\": \"ann\", \"active\": \"hunter2\"}'");
    assert_eq!(code, "source-value");
    assert!(text.starts_with("row 1: `active` must be") && !text.contains("hunter2"), "{text}");
    let (_, text) = refusal("printf '{\"identity\": \"\\xff\"}\\n'");
    assert_eq!(text, "row 1: is no JSON object", "what is not UTF-8 is no JSON");
    let deep = refusal("head -c 100000 /dev/zero | tr '\\0' '['").1;
    assert_eq!(deep, "row 1: is no JSON object");
}

#[test]
fn a_line_without_end_is_refused_at_its_bound() {
    let (code, text) = refusal("echo '{\"identity\": 1}'; tr '\\0' x < /dev/zero");
    assert_eq!(code, "source-too-large");
    assert_eq!(text, "after 1 rows, a line has more than 262144 bytes");
}

/// Reads with a time limit of one second, and gives why that failed and the time it took.
fn in_a_second(text: &str) -> (String, Duration) {
    let started = Instant::now();
    let text = script(text, "").replace("time_limit = 20", "time_limit = 1");
    let (code, line) = support::refusal(Path::new("/"), &text);
    (format!("{line} [{code}]"), started.elapsed())
}

#[test]
fn a_command_without_end_is_killed_at_the_time_limit() {
    for endless in [
        "sleep 1000",
        "yes '{\"identity\": 1}'",
        "while :; do printf x; sleep 0.1; done",
        // It has closed its outputs, and goes on.
        "exec >&- 2>&-; sleep 1000",
        // It has ended, and a child of it goes on.
        "sleep 1000 & exit 0",
        "trap '' TERM INT HUP; while :; do :; done",
        // A child has left the group, and holds the output.
        "setsid sleep 60 & exit 0",
    ] {
        let (why, took) = in_a_second(endless);
        assert_eq!(why, "reading took longer than the time limit of 1 s [source-time-limit]", "{endless}");
        assert!(took < Duration::from_secs(30), "{endless}: nobody waits until it ends by itself: {took:?}");
    }
}

#[test]
fn everything_that_a_command_has_started_ends_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let children = "sleep 987654 > /dev/null 2>&1 & echo $! > child; echo '{\"identity\": 1}'";
    assert_eq!(support::read(dir.path(), &script(children, "")).expect("the accounts").len(), 1);
    let child = std::fs::read_to_string(dir.path().join("child")).expect("it runs in the data directory");
    let deadline = Instant::now() + Duration::from_secs(60);
    // Killed, it is gone or a zombie once its new parent looks.
    let runs = || std::fs::read_to_string(format!("/proc/{}/cmdline", child.trim())).is_ok_and(|line| !line.is_empty());
    while runs() {
        assert!(Instant::now() < deadline, "the child still runs");
    }
}

#[test]
fn a_command_gets_the_environment_that_it_is_given_and_no_other() {
    let agent = Agent::reading(&script(
        "test \"$GIVEN\" = yes && test -z \"$SECRET\" && test -n \"$PATH\" && test -z \"$SEATLINE_DIR\" && read line; \
         test $? = 1 && echo '{\"identity\": 1}'",
        "environment = ['GIVEN']",
    ));
    let mut command = agent.command(&["report", "preview", "--json"]);
    let output = command.env("GIVEN", "yes").env("SECRET", "hunter2").output().expect("the agent");
    let preview: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(preview["next"]["outcome"]["collected"]["accounts"]["total"], 1, "{preview}");
}

#[test]
fn a_command_that_is_not_there_is_named() {
    for (program, reason) in
        [("no-such-program", "No such file"), ("./no-such-program", "No such file"), ("/tmp", "Permission denied")]
    {
        let text = format!("[accounts.command]\nrun = ['{program}']\n");
        let (code, text) = support::refusal(Path::new("/tmp"), &text);
        assert_eq!(code, "source-unreachable");
        assert!(text.starts_with("cannot reach the command ") && text.contains(reason), "{text}");
    }
}

#[test]
fn no_shell_reads_the_arguments() {
    let text = "[accounts.command]\nrun = ['echo', '{\"identity\": \"$(id); `id` > x\"}']\n";
    assert_eq!(support::read(Path::new("/"), text).expect("the accounts"), ["$(id); `id` > x al- unknown"]);
}

#[test]
fn a_dimension_is_one_number_that_a_command_prints() {
    let dimension = |name, script| {
        format!("[[dimension]]\nname = '{name}'\ntime_limit = 1\n[dimension.command]\nrun = ['sh', '-c', '{script}']\n")
    };
    let text = [
        dimension("pages", "echo 17"),
        dimension("blank", "printf \" 17\\n\\n\""),
        dimension("none", "true"),
        dimension("word", "echo many"),
        dimension("negative", "echo -1"),
        dimension("fraction", "echo 1.5"),
        dimension("two", "echo 1; echo 2"),
        dimension("long", "yes 1"),
        dimension("failed", "echo 17; exit 1"),
        dimension("slow", "sleep 1000"),
    ]
    .concat();
    let config = config(Path::new("/"), &text);
    let codes: Vec<_> =
        config.dimensions.iter().map(|dimension| accounts::measure(dimension).map_err(|error| error.code())).collect();
    let none = Err("source-not-a-number");
    let expected =
        [Ok(17), Ok(17), none, none, none, none, none, none, Err("source-command"), Err("source-time-limit")];
    assert_eq!(codes, expected);
    let measured = ConfiguredProduct::new(config).measure();
    assert_eq!(measured[0].1, Ok(17));
}
