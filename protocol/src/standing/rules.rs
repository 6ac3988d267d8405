//! Which license governs, and what comes of it: the order of the rules in the module's head.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::limits::limit_standings;
use super::messages;
use super::{
    LicenseStanding, LimitFacts, MAX_ENABLED_FEATURES, MAX_LICENSES, MAX_REASONS, MAX_STANDING_BYTES, Observed, Reason,
    ReasonCode, Standing, Status, Verdict, dates, json_bytes, succession,
};
use crate::ids::{Dimension, MAX_COUNT, ProductId};
use crate::license::{Kind, License, Mode};

/// What `licenses` come to on the observed product at `now`.
///
/// The licenses are taken to be opened, and so to hold to their own rules. Their order does not matter, nor does it
/// that one is given twice. Counts beyond [`MAX_COUNT`] are taken for that number.
///
/// ```
/// use seatline_protocol::{Dimension, License, Observed, standing};
///
/// let license: License = serde_json::from_str(
///     r#"{"id": "L-1", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
///         "limits": [{"dimension": "users", "max": 500}], "issued": "2026-01-01T00:00:00Z"}"#,
/// )?;
/// let observed = Observed {
///     product: "acme-wiki".parse()?,
///     edition: None,
///     server_id: "B7K2-9QXM-0000-0000-0000".parse()?,
///     staging: false,
///     previous: Vec::new(),
///     released: None,
///     counts: [(Dimension::users(), 512)].into(),
/// };
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
    ReplacedBy(&'a License),
}

impl Finding<'_> {
    fn status(self) -> Status {
        match self {
            Self::InForce => Status::Active,
            Self::InGrace => Status::Grace,
            Self::Upcoming => Status::Upcoming,
            Self::Expired => Status::Expired,
            Self::WrongProduct | Self::WrongEdition | Self::WrongServer | Self::StagingOnly => Status::NotApplicable,
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

    fn is_in_force(self) -> bool {
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

/// The licenses of the product, or of one add-on, each once. They are ordered by when they were issued, the newest last;
/// the rest of the order only makes it total.
struct Group<'a> {
    observed: &'a Observed,
    product: &'a ProductId,
    is_add_on: bool,
    members: Vec<&'a License>,
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
        let group = |((is_add_on, product), members)| Group { observed, product, is_add_on, members };
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
            limits: own.governing.map_or(Vec::new(), |license| own.limits(license, self.observed)),
            features: BTreeSet::new(),
            counting: own.governing.and_then(|license| license.limit(&Dimension::users())?.counting),
            changes_at: None,
        };
        if verdict <= Verdict::Attention {
            let enabled = settled.iter().filter(|group| group.enables_features).filter_map(|group| group.governing);
            let features = enabled.flat_map(|license| &license.features).take(MAX_ENABLED_FEATURES);
            standing.features = features.cloned().collect();
        }
        // The end of a long history gives way, with room for `changes_at`.
        while standing.licenses.len() > 1 && json_bytes(&standing) > MAX_STANDING_BYTES - 64 {
            standing.licenses.pop();
        }
        standing
    }
}

/// What a group comes to at an instant.
struct Settled<'a> {
    governing: Option<&'a License>,
    /// Whether what governs enables its features.
    enables_features: bool,
    is_add_on: bool,
    findings: Vec<(&'a License, Finding<'a>)>,
    reasons: Vec<Weighed>,
}

