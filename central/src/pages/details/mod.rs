//! The Details tab (`w1`, `w3`, `w4`): the application, its links and their settings, invites, links that wait.

mod handlers;
mod labels;
mod link_form;
mod questions;
pub mod upkeep;
pub mod wizard;

use askama::Template;
use jiff::Timestamp;
use seatline_protocol::{Counting, ProductId};
use seatline_ui::{Badge, Banner, Copyable, Field, Icon, Tone, format};

use crate::actions::links::MadeInvite;
use crate::actions::questions::Said;
use crate::domain::{Application, Demand, Licenses, Link, LinkState, WouldGo};
use crate::pages::applications::ApplicationSent;
use crate::pages::failure::Broken;
use crate::pages::words;
pub use handlers::{approve, invite, save, show, suspend};
pub use labels::{LabelsForm, LabelsSent, save_labels};
pub use link_form::{LinkForm, LinkSent};
pub use questions::addresses as questions;
use questions::{AnswerLine, QuestionCard};

/// The content of the tab.
#[derive(Template)]
#[template(path = "details.html")]
pub struct DetailsTab {
    path: String,
    banner: Option<Banner>,
    invite: Option<InviteCard>,
    application: Facts,
    form: Option<LinkForm>,
    links: Vec<LinkLine>,
    pending: Vec<LinkLine>,
    questions: Vec<QuestionCard>,
    answers: Vec<AnswerLine>,
    /// What goes with the application when it is removed.
    goes: Option<String>,
    /// The form that changes the application, as it was sent, and the rule that it breaks.
    refused: Option<(ApplicationSent, Broken)>,
    labels: LabelsForm,
    /// How the link that is shown is set: for whoever may not change it.
    settings: Vec<(&'static str, String)>,
    /// Whether whoever looks may change anything.
    may_operate: bool,
}

/// What is known of the application itself.
struct Facts {
    name: String,
    product: String,
    url: Option<String>,
    added: String,
}

/// An invite that was just made: it is shown this once.
pub struct InviteCard {
    pub(super) text: Copyable,
    pub(super) command: Copyable,
    pub(super) expires: String,
    pub(super) fingerprint: String,
}

/// A link, of this application or waiting for approval.
struct LinkLine {
    id: String,
    state: Badge,
    fingerprint: String,
    product: String,
    version: String,
    server_id: String,
    joined: String,
    approved: Option<String>,
    /// Whether its reports are the ones that are shown.
    shown: bool,
    suspended: bool,
    /// How many reports are stored.
    stored: String,
    /// Since when a count is wanted at once, and when it came.
    demand: Option<String>,
    /// Whether it is in force.
    in_force: bool,
    /// Whether its key is to be replaced.
    key_wanted: bool,
    /// What to heed before approving.
    doubt: Option<String>,
}

impl DetailsTab {
    /// The tab of an application with its links and all links that wait for approval.
    pub fn new(application: &Application, links: &[Link], pending: &[Link]) -> Self {
        let shown = application.link.as_ref();
        Self {
            path: format!("/applications/{}", application.id),
            banner: None,
            invite: None,
            application: Facts {
                name: application.name.to_string(),
                product: application.product.to_string(),
                url: application.url.clone(),
                added: format::date_time(application.created_at),
            },
            form: LinkForm::of(links, shown),
            links: links.iter().map(|link| LinkLine::of(link, shown == Some(&link.id), &application.product)).collect(),
            pending: pending.iter().map(|link| LinkLine::of(link, false, &application.product)).collect(),
            questions: Vec::new(),
            answers: Vec::new(),
            goes: None,
            refused: None,
            labels: LabelsForm::default(),
            settings: links.iter().find(|link| shown == Some(&link.id)).map(settings).unwrap_or_default(),
            may_operate: true,
        }
    }

    /// As somebody sees it who may change it, or not.
    pub fn seen_by(self, may_operate: bool) -> Self {
        Self { may_operate, ..self }
    }

    /// With how the application is sorted.
    pub fn with_labels(self, labels: LabelsForm) -> Self {
        Self { labels, ..self }
    }

    /// With the questions that the chain asks, and what goes with the application.
    pub fn with_view(self, view: &Licenses, goes: WouldGo) -> Self {
        let links = format::counted(goes.links, "link", "links");
        let reports = format::counted(goes.reports, "stored report", "stored reports");
        Self {
            questions: questions::open(view),
            answers: view.answers.iter().map(AnswerLine::of).collect(),
            goes: Some(format!("{links} and {reports}")),
            ..self
        }
    }

