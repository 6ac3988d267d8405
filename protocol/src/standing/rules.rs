//! Which license governs, and what comes of it: the order of the rules in the module's head.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::bounds::json_bytes;
use super::group::{Group, Spread};
use super::limits::limit_standings;
use super::messages;
use super::row::license_standing;
use super::{
    AddOnStanding, LicenseStanding, LimitStanding, MAX_ENABLED_FEATURES, MAX_LICENSES, MAX_NODE_NAME, MAX_REASONS,
    MAX_STANDING_BYTES, NodeStanding, Observed, Reason, ReasonCode, Standing, Status, Verdict, dates,
};
use crate::ids::{Dimension, ProductId};
use crate::license::License;
use crate::report::MAX_NODES;
use crate::text;

/// What `licenses` come to on the observed product at `now`.
///
/// The licenses are taken to be opened, and so to hold to their own rules. Their order does not matter, nor does it
/// that one is given twice. Counts beyond [`MAX_COUNT`](crate::ids::MAX_COUNT) are taken for that number.
///
/// ```
/// use seatline_protocol::{Dimension, License, Observed, standing};
///
/// let license: License = serde_json::from_str(
///     r#"{"id": "L-1", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
///         "limits": [{"dimension": "users", "max": 500}], "issued": "2026-01-01T00:00:00Z"}"#,
/// )?;
/// let server_id = "B7K2-9QXM-0000-0000-0000".parse()?;
/// let counts = [(Dimension::users(), 512)].into();
/// let observed = Observed { counts, ..Observed::new("acme-wiki".parse()?, server_id) };
/// let standing = standing(&[license], &observed, "2026-06-01T00:00:00Z".parse()?);
/// assert_eq!(standing.verdict.name(), "attention");
/// assert_eq!(
///     standing.reasons[0].message,
///     "512 users are counted, and license L-1 allows 500. Bring the count down by 12, or set a larger license."
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn standing(licenses: &[License], observed: &Observed, now: Timestamp) -> Standing {
    let considered = Considered::new(licenses, observed);
    let mut standing = considered.at(now);
    let moved = observed.previous.iter().map(|previous| previous.until);
    let instants: BTreeSet<Timestamp> =
        licenses.iter().flat_map(dates::instants).chain(moved).filter(|at| *at > now).collect();
    standing.changes_at = instants.into_iter().find(|at| considered.at(*at) != standing);
    standing
}

/// What was found about one license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding<'a> {
    InForce,
    InGrace,
    Upcoming,
    Expired,
    WrongProduct,
    WrongEdition,
    WrongServer,
    StagingOnly,
    WrongNode,
    ReplacedBy(&'a License),
}

impl Finding<'_> {
    pub(super) fn status(self) -> Status {
        match self {
            Self::InForce => Status::Active,
            Self::InGrace => Status::Grace,
            Self::Upcoming => Status::Upcoming,
            Self::Expired => Status::Expired,
            Self::WrongProduct | Self::WrongEdition | Self::WrongServer | Self::StagingOnly | Self::WrongNode => {
                Status::NotApplicable
            }
            Self::ReplacedBy(_) => Status::Replaced,
        }
    }

    /// The reason that it gives for a verdict; none for what is in order, or is history.
    fn code(self) -> Option<ReasonCode> {
        match self {
            Self::InForce | Self::ReplacedBy(_) => None,
            Self::InGrace => Some(ReasonCode::InGrace),
            Self::Upcoming => Some(ReasonCode::NotYetValid),
            Self::Expired => Some(ReasonCode::Expired),
            Self::WrongProduct => Some(ReasonCode::WrongProduct),
            Self::WrongEdition => Some(ReasonCode::WrongEdition),
            Self::WrongServer => Some(ReasonCode::WrongServer),
            Self::StagingOnly => Some(ReasonCode::StagingOnly),
            Self::WrongNode => Some(ReasonCode::WrongNode),
        }
    }

    fn at(self, license: &License) -> Option<Timestamp> {
        match self {
            Self::InGrace => license.grace_ends(),
            Self::Upcoming => Some(license.begins()),
            Self::Expired => license.expires,
            _ => None,
        }
    }

    pub fn is_in_force(self) -> bool {
        matches!(self, Self::InForce | Self::InGrace)
    }
}

/// A reason, and the verdict that it would bring alone.
pub(super) struct Weighed {
    pub weight: Verdict,
    pub reason: Reason,
}

/// The licenses, sorted by what they license; nothing here depends on the time.
struct Considered<'a> {
    observed: &'a Observed,
    /// The product first, then its add-ons.
    groups: Vec<Group<'a>>,
}

