//! Which license can take the place of which, whatever the time: those of one group, the newest last.

use crate::license::License;

/// Whether the license at `one` can take the place of that at `other`: it names it or has its id, and stands behind it.
///
/// Of two that were issued at the same instant, the one that names the other may stand before it as well, unless the
/// other replaces it in turn: so no circle can leave nothing in force.
pub(super) fn can_replace(members: &[&License], one: usize, other: usize) -> bool {
    let is_at_once = members[one].issued == members[other].issued;
    claims(members, one, other) && (one > other || is_at_once && !leads_to(members, other, one))
}

/// Whether the license at `one` claims the place of that at `other`: it names it, or was issued behind it under its id.
fn claims(members: &[&License], one: usize, other: usize) -> bool {
    let (claimant, claimed) = (members[one], members[other]);
    if claimant.id == claimed.id { one > other } else { claimant.replaces.contains(&claimed.id) }
}

/// Whether claims lead from the license at `from` to that at `to`, over licenses that were issued at the same instant.
fn leads_to(members: &[&License], from: usize, to: usize) -> bool {
    let at_once: Vec<usize> =
        (0..members.len()).filter(|other| members[*other].issued == members[from].issued).collect();
    let (mut reached, mut next) = (vec![from], 0);
    while let Some(at) = reached.get(next).copied() {
        next += 1;
        for claimed in &at_once {
            if claims(members, at, *claimed) && !reached.contains(claimed) {
                reached.push(*claimed);
            }
        }
    }
    reached.contains(&to)
}