impl<'a> Group<'a> {
    fn settle(&self, now: Timestamp) -> Settled<'a> {
        let governing = self.governing(now);
        let findings: Vec<_> =
            (0..self.members.len()).map(|at| (self.members[at], self.finding(at, governing, now))).collect();
        let governing = governing.map(|at| self.members[at]);
        let is_add_on = self.is_add_on;
        let mut settled = Settled { governing, enables_features: false, is_add_on, findings, reasons: Vec::new() };
        settled.reasons = match governing {
            Some(governing) => self.reasons_in_force(&settled, governing, now),
            None => self.reasons_of_absence(&settled),
        };
        settled.enables_features = settled.reasons.iter().all(|weighed| weighed.weight <= Verdict::Attention);
        if is_add_on {
            // An add-on's fault stops the add-on, not the product.
            settled.reasons.iter_mut().for_each(|weighed| weighed.weight = weighed.weight.min(Verdict::Attention));
        }
        settled
    }

    /// Why the license does not apply here at all, whatever its own dates.
    fn misfit(&self, license: &License, now: Timestamp) -> Option<Finding<'a>> {
        let other_edition = |edition: &String| {
            let running = self.observed.edition.as_ref();
            running.is_some_and(|running| !running.eq_ignore_ascii_case(edition))
        };
        if license.product != *self.product {
            Some(Finding::WrongProduct)
        } else if !self.is_add_on && license.edition.as_ref().is_some_and(other_edition) {
            Some(Finding::WrongEdition)
        } else if license.servers.is_empty() {
            let is_misplaced = license.kind == Kind::Staging && !self.observed.staging;
            is_misplaced.then_some(Finding::StagingOnly)
        } else if license.servers.contains(&self.observed.server_id) || self.holds_on_until(license, now).is_some() {
            None
        } else {
            Some(Finding::WrongServer)
        }
    }

    /// Until when the license holds on, which is bound to a server ID from before a move and not to the present one. A
    /// copy for staging gets a license of its own at once.
    fn holds_on_until(&self, license: &License, now: Timestamp) -> Option<Timestamp> {
        let is_of_staging = self.observed.staging || license.kind == Kind::Staging;
        if is_of_staging || license.servers.contains(&self.observed.server_id) {
            return None;
        }
        let had = self.observed.previous.iter().filter(|previous| license.servers.contains(&previous.server_id));
        had.map(|previous| previous.until).max().filter(|until| now < *until)
    }

    /// The license that has taken the place of the one `at` its index for good: the newest that says so.
    fn replacer(&self, at: usize, now: Timestamp) -> Option<&'a License> {
        if self.misfit(self.members[at], now).is_some() {
            return None;
        }
        let newest_first =
            (0..self.members.len()).rev().filter(|other| succession::can_replace(&self.members, *other, at));
        newest_first
            .map(|other| self.members[other])
            .find(|newer| newer.begins() <= now && self.misfit(newer, now).is_none())
    }

    /// Whether the license could govern: it applies, holds at `now`, and nothing took its place.
    fn holds(&self, at: usize, now: Timestamp) -> bool {
        let license = self.members[at];
        self.misfit(license, now).is_none()
            && dates::finding(license, now).is_in_force()
            && self.replacer(at, now).is_none()
    }

    fn governing(&self, now: Timestamp) -> Option<usize> {
        let holding = (0..self.members.len()).filter(|at| self.holds(*at, now));
        holding.max_by_key(|at| {
            let license = self.members[*at];
            let holds_by_itself = dates::finding(license, now) == Finding::InForce;
            (holds_by_itself && self.holds_on_until(license, now).is_none(), license.begins(), *at)
        })
    }

    fn finding(&self, at: usize, governing: Option<usize>, now: Timestamp) -> Finding<'a> {
        let license = self.members[at];
        if let Some(misfit) = self.misfit(license, now) {
            return misfit;
        }
        if let Some(replacer) = self.replacer(at, now) {
            return Finding::ReplacedBy(replacer);
        }
        let finding = dates::finding(license, now);
        match governing.map(|governing| self.members[governing]) {
            Some(governing) if finding.is_in_force() && governing != license && !are_by_node(governing, license) => {
                Finding::ReplacedBy(governing)
            }
            _ => finding,
        }
    }

    /// Whether another license takes over from the one that governs when it expires, without a gap.
    fn has_successor(&self, license: &License, expires: Timestamp) -> bool {
        (0..self.members.len()).any(|at| {
            let next = self.members[at];
            next != license
                && self.holds(at, expires)
                && dates::finding(next, expires) == Finding::InForce
                // One that is about to end itself postpones nothing.
                && dates::expires_soon(next, expires).is_none()
                // Each license by node covers its own: only one that is meant for it follows it.
                && (license.mode == Mode::Installation || next.replaces.contains(&license.id))
        })
    }

    fn reasons_in_force(&self, settled: &Settled<'a>, governing: &License, now: Timestamp) -> Vec<Weighed> {
        let mut reasons = Vec::new();
        for (license, finding) in settled.findings.iter().filter(|(_, finding)| finding.is_in_force()) {
            reasons.extend(self.weighed_finding(license, *finding, Verdict::Attention));
            let holds_on = self.holds_on_until(license, now);
            reasons.extend(holds_on.map(|until| messages::server_changed(license, until, self.observed)));
            let expires = dates::expires_soon(license, now);
            if let Some(expires) = expires.filter(|expires| !self.has_successor(license, *expires)) {
                reasons.push(messages::expires_soon(license, expires));
            }
        }
        // When the add-on's own release was built is not known.
        let released = self.observed.released.filter(|_| !self.is_add_on);
        reasons.extend(dates::maintenance(governing, released, now));
        let limits = settled.limits(governing, self.observed);
        reasons.extend(limits.iter().filter_map(|limit| messages::limit(limit, governing)));
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
        let reason =
            Reason { code, message, license: Some(license.id.clone()), dimension: None, at: finding.at(license) };
        Some(Weighed { weight, reason })
    }
}

/// Whether both cover a node each, so that they stay in force beside each other.
fn are_by_node(one: &License, other: &License) -> bool {
    one.mode == Mode::Node && other.mode == Mode::Node
}

impl Settled<'_> {
    fn limits(&self, governing: &License, observed: &Observed) -> Vec<super::LimitStanding> {
        let by_node = self.findings.iter().filter(|(_, finding)| finding.is_in_force()).count();
        let nodes = (governing.mode == Mode::Node).then_some(by_node as u64);
        limit_standings(governing, nodes, &observed.counts)
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

fn license_standing(license: &License, finding: Finding<'_>, observed: &Observed) -> LicenseStanding {
    let facts = |limit: &crate::Limit| LimitFacts {
        dimension: limit.dimension.clone(),
        max: limit.max.map(|max| max.min(MAX_COUNT)),
    };
    LicenseStanding {
        id: license.id.clone(),
        product: license.product.clone(),
        add_on_of: license.add_on_of.clone(),
        edition: license.edition.clone(),
        kind: license.kind,
        licensee: license.licensee.clone(),
        limits: license.limits.iter().map(facts).collect(),
        features: license.features.clone(),
        begins: license.begins(),
        expires: license.expires,
        grace_ends: license.grace_ends(),
        maintenance_until: license.maintenance_until,
        status: finding.status(),
        reason: messages::finding(license, finding, observed),
    }
}
