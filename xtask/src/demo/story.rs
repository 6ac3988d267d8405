//! The story of the demo, step by step.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use jiff::{ToSpan as _, Zoned};
use serde_json::Value;

use super::central::{Session, is_healthy};
use super::interrupt::Interrupt;
use super::product::{self, Contents};
use super::services::Service;
use super::tool::{Tool, text};
use crate::failure::{Context as _, Failure};
use crate::progress::Progress;
use crate::workspace::Workspace;

const ACCOUNTS: u64 = 5_000;
const ADMIN: &str = "demo";
const APPLICATION: &str = "Acme Wiki of the demo";

/// What the story needs.
pub struct Story<'a> {
    /// The repository, with everything built.
    pub workspace: &'a Workspace,
    /// Where the steps are told.
    pub progress: &'a Progress,
    /// Ctrl-C.
    pub interrupt: &'a mut Interrupt,
    /// An empty folder for all data.
    pub dir: &'a Path,
    /// Where central listens.
    pub listen: SocketAddr,
    /// Where the product's agent listens.
    pub product_listen: SocketAddr,
}

/// How things stand at the end of the story. The central server runs until it is dropped.
pub struct Scene {
    central: Service,
    seatline: Tool,
    url: String,
    password: String,
    application: String,
    contents: Contents,
    licenses: Value,
}

impl Story<'_> {
    /// Plays all of it.
    ///
    /// # Errors
    /// When a step fails, or the stored report differs from what is in the product's database.
    pub fn play(&mut self) -> Result<Scene, Failure> {
        let central = Tool::new(self.workspace.binary("seatline-central"), self.dir.join("central"));
        let seatline = Tool::new(self.workspace.binary("seatline"), self.dir.join("seatline"));
        self.tell("starting the central server")?;
        let password = text(&central.json(&["admin", "create", ADMIN])?, "/password")?.to_owned();
        let (service, url) = self.serve(&central)?;

        self.tell(&format!("making the sample product with {ACCOUNTS} accounts"))?;
        let today = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
        let contents = product::create(&self.dir.join("wiki.db"), ACCOUNTS, today)?;

        self.tell("the vendor makes a key and issues a license")?;
        let stem = self.dir.join("vendor").display().to_string();
        let vendor = seatline.json(&["license", "keygen", "--out", &stem])?;
        let expires = today.saturating_add(1.year()).to_string();
        let license = seatline.json(
            &[
                &["license", "issue", "--key", text(&vendor, "/secret_file")?, "--product", product::ID][..],
                &[
                    "--licensee",
                    "Example Ltd",
                    "--kind",
                    "commercial",
                    "--limit",
                    "users=4000+100",
                    "--limit",
                    "pages=10000",
                ],
                &["--counting", "first-sign-in", "--feature", "search", "--feature", "single-sign-on"],
                &["--expires", &expires, "--grace-days", "14"],
            ]
            .concat(),
        )?;

        self.tell("setting up the agent beside the product: license, plugin")?;
        self.configure(&seatline, text(&vendor, "/public_key")?)?;
        seatline.json_with_input(&["license", "set", "-"], text(&license, "/key")?)?;
        seatline.json(&["plugin", "install", &self.workspace.stock_plugin().display().to_string(), "--yes"])?;

        self.tell("linking the product to central")?;
        let added = central.json(&["application", "add", APPLICATION, "--product", product::ID])?;
        let invite = central.json(&["invite", "--application", APPLICATION])?;
        let linked = seatline.json_with_input(&["link", "accept", "-", "--yes"], text(&invite, "/invite")?)?;
        expect("the link's state", linked.pointer("/link/state"), "approved")?;

        self.tell("synchronising")?;
        let sync = seatline.json(&["sync"])?;

        self.tell("reading the stored report back from central")?;
        let session = Session::sign_in(&url, ADMIN, &password)?;
        let application = text(&added, "/id")?.to_owned();
        let licenses = session.api(&format!("applications/{application}/licenses"))?;
        expect("the report's digest", licenses.pointer("/reported/digest"), text(&sync, "/report/digest")?)?;
        compare(&licenses, &contents)?;
        Ok(Scene { central: service, seatline, url, password, application, contents, licenses })
    }

    /// Leaves everything running: the central server, and the agent that reports at every interval and has pages of its
    /// own. Gives both, and how to sign in at the agent.
    ///
    /// # Errors
    /// When the agent cannot be started.
    pub fn stay(&mut self, scene: Scene) -> Result<(Vec<Service>, String), Failure> {
        let Scene { central, seatline, .. } = scene;
        let password = text(&seatline.json(&["user", "add", ADMIN])?, "/password")?.to_owned();
        let dir = seatline.dir().display().to_string();
        let log = self.dir.join("seatline.log");
        let mut agent = Service::start("seatline run", seatline.program(), &["run", "--dir", &dir], log)?;
        let url = format!("http://{}", self.product_listen);
        agent.wait_until(|| is_healthy(&url))?;
        let pages = format!("  Product       {url}\n  Sign in as    {ADMIN}\n  Password      {password}\n");
        Ok((vec![agent, central], pages))
    }

    /// Says what comes now, unless Ctrl-C was pressed.
    fn tell(&mut self, what: &str) -> Result<(), Failure> {
        self.interrupt.check()?;
        self.progress.say(what);
        Ok(())
    }

    fn serve(&self, central: &Tool) -> Result<(Service, String), Failure> {
        let (listen, dir) = (self.listen.to_string(), central.dir().display().to_string());
        let arguments = ["serve", "--listen", &listen, "--dir", &dir];
        let log = self.dir.join("central.log");
        let mut service = Service::start("seatline-central serve", central.program(), &arguments, log)?;
        let url = format!("http://{listen}");
        service.wait_until(|| is_healthy(&url))?;
        Ok((service, url))
    }

    /// Makes the instance, and completes its configuration as its administrator would.
    fn configure(&self, seatline: &Tool, vendor_key: &str) -> Result<(), Failure> {
        let product = ["init", "--product", product::ID, "--name", product::NAME, "--version", product::VERSION];
        let made = seatline.json(&[&product[..], &["--vendor-key", vendor_key]].concat())?;
        let path = Path::new(text(&made, "/config")?);
        let database = self.dir.join("wiki.db");
        let sections = format!(
            "\n[accounts]\ndatabase = {:?}\nquery = \"\"\"\n{}\n\"\"\"\n\n[[dimension]]\nname = \"pages\"\nquery = {:?}\n\n\
             [http]\nlisten = \"{}\"\n",
            database.display().to_string(),
            product::ACCOUNTS,
            product::PAGES,
            self.product_listen,
        );
        let config = fs::read_to_string(path).context(path.display())?;
        fs::write(path, config + &sections).context(path.display())
    }
}

