//! The page License Details.

use askama::Template;
use jiff::Timestamp;
use seatline_host::host::HostError;
use seatline_host::licenses::InstalledLicense;
use seatline_host::{Host, live::Live};
use seatline_protocol::notices::Reminders;
use seatline_protocol::report::{Measured, Outcome, ProductFacts};
use seatline_protocol::standing::{AddOnStanding, LicenseStanding, LimitStanding, NodeStanding, Status};
use seatline_protocol::{Dimension, ProductId};
use seatline_ui::{Badge, Banner, Field, LicenseCard, LimitCard, Prose, Tone, When, format, words};
use std::sync::Arc;

use super::sent::{ANY_ADD_ON, KeySent};
use crate::http::synchronising::SyncState;
use crate::pages::{Pages, Visit, identity};

/// What the page is made of. Each part can fail on its own: the page is there in every state (`a7`).
pub struct Looked {
    product: Option<ProductFacts>,
    server_id: String,
    identity: Option<Banner>,
    live: Result<Arc<Live>, HostError>,
    installed: Vec<InstalledLicense>,
    reminders: Reminders,
    /// What the last run could not count, in words.
    uncounted: Vec<String>,
    /// What could not be read, in words.
    troubles: Vec<String>,
}

impl Looked {
    /// Looks at the host.
    pub fn at(host: &Host) -> Self {
        let mut troubles = Vec::new();
        let mut trouble = |what: &str, error: &dyn std::error::Error| troubles.push(format!("{what}: {error}"));
        let product = host.product().inspect_err(|error| trouble("what the product is", error)).ok();
        let installed = host.licenses().inspect_err(|error| trouble("the license keys", error)).unwrap_or_default();
        let reminders = host.reminders().inspect_err(|error| trouble("the thresholds", error)).unwrap_or_default();
        let run = host.last_run().inspect_err(|error| trouble("the last run", error)).ok().flatten();
        let uncounted = run.map(|run| uncounted(&run.outcome)).unwrap_or_default();
        let (live, identity) = (host.live(), identity::warning(host));
        let server_id = host.server_id().to_string();
        Self { product, server_id, identity, live, installed, reminders, uncounted, troubles }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "license/page.html")]
pub struct LicensePage {
    may_change: bool,
    paths: Paths,
    product: String,
    verdict: Badge,
    banners: Vec<Banner>,
    counting: Option<Counting>,
    counted: Option<When>,
    facts: Vec<(&'static str, Prose)>,
    server_id: String,
    limits: Vec<LimitCard>,
    license: Option<LicenseCard>,
    others: Vec<LicenseCard>,
    history: Vec<LicenseCard>,
    untrusted: Vec<(String, Prose)>,
    features: Vec<String>,
    nodes: Vec<Node>,
    add_ons: Vec<AddOn>,
    form: KeyForm,
    new_add_on: KeyForm,
    has_keys: bool,
    knows_standing: bool,
}

/// Where the forms and links lead.
struct Paths {
    refresh: String,
    export: String,
    request: String,
    page: String,
}

/// A count that is under way.
struct Counting {
    since: When,
}

struct Node {
    id: String,
    license: Option<String>,
}

struct AddOn {
    product: String,
    verdict: Badge,
    licenses: Vec<LicenseCard>,
    limits: Vec<LimitCard>,
    nodes: Vec<Node>,
    prerequisites: Vec<String>,
    form: KeyForm,
}

/// The form for a key.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "license/key_form.html")]
pub struct KeyForm {
    action: String,
    of: String,
    /// Its fields are told apart from those of other forms by this.
    suffix: String,
    node: String,
    nodes: Vec<String>,
    typed: String,
    error: Option<String>,
    is_first: bool,
}

impl askama::filters::HtmlSafe for KeyForm {}

impl KeyForm {
    /// The form for a key of `of`: the product where empty.
    fn new(pages: &Pages, of: &str, nodes: &[String]) -> Self {
        let suffix = match of {
            "" => String::new(),
            ANY_ADD_ON => "-add-on".to_owned(),
            of => format!("-{of}"),
        };
        Self {
            action: pages.href("/license/preview"),
            of: of.to_owned(),
            suffix,
            nodes: nodes.to_vec(),
            ..Self::default()
        }
    }

