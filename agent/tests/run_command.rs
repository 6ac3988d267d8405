//! `seatline run`, as a process that is started and stopped.

mod support;

use jiff::{SignedDuration, Timestamp};
use support::agent::Agent;
use support::central::{Central, answer};
use support::running::Running;
use support::wait::until;

fn agent() -> Agent {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    agent.install_plugin();
    agent
}

#[test]
fn w6_it_collects_at_the_start_and_ends_well_on_either_signal() {
    let agent = agent();
    for signal in ["INT", "TERM"] {
        let mut running = Running::start(&agent, &[], &[]);
        let collected = running.until("collected");
        assert_eq!((&collected["accounts"], &collected["trigger"]), (&8.into(), &"start".into()));
        running.signal(signal);
        running.until("stopped");
        assert_eq!(running.ended(), Some(0), "{signal}");
    }
    assert_eq!(agent.run(&["status", "--json"]).json()["last_run"]["counts"]["users"], 4);
}

#[test]
fn w6_a_central_server_that_wants_one_count_after_the_other_lets_the_product_rest_between_them() {
    let agent = agent();
    agent.reconfigure(
        "'''select mail",
        "'''with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000),
         everybody as (select 'user-' || i as mail, 1 as active, 1 as access, null as seen, 0 as bot from n)
         select mail",
    );
    agent.reconfigure("from users'''", "from everybody'''");
    let central = Central::new();
    central.links(&agent);
    let mut running = Running::start(&agent, &[], &[]);
    assert_eq!(running.until("collected")["trigger"], "start");
    let mut wished = |revision| {
        answer(&agent, &central.wish(revision)).ok();
        let collected = running.until("collected");
        assert_eq!(collected["trigger"], "demand");
        let ended: Timestamp = collected["timestamp"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        (ended, SignedDuration::from_millis(collected["took_ms"].as_i64().expect("a number")))
    };
    let (first, took) = wished(2);
    let (second, _) = wished(3);
    assert!(second.duration_since(first) >= took * 10, "{took:?}, and then from {first} to {second}");
}

#[test]
fn a_log_that_cannot_be_written_hinders_nothing() {
    let agent = agent();
    let mut running = Running::start_without_log(&agent);
    until("the first run", || {
        let last = agent.run(&["status", "--json"]).json()["last_run"]["counts"]["users"].as_u64();
        assert!(running.runs(), "it goes on");
        last
    });
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn a_command_whose_complaint_nobody_hears_fails_as_it_says() {
    let (agent, arguments) = (Agent::new(), ["license", "remove", "NONE", "--yes", "--json"]);
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a file that is full");
    let unheard = agent.command(&arguments).stderr(full).output().expect("the binary starts");
    let heard = agent.run(&arguments);
    assert!(heard.code != 0 && heard.err.starts_with("error: "), "{heard:?}");
    assert_eq!(
        (unheard.status.code(), String::from_utf8(unheard.stdout).expect("text")),
        (Some(heard.code), heard.out)
    );
}

#[test]
fn g2_a_license_in_the_environment_is_set_when_it_starts() {
    let agent = agent();
    let key = agent.issue(&["--kind", "commercial", "--id", "ENV"]);
    let mut running = Running::start(&agent, &[], &[("SEATLINE_LICENSE", &key)]);
    assert_eq!(running.until("set the license key")["license"], "ENV");
    running.until("collected");
    assert!(agent.run(&["license", "show"]).ok().contains("ENV (active)"));
}

#[test]
fn it_goes_on_without_plugin_database_or_central_server_and_says_so() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    let mut running = Running::start(&agent, &[], &[]);
    assert_eq!(running.until("the run failed")["code"], "no-plugin");
    running.signal("TERM");
    running.until("stopped");

    agent.install_plugin();
    std::fs::remove_file(agent.path("wiki.db")).expect("the database is gone");
    let mut running = Running::start(&agent, &[], &[]);
    let missing = running.until("missing from the report");
    assert!(missing["message"].as_str().is_some_and(|text| text.contains("source-missing")), "{missing}");
    running.signal("TERM");
    running.until("stopped");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn a_state_that_cannot_be_read_stops_nothing_and_is_told_until_it_is_mended() {
    let agent = agent();
    let mut running = Running::start(&agent, &[], &[]);
    running.until("collected");
    std::fs::write(agent.path("state/link.json"), "rubbish").expect("damage");
    let told = running.until("nothing is counted or sent until this is mended");
    assert_eq!(told["code"], "store-damaged");
    assert!(told["message"].as_str().is_some_and(|text| text.contains("restore it from a backup")), "{told}");
    std::fs::remove_file(agent.path("state/link.json")).expect("moved away");
    let next = running.entry();
    assert_eq!(next["message"], "the state can be read again", "it was told once");
    running.signal("TERM");
    running.until("stopped");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn without_a_configuration_it_does_not_start() {
    let agent = Agent::new();
    std::fs::remove_file(agent.path("seatline.toml")).expect("the configuration is gone");
    agent.run(&["run"]).refused("config-missing");
}

#[test]
fn a_million_accounts_raise_the_memory_of_the_whole_agent_by_less_than_32_mib() {
    let peak = |everybody: &str| {
        let agent = Agent::new();
        agent.configure("\n[log]\nformat = 'json'\n");
        agent.reconfigure("'''select mail", &format!("'''with {everybody} select mail"));
        agent.reconfigure("from users'''", "from everybody'''");
        agent.install_plugin();
        let mut running = Running::start(&agent, &[], &[]);
        let collected = running.until("collected");
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
        let kibibytes: u64 = line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number");
        (collected["accounts"].as_u64(), kibibytes)
    };
    let few = peak("everybody as (select * from users)");
    let many = peak(
        "recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000),
         everybody as (select 'user-' || i as mail, 1 as active, 1 as access, null as seen, 0 as bot from n)",
    );
    assert_eq!((few.0, many.0), (Some(8), Some(1_000_000)));
    assert!(many.1 < few.1 + 32 * 1024, "{} KiB with eight accounts, {} KiB with a million", few.1, many.1);
}

#[test]
fn what_takes_longer_than_a_second_says_so_on_standard_error() {
    let agent = Agent::new();
    agent.install_plugin();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as identity from n";
    let text = std::fs::read_to_string(agent.path("seatline.toml")).expect("the configuration");
    let query = text.split("'''").nth(1).expect("the query");
    agent.reconfigure(&format!("'''{query}'''"), &format!("'{endless}'\ntime_limit = 2"));
    let shown = agent.run(&["report", "preview", "--json"]);
    assert!(shown.err.contains("counting"), "{}", shown.err);
    assert!(shown.ok().contains("source-time-limit"));
}
