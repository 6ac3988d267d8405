//! No secret reaches the log of `seatline run`, at whatever level, whatever goes well or wrong with it.

use std::fs;
use std::path::Path;

use seatline_tests::{Agent, Central, Vendor, until};
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent as Browser, Body};

/// What somebody typed or configured; each is also searched for in other spellings.
const PASSWORD: &str = "planted-password-of-ada";
const WRONG_PASSWORD: &str = "planted-password-that-is-wrong";
const DATABASE_PASSWORD: &str = "planted-password-of-a-database";
const WRONG_TOKEN: &str = "sla_planted-token-that-nobody-made";

/// The lines of a log so far; each is JSON.
fn entries(log: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log).expect("the log is text");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Waits for a line with this message, and gives it.
fn logged(log: &Path, message: &str) -> Value {
    until(&format!("`{message}` in the log"), || {
        entries(log).into_iter().find(|entry| entry["message"].as_str().is_some_and(|text| text.starts_with(message)))
    })
}

/// Somebody who does not follow redirects, and takes every status for an answer.
fn browser() -> Browser {
    Browser::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

/// Every text in the state of an agent that is a key or a secret.
fn kept_secrets(state: &Path) -> Vec<String> {
    let mut secrets = Vec::new();
    for file in fs::read_dir(state).expect("the state") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).expect("a slot is text");
            collect(&serde_json::from_str(&text).expect("a slot is JSON"), "", &mut secrets);
        }
    }
    secrets
}

fn collect(value: &Value, name: &str, secrets: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, name, secrets)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, name, secrets)),
        Value::String(text) => {
            let is_secret = ["key", "pseudonym_key", "secret", "password", "hash", "join", "invite"].contains(&name);
            // A short text could stand in a log for other reasons, and a public key is for everybody.
            if is_secret && text.len() >= 16 && !text.starts_with("k4.public.") {
                secrets.push(text.clone());
            }
        }
        _ => {}
    }
}

#[test]
fn no_secret_reaches_the_log_at_whatever_level() {
    let (mut central, vendor) = (Central::start(), Vendor::new());
    let agent = Agent::new(&vendor);
    agent.configure(
        "\n[[dimension]]\nname = \"spaces\"\ndatabase_env = \"PLANTED_DATABASE\"\nquery = \"select 1\"\n\
         [log]\nformat = \"json\"\nlevel = \"trace\"\n",
    );
    agent.run_with_input(&["user", "add", "ada", "--password-stdin"], &format!("{PASSWORD}\n")).ok();
    let token = agent.run(&["token", "create", "--name", "planted", "--role", "admin", "--json"]).json();
    let token = token["token"].as_str().expect("a token").to_owned();
    let lying_ready = vendor.license(70, &["--id", "READY"]);
    let log = agent.dir().join("run.log");
    let database = format!("postgres://wiki:{DATABASE_PASSWORD}@127.0.0.1:1/wiki?sslmode=disable");
    let environment = [("PLANTED_DATABASE", database.as_str()), ("SEATLINE_LICENSE", lying_ready.as_str())];
    let running = agent.start_logging(&log, &environment);
    let address = logged(&log, "listening")["address"].as_str().expect("an address").to_owned();
    logged(&log, "collected");
    logged(&log, "not measured: [source-unreachable]");

    // Licenses: over the API and by a command, a good one, a bad one, one that is cut off.
    let (first, second) = (vendor.license(80, &["--id", "API"]), vendor.license(90, &["--id", "CLI"]));
    let post = |path: &str, token: &str, body: Value| -> Response<Body> {
        let request =
            browser().post(format!("http://{address}{path}")).header("authorization", format!("Bearer {token}"));
        request.send_json(body).expect("an answer")
    };
    assert_eq!(post("/v1/licenses", &token, json!({ "key": first })).status(), 200);
    assert_eq!(post("/v1/licenses", &token, json!({ "key": &second[..second.len() - 9] })).status(), 422);
    assert_eq!(post("/v1/licenses/preview", &token, json!({ "key": second })).status(), 200);
    assert_eq!(post("/v1/licenses", WRONG_TOKEN, json!({ "key": second })).status(), 401);
    assert_eq!(post(&format!("/v1/licenses?token={token}"), "", json!({})).status(), 401);
    agent.run(&["license", "set", &second]).ok();

    // Somebody signs in, wrongly and rightly.
    let mut cookies = Vec::new();
    for (password, status) in [(WRONG_PASSWORD, 401), (PASSWORD, 303)] {
        let form = [("name", "ada"), ("password", password)];
        let answer = browser().post(format!("http://{address}/sign-in")).send_form(form).expect("an answer");
        assert_eq!(answer.status(), status);
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
        cookies
            .extend(cookie.split(';').next().and_then(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()));
    }
    assert_eq!(cookies.len(), 1, "the right one gets a session");

    // The link: joined, approved, and a report received; then central is gone.
    let invite = central.invite();
    agent.link(&invite);
    logged(&log, "exchanged");
    let link_secrets = kept_secrets(&agent.dir().join("state"));
    assert!(link_secrets.iter().any(|secret| secret.starts_with("k4.secret.")), "the link's own key is among them");
    central.kill();
    assert_eq!(post("/v1/sync", &token, json!({})).status(), 202);
    logged(&log, "the synchronisation that was asked for: ");
    let quiet = logged(&log, "the central server is not waited for: ");
    assert_eq!(quiet["level"], "DEBUG", "the lowest level that anything here is told at");

    running.terminate().ok();
    let text = fs::read_to_string(&log).expect("the log is text");
    let typed = [PASSWORD, WRONG_PASSWORD, DATABASE_PASSWORD, WRONG_TOKEN].map(str::to_owned);
    let others = [token, lying_ready, first, second, invite, cookies.remove(0)];
    for secret in typed.iter().chain(&others).chain(&link_secrets) {
        // A beginning can be a name that all of a kind have, and a part of it is as bad as the whole.
        let (begin, end) = (secret.len() / 4, secret.len() * 3 / 4);
        let inner = secret.get(begin..end).expect("secrets are ASCII");
        assert!(!text.contains(inner), "{secret}: {:?}", text.lines().find(|line| line.contains(inner)));
    }
}
