//! The list of links: those that wait for approval, with their fingerprints, above all others.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use seatline_ui::{Badge, Banner, Choice, Field, Icon, Tone, When, format};
use seatline_web::address::escape;
use serde::Deserialize;

use super::application;
use super::approval::{ApprovalForm, Candidates};
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::link_list::LinksSent;
use crate::domain::{LinkRow, LinkState, OpenInvite, RemovedRow, Role};
use crate::pages::frame::{Section, page_of};
use crate::pages::{PageError, fleet, words};
use crate::server::App;
use crate::store::{Cursor, Page, PageSize};

/// The state of the filter that shows what was removed.
const REMOVED: &str = "removed";
/// The one that shows the invites that can be used.
const INVITES: &str = "invites";

/// What was asked, and what was done just before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    state: String,
    product: String,
    server_id: String,
    after: String,
    done: String,
}

/// The page.
#[derive(Template)]
#[template(path = "links/list.html")]
pub struct LinksPage {
    banner: Option<Banner>,
    wanted: Wanted,
    products: Vec<String>,
    waiting: Vec<Waiting>,
    rows: Vec<Row>,
    removed: Option<Vec<RemovedLine>>,
    invites: Option<Vec<InviteLine>>,
    more: Option<String>,
    may_operate: bool,
}

/// A link that waits for approval.
pub struct Waiting {
    href: String,
    product: String,
    version: String,
    server_id: String,
    fingerprint: String,
    joined: When,
    form: ApprovalForm,
}

/// Another link.
pub struct Row {
    href: String,
    product: String,
    version: String,
    server_id: String,
    /// Whether it joined as a staging instance.
    staging: bool,
    /// The application, and where it is.
    application: Option<(String, String)>,
    state: Badge,
    chain: Option<Badge>,
    last: Option<When>,
}

/// An invite that can be used.
struct InviteLine {
    id: String,
    /// The application that it was made for, and where it is.
    application: Option<(String, String)>,
    made: When,
    expires: String,
}

struct RemovedLine {
    product: String,
    server_id: Option<String>,
    application: Option<String>,
    link: String,
    removed: String,
}

impl Wanted {
    fn sent(&self) -> LinksSent {
        LinksSent { state: self.state.clone(), product: self.product.clone(), server_id: self.server_id.clone() }
    }

    fn is_filtered(&self) -> bool {
        self.sent() != LinksSent::default()
    }

    fn address(&self, after: &Cursor) -> String {
        let pairs = [
            ("state", self.state.as_str()),
            ("product", &self.product),
            ("server_id", &self.server_id),
            ("after", after.as_str()),
        ];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escape(value))).collect();
        format!("/links?{}", pairs.join("&"))
    }
}

impl LinksPage {
    /// A page of links, as somebody sees it who may approve them or not; `products` can be chosen.
    pub fn new(page: Page<LinkRow>, candidates: &Candidates, now: Timestamp, may_operate: bool) -> Self {
        let (waiting, rows): (Vec<_>, Vec<_>) = page.items.iter().partition(|row| row.link.state == LinkState::Pending);
        Self {
            banner: None,
            wanted: Wanted::default(),
            products: Vec::new(),
            waiting: waiting.into_iter().map(|row| Waiting::of(row, candidates, now)).collect(),
            rows: rows.into_iter().map(|row| Row::of(row, now)).collect(),
            removed: None,
            invites: None,
            more: page.next.as_ref().map(|next| Wanted::default().address(next)),
            may_operate,
        }
    }

    /// A page without links.
    fn empty(now: Timestamp, may_operate: bool) -> Self {
        Self::new(Page { items: Vec::new(), next: None }, &Candidates::default(), now, may_operate)
    }

    /// A page of links that were removed.
    pub fn of_removed(page: &Page<RemovedRow>, now: Timestamp, may_operate: bool) -> Self {
        let removed = page.items.iter().map(RemovedLine::of).collect();
        Self { removed: Some(removed), ..Self::empty(now, may_operate) }
    }

    /// A page of the invites that can be used.
    pub fn of_invites(page: &Page<OpenInvite>, now: Timestamp, may_operate: bool) -> Self {
        let invites = page.items.iter().map(|invite| InviteLine::of(invite, now)).collect();
        Self { invites: Some(invites), ..Self::empty(now, may_operate) }
    }

