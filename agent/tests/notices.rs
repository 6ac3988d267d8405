//! `seatline notices …`: who is told what, through real mail servers and receivers.

mod support;

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use support::agent::Agent;
use support::mail::certificates::write_certificates;
use support::mail::mail_server::MailServer;
use support::mail::read;
use support::mail::receiver::Receiver;

/// The deliveries of the newest notice: channel and state.
fn deliveries(agent: &Agent) -> Vec<String> {
    let shown = agent.run(&["notices", "show", "--json"]).json();
    let deliveries = shown["notices"][0]["deliveries"].as_array().expect("the deliveries").clone();
    let text = |delivery: &Value, key: &str| delivery[key].as_str().expect("a text").to_owned();
    deliveries.iter().map(|it| format!("{} {}", text(it, "channel"), text(it, "state"))).collect()
}

#[test]
fn s5_a_reminder_arrives_by_mail_once_and_so_does_that_it_is_over() {
    let (agent, mut server) = (Agent::new(), MailServer::plain());
    agent.licensed_for("L-1", 20);
    agent.tells_by_mail(&server);
    let checked = agent.run(&["notices", "check", "--json"]).json();
    assert_eq!((&checked["due"][0]["code"], &checked["tried"]), (&"expires-soon".into(), &1.into()));
    let mail = server.mail();
    assert_eq!((&mail["from"], &mail["to"]), (&"wiki@example.org".into(), &json!(["ada@example.org"])));
    let (subject, text) = read(&mail);
    let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 20);
    assert_eq!(subject, format!("[Acme Wiki] License L-1 expires on {}", day.strftime("%Y-%m-%d UTC")));
    let server_id = agent.server_id();
    assert!(text.contains("Ask its vendor for the renewal") && text.contains(server_id.as_str()), "{text}");

    assert_eq!(agent.run(&["notices", "check", "--json"]).json(), json!({"due": [], "tried": 0}));
    assert_eq!(deliveries(&agent), ["mail:ada@example.org delivered"]);

    agent.licensed_for("L-2", 400);
    agent.run(&["notices", "check"]).ok();
    assert_eq!(read(&server.mail()).0, "[Acme Wiki] The license of acme-wiki is in order again");
    assert_eq!(agent.run(&["notices", "check", "--json"]).json(), json!({"due": [], "tried": 0}));
}

#[test]
fn s7_settings_are_tried_and_what_is_wrong_is_shown_before_it_is_needed() {
    let agent = Agent::new();
    agent.run(&["notices", "test"]).refused("nobody-told");
    agent.run(&["notices", "settings", "--recipient", "ada@example.org"]).ok();
    let settings = agent.run(&["notices", "settings", "--json"]).json();
    assert_eq!(settings["problems"][0]["message"], "No mails are sent: no mail server is set (`host`).");
    assert!(agent.run(&["notices", "test"]).refused("nobody-told").contains("no mail server is set"));

    let mut server =
        MailServer::start(&json!({"security": "plain", "refuse": {"gone@example.org": "550 5.1.1 No such user"}}));
    agent.tells_by_mail(&server);
    assert!(agent.run(&["notices", "test"]).ok().contains("reached ada@example.org"));
    assert_eq!(read(&server.mail()).0, "[Acme Wiki] A test of the notifications");
    let both = ["--recipient", "gone@example.org", "--recipient", "ada@example.org"];
    agent.run(&[&["notices", "settings"], &both[..]].concat()).ok();
    let tested = agent.run(&["notices", "test", "--json"]);
    assert_eq!(tested.code, 1);
    let tested: Value = serde_json::from_str(&tested.out).expect("one JSON value");
    assert_eq!(
        (&tested[0]["place"], &tested[0]["problem"]["code"]),
        (&"gone@example.org".into(), &"mail-recipient".into())
    );
    assert_eq!(tested[1]["problem"], Value::Null);

    agent.run(&["notices", "settings", "--port", "1"]).ok();
    assert!(agent.run(&["notices", "test"]).out.contains("[mail-unreachable]"));
}