    /// The form with what was sent, and why it was not taken.
    pub fn refused(pages: &Pages, sent: &KeySent, why: String) -> Self {
        // More than a key has room for is not shown again.
        let typed = if sent.key.len() <= 256 * 1024 { sent.key.to_string() } else { String::new() };
        Self { typed, node: sent.node.clone(), error: Some(why), ..Self::new(pages, &sent.of, &[]) }
    }

    fn key(&self) -> Field<'_> {
        let hint = "The whole text that the vendor sent. Line breaks, spaces and `BEGIN` lines do no harm.";
        let label = if self.of.is_empty() { "License" } else { "License of the add-on" };
        Field::area("key", label).id(&self.suffix).hint(hint).value(&self.typed).error(self.error.as_deref())
    }

    fn file(&self) -> Field<'_> {
        Field::file("file", "Or a file with it").id(&self.suffix)
    }

    fn node_field(&self) -> Option<Field<'_>> {
        if self.nodes.len() < 2 {
            return None;
        }
        let choice = |value: &'static str, label: &str| seatline_ui::Choice { value, label: label.to_owned() };
        let nodes = self.nodes.iter().map(|node| seatline_ui::Choice { value: node.as_str(), label: node.clone() });
        let choices = std::iter::once(choice("", "All nodes")).chain(nodes).collect();
        Some(Field::select("node", "For", choices).id(&self.suffix).value(&self.node))
    }
}

/// The form for a threshold.
#[derive(Template)]
#[template(path = "license/threshold.html")]
struct ThresholdForm {
    action: String,
    dimension: String,
    percent: String,
    error: Option<String>,
}

impl ThresholdForm {
    fn field(&self) -> Field<'_> {
        let field = Field::number("percent", "Tell administrators from").suffix("% of the limit on");
        field.value(&self.percent).id(&self.dimension).error(self.error.as_deref()).required()
    }
}

impl LicensePage {
    /// The page for `visit` at `now`.
    pub fn new(pages: &Pages, visit: &Visit, looked: Looked, sync: SyncState, now: Timestamp) -> Self {
        let Looked { product, server_id, identity, live, installed, reminders, uncounted, troubles } = looked;
        let may_change = visit.is_administrator();
        let nodes: Vec<String> =
            product.iter().flat_map(|product| product.nodes.iter().map(|node| node.id.clone())).collect();
        let mut page = Self {
            may_change,
            paths: Paths::new(pages),
            product: product.as_ref().map_or_else(String::new, title),
            verdict: words::verdict(live.as_ref().ok().map(|live| live.standing.verdict)),
            banners: Vec::new(),
            counting: sync.running.then_some(Counting { since: When { at: sync.begun_at.unwrap_or(now), now } }),
            counted: live.as_ref().ok().and_then(|live| live.counted_at).map(|at| When { at, now }),
            facts: Vec::new(),
            server_id,
            limits: Vec::new(),
            license: None,
            others: Vec::new(),
            history: Vec::new(),
            untrusted: untrusted(&installed),
            features: Vec::new(),
            nodes: Vec::new(),
            add_ons: Vec::new(),
            form: KeyForm::new(pages, "", &nodes),
            new_add_on: KeyForm::new(pages, ANY_ADD_ON, &nodes),
            has_keys: !installed.is_empty(),
            knows_standing: live.is_ok(),
        };
        page.troubled(&troubles, &uncounted, &sync);
        page.banners.extend(identity);
        if let Ok(live) = live {
            page.fill(pages, &live, &reminders, &nodes, now);
        }
        page
    }

