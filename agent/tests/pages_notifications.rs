//! The page Notifications: settings, a test with its real result (`s7`), what was told; through the real binary, real
//! mail servers and receivers, and without JavaScript.

mod support;

use serde_json::{Value, json};
use support::agent::Agent;
use support::http::Answer;
use support::mail::mail_server::MailServer;
use support::mail::read;
use support::mail::receiver::Receiver;
use support::person::{PASSWORD, Person, hidden};
use support::site::Site as World;
use support::wait::until;

/// A secret that a receiver has given.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A running agent with an administrator who has signed in and confirmed, after `prepare`.
fn world(prepare: impl FnOnce(&Agent)) -> World {
    let world = World::new(prepare);
    world.ada.confirm();
    world
}

impl World {
    fn page(&self) -> String {
        let page = self.ada.get("/notifications");
        assert_eq!(page.status, 200, "{page:?}");
        page.body
    }

    /// The page once it shows this.
    fn until(&self, shown: &str) -> String {
        until(shown, || Some(self.page()).filter(|page| page.contains(shown)))
    }

    /// Sends a test, and gives the page with its result.
    fn test(&self) -> String {
        let answer = self.ada.post("/notifications/test", &[]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/notifications#test")), "{answer:?}");
        self.until("Result of")
    }

    /// Saves mail settings: those of a plain server at `port`, with other fields in their place.
    fn mail(&self, port: u16, other: &[(&str, &str)]) -> Answer {
        let port = port.to_string();
        let usual = [
            ("host", "localhost"),
            ("port", &port),
            ("security", "plain"),
            ("user", ""),
            ("password", ""),
            ("sender", "wiki@example.org"),
            ("recipients", "ada@example.org"),
        ];
        let usual = usual.into_iter().filter(|(name, _)| !other.iter().any(|(replaced, _)| replaced == name));
        let fields: Vec<(&str, &str)> = usual.chain(other.iter().copied()).collect();
        self.ada.post("/notifications/mail", &fields)
    }

    fn settings(&self) -> Value {
        self.agent.run(&["notices", "settings", "--json"]).json()
    }
}

fn done(answer: &Answer, what: &str) {
    let target = format!("/notifications?done={what}");
    assert_eq!((answer.status, answer.header("location")), (303, Some(target.as_str())), "{answer:?}");
}

/// Why a field was not taken.
fn refused(answer: &Answer, field: &str) -> String {
    assert_eq!(answer.status, 422, "{answer:?}");
    let mark = format!("id=\"error-{field}");
    let rest = answer.body.split_once(&mark).unwrap_or_else(|| panic!("no error at {field}: {}", answer.body)).1;
    rest.split_once("<span>").and_then(|(_, rest)| rest.split_once("</span>")).expect("why").0.to_owned()
}

#[test]
fn s7_mail_is_set_tried_and_its_real_result_is_shown() {
    let world = world(|_| {});
    assert!(world.page().contains("Nobody is told"));
    assert!(world.test().contains("Nothing was sent: nobody is named yet."));
    let mut server =
        MailServer::start(&json!({"security": "plain", "refuse": {"gone@example.org": "550 5.1.1 No such user"}}));
    let both = "ada@example.org\r\n gone@example.org , \r\n";
    done(&world.mail(server.port, &[("recipients", both)]), "mail");
    assert!(!world.page().contains("Nobody is told"), "without a restart");
    world.ada.post("/notifications/test", &[]);
    let page = world.until("Not reached");
    assert_eq!(read(&server.mail()).0, "[Acme Wiki] A test of the notifications");
    assert!(page.contains("Reached</span> <span class=\"digest\">ada@example.org"), "{page}");
    assert!(page.contains("No such user") && page.contains("(<code>mail-recipient</code>)"), "{page}");

    done(&world.mail(1, &[]), "mail");
    world.ada.post("/notifications/test", &[]);
    world.until("mail-unreachable");
}

#[test]
fn s5_what_was_told_and_what_failed_is_shown_with_its_reason_and_next_try() {
    let server = MailServer::plain();
    let world = world(|agent| {
        agent.licensed_for("L-1", 20);
        agent.tells_by_mail(&server);
    });
    let page = world.until("Delivered");
    assert!(page.contains("License L-1 expires on") && page.contains("ada@example.org"), "{page}");
    done(&world.mail(1, &[]), "mail");
    world.agent.licensed_for("L-2", 400);
    let page = world.until("To be tried again");
    assert!(page.contains("in order again") && page.contains("(<code>mail-unreachable</code>)"), "{page}");
    assert!(page.contains("Failed 1 time; the next try is in"), "{page}");
}

#[test]
fn a_mail_setting_that_breaks_its_rule_is_refused_at_its_field_and_changes_nothing() {
    let world = world(|_| {});
    done(&world.mail(2525, &[]), "mail");
    let before = world.settings();
    let long = "x".repeat(300);
    let many = (0..21).map(|n| format!("a{n}@example.org")).collect::<Vec<_>>().join("\n");
    for (field, value, why) in [
        ("host", "mail.example.org:25", "without a port"),
        ("host", "<script>", "without a port"),
        ("port", "70000", "from 1 to 65535"),
        ("port", "-1", "from 1 to 65535"),
        ("security", "ssl", "can be chosen"),
        ("user", &long, "at most 255"),
        ("password", "secret", "name the user too"),
        ("sender", "nobody", "It "),
        ("recipients", "nobody", "nobody"),
        ("recipients", &many, "at most 20"),
    ] {
        let answer = world.mail(2525, &[(field, value)]);
        let shown = refused(&answer, field);
        assert!(shown.contains(why), "{field}={value}: {shown}");
        assert!(!answer.body.contains("value=\"secret\"") && !answer.body.contains("<script>"), "{}", answer.body);
        assert_eq!(world.settings(), before, "{field}={value}");
    }
    let elsewhere = world.mail(2525, &[("host", "mail.example.org")]);
    assert!(refused(&elsewhere, "security").contains("on this machine alone"));
    let fields = [("host", "x"), ("port", ""), ("security", "tls"), ("user", ""), ("sender", ""), ("recipients", "")];
    let part = |(name, value)| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--x\r\nContent-Disposition: form-data; name=\"ca-file\"; filename=\"ca.pem\"\r\n\r\nno certificate\r\n";
    let body = format!("{}{file}--x--\r\n", fields.map(part).concat());
    let multipart = [("Content-Type", "multipart/form-data; boundary=x")];
    refused(&world.ada.send("POST", "/notifications/mail", &multipart, &body), "ca-file-mail");
    let cut = world.ada.post("/notifications/mail", &[("security", "starttls")]);
    assert!(
        cut.status == 400 && cut.body.contains("did not arrive whole"),
        "what is missing takes nothing away: {cut:?}"
    );
    assert_eq!(world.settings(), before);
}

#[test]
fn a_password_is_kept_without_being_shown_and_goes_to_no_other_server() {
    let world = world(|_| {});
    done(&world.mail(2525, &[("user", "wiki"), ("password", "hunter2")]), "mail");
    done(&world.mail(2525, &[("user", "wiki"), ("sender", "other@example.org")]), "mail");
    assert_eq!(world.settings()["mail"]["has_password"], true, "an empty field keeps it");
    assert!(!world.page().contains("hunter2"));
    done(&world.mail(2525, &[("user", "wiki"), ("host", "127.0.0.1")]), "mail");
    assert_eq!(world.settings()["mail"]["has_password"], false);
    world.ada.post("/confirm/end", &[]);
    let asked = world.mail(2525, &[("user", "wiki"), ("password", "hunter3")]);
    assert_eq!(asked.status, 403);
    assert!(!asked.body.contains("hunter3"), "{}", asked.body);
    let confirmation = [("confirm-password", PASSWORD), ("pending", &hidden(&asked.body, "pending"))];
    done(&world.ada.post("/notifications/mail", &confirmation), "mail");
    assert_eq!(world.settings()["mail"]["has_password"], true);
}

#[test]
fn what_is_not_changed_stays_with_the_configuration_and_can_be_given_back_to_it() {
    let world = world(|agent| {
        let mail = "[mail]\nhost = 'localhost'\nport = 2525\nsecurity = 'plain'\nsender = 'wiki@example.org'\n";
        agent.configure(&format!("{mail}recipients = ['ada@example.org']\n"));
    });
    done(&world.mail(2525, &[("recipients", "ben@example.org")]), "mail");
    let kept = std::fs::read_to_string(world.agent.path("state/notification-settings.json")).expect("the settings");
    assert!(kept.contains("ben@example.org") && !kept.contains("localhost"), "{kept}");
    done(&world.ada.post("/notifications/mail/reset", &[]), "reset");
    assert_eq!(world.settings()["mail"]["recipients"], json!(["ada@example.org"]));
}

#[test]
fn s4_s5_when_is_told_can_be_set_and_a_bad_value_changes_nothing() {
    let world = world(|agent| {
        let key = agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=10", "--limit", "pages=20"]);
        agent.run(&["license", "set", &key]).ok();
    });
    let page = world.page();
    assert!(page.contains("name=\"threshold-users\"") && page.contains("name=\"threshold-pages\""), "{page}");
    let save = |field: &str, value: &str| {
        let usual = [("expiry", "90, 30"), ("maintenance", ""), ("evaluation", "7"), ("patience", "3")];
        let mut fields: Vec<(&str, &str)> = usual.into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        world.ada.post("/notifications/reminders", &fields)
    };
    done(&save("threshold-users", "80%"), "reminders");
    let set = world.settings()["reminders"].clone();
    assert_eq!((&set["expiry_days"], &set["maintenance_days"]), (&json!([90, 30]), &json!([])));
    assert_eq!(set["thresholds"], json!({"users": 80}));
    for (field, value, at) in [
        ("threshold-users", "0", ""),
        ("threshold-users", "101", ""),
        ("threshold-users", "many", "threshold-"),
        ("threshold-no/dimension", "50", "threshold-"),
        ("expiry", "tomorrow", "expiry"),
        ("expiry", "0", ""),
        ("maintenance", "70000", "maintenance"),
        ("evaluation", "7, 7", ""),
        ("patience", "", "patience"),
        ("patience", "0", ""),
        ("patience", "256", "patience"),
    ] {
        let answer = save(field, value);
        match at {
            "" => assert!(answer.status == 422 && answer.body.contains("Nothing was changed"), "{field}: {answer:?}"),
            at => drop(refused(&answer, at)),
        }
        assert_eq!(world.settings()["reminders"], set, "{field}={value}");
    }
    done(&save("threshold-users", ""), "reminders");
    assert_eq!(world.settings()["reminders"]["thresholds"], json!({}), "as it is usual");
}

#[test]
fn a_webhook_is_added_with_a_secret_that_is_shown_once_tried_and_removed() {
    let world = world(|_| {});
    let added = world.ada.post("/notifications/webhooks", &[("url", "http://127.0.0.1:1/hook?key=hunter2")]);
    assert_eq!(added.status, 200, "{added:?}");
    let secret = added.body.split_once(">whsec_").expect("the secret").1;
    let secret = secret.split('<').next().expect("its end");
    assert_eq!(secret.len(), 44, "{secret}");
    assert!(!world.page().contains(secret) && !added.body.contains("hunter2"), "it is shown once");
    let id = hidden(&world.page(), "id");
    done(&world.ada.post("/notifications/webhooks/remove", &[("id", &id)]), "removed");

    let mut receiver = Receiver::start(&json!({"secret": SECRET}));
    let url = receiver.url();
    let added = world.ada.post("/notifications/webhooks", &[("url", &url), ("secret", SECRET)]);
    assert!(added.status == 200 && !added.body.contains(&SECRET[6..]), "who has given it knows it: {added:?}");
    let page = world.test();
    assert_eq!(receiver.call()["body"]["type"], "notice.test");
    assert!(page.contains("Reached</span>"), "{page}");
    let again = world.ada.post("/notifications/webhooks", &[("url", &url)]);
    assert!(again.status == 422 && again.body.contains("is called already"), "replayed: {again:?}");
    for (field, value) in
        [("url", "ftp://example.org"), ("url", "http://example.org/"), ("url", ""), ("secret", "weak")]
    {
        let fields = [("url", "https://hooks.example.org/x"), ("secret", "")];
        let mut fields: Vec<(&str, &str)> = fields.into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        let answer = world.ada.post("/notifications/webhooks", &fields);
        refused(&answer, field);
        assert!(!answer.body.contains("weak"), "{}", answer.body);
    }
    let id = hidden(&world.page(), "id");
    done(&world.ada.post("/notifications/webhooks/remove", &[("id", &id)]), "removed");
    for wrong in [id.as_str(), "", "<script>"] {
        let answer = world.ada.post("/notifications/webhooks/remove", &[("id", wrong)]);
        assert!(
            answer.status == 422 && answer.body.contains("there is no webhook")
                || answer.body.contains("There is no webhook")
        );
    }
}

#[test]
fn a_viewer_sees_what_is_set_and_no_form() {
    let world = world(|_| {});
    done(&world.mail(2525, &[("user", "wiki"), ("password", "hunter2")]), "mail");
    let page = Person::signed_in(&world.address, "vic").get("/notifications");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("localhost:2525") && page.body.contains("1 recipient"), "{}", page.body);
    assert!(!page.body.contains("/notifications/mail") && !page.body.contains("ada@example.org"), "{}", page.body);
}

#[test]
fn bad_forms_are_refused_without_harm() {
    let world = world(|_| {});
    let before = world.settings();
    for path in ["mail", "reminders", "webhooks", "webhooks/remove"] {
        world.misuse(&format!("/notifications/{path}"), true);
    }
    for path in ["test", "mail/reset"] {
        world.misuse(&format!("/notifications/{path}"), false);
    }
    assert_eq!(world.settings(), before);
}