#[test]
fn a_secret_is_kept_for_its_owner_alone_and_never_shown_again() {
    let agent = Agent::new();
    let dir = tempfile::tempdir().expect("a directory");
    write_certificates(dir.path());
    let wish =
        json!({"security": "starttls", "certificate": dir.path().join("server.pem"), "users": {"wiki": "hunter2"}});
    let mut server = MailServer::start(&wish);
    let port = server.port.to_string();
    let ca = dir.path().join("ca.pem");
    let options = ["--host", "localhost", "--port", &port, "--user", "wiki", "--password-file", "-", "--ca-file"];
    let who = [ca.to_str().expect("a path"), "--sender", "wiki@example.org", "--recipient", "ada@example.org"];
    let set = agent.run_with_input(&[&["notices", "settings"], &options[..], &who].concat(), "hunter2\n");
    assert!(set.ok().contains("wiki, with a password"));
    let made = agent.run(&["notices", "add-webhook", "http://127.0.0.1:1/hook?key=hunter2", "--json"]).json();
    let secret = made["secret"].as_str().expect("the secret");
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{made}");

    assert_eq!(agent.run(&["notices", "test"]).code, 1, "the webhook is not there");
    assert_eq!(server.mail()["user"], "wiki");
    for arguments in [&["notices", "settings"][..], &["notices", "show"], &["notices", "test"], &["status"]] {
        for json in [&[][..], &["--json"]] {
            let shown = agent.run(&[arguments, json].concat());
            let all = format!("{}{}", shown.out, shown.err);
            assert!(!all.contains("hunter2") && !all.contains(&secret[6..]), "{all}");
        }
    }
    let kept = agent.path("state/notification-settings.json");
    assert_eq!(kept.metadata().expect("the file").permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(kept).expect("the file").contains("hunter2"));
}

#[test]
fn a_password_goes_to_no_other_server_and_no_other_user_than_it_was_set_for() {
    let agent = Agent::new();
    std::fs::write(agent.path("mail.password"), "hunter2\n").expect("the password");
    agent.configure("[mail]\nhost = 'mail.example.org'\nuser = 'wiki'\npassword_file = 'mail.password'\n");
    let has_password = |options: &[&str]| {
        let settings = agent.run(&[&["notices", "settings", "--json"], options].concat()).json();
        settings["mail"]["has_password"].as_bool().expect("a truth value")
    };
    assert!(has_password(&[]), "it is configured");
    assert!(!has_password(&["--host", "evil.example.org"]) && !has_password(&[]));
    assert!(!has_password(&["--host", "mail.example.org", "--user", "other"]));
    assert!(has_password(&["--reset-mail"]));
    let set = agent.run_with_input(&["notices", "settings", "--password-file", "-", "--json"], "other\n").json();
    assert_eq!(set["mail"]["has_password"], true);
    assert!(has_password(&["--sender", "wiki@example.org", "--port", "587"]), "it is the same server");
    assert!(!has_password(&["--host", "evil.example.org"]));
    let dir = tempfile::tempdir().expect("a directory");
    write_certificates(dir.path());
    let ca = dir.path().join("ca.pem");
    for elsewhere in [&["--port", "2525"], &["--security", "tls"], &["--ca-file", ca.to_str().expect("a path")]] {
        assert!(has_password(&["--reset-mail"]), "of the configuration");
        assert!(!has_password(elsewhere), "of the configuration, with {elsewhere:?}");
        agent.run_with_input(&["notices", "settings", "--reset-mail", "--password-file", "-"], "other\n").ok();
        assert!(has_password(&[]) && !has_password(elsewhere), "of the state, with {elsewhere:?}");
    }
    agent.run(&["notices", "settings", "--security", "plain"]).refused("notices-settings");
}

