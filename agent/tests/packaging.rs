//! What a package installs beside the program: the unit of systemd, completions, manual pages. Each is held against the
//! tool that reads it.

mod support;

use std::ffi::OsStr;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::agent::{Agent, seatline};
use support::running::Running;
use support::server::is_root;
use support::tool::{hold_unit, text, tool, user_made};

#[test]
fn the_unit_of_systemd_is_valid_and_leaves_the_agent_little_to_reach() {
    hold_unit("seatline.service", ("/usr/bin/seatline", "run"), env!("CARGO_BIN_EXE_seatline"));
}

#[test]
fn the_user_of_the_unit_is_one_that_systemd_makes() {
    let line = user_made("seatline.sysusers", "seatline");
    assert!(line.ends_with(":/var/lib/seatline:/usr/sbin/nologin"), "{line}");
}

#[test]
fn a_service_manager_is_told_when_the_agent_answers_and_when_it_ends() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    let path = agent.path("notify.sock");
    let socket = UnixDatagram::bind(&path).expect("the manager's socket");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let received = || {
        let mut message = [0; 64];
        let length = socket.recv(&mut message).expect("a message");
        String::from_utf8(message[..length].to_vec()).expect("text")
    };
    let mut running = Running::start(&agent, &[], &[("NOTIFY_SOCKET", path.to_str().expect("a path"))]);
    let address = running.address();
    assert_eq!(received(), "READY=1");
    assert_eq!(support::http::get(&address, "/healthz").status, 200, "whoever is told can ask");
    running.signal("TERM");
    assert_eq!(received(), "STOPPING=1");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn completions_work_in_their_shells() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = |shell: &str| {
        let path = dir.path().join(shell);
        std::fs::write(&path, seatline(&["completions", shell]).ok()).expect("the script");
        path
    };
    let asked =
        "source $0; COMP_WORDS=(seatline license i); COMP_CWORD=2; _seatline seatline i license; echo ${COMPREPLY[@]}";
    let bash = tool("bash", Command::new("bash").args(["--norc", "-c", asked]).arg(script("bash")));
    assert_eq!(text(&bash).trim(), "issue inspect");
    let fish = tool(
        "fish",
        Command::new("fish")
            .args(["--no-config", "-c"])
            .arg(format!("source {}; complete --do-complete 'seatline license i'", script("fish").display())),
    );
    let found: Vec<String> =
        text(&fish).lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(found, ["inspect", "issue"]);
    let zsh = tool("zsh", Command::new("zsh").args(["--no-rcs", "-n"]).arg(script("zsh")));
    assert!(zsh.status.success() && text(&zsh).is_empty(), "{}", text(&zsh));
    for shell in ["elvish", "powershell"] {
        assert!(seatline(&["completions", shell]).ok().contains("inspect"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page_that_is_well_formed() {
    let dir = tempfile::tempdir().expect("a directory");
    seatline(&["man", "--out", dir.path().to_str().expect("a path")]).ok();
    let mut pages: Vec<PathBuf> =
        dir.path().read_dir().expect("the pages").map(|page| page.expect("a page").path()).collect();
    pages.sort();
    for name in ["seatline.1", "seatline-run.1", "seatline-license-set.1"] {
        assert!(pages.contains(&dir.path().join(name)), "{name} is not among {pages:?}");
    }
    let lint = tool("mandoc", Command::new("mandoc").args(["-T", "lint", "-W", "error"]).args(&pages));
    assert!(lint.status.success(), "{}", text(&lint));
    let page = tool("man-db", Command::new("man").args(["--pager=cat", "-l"]).arg(dir.path().join("seatline.1")));
    assert!(page.status.success(), "{}", text(&page));
    for part in ["seatline-license(1)", "XDG_DATA_HOME", "Exit status"] {
        // Both margins are straight.
        let words = text(&page).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(part), "{part} is not in\n{words}");
    }
    let one = seatline(&["man"]).ok();
    assert_eq!(one, std::fs::read_to_string(dir.path().join("seatline.1")).expect("the page"));
}

/// The number of `nobody`, on every system.
const NOBODY: u32 = 65_534;

/// A program by somebody who is not root: by this user, or by `nobody` where this is root.
fn unprivileged(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[test]
fn root_is_refused_in_the_directory_of_another_user_who_is_not() {
    let agent = Agent::new();
    // A copy, because the binary may stand where nobody but its builder can go.
    let binary = agent.path("seatline");
    std::fs::copy(env!("CARGO_BIN_EXE_seatline"), &binary).expect("a copy");
    if is_root() {
        let given = tool("coreutils", Command::new("chown").args(["-R", "nobody:"]).arg(agent.path("..")));
        assert!(given.status.success(), "{}", text(&given));
        let line = agent.run(&["status"]).refused("other-user");
        assert!(line.contains("as with `sudo -u nobody seatline"), "{line}");
    }
    let own = tool("coreutils", unprivileged(&binary).args(["server-id", "--dir"]).arg(agent.path("")));
    assert!(own.status.success(), "{}", text(&own));
    // In a namespace of users, whoever makes it is root, and what is another's belongs to `nobody`.
    let mut root = unprivileged("unshare");
    root.args(["--user", "--map-root-user"]).arg(&binary).args(["run", "--dir", "/usr"]);
    let said = text(&tool("util-linux", &mut root));
    let hint = "this test needs namespaces of users: is user.max_user_namespaces above 0?";
    assert!(said.contains("/usr belongs to the user nobody") && said.contains("[other-user]"), "{hint} {said}");
}