    fn wizard_field(&self) -> Field<'_> {
        let url = self.application.url.as_deref().filter(|url| seatline_protocol::pairing::check_url(url).is_ok());
        wizard::field(url.unwrap_or_default(), None)
    }

    fn application_fields(&self) -> [Field<'_>; 3] {
        let facts = &self.application;
        let (name, product, url) = match &self.refused {
            Some((sent, _)) => (&*sent.name, &*sent.product, &*sent.url),
            None => (&*facts.name, &*facts.product, facts.url.as_deref().unwrap_or_default()),
        };
        let broken = self.refused.as_ref().map(|(_, broken)| broken);
        let error = |field| broken.filter(|(at, _)| *at == field).map(|(_, rule)| rule.as_str());
        [
            Field::text("name", "Name").value(name).error(error("name")).required(),
            Field::text("product", "Product").value(product).error(error("product")).required(),
            Field::url("url", "URL (optional)").value(url).error(error("url")),
        ]
    }

    /// With a message above.
    pub fn with_banner(self, banner: Banner) -> Self {
        Self { banner: Some(banner), ..self }
    }

    /// With the form as it was sent.
    pub fn with_form(self, form: LinkForm) -> Self {
        Self { form: Some(form), ..self }
    }

    /// With the form that changes the application as it was sent, and the rule that it breaks.
    fn with_refused(self, sent: ApplicationSent, broken: Broken) -> Self {
        Self { refused: Some((sent, broken)), ..self }
    }

    /// With an answer to a question as it was sent, and the rule that it breaks.
    fn with_refused_answer(self, said: &Said, wrong: &Broken) -> Self {
        let questions = self.questions.into_iter().map(|card| card.with_refused(said, wrong)).collect();
        Self { questions, ..self }
    }

    /// With an invite that was just made.
    pub fn with_invite(self, made: &MadeInvite, now: Timestamp) -> Self {
        Self { invite: Some(InviteCard::new(made, now)), ..self }
    }
}

impl askama::filters::HtmlSafe for DetailsTab {}

impl InviteCard {
    /// The card of an invite.
    pub fn new(made: &MadeInvite, now: Timestamp) -> Self {
        Self {
            text: Copyable::new("Text of the invite", made.invite.as_str()),
            command: Copyable::new("Command", format!("seatline link accept {}", made.invite)),
            expires: format!("{} ({})", format::date_time(made.expires_at), format::relative(made.expires_at, now)),
            fingerprint: made.fingerprint.clone(),
        }
    }
}

impl LinkLine {
    fn of(link: &Link, shown: bool, wanted: &ProductId) -> Self {
        let product = &link.product;
        Self {
            id: link.id.to_string(),
            state: words::link_state(link.state),
            fingerprint: link.key.fingerprint(),
            product: format!("{} ({})", product.name, product.id),
            version: product.version.clone(),
            server_id: product.server_id.to_string(),
            joined: format::date_time(link.created_at),
            approved: link.approved_at.map(format::date_time),
            shown,
            suspended: link.state == LinkState::Suspended,
            stored: format::counted(link.chain.stored, "stored report", "stored reports"),
            demand: link.settings.demand.map(demand_words),
            in_force: link.state == LinkState::Approved,
            key_wanted: link.settings.replace_key.as_ref() == Some(&link.key.id()),
            doubt: (product.id != *wanted)
                .then(|| format!("It presents itself as “{}”, and this application is “{wanted}”.", product.id)),
        }
    }
}

/// How a link is set, in words.
fn settings(link: &Link) -> Vec<(&'static str, String)> {
    let settings = &link.settings;
    let rule = match settings.counting {
        Counting::Account => "Every account counts, from its creation on",
        Counting::FirstSignIn => "An account counts from its first sign-in on",
    };
    vec![
        ("Synchronisation interval", format::every(settings.interval.into())),
        ("Dormant after", format::counted(settings.dormancy_days.into(), "day", "days")),
        ("Counting rule", rule.to_owned()),
        ("Room for reports", format!("{} MiB a day", format::number(settings.daily_mib.into()))),
    ]
}

/// When a count was asked for, and when it came.
fn demand_words(demand: Demand) -> String {
    let asked = format::date_time(demand.at);
    match demand.answered_at {
        Some(answered) => format!("asked for {asked}, answered {}", format::date_time(answered)),
        None => format!("asked for {asked}, no answer yet"),
    }
}

/// The banner after a change.
fn done(what: &str) -> Banner {
    Banner::new(Tone::Good, what, "The product gets it with its next exchange.")
}

const PLUS: Icon = Icon::Plus;