    /// The page with something to say above.
    pub fn with_banner(mut self, banner: Banner) -> Self {
        self.banners.insert(0, banner);
        self
    }

    /// The page with a form whose key was not taken, in the place of its own.
    pub fn with_form(mut self, form: KeyForm) -> Self {
        let place = match form.of.as_str() {
            "" => Some(&mut self.form),
            ANY_ADD_ON => Some(&mut self.new_add_on),
            of => self.add_ons.iter_mut().find(|add_on| add_on.product == of).map(|add_on| &mut add_on.form),
        };
        let place = match place {
            Some(place) => place,
            None => &mut self.form,
        };
        let (nodes, is_first) = (std::mem::take(&mut place.nodes), place.is_first);
        *place = KeyForm { nodes, is_first, suffix: place.suffix.clone(), of: place.of.clone(), ..form };
        self
    }

    fn troubled(&mut self, troubles: &[String], uncounted: &[String], sync: &SyncState) {
        let lines = |troubles: &[String]| troubles.iter().map(|trouble| Prose::sentence(trouble)).collect();
        if !troubles.is_empty() {
            self.banners.push(Banner::list(Tone::Danger, "Something could not be read", lines(troubles)));
        }
        if !uncounted.is_empty() {
            let title = "The last count is not complete, so the figures of before stand here";
            self.banners.push(Banner::list(Tone::Warning, title, lines(uncounted)));
        } else if let Some(last) = sync.last.as_ref().filter(|last| !sync.running && !last.problems.is_empty()) {
            let lines = last.problems.iter().map(|problem| Prose::sentence(&problem.message)).collect();
            self.banners.push(Banner::list(Tone::Warning, "The last count did not end well", lines));
        }
    }

    fn fill(&mut self, pages: &Pages, live: &Live, reminders: &Reminders, nodes: &[String], now: Timestamp) {
        let standing = &live.standing;
        let at = live.at.max(now);
        let governs = |license: &LicenseStanding| Some(&license.id) == standing.governed_by.as_ref();
        let own = |license: &&LicenseStanding| license.add_on_of.is_none();
        let card = |license: &LicenseStanding| LicenseCard::new(license, governs(license), at);
        let is_history = |license: &LicenseStanding| matches!(license.status, Status::Expired | Status::Replaced);
        for license in standing.licenses.iter().filter(own) {
            match license {
                license if self.license.is_none() && governs(license) => self.license = Some(card(license)),
                license if is_history(license) => self.history.push(card(license)),
                license => self.others.push(card(license)),
            }
        }
        let threshold = |limit: &LimitStanding| reminders.threshold(&limit.dimension);
        let limit = |limit: &LimitStanding| limit_card(pages, limit, threshold(limit), self.may_change);
        self.limits = standing.limits.iter().map(limit).collect();
        self.facts = facts(live, at);
        self.features = standing.features.iter().cloned().collect();
        self.nodes = standing.nodes.iter().map(Node::from).collect();
        self.form.is_first = standing.governed_by.is_none();
        let add_on = |add_on: &AddOnStanding| AddOn {
            product: add_on.product.to_string(),
            verdict: words::verdict(Some(add_on.verdict)),
            licenses: of_add_on(live, &add_on.product)
                .map(|license| LicenseCard::new(license, Some(&license.id) == add_on.governed_by.as_ref(), at))
                .collect(),
            limits: add_on.limits.iter().map(|limit| LimitCard::new(limit, None)).collect(),
            nodes: add_on.nodes.iter().map(Node::from).collect(),
            prerequisites: prerequisites(live, add_on),
            form: KeyForm::new(pages, add_on.product.as_str(), nodes),
        };
        self.add_ons = standing.add_ons.iter().map(add_on).collect();
    }
}

impl Paths {
    fn new(pages: &Pages) -> Self {
        let href = |path| pages.href(path);
        Self {
            refresh: href("/license/refresh"),
            export: href("/license/export"),
            request: href("/license/request"),
            page: href("/license"),
        }
    }
}