impl<'a> Considered<'a> {
    fn new(licenses: &'a [License], observed: &'a Observed) -> Self {
        let mut members: Vec<(String, &License)> =
            licenses.iter().map(|license| (serde_json::to_string(license).unwrap_or_default(), license)).collect();
        members.sort_by_key(|(json, license)| {
            (license.issued, license.begins(), dates::end(license), license.id.clone(), json.clone())
        });
        members.dedup_by(|(_, one), (_, other)| one == other);

        // What is for another product stands with the licenses of this one: it explains why this one has none.
        let own = &observed.product;
        let mut groups: BTreeMap<(bool, &ProductId), Vec<&License>> = BTreeMap::from([((false, own), Vec::new())]);
        for (_, license) in members {
            let is_add_on = license.product != *own && license.add_on_of.as_ref() == Some(own);
            let product = if is_add_on { &license.product } else { own };
            groups.entry((is_add_on, product)).or_default().push(license);
        }
        let group = |((is_add_on, product), members)| Group::new(observed, product, is_add_on, members);
        Self { observed, groups: groups.into_iter().map(group).collect() }
    }

    /// The standing at an instant, without [`Standing::changes_at`].
    fn at(&self, now: Timestamp) -> Standing {
        let settled: Vec<Settled> = self.groups.iter().map(|group| group.settle(now)).collect();
        let own = &settled[0]; // There is always the group of the product, see `new`, and it sorts first.
        let mut weighed: Vec<&Weighed> = settled.iter().flat_map(|settled| &settled.reasons).collect();
        weighed.sort_by_key(|weighed| (std::cmp::Reverse(weighed.weight), weighed.reason.clone()));
        let verdict = weighed.first().map_or(Verdict::Licensed, |gravest| gravest.weight);

        let mut standing = Standing {
            verdict,
            reasons: weighed.into_iter().take(MAX_REASONS).map(|weighed| weighed.reason.clone()).collect(),
            governed_by: own.governing.map(|license| license.id.clone()),
            licenses: listed(&settled, self.observed),
            limits: own.limits.clone(),
            add_ons: settled[1..].iter().take(MAX_LICENSES).map(Settled::as_add_on).collect(),
            nodes: own.nodes.clone(),
            features: BTreeSet::new(),
            support: own.governing.is_some_and(|license| dates::is_supported(license, now)),
            counting: own.governing.and_then(|license| license.limit(&Dimension::users())?.counting),
            changes_at: None,
        };
        if verdict <= Verdict::Attention {
            let enabled = settled.iter().filter(|group| group.enables_features).filter_map(|group| group.governing);
            let features = enabled.flat_map(|license| &license.features).take(MAX_ENABLED_FEATURES);
            standing.features = features.cloned().collect();
        }
        fit(&mut standing);
        standing
    }
}

/// Leaves out what has no room in a report, with some for `changes_at`: the end of a long history first.
fn fit(standing: &mut Standing) {
    let mut excess = json_bytes(standing).saturating_sub(MAX_STANDING_BYTES - 64);
    // Each goes with its comma.
    while excess > 0 && standing.licenses.len() > 1 {
        let bytes = standing.licenses.pop().map_or(0, |license| json_bytes(&license));
        excess = excess.saturating_sub(bytes.saturating_add(1));
    }
    while excess > 0 && !standing.add_ons.is_empty() {
        let bytes = standing.add_ons.pop().map_or(0, |add_on| json_bytes(&add_on));
        excess = excess.saturating_sub(bytes.saturating_add(1));
    }
}

/// What a group comes to at an instant.
struct Settled<'a> {
    product: &'a ProductId,
    is_add_on: bool,
    governing: Option<&'a License>,
    findings: Vec<(&'a License, Finding<'a>)>,
    /// The limits of what governs.
    limits: Vec<LimitStanding>,
    /// Which license covers which node.
    nodes: Vec<NodeStanding>,
    /// By itself, whatever it means for the product.
    verdict: Verdict,
    reasons: Vec<Weighed>,
    /// Whether what governs enables its features.
    enables_features: bool,
}

impl Settled<'_> {
    fn as_add_on(&self) -> AddOnStanding {
        AddOnStanding {
            product: self.product.clone(),
            verdict: self.verdict,
            governed_by: self.governing.map(|license| license.id.clone()),
            limits: self.limits.clone(),
            nodes: self.nodes.clone(),
        }
    }
}