#[test]
fn each_wrong_setting_is_refused_by_name_and_changes_nothing() {
    let agent = Agent::new();
    let before = agent.run(&["notices", "settings"]).ok();
    let too_many: Vec<String> = (0..21).map(|index| format!("--recipient=a{index}@example.org")).collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    let cases: [(&[&str], &str); 10] = [
        (&["--host", "mail.example.org:25"], "`host` must be the name"),
        (&["--host", "a\nb"], "`host` must be the name"),
        (&["--user", "a\nb"], "`user` must be one line"),
        (&["--sender", "Ada <ada@example.org>"], "`sender` a mail address must be"),
        (&["--recipient", "ada@example.org\r\nBcc: eve@example.org"], "`recipients` hold `ada@example.org Bcc"),
        (&too_many, "`recipients` must be at most 20"),
        (&["--threshold", "users=101"], "thresholds must be"),
        (&["--expiry-days", "0"], "expiry_days must be"),
        (&["--expiry-days", "soon"], "--expiry-days must be numbers of days"),
        (&["--host", "mail.example.org", "--security", "plain"], "`security` may be `plain`"),
    ];
    for (options, expected) in cases {
        let refused = agent.run(&[&["notices", "settings"], options].concat());
        assert_eq!(refused.code, 1, "{options:?}: {}", refused.out);
        assert!(refused.err.contains(expected), "{options:?}: {}", refused.err);
    }
    assert_eq!(agent.run(&["notices", "settings", "--threshold", "users"]).code, 2);
    assert_eq!(agent.run(&["notices", "settings"]).ok(), before);
}

#[test]
fn s4_a_threshold_is_set_on_one_dimension_and_taken_back() {
    let agent = Agent::new();
    let thresholds = |options: &[&str]| {
        let settings = agent.run(&[&["notices", "settings", "--json"], options].concat()).json();
        settings["reminders"]["thresholds"].clone()
    };
    assert_eq!(thresholds(&["--threshold", "users=80", "--threshold", "pages=50%"]), json!({"users": 80, "pages": 50}));
    assert_eq!(thresholds(&["--threshold", "users="]), json!({"pages": 50}));
    let settings = agent.run(&["notices", "settings", "--expiry-days", "90, 30,7", "--json"]).json();
    assert_eq!(settings["reminders"]["expiry_days"], json!([90, 30, 7]));
    let settings = agent.run(&["notices", "settings", "--expiry-days", "", "--json"]).json();
    assert_eq!(settings["reminders"]["expiry_days"], json!([]));
}

#[test]
fn a_webhook_is_called_with_what_the_mail_says_and_a_dead_one_is_in_nobodys_way() {
    let (agent, mut server) = (Agent::new(), MailServer::plain());
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut receiver = Receiver::start(&json!({"secret": secret}));
    std::fs::write(agent.path("webhook.secret"), secret).expect("the secret");
    agent.configure(&format!("[[webhook]]\nurl = '{}'\nsecret_file = 'webhook.secret'\n", receiver.url()));
    // It takes connections, and answers none of them.
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", dead.local_addr().expect("its address"));
    let (closed, close) = std::sync::mpsc::channel::<()>();
    let hanging = std::thread::spawn(move || {
        let connection = dead.accept().map(|(mut connection, _)| {
            let _ = connection.read(&mut [0; 16]);
            connection
        });
        let _ = close.recv();
        drop(connection);
    });
    let removed = agent.run(&["notices", "add-webhook", &url, "--json"]).json();
    agent.run(&["notices", "add-webhook", &url]).refused("webhook-exists");
    agent.tells_by_mail(&server);
    agent.licensed_for("L-1", 20);

    let checking = std::thread::scope(|scope| {
        let checking = scope.spawn(|| agent.run(&["notices", "check", "--json"]));
        // Both are there while the dead one hangs.
        let (mail, call) = (server.mail(), receiver.call());
        let body = &call["body"];
        assert_eq!((&call["verified"], &body["type"]), (&true.into(), &"notice.began".into()));
        assert_eq!(body["data"]["id"], call["id"]);
        assert!(read(&mail).0.ends_with(body["data"]["title"].as_str().expect("a title")), "{call}");
        assert_eq!((&body["data"]["severity"], &body["data"]["license"]), (&"warning".into(), &"L-1".into()));
        closed.send(()).expect("it hangs");
        checking.join().expect("no panic")
    });
    assert_eq!(checking.json()["tried"], 3);
    hanging.join().expect("no panic");
    let shown = deliveries(&agent);
    assert_eq!(shown[0], "mail:ada@example.org delivered");
    assert!(shown[1].starts_with("webhook:") && shown[1].ends_with(" delivered"), "{shown:?}");
    assert!(shown[2].ends_with(" waiting"), "{shown:?}");

    // What is removed is given up; what stands in the file is taken out there.
    let id = removed["id"].as_str().expect("an id");
    agent.run(&["notices", "remove-webhook", id]).ok();
    agent.run(&["notices", "remove-webhook", id]).refused("webhook-unknown");
    let configured = agent.run(&["notices", "settings", "--json"]).json()["webhooks"][0]["id"].clone();
    agent.run(&["notices", "remove-webhook", configured.as_str().expect("an id")]).refused("webhook-configured");
    agent.run(&["notices", "check"]).ok();
    assert!(deliveries(&agent)[2].ends_with(" given-up"));
}

