//! How the fleet stands, read from its totals.

use jiff::{SignedDuration, Timestamp};

use crate::central::Central;
use crate::domain::fleet::Sum;
use crate::domain::{Facet, FleetFilter, FleetItem, FleetOrder, Use};
use crate::store::alerts::AlertFigures;
use crate::store::fleet::{FleetSum, SumOf};
use crate::store::leases::JobState;
use crate::store::{PageSize, Stored};

/// How far ahead the next end of a license is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 3660);

/// How the fleet stands.
#[derive(Debug)]
pub(super) struct Fleet {
    /// How many applications there are, and what their users come to.
    pub(super) applications: Vec<(Use, Sum)>,
    pub(super) users: Vec<(Use, Sum)>,
    /// Applications by what calls for attention, and by how grave it is at least.
    pub(super) concerns: Vec<(Use, FleetSum)>,
    pub(super) gravities: Vec<(Use, FleetSum)>,
    /// When the next license, or its maintenance, ends.
    pub(super) next_end: Option<Timestamp>,
    /// Since when the review is behind.
    pub(super) due_since: Option<Timestamp>,
    pub(super) jobs: Vec<JobState>,
    /// What is open, and what waits to be told.
    pub(super) alerts: AlertFigures,
    /// The applications that are the closest to their limits.
    pub(super) tightest: Vec<FleetItem>,
}

impl Fleet {
    pub(super) async fn read(central: &Central, applications: u16) -> Stored<Self> {
        let (store, now) = (central.store(), central.now());
        let mut fleet = Self {
            applications: Vec::new(),
            users: Vec::new(),
            concerns: Vec::new(),
            gravities: Vec::new(),
            next_end: None,
            due_since: store.to_review(now).await?,
            jobs: store.jobs().await?,
            alerts: store.alert_figures().await?,
            tightest: Vec::new(),
        };
        for used_for in [Use::Production, Use::Staging] {
            fleet.applications.push((used_for, store.sum(used_for, &Facet::all(), "").await?));
            fleet.users.push((used_for, store.sum(used_for, &Facet::all(), "users").await?));
            let concerns = store.sums(used_for, SumOf::Concerns).await?;
            fleet.concerns.extend(concerns.into_iter().map(|sum| (used_for, sum)));
            let gravities = store.sums(used_for, SumOf::Gravities).await?;
            fleet.gravities.extend(gravities.into_iter().map(|sum| (used_for, sum)));
        }
        let horizon = now.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let next = store.ends(&Facet::all(), (now, horizon), None, PageSize::new(1)).await?;
        fleet.next_end = next.items.first().map(|due| due.end.at);
        if applications > 0 {
            let (filter, order) = (FleetFilter::default(), FleetOrder::Consumption);
            let page = store.fleet(&filter, order, None, PageSize::new(applications.into())).await?;
            fleet.tightest = page.items;
        }
        Ok(fleet)
    }
}
