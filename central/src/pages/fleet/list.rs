//! The list of applications (`w1`, `w5`): filtered, searched, sorted, a page at a time.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use seatline_ui::{Choice, Field, Icon, format};

use super::rows::Row;
use super::{address, one_of, refused, words};
use crate::auth::SignedIn;
use crate::domain::assessment::CODES;
use crate::domain::fleet::FleetSent;
use crate::domain::{FleetOrder, Gravity, Role, Use};
use crate::pages::PageError;
use crate::pages::frame::page;
use crate::server::App;
use crate::store::fleet::{FleetSum, SumOf};
use crate::store::{Cursor, Page, PageSize};

/// The list.
#[derive(Template)]
#[template(path = "fleet/list.html")]
pub struct List {
    sent: FleetSent,
    rows: Vec<Row>,
    summary: String,
    /// What can be chosen: products, groups and tags that there are.
    known: Known,
    more: Option<String>,
    /// The address of the same list without a filter, where it has one.
    all: Option<String>,
    csv: String,
    json: String,
    may_add: bool,
    /// Whether there is no application at all.
    is_first: bool,
}

/// What applications are sorted by.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Products.
    pub products: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
}

impl List {
    /// A page of what was `sent`; `all` is how many applications there are.
    pub fn new(
        sent: FleetSent,
        found: &Page<crate::domain::FleetItem>,
        known: Known,
        all: u64,
        now: jiff::Timestamp,
        may_add: bool,
    ) -> Self {
        let is_filtered = sent.pairs().iter().any(|(name, _)| *name != "sort");
        let shown = found.items.len() as u64;
        let all_words = format::counted(all, "application", "applications");
        let summary = match (is_filtered, shown == all && sent.after.is_empty()) {
            (false, true) => all_words,
            (false, false) => format!("{} of {all_words} on this page", format::number(shown)),
            (true, _) if found.next.is_none() && sent.after.is_empty() => {
                format!("{} of {all_words}", format::number(shown))
            }
            (true, _) => format!("{} on this page, of {all_words} in all", format::number(shown)),
        };
        let query = address(&sent, None);
        Self {
            rows: found.items.iter().map(|item| Row::of(item, now)).collect(),
            summary,
            known,
            more: found.next.as_ref().map(|next| address(&sent, Some(next.as_str()))),
            all: is_filtered.then(|| "/applications".to_owned()),
            csv: query.replacen("/applications", "/api/v1/fleet.csv", 1),
            json: query.replacen("/applications", "/api/v1/fleet.json", 1),
            may_add,
            is_first: all == 0 && found.items.is_empty() && !is_filtered,
            sent,
        }
    }

    fn fields(&self) -> [Field<'_>; 7] {
        let any = |label: &str| Choice { value: "", label: label.to_owned() };
        let concerns =
            CODES[..CODES.len() - 1].iter().map(|code| Choice { value: code, label: words::kind(code).to_owned() });
        let gravities = [Gravity::Warning, Gravity::Problem, Gravity::Note]
            .map(|least| Choice { value: least.name(), label: words::gravity(least).to_owned() });
        let uses = [(Use::Production, "Production"), (Use::Staging, "Staging")]
            .map(|(used_for, label)| Choice { value: used_for.name(), label: label.to_owned() });
        let orders = FleetOrder::ALL.map(|order| {
            let label = match order {
                FleetOrder::Attention => "What needs attention",
                FleetOrder::Name => "Name",
                FleetOrder::Consumption => "Tightest limit",
                FleetOrder::Expiry => "Next end",
            };
            Choice { value: order.name(), label: label.to_owned() }
        });
        let with_any = |label: &str, choices: Vec<Choice<'static>>| -> Vec<Choice<'static>> {
            std::iter::once(any(label)).chain(choices).collect()
        };
        [
            Field::select("gravity", "Attention", with_any("All", gravities.to_vec())).value(&self.sent.gravity),
            Field::select("concern", "Concern", with_any("Any", concerns.collect())).value(&self.sent.concern),
            Field::select("product", "Product", one_of(&self.known.products)).value(&self.sent.product),
            Field::select("group", "Group", one_of(&self.known.groups)).value(&self.sent.group),
            Field::select("tag", "Tag", one_of(&self.known.tags)).value(&self.sent.tag),
            Field::select("use", "Use", with_any("All", uses.to_vec())).value(&self.sent.used_for),
            Field::select("sort", "Sort by", orders.to_vec()).value(&self.sent.sort),
        ]
    }
}

/// What applications are sorted by, in production and staging.
pub async fn known(app: &App) -> Result<Known, PageError> {
    let names = async |of: SumOf| -> Result<Vec<String>, PageError> {
        let mut names = std::collections::BTreeSet::new();
        for used_for in [Use::Production, Use::Staging] {
            let sums = app.central.store().sums(used_for, of).await?;
            names.extend(sums.iter().map(|FleetSum { facet, .. }| facet.value().to_owned()));
        }
        Ok(names.into_iter().collect())
    };
    Ok(Known {
        products: names(SumOf::Products).await?,
        groups: names(SumOf::Groups).await?,
        tags: names(SumOf::Tags).await?,
    })
}

/// How many applications there are.
pub async fn count(app: &App) -> Result<u64, PageError> {
    let mut all = 0;
    for used_for in [Use::Production, Use::Staging] {
        let sum = app.central.store().sum(used_for, &crate::domain::Facet::all(), "").await?;
        all += u64::try_from(sum.applications).unwrap_or_default();
    }
    Ok(all)
}

/// `GET /applications`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(sent): Query<FleetSent>,
) -> Result<Response, PageError> {
    let (filter, order) = (sent.filter().map_err(refused)?, sent.order().map_err(refused)?);
    let after = Some(Cursor::new(sent.after.as_str())).filter(|_| !sent.after.is_empty());
    let found = app.central.store().fleet(&filter, order, after.as_ref(), PageSize::default()).await?;
    let list =
        List::new(sent, &found, known(&app).await?, count(&app).await?, app.central.now(), who.may(Role::Operator));
    Ok(page("Applications", Some(&who), list))
}

const PLUS: Icon = Icon::Plus;
