//! Single sign-on (`g10`) against a real provider: panva's oidc-provider, which is certified by the OpenID Foundation.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use seatline_tests::tinyproxy::Tinyproxy;
use support::{Central, PASSWORD, agent};
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};
use ureq::http::{Request, Response};

/// A provider that runs.
struct Provider {
    child: Child,
    issuer: String,
}

impl Provider {
    /// The provider of a central server, with a key of a kind, on a port or on any.
    fn start(central: &Central, kind: &str, port: Option<&str>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let packages = root.join("../target/node");
        assert!(packages.join("installed.txt").exists(), "`cargo xtask test` installs the Node packages of the tests");
        let mut child = Command::new("node")
            .arg(root.join("tests/support/provider.mjs"))
            .arg(&packages)
            .arg(format!("{}/sign-in/single-sign-on/callback", central.url()))
            .arg(kind)
            .env("PORT", port.unwrap_or("0"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        let issuer = lines.find_map(|line| Some(line.expect("text")).filter(|line| line.starts_with("http")));
        // What else it says goes nowhere, and never fills a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, issuer: issuer.expect("it says where it listens") }
    }

    fn port(&self) -> &str {
        self.issuer.rsplit_once(':').expect("a port").1
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration of single sign-on with a provider.
fn configured(central: &Central, issuer: &str) -> PathBuf {
    let file = central.file("single-sign-on.toml");
    std::fs::write(central.file("client-secret"), "the secret: & of the client\n").expect("written");
    let text = format!(
        "issuer = \"{issuer}\"\nclient_id = \"seatline\"\nclient_secret_file = \"client-secret\"\nlabel = \"Example ID\"\n\
         [roles]\n\"license-admins\" = \"administrator\"\nit = \"operator\"\nstaff = \"viewer\"\n"
    );
    std::fs::write(&file, text).expect("written");
    file
}

/// A central server with single sign-on, and its provider.
fn started(kind: &str) -> (Central, Provider) {
    started_in(kind, &[])
}

/// The same, with more in the environment of the server.
fn started_in(kind: &str, environment: &[(&str, &str)]) -> (Central, Provider) {
    let mut central = Central::started();
    let provider = Provider::start(&central, kind, None);
    let port = central.url().rsplit_once(':').expect("a port").1.to_owned();
    let file = configured(&central, &provider.issuer);
    central.end();
    let listen = format!("127.0.0.1:{port}");
    central.start_in(&["--listen", &listen, "--single-sign-on", file.to_str().expect("a path")], environment);
    (central, provider)
}

/// A browser, as far as cookies and redirects go.
#[derive(Default)]
struct Browser(BTreeMap<(String, String), String>);

impl Browser {
    fn ask(&mut self, method: &str, url: &str, form: &str) -> Response<ureq::Body> {
        let host = url.split('/').nth(2).expect("a host").to_owned();
        let cookies: Vec<String> = self
            .0
            .iter()
            .filter(|((of, _), _)| *of == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder().method(method).uri(url).header(COOKIE, cookies.join("; "));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form.to_owned());
        let response = agent().run(request.expect("a request")).expect("answered");
        for set in response.headers().get_all(SET_COOKIE) {
            let cookie = set.to_str().expect("text").split(';').next().expect("a cookie");
            let (name, value) = cookie.split_once('=').expect("a name");
            let gone = set.to_str().expect("text").contains("Max-Age=0") || value.is_empty();
            match gone {
                true => self.0.remove(&(host.clone(), name.to_owned())),
                false => self.0.insert((host.clone(), name.to_owned()), value.to_owned()),
            };
        }
        response
    }

    /// Follows redirects until a page, or until an address that contains `stop`.
    fn follow(&mut self, url: &str, stop: &str) -> (String, Response<ureq::Body>) {
        let mut url = url.to_owned();
        for _ in 0..20 {
            let response = self.ask("GET", &url, "");
            let Some(location) = response.headers().get(LOCATION) else { return (url, response) };
            let location = location.to_str().expect("text");
            let base: Vec<&str> = url.splitn(4, '/').take(3).collect();
            url = if location.starts_with('/') { format!("{}{location}", base.join("/")) } else { location.to_owned() };
            if !stop.is_empty() && url.contains(stop) {
                return (url, response);
            }
        }
        panic!("too many redirects");
    }

    /// Signs in at the provider as `name`; gives the address that it leads back to.
    fn at_provider(&mut self, central: &Central, begin: &str, name: &str) -> String {
        let (mut url, mut response) = self.follow(&format!("{}{begin}", central.url()), "/callback?");
        while !url.contains("/callback?") {
            let page = response.body_mut().read_to_string().expect("a page");
            let action = page.split_once("action=\"").expect(&page).1.split('"').next().expect("an address").to_owned();
            let asks_name = page.contains("name=\"login\"");
            let form =
                if asks_name { format!("prompt=login&login={name}&password=x") } else { "prompt=consent".to_owned() };
            let answer = self.ask("POST", &action, &form);
            let on = answer.headers()[LOCATION].to_str().expect("text").to_owned();
            (url, response) = self.follow(&on, "/callback?");
        }
        url
    }

    /// Signs in by single sign-on as `name`; gives the status, the place and the page in the end.
    fn sign_in(&mut self, central: &Central, name: &str) -> (u16, String, String) {
        let back = self.at_provider(central, "/sign-in/single-sign-on?next=/account", name);
        self.arrive(&back)
    }

    fn arrive(&mut self, url: &str) -> (u16, String, String) {
        let (url, mut response) = self.follow(url, "");
        let path = format!("/{}", url.splitn(4, '/').nth(3).unwrap_or_default());
        (response.status().as_u16(), path, response.body_mut().read_to_string().expect("a page"))
    }
}

#[test]
fn g10_groups_give_a_role_and_the_session_is_like_any_other() {
    let (central, _provider) = started("RSA");
    let page = Browser::default().arrive(&format!("{}/sign-in", central.url())).2;
    assert!(page.contains("Sign in with Example ID"), "{page}");
    for (name, known_as, role) in [("olga", "olga@example.org", "administrator"), ("vera", "vera", "viewer")] {
        let mut browser = Browser::default();
        let (status, path, page) = browser.sign_in(&central, name);
        assert_eq!((status, path.as_str()), (200, "/account"), "{page}");
        assert!(page.contains(&format!("{known_as}, {role}.")) && !page.contains("New password"), "{page}");
        assert!(!browser.0.keys().any(|(_, cookie)| cookie == "seatline-central-sso"), "its cookie has served");
    }
    let users = central.api("/api/v1/users")["items"].clone();
    let olga = users.as_array().expect("a list").iter().find(|user| user["name"] == "olga@example.org").expect("olga");
    assert_eq!((&olga["sign_in"], &olga["subject"]), (&"single-sign-on".into(), &"olga".into()));
    let made = central.api("/api/v1/audit?actor=olga@example.org")["items"].clone();
    let told: Vec<_> =
        made.as_array().expect("a list").iter().map(|entry| (&entry["action"], &entry["actor_kind"])).collect();
    assert_eq!(told, [(&"session.begin".into(), &"person".into()), (&"account.add".into(), &"single-sign-on".into())]);
    assert_eq!(central.failure(&["user", "role", "vera", "operator"]), "of-single-sign-on");
}

#[test]
fn g10_whoever_has_no_role_no_name_or_the_name_of_another_stays_out() {
    let (central, _provider) = started("EC");
    for (name, expected, status) in [("nora", "sso-no-role", 403), ("odd", "sso-no-name", 403)] {
        let (answered, _, page) = Browser::default().sign_in(&central, name);
        assert!(page.contains(expected), "{name}: {page}");
        assert_eq!(answered, status, "{name}");
    }
    let (status, _, page) = Browser::default().sign_in(&central, "ada");
    assert_eq!(status, 409, "the local ada is somebody else: {page}");
    assert_eq!(central.api("/api/v1/users")["items"].as_array().map(Vec::len), Some(1));
    let local = agent().post(format!("{}/sign-in", central.url()));
    let local = local.header("Content-Type", "application/x-www-form-urlencoded");
    let local = local.send(format!("name=ada&password={}", PASSWORD.replace(' ', "+"))).expect("answered");
    assert_eq!(local.status(), 303, "who signs in by a password does so as before");
}

#[test]
fn g10_a_way_back_serves_once_and_only_the_browser_that_was_sent() {
    let (central, _provider) = started("RSA");
    let mut browser = Browser::default();
    let back = browser.at_provider(&central, "/sign-in/single-sign-on?next=//evil.example", "vera");
    let (status, _, page) = Browser::default().arrive(&back);
    assert!(status == 400 && page.contains("sso-not-begun"), "another browser: {page}");
    let mut other = Browser::default();
    other.at_provider(&central, "/sign-in/single-sign-on", "vera");
    let (status, _, page) = other.arrive(&back);
    assert!(status == 400 && page.contains("sso-not-begun"), "the state of another sign-in: {page}");
    let wrong = back.replace("iss=http", "iss=https");
    assert_ne!(wrong, back, "the provider names itself");
    let mut kept = Browser(browser.0.clone());
    assert!(kept.arrive(&wrong).2.contains("sso-token-issuer"));
    let mut replayed = Browser(browser.0.clone());
    let (status, path, _) = browser.arrive(&back);
    assert_eq!((status, path.as_str()), (200, "/"), "and to no other host");
    let (status, _, page) = replayed.arrive(&back);
    assert!(status == 503 && page.contains("sso-provider"), "a code serves once: {page}");
    assert!(!replayed.0.keys().any(|(_, cookie)| cookie == "seatline-central"), "nobody is signed in by it");
    let mut turned_away = Browser::default();
    let back = turned_away.at_provider(&central, "/sign-in/single-sign-on", "vera");
    let parts = back.split_once('?').expect("a query").1.split('&').filter(|part| !part.starts_with("code="));
    let query = parts.chain(["error=access_denied"]).collect::<Vec<_>>().join("&");
    let (_, _, page) = turned_away.arrive(&format!("{}/sign-in/single-sign-on/callback?{query}", central.url()));
    assert!(page.contains("sso-refused") && page.contains("access_denied"), "the provider says no: {page}");
    for odd in ["", "?state=x", "?code=x", "?code=x&code=y", "?error=access_denied&state=x"] {
        let url = format!("{}/sign-in/single-sign-on/callback{odd}", central.url());
        assert_eq!(Browser::default().arrive(&url).0, 400, "{odd}");
    }
}

#[test]
fn g10_who_confirms_signs_in_anew_and_is_the_same_person() {
    let (central, _provider) = started("RSA");
    let mut browser = Browser::default();
    browser.sign_in(&central, "olga");
    let begin = "/sign-in/single-sign-on?confirm=1&next=/administration/users/new";
    let asked = browser.follow(&format!("{}/administration/users/new", central.url()), "/sign-in/single-sign-on?");
    assert!(asked.0.ends_with(begin), "{}", asked.0);
    let mut mixed = Browser(browser.0.clone());
    mixed.0.retain(|(_, cookie), _| cookie.starts_with("seatline"));
    let back = mixed.at_provider(&central, begin, "vera");
    assert!(mixed.arrive(&back).2.contains("sso-not-confirmed"), "somebody else came back");
    let back = browser.at_provider(&central, begin, "olga");
    let (status, path, page) = browser.arrive(&back);
    assert_eq!((status, path.as_str()), (200, "/administration/users/new"), "{page}");
    let out =
        browser.ask("POST", &format!("{}/sign-out", central.url()), "").body_mut().read_to_string().expect("a page");
    assert!(out.contains("Sign out at Example ID") && out.contains("/session/end?client_id=seatline"), "{out}");
    assert_eq!(browser.arrive(&format!("{}/account", central.url())).1, "/sign-in?next=/account");
}

#[test]
fn g10_a_configuration_is_checked_before_anybody_signs_in() {
    let (central, provider) = started("EC");
    let file = central.file("single-sign-on.toml");
    let check = ["single-sign-on", "check", file.to_str().expect("a path")];
    assert_eq!(central.json(&check)["issuer"], provider.issuer.as_str());
    configured(&central, "http://127.0.0.1:1");
    assert_eq!(central.failure(&check), "sso-provider", "nobody is there");
    configured(&central, &format!("{}/", provider.issuer));
    assert_eq!(central.failure(&check), "sso-provider", "it calls itself otherwise");
    configured(&central, "http://id.example.org");
    assert_eq!(central.failure(&check), "sso-config", "HTTPS is required");
}

/// The issuer of a provider that answers every request with the same bytes, and then closes the connection.
fn impostor(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            // Whoever has read enough goes away.
            let _ = stream.write_all(&answer);
        }
    });
    issuer
}

#[test]
fn g10_what_a_provider_answers_is_bounded_and_leads_nowhere_else() {
    let central = Central::idle();
    let check = |answer: String| {
        let file = configured(&central, &impostor(answer.into_bytes()));
        let output = central.run(&["single-sign-on", "check", file.to_str().expect("a path")]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let elsewhere = impostor(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec());
    for (answer, why) in [
        (format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(1 << 20)), "the answer has more than 262144 bytes"),
        (format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)), "header"),
        (format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"), "HTTP status 302"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned(), "not as it must be"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_owned(), ""),
        ("\u{1}\u{2}\u{3}".to_owned(), ""),
    ] {
        let said = check(answer);
        assert!(said.contains(why) && said.ends_with("[sso-provider]\n"), "{why}: {said}");
    }
}

#[test]
fn g10_the_provider_is_asked_through_the_proxy_of_the_environment() {
    let proxy = Tinyproxy::start();
    let (central, provider) = started_in("RSA", &[("HTTPS_PROXY", &proxy.named())]);
    let (status, path, page) = Browser::default().sign_in(&central, "vera");
    assert_eq!((status, path.as_str()), (200, "/account"), "{page}");
    let host = provider.issuer.split('/').nth(2).expect("a host");
    assert!(proxy.passed(host) > 0, "it was asked through the proxy");
    let check = |exempt: &str| {
        let mut command = central.program();
        command.args(["single-sign-on", "check"]).arg(central.file("single-sign-on.toml"));
        command.envs([("HTTPS_PROXY", proxy.url().as_str()), ("NO_PROXY", exempt)]);
        String::from_utf8(command.output().expect("it runs").stderr).expect("text")
    };
    let refused = check("");
    assert!(refused.contains("proxy failed") && refused.contains("[sso-provider]"), "it asks who comes: {refused}");
    assert_eq!(check(host.split(':').next().expect("a name")), "");
}

#[test]
fn g10_whoever_begins_again_and_again_waits() {
    let (central, _provider) = started("EC");
    let begin = || Browser::default().ask("GET", &format!("{}/sign-in/single-sign-on", central.url()), "");
    let refused = (0..200).map(|_| begin()).find(|response| response.status() != 303).expect("a refusal");
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
}

#[test]
fn g10_new_keys_of_the_provider_are_fetched_and_a_provider_that_is_away_is_told() {
    let (mut central, provider) = started("RSA");
    assert_eq!(Browser::default().sign_in(&central, "vera").0, 200);
    let port = provider.port().to_owned();
    drop(provider);
    let again = Provider::start(&central, "EC", Some(&port));
    assert_eq!(Browser::default().sign_in(&central, "vera").0, 200, "by a key that was not known");
    let mut browser = Browser::default();
    let back = browser.at_provider(&central, "/sign-in/single-sign-on", "vera");
    drop(again);
    let (status, _, page) = browser.arrive(&back);
    assert!(status == 503 && page.contains("sso-provider"), "on the way back: {page}");
    let file = central.file("single-sign-on.toml");
    central.end();
    central.start_with(&["--single-sign-on", file.to_str().expect("a path")]);
    let (status, _, page) = Browser::default().arrive(&format!("{}/sign-in/single-sign-on", central.url()));
    assert!(status == 503 && page.contains("sso-provider") && page.contains("name=\"password\""), "{page}");
}