#[test]
fn ten_webhooks_are_called_and_those_of_the_configuration_count() {
    let agent = Agent::new();
    agent.configure("[[webhook]]\nurl = 'https://hooks.example.org/0'\nsecret_env = 'HOOK'\n");
    let add = |n: usize| agent.run(&["notices", "add-webhook", &format!("https://hooks.example.org/{n}")]);
    (1..10).for_each(|n| drop(add(n).ok()));
    add(10).refused("too-many-webhooks");
    let webhooks = agent.run(&["notices", "settings", "--json"]).json()["webhooks"].take();
    assert_eq!(webhooks.as_array().map(Vec::len), Some(10), "{webhooks}");
    agent.run(&["notices", "remove-webhook", webhooks[9]["id"].as_str().expect("an id")]).ok();
    add(11).ok();
}

#[test]
fn what_was_refused_for_now_waits_over_restarts_and_what_was_mended_is_sent_at_once() {
    let agent = Agent::new();
    let mut server = MailServer::start(&json!({"security": "plain", "greylist": ["ada@example.org"]}));
    agent.tells_by_mail(&server);
    agent.licensed_for("L-1", 20);
    assert_eq!(agent.run(&["notices", "check", "--json"]).json()["tried"], 1);
    let waiting = &agent.run(&["notices", "show", "--json"]).json()["notices"][0]["deliveries"][0];
    assert_eq!((&waiting["state"], &waiting["failures"]), (&"waiting".into(), &1.into()));
    assert!(
        waiting["problem"]["message"]
            .as_str()
            .is_some_and(|text| text.ends_with("451 4.7.1 Greylisted, try again later"))
    );
    let again: jiff::Timestamp = waiting["next_attempt_at"].as_str().expect("a time").parse().expect("a time");
    let wait = again.duration_since(jiff::Timestamp::now());
    assert!((30..=75).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(agent.run(&["notices", "check", "--json"]).json()["tried"], 0, "its time has not come");
    // Who changes the settings does not wait.
    agent.tells_by_mail(&server);
    assert_eq!(agent.run(&["notices", "check", "--json"]).json()["tried"], 1);
    assert_eq!(server.mail()["to"][0], "ada@example.org");
    assert_eq!(deliveries(&agent), ["mail:ada@example.org delivered"]);
}

#[test]
fn a_damaged_book_is_told_with_the_way_out() {
    let agent = Agent::new();
    std::fs::write(agent.path("state/notices.json"), "rubbish").expect("damage");
    let refused = agent.run(&["notices", "show"]).refused("store-damaged");
    assert!(refused.contains("what is so is then told once more"), "{refused}");
}
