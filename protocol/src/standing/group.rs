//! The licenses of the product, or of one add-on: which of them is in force on which node (rules 1 to 6).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rules::Finding;
use super::{Observed, dates, succession};
use crate::ids::ProductId;
use crate::license::{Kind, License, Mode};

/// The licenses of one group, each once. They are ordered by when they were issued, the newest last; the rest of the
/// order only makes it total. Nothing here depends on the time.
pub(super) struct Group<'a> {
    pub observed: &'a Observed,
    pub product: &'a ProductId,
    pub is_add_on: bool,
    pub members: Vec<&'a License>,
    /// The running nodes by name; one without a name where none is known.
    pub nodes: Vec<&'a str>,
    /// The nodes that a member was set for, where it is not for all of them.
    places: Vec<Option<BTreeSet<usize>>>,
    /// The members that can take a member's place, the newest first.
    claimants: Vec<Vec<usize>>,
}

/// Which license is in force on which node at an instant.
pub(super) struct Spread {
    /// Of each running node.
    pub on: Vec<Option<usize>>,
    /// By node, and left over.
    pub spare: Vec<usize>,
}

impl Spread {
    /// Whether it is in force anywhere.
    pub fn has(&self, at: usize) -> bool {
        self.on.contains(&Some(at)) || self.spare.contains(&at)
    }

    /// All that are in force, and one more than once where it is on several nodes.
    pub fn in_force(&self) -> impl Iterator<Item = usize> {
        self.on.iter().copied().flatten().chain(self.spare.iter().copied())
    }
}

impl<'a> Group<'a> {
    pub fn new(observed: &'a Observed, product: &'a ProductId, is_add_on: bool, members: Vec<&'a License>) -> Self {
        let claimants = (0..members.len()).map(|at| {
            let newest_first = (0..members.len()).rev();
            newest_first.filter(|other| succession::can_replace(&members, *other, at)).collect()
        });
        let claimants = claimants.collect();
        let nodes =
            if observed.nodes.is_empty() { vec![""] } else { observed.nodes.iter().map(String::as_str).collect() };
        let mut group = Self { observed, product, is_add_on, nodes, places: Vec::new(), claimants, members };
        group.places = group.members.iter().map(|license| group.place(license)).collect();
        group
    }

    /// The running nodes that a license was set for; none if it is for all. A license by node is for one of them.
    fn place(&self, license: &License) -> Option<BTreeSet<usize>> {
        if self.observed.nodes.is_empty() {
            return None;
        }
        let set_for = self.observed.placed.get(&license.id).filter(|nodes| !nodes.is_empty())?;
        let running = self.nodes.iter().enumerate().filter(|(_, name)| set_for.contains(**name)).map(|(node, _)| node);
        Some(running.take(if license.mode == Mode::Node { 1 } else { usize::MAX }).collect())
    }