/// Holds what central shows against what was put into the product's database.
fn compare(licenses: &Value, contents: &Contents) -> Result<(), Failure> {
    let counts = [
        ("total", contents.total),
        ("counted", contents.used),
        ("dormant", contents.dormant),
        ("deactivated", contents.deactivated),
        ("no_access", contents.no_access),
        ("never_signed_in", contents.never_signed_in),
        ("service_accounts", contents.service_accounts),
    ];
    for (name, number) in counts {
        expect(name, licenses.pointer(&format!("/counted/accounts/{name}")), number)?;
    }
    expect("the first dimension", licenses.pointer("/counted/measurements/0/dimension"), "pages")?;
    expect("pages", licenses.pointer("/counted/measurements/0/value"), contents.pages)
}

fn expect<'a, T>(what: &str, found: Option<&Value>, expected: T) -> Result<(), Failure>
where
    T: Into<Value> + 'a,
{
    let expected = expected.into();
    if found == Some(&expected) {
        return Ok(());
    }
    let found = found.map_or("nothing".to_owned(), Value::to_string);
    Err(Failure::new(format!("central shows {found} for {what}, and it should be {expected}")))
}

impl Scene {
    /// The counts, the standing, and how to sign in.
    pub fn describe(&self) -> String {
        let Contents { total, used, dormant, deactivated, no_access, never_signed_in, service_accounts, pages } =
            self.contents;
        let verdict = self.licenses.pointer("/counted/verdict").and_then(Value::as_str).unwrap_or("unknown");
        let reasons = self.licenses.pointer("/counted/reasons").and_then(Value::as_array).into_iter().flatten();
        let reasons = reasons.filter_map(|reason| reason.get("message")?.as_str());
        let reasons: String = reasons.map(|reason| format!("\n            {reason}")).collect();
        format!(
            "
Central holds the report, and it says what is in the product's database:
  {total:>6} accounts
  {used:>6} counted, {dormant} of them dormant
  {deactivated:>6} deactivated
  {no_access:>6} without access
  {never_signed_in:>6} never signed in
  {service_accounts:>6} service accounts
  {pages:>6} pages
  Standing  {verdict}{reasons}

  Licenses tab  {}/applications/{}/licenses
  Sign in as    {ADMIN}
  Password      {}
",
            self.url, self.application, self.password
        )
    }
}