impl From<&NodeStanding> for Node {
    fn from(node: &NodeStanding) -> Self {
        Self { id: node.id.clone(), license: node.license.as_ref().map(ToString::to_string) }
    }
}

fn title(product: &ProductFacts) -> String {
    match &product.edition {
        Some(edition) => format!("{} {}, edition {edition}", product.name, product.version),
        None => format!("{} {}", product.name, product.version),
    }
}

/// A limit with its gauge, and the form for its threshold.
fn limit_card(pages: &Pages, limit: &LimitStanding, threshold: Option<u8>, may_change: bool) -> LimitCard {
    let mut card = LimitCard::new(limit, None);
    if let Some(percent) = threshold {
        card = card.threshold(limit, percent);
    }
    if may_change && limit.max.is_some() {
        card = card.below(ThresholdForm {
            action: pages.href("/license/threshold"),
            dimension: limit.dimension.to_string(),
            percent: threshold.map(|percent| percent.to_string()).unwrap_or_default(),
            error: None,
        });
    }
    card
}

/// The license at a glance (`c3`, `c5`, `c6`).
fn facts(live: &Live, now: Timestamp) -> Vec<(&'static str, Prose)> {
    let standing = &live.standing;
    let mut facts = Vec::new();
    if let Some(license) = standing.governing() {
        facts.push(("Kind", words::kind(license.kind).to_owned()));
        facts.push(("Licensed to", license.licensee.clone()));
        let left = license.time_left(now).map_or("perpetual".to_owned(), words::time_left);
        facts.push(("Time left", left));
        facts.push(("Support", if standing.support { "entitled" } else { "not entitled" }.to_owned()));
    }
    if let Some(users) = standing.limits.iter().find(|limit| limit.dimension == Dimension::users()) {
        let used = users.used.map_or("not counted yet".to_owned(), format::number);
        let allowed = users.max.map_or("no limit".to_owned(), |max| format!("{} allowed", format::number(max)));
        facts.push(("Registered users", format!("{used} ({allowed})")));
    }
    if let Some(rule) = standing.counting {
        facts.push(("Counted is", words::counting(rule).to_owned()));
    }
    facts.into_iter().map(|(name, value)| (name, Prose::plain(&value))).collect()
}

fn of_add_on<'l>(live: &'l Live, product: &ProductId) -> impl Iterator<Item = &'l LicenseStanding> {
    live.standing.licenses.iter().filter(move |license| license.add_on_of.is_some() && license.product == *product)
}

/// The licenses of others that the add-on needs (`p4`).
fn prerequisites(live: &Live, add_on: &AddOnStanding) -> Vec<String> {
    let governing = of_add_on(live, &add_on.product).find(|license| Some(&license.id) == add_on.governed_by.as_ref());
    governing.map(|license| license.prerequisites.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// What a run could not count, and why.
fn uncounted(outcome: &Outcome) -> Vec<String> {
    let collected = match outcome {
        Outcome::Failed(failure) => return vec![failure.message.clone()],
        Outcome::Collected(collected) => collected,
    };
    let omitted = collected.omissions.iter().map(|omission| format!("{}: {}", omission.subject, omission.reason));
    let unmeasured = collected.measurements.iter().filter_map(|measurement| match &measurement.value {
        Measured::Value(_) => None,
        Measured::Failed(reason) => Some(format!("{}: {reason}", measurement.dimension)),
    });
    omitted.chain(unmeasured).collect()
}

/// The keys that are not trusted any more, by their digest, and why.
fn untrusted(installed: &[InstalledLicense]) -> Vec<(String, Prose)> {
    let why = |key: &InstalledLicense| {
        let error = key.license.as_ref().err()?;
        Some((key.digest.to_string(), Prose::sentence(&error.to_string())))
    };
    installed.iter().filter_map(why).collect()
}