impl<'a> Group<'a> {
    fn settle(&self, now: Timestamp) -> Settled<'a> {
        let spread = self.spread(now);
        let best = self.best(spread.in_force(), now);
        let findings: Vec<_> =
            (0..self.members.len()).map(|at| (self.members[at], self.finding(at, &spread, best, now))).collect();
        let covered = Covered::of(self, &spread);
        let mut settled = Settled {
            product: self.product,
            is_add_on: self.is_add_on,
            governing: best.map(|at| self.members[at]),
            limits: Vec::new(),
            nodes: self.node_standings(&spread),
            verdict: Verdict::Licensed,
            reasons: Vec::new(),
            enables_features: false,
            findings,
        };
        settled.reasons = match settled.governing {
            Some(governing) => {
                settled.limits = limit_standings(governing, covered.places, self.observed);
                self.reasons_in_force(&settled, &covered, governing, now)
            }
            None => self.reasons_of_absence(&settled),
        };
        settled.verdict = settled.reasons.iter().map(|weighed| weighed.weight).max().unwrap_or(Verdict::Licensed);
        settled.enables_features = settled.verdict <= Verdict::Attention;
        if self.is_add_on {
            for weighed in &mut settled.reasons {
                // An add-on's fault stops the add-on, not the product.
                weighed.weight = weighed.weight.min(Verdict::Attention);
                weighed.reason.add_on = Some(self.product.clone());
            }
            if covered.places.is_none() {
                settled.nodes.clear();
            }
        }
        settled
    }

    /// The running nodes with their licenses: by name, or those without one first where there is no room for all.
    fn node_standings(&self, spread: &Spread) -> Vec<NodeStanding> {
        if self.observed.nodes.is_empty() {
            return Vec::new();
        }
        let mut nodes: Vec<NodeStanding> = self
            .nodes
            .iter()
            .zip(&spread.on)
            .map(|(name, license)| NodeStanding {
                id: text::line(name, MAX_NODE_NAME),
                license: license.map(|at| self.members[at].id.clone()),
            })
            .collect();
        if nodes.len() > MAX_NODES {
            nodes.sort_by_key(|node| node.license.is_some());
            nodes.truncate(MAX_NODES);
        }
        nodes
    }

    fn reasons_in_force(
        &self,
        settled: &Settled<'a>,
        covered: &Covered<'a>,
        governing: &License,
        now: Timestamp,
    ) -> Vec<Weighed> {
        let mut reasons = Vec::new();
        let findings = settled.findings.iter().enumerate();
        for (at, (license, finding)) in findings.filter(|(_, (_, finding))| finding.is_in_force()) {
            reasons.extend(self.weighed_finding(license, *finding, Verdict::Attention));
            let holds_on = self.holds_on_until(license, now);
            reasons.extend(holds_on.map(|until| messages::server_changed(license, until, self.observed)));
            let expires = dates::expires_soon(license, now);
            if let Some(expires) = expires.filter(|expires| !self.has_successor(at, *expires)) {
                reasons.push(messages::expires_soon(license, expires));
            }
        }
        // When the add-on's own release was built is not known.
        let released = self.observed.released.filter(|_| !self.is_add_on);
        reasons.extend(dates::maintenance(governing, released, now));
        for limit in &settled.limits {
            let is_by_place = covered.places.is_some() && limit.dimension == Dimension::nodes();
            reasons.extend(match is_by_place {
                true => messages::lacking(limit, governing, &covered.lacking),
                false => messages::limit(limit, governing),
            });
        }
        reasons
    }

    fn reasons_of_absence(&self, settled: &Settled<'a>) -> Vec<Weighed> {
        let findings = settled.findings.iter();
        let mut reasons: Vec<_> = findings
            .filter_map(|(license, finding)| self.weighed_finding(license, *finding, Verdict::Unlicensed))
            .collect();
        if reasons.is_empty() {
            reasons.push(messages::no_license(self.product));
        }
        reasons
    }

    fn weighed_finding(&self, license: &License, finding: Finding<'_>, weight: Verdict) -> Option<Weighed> {
        let code = finding.code()?;
        let message = messages::finding(license, finding, self.observed)?;
        let reason = Reason {
            code,
            message,
            license: Some(license.id.clone()),
            add_on: None,
            dimension: None,
            at: finding.at(license),
        };
        Some(Weighed { weight, reason })
    }
}

/// How the licenses of a group cover the nodes.
struct Covered<'a> {
    /// The nodes without a license.
    lacking: Vec<&'a str>,
    /// How many nodes could run with a license; none where one in force is for all of them, however many, and none of
    /// them gave it in exchange for one that has ended.
    places: Option<Places>,
}

/// How many nodes could run with a license.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub count: u64,
    /// Whether what the licenses say about nodes themselves counts, too: one of them is for all.
    pub are_bounded: bool,
}

impl<'a> Covered<'a> {
    fn of(group: &Group<'a>, spread: &Spread) -> Self {
        let on = group.nodes.iter().zip(&spread.on);
        let lacking: Vec<&str> = on.filter(|(_, license)| license.is_none()).map(|(name, _)| *name).collect();
        let is_for_all = spread.in_force().any(|at| group.is_for_all(at));
        let count = (group.nodes.len() - lacking.len() + spread.spare.len()) as u64;
        let is_limited = !is_for_all || !lacking.is_empty();
        Self { lacking, places: is_limited.then_some(Places { count, are_bounded: is_for_all }) }
    }
}

/// The licenses as a person reads them: what governs, what is in force, what comes, what was.
fn listed(settled: &[Settled<'_>], observed: &Observed) -> Vec<LicenseStanding> {
    let mut listed: Vec<_> = settled
        .iter()
        .flat_map(|group| {
            let findings = group.findings.iter().enumerate();
            findings.map(move |(age, (license, finding))| {
                let governs = !group.is_add_on && group.governing.is_some_and(|governing| governing == *license);
                let newest_first = std::cmp::Reverse((license.begins(), age));
                (
                    (!governs, finding.status(), group.is_add_on, newest_first, license.product.clone()),
                    *license,
                    *finding,
                )
            })
        })
        .collect();
    listed.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let listed = listed.into_iter().take(MAX_LICENSES);
    listed.map(|(_, license, finding)| license_standing(license, finding, observed)).collect()
}