    fn asked(self, wanted: Wanted, products: Vec<String>, next: Option<&Cursor>) -> Self {
        let banner = match wanted.done.as_str() {
            "approved" => Some(("The link is approved.", "Its product reports from its next exchange on.")),
            "withdrawn" => Some(("The invite is withdrawn.", "Whoever has it cannot link a product with it any more.")),
            "refused" => Some(("The link is refused.", "It is gone, and its product is told with its next exchange.")),
            _ => None,
        };
        Self {
            banner: banner.map(|(what, so)| Banner::new(Tone::Good, what, so)),
            more: next.map(|next| wanted.address(next)),
            wanted,
            products,
            ..self
        }
    }

    fn fields(&self) -> [Field<'_>; 3] {
        let state = |value: &'static str, label: &str| Choice { value, label: label.to_owned() };
        let states = vec![
            state("", "All"),
            state(LinkState::Pending.name(), "Waits for approval"),
            state(LinkState::Suspended.name(), "Suspended"),
            state(LinkState::Approved.name(), "Approved"),
            state(REMOVED, "Removed"),
            state(INVITES, "Open invites"),
        ];
        [
            Field::select("state", "State", states).value(&self.wanted.state),
            Field::select("product", "Product", fleet::one_of(&self.products)).value(&self.wanted.product),
            Field::text("server_id", "Server ID").value(&self.wanted.server_id),
        ]
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.waiting.is_empty()
    }
}

impl Waiting {
    fn of(row: &LinkRow, candidates: &Candidates, now: Timestamp) -> Self {
        let (link, product) = (&row.link, &row.link.product);
        Self {
            href: format!("/links/{}", link.id),
            product: format!("{} ({})", product.name, product.id),
            version: product.version.clone(),
            server_id: product.server_id.to_string(),
            fingerprint: link.key.fingerprint(),
            joined: When { at: link.created_at, now },
            form: ApprovalForm::of(link, candidates),
        }
    }
}

impl Row {
    fn of(row: &LinkRow, now: Timestamp) -> Self {
        let (link, product) = (&row.link, &row.link.product);
        Self {
            href: format!("/links/{}", link.id),
            product: product.name.clone(),
            version: product.version.clone(),
            server_id: product.server_id.to_string(),
            staging: product.staging,
            application: application(row),
            state: words::link_state(link.state),
            chain: link.chain.head.map(|_| words::chain(row.chain_state)),
            last: row.last_report_at.map(|at| When { at, now }),
        }
    }
}

impl RemovedLine {
    fn of(row: &RemovedRow) -> Self {
        let product = row.product.as_ref();
        Self {
            product: product.map_or_else(|| "not kept".to_owned(), |product| product.name.clone()),
            server_id: product.map(|product| product.server_id.to_string()),
            application: row.application_name.clone(),
            link: row.link.to_string(),
            removed: format::date_time(row.removed_at),
        }
    }
}

impl InviteLine {
    fn of(invite: &OpenInvite, now: Timestamp) -> Self {
        let application = invite.application_name.clone().zip(invite.application.as_ref());
        Self {
            id: invite.id.to_string(),
            application: application.map(|(name, id)| (name, format!("/applications/{id}"))),
            made: When { at: invite.created_at, now },
            expires: format!("{} ({})", format::date_time(invite.expires_at), format::relative(invite.expires_at, now)),
        }
    }
}

/// `GET /links`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let (store, now, may_operate) = (app.central.store(), app.central.now(), who.may(Role::Operator));
    let after = Some(Cursor::new(wanted.after.as_str())).filter(|_| !wanted.after.is_empty());
    let products = fleet::list::known(&app).await?.products;
    let page = if wanted.state == REMOVED {
        let found = store.removed_links(after.as_ref(), PageSize::default()).await?;
        LinksPage::of_removed(&found, now, may_operate).asked(wanted, products, found.next.as_ref())
    } else if wanted.state == INVITES {
        let found = store.open_invites(now, after.as_ref(), PageSize::default()).await?;
        LinksPage::of_invites(&found, now, may_operate).asked(wanted, products, found.next.as_ref())
    } else {
        let filter = wanted.sent().filter().map_err(ActionError::from)?;
        let found = store.links(&filter, after.as_ref(), PageSize::default()).await?;
        let candidates = if may_operate { Candidates::of(&app, &found.items).await? } else { Candidates::default() };
        let next = found.next.clone();
        LinksPage::new(found, &candidates, now, may_operate).asked(wanted, products, next.as_ref())
    };
    Ok(page_of(Section::Links, "Links", Some(&who), page))
}

const PLUS: Icon = Icon::Plus;