    /// Why a license does not apply here at all, whatever its own dates.
    fn misfit(&self, at: usize, now: Timestamp) -> Option<Finding<'a>> {
        let license = self.members[at];
        let other_edition = |edition: &String| {
            let running = self.observed.edition.as_ref();
            running.is_some_and(|running| !running.eq_ignore_ascii_case(edition))
        };
        if license.product != *self.product {
            Some(Finding::WrongProduct)
        } else if !self.is_add_on && license.edition.as_ref().is_some_and(other_edition) {
            Some(Finding::WrongEdition)
        } else if license.servers.is_empty() && license.kind == Kind::Staging && !self.observed.staging {
            Some(Finding::StagingOnly)
        } else if !license.servers.is_empty()
            && !license.servers.contains(&self.observed.server_id)
            && self.holds_on_until(license, now).is_none()
        {
            Some(Finding::WrongServer)
        } else if self.places[at].as_ref().is_some_and(BTreeSet::is_empty) {
            Some(Finding::WrongNode)
        } else {
            None
        }
    }

    /// Until when the license holds on, which is bound to a server ID from before a move and not to the present one. A
    /// copy for staging gets a license of its own at once.
    pub fn holds_on_until(&self, license: &License, now: Timestamp) -> Option<Timestamp> {
        let is_of_staging = self.observed.staging || license.kind == Kind::Staging;
        if is_of_staging || license.servers.contains(&self.observed.server_id) {
            return None;
        }
        let had = self.observed.previous.iter().filter(|previous| license.servers.contains(&previous.server_id));
        had.map(|previous| previous.until).max().filter(|until| now < *until)
    }

    /// Whether the license at `at` is for some nodes alone.
    pub fn is_placed(&self, at: usize) -> bool {
        self.places[at].is_some()
    }

    /// Whether the license at `at` is for every node.
    pub fn is_for_all(&self, at: usize) -> bool {
        self.members[at].mode == Mode::Installation && !self.is_placed(at)
    }

    /// Whether `one` is for every node that `other` is for.
    pub fn is_wherever(&self, one: usize, other: usize) -> bool {
        match (&self.places[one], &self.places[other]) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => one.is_superset(other),
        }
    }

    /// The license that has taken the place of the one `at` its index for good, on `node` or, without one, everywhere:
    /// the newest that says so.
    fn replacer(&self, at: usize, node: Option<usize>, now: Timestamp) -> Option<&'a License> {
        // One for an installation that was set for some nodes is given in exchange there; any other, everywhere.
        let reaches = |other: usize| match &self.places[other] {
            Some(places) if self.members[other].mode == Mode::Installation => {
                node.is_some_and(|node| places.contains(&node))
            }
            _ => true,
        };
        let mut newest_first = self.claimants[at].iter().copied();
        newest_first
            .find(|other| self.members[*other].begins() <= now && reaches(*other) && self.misfit(*other, now).is_none())
            .map(|other| self.members[other])
    }

    /// Whether the license could be in force on `node`, or anywhere: it applies, holds at `now`, and nothing took its
    /// place.
    fn holds(&self, at: usize, node: Option<usize>, now: Timestamp) -> bool {
        self.misfit(at, now).is_none()
            && dates::finding(self.members[at], now).is_in_force()
            && self.replacer(at, node, now).is_none()
    }

    /// What rule 4 prefers, the best last.
    fn rank(&self, at: usize, now: Timestamp) -> (bool, Timestamp, usize) {
        let license = self.members[at];
        let holds_by_itself = dates::finding(license, now) == Finding::InForce;
        (holds_by_itself && self.holds_on_until(license, now).is_none(), license.begins(), at)
    }

    /// The best of some licenses.
    pub fn best(&self, of: impl Iterator<Item = usize>, now: Timestamp) -> Option<usize> {
        of.max_by_key(|at| self.rank(*at, now))
    }

    /// Which license is in force on which node.
    pub fn spread(&self, now: Timestamp) -> Spread {
        let all = || 0..self.members.len();
        let (by_node, mut spare) = self.assigned(now);
        let whole = |node: Option<usize>| {
            let here = move |at: &usize| match &self.places[*at] {
                Some(places) => node.is_some_and(|node| places.contains(&node)),
                None => true,
            };
            let installations = all().filter(|at| self.members[*at].mode == Mode::Installation);
            installations.filter(here).filter(move |at| self.holds(*at, node, now))
        };
        let on = (0..self.nodes.len()).map(|node| self.best(whole(Some(node)).chain(by_node[node]), now)).collect();
        // What is left over is held against licenses for all nodes as if its node ran.
        spare.retain(|at| self.best(whole(None).chain([*at]), now) == Some(*at));
        Spread { on, spare }
    }

    /// The license by node of each node, and those that are left over (rule 5).
    fn assigned(&self, now: Timestamp) -> (Vec<Option<usize>>, Vec<usize>) {
        let by_node = |at: &usize| self.members[*at].mode == Mode::Node;
        let mut assigned: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut is_taken = vec![false; self.nodes.len()];
        for at in 0..self.members.len() {
            for node in self.places[at].iter().flatten().copied().filter(|node| self.holds(at, Some(*node), now)) {
                is_taken[node] = true;
                if by_node(&at) {
                    assigned[node] = self.best(assigned[node].into_iter().chain([at]), now);
                }
            }
        }
        let mut spare = Vec::new();
        for at in (0..self.members.len()).filter(by_node).filter(|at| !self.is_placed(*at)) {
            if self.holds(at, None, now) {
                match is_taken.iter().position(|is_taken| !is_taken) {
                    Some(node) => (is_taken[node], assigned[node]) = (true, Some(at)),
                    None => spare.push(at),
                }
            }
        }
        (assigned, spare)
    }

    /// What is found about the license `at` its index.
    pub fn finding(&self, at: usize, spread: &Spread, governing: Option<usize>, now: Timestamp) -> Finding<'a> {
        if let Some(misfit) = self.misfit(at, now) {
            return misfit;
        }
        let finding = dates::finding(self.members[at], now);
        if spread.has(at) {
            return finding;
        }
        let everywhere = (0..self.nodes.len()).map(Some).chain([None]);
        let replacer = everywhere.filter_map(|node| self.replacer(at, node, now)).next_back();
        match (replacer, governing.map(|governing| self.members[governing])) {
            (Some(replacer), _) => Finding::ReplacedBy(replacer),
            (None, Some(governing)) if finding.is_in_force() => Finding::ReplacedBy(governing),
            _ => finding,
        }
    }

    /// Whether another license takes over from the one `at` its index when it expires, without a gap.
    pub fn has_successor(&self, at: usize, expires: Timestamp) -> bool {
        let license = self.members[at];
        (0..self.members.len()).any(|other| {
            let next = self.members[other];
            other != at
                && self.is_wherever(other, at)
                && self.holds(other, None, expires)
                && dates::finding(next, expires) == Finding::InForce
                // One that is about to end itself postpones nothing.
                && dates::expires_soon(next, expires).is_none()
                // Each license by node covers its own: only one that is meant for it follows it.
                && (license.mode == Mode::Installation || next.replaces.contains(&license.id))
        })
    }
}
