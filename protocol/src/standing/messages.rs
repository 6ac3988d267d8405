//! What administrators read: one line for each reason, with what is so, the numbers and days (UTC), and the way out.
//!
//! No message says how long something still takes: it would change with every second.

use jiff::Timestamp;

use super::rules::{Finding, Weighed};
use super::{LimitStanding, LimitState, MAX_MESSAGE, Observed, Reason, ReasonCode, Verdict};
use crate::ids::{Dimension, ProductId};
use crate::license::{Behaviour, Kind, License};
use crate::text::{self, day, number};

/// The most characters of a name from outside in the middle of a message.
const MAX_QUOTED: usize = 60;
/// The most nodes that a message names.
const MAX_LISTED: usize = 3;

/// What was found about a license; none for one that is in force.
pub(super) fn finding(license: &License, finding: Finding<'_>, observed: &Observed) -> Option<String> {
    let id = &license.id;
    let begins = day(license.begins());
    let message = match finding {
        Finding::InForce => return None,
        Finding::InGrace => {
            let (expired, grace_ends) = (license.expires.map(day)?, license.grace_ends().map(day)?);
            format!(
                "License {id} expired on {expired}, and holds until its grace ends on {grace_ends}. \
                 Set the renewed license before that day."
            )
        }
        Finding::Upcoming => format!("License {id} begins on {begins}. Until then, another license is needed."),
        Finding::Expired => {
            let expired = license.expires.map(day)?;
            let grace = license.grace_ends().filter(|_| license.grace_days > 0).map(day);
            let grace = grace.map_or(String::new(), |ended| format!(", and its grace ended on {ended}"));
            format!("License {id} expired on {expired}{grace}. Set the renewed license, or ask its vendor for one.")
        }
        Finding::WrongProduct => {
            let product = &observed.product;
            let add_on_of = license.add_on_of.as_ref().map_or(String::new(), |base| format!(", an add-on of {base}"));
            let found = &license.product;
            format!("License {id} is for {found}{add_on_of}, not for {product}. Set a license of {product}.")
        }
        Finding::WrongEdition => {
            let [found, running] = [&license.edition, &observed.edition].map(|edition| quoted(edition.as_deref()));
            format!(
                "License {id} is for the edition {found}, and {running} runs here. \
                 Install the licensed edition, or ask the vendor for a license of this one."
            )
        }
        Finding::WrongServer => {
            let bound = bound_to(license)?;
            let here = &observed.server_id;
            format!(
                "License {id} is bound to the server ID {bound}, and this is {here}. \
                 Ask the vendor to issue it for this server ID."
            )
        }
        Finding::StagingOnly => format!(
            "License {id} is for staging, and this is not declared to be a staging instance. \
             Set a license for production, or declare the instance."
        ),
        Finding::WrongNode => {
            let nodes: Vec<&str> = observed.placed.get(id)?.iter().map(String::as_str).collect();
            format!(
                "License {id} was set for the node {}, which does not run. Set it for a node that runs, or for all of them.",
                listed(&nodes)
            )
        }
        Finding::ReplacedBy(by) => format!("License {} took its place on {}.", by.id, day(by.begins())),
    };
    Some(text::line(&message, MAX_MESSAGE))
}

pub(super) fn no_license_of(product: &ProductId) -> String {
    format!("No license of {product} is set. Set the license key that its vendor sent.")
}

pub(super) fn no_license(product: &ProductId) -> Weighed {
    let message = no_license_of(product);
    let reason =
        Reason { code: ReasonCode::NoLicense, message, license: None, add_on: None, dimension: None, at: None };
    Weighed { weight: Verdict::Unlicensed, reason }
}

/// That a license holds on for some days, though the instance has moved and has another server ID since (`b4`).
pub(super) fn server_changed(license: &License, until: Timestamp, observed: &Observed) -> Weighed {
    let (id, bound) = (&license.id, bound_to(license).unwrap_or_default());
    let message = format!(
        "License {id} is bound to the server ID {bound}, and since this instance moved it is {}. The license holds until \
         {}: ask the vendor to issue it for this server ID before that day.",
        observed.server_id,
        day(until)
    );
    about_license(Verdict::Attention, ReasonCode::ServerChanged, license, until, message)
}

/// The server IDs that the license is bound to, in short; none where it is bound to none.
fn bound_to(license: &License) -> Option<String> {
    let first = license.servers.first()?;
    Some(match license.servers.len() - 1 {
        0 => first.to_string(),
        more => format!("{first} and {more} more"),
    })
}

pub(super) fn expires_soon(license: &License, expires: Timestamp) -> Weighed {
    let (id, on) = (&license.id, day(expires));
    let message = match license.kind {
        Kind::Evaluation => format!("The evaluation under license {id} ends on {on}. Set a bought license to go on."),
        _ => format!("License {id} expires on {on}. Ask its vendor for the renewal; it can be set before that day."),
    };
    about_license(Verdict::Attention, ReasonCode::ExpiresSoon, license, expires, message)
}

pub(super) fn release_not_covered(license: &License, until: Timestamp, released: Timestamp) -> Weighed {
    let (id, until_day, built) = (&license.id, day(until), day(released));
    let message = format!(
        "The maintenance of license {id} ended on {until_day}, and this release was built on {built}. It is not covered: \
         the licensed features are stopped. Renew the maintenance, or go back to a release built by {until_day}."
    );
    about_license(Verdict::Restricted, ReasonCode::MaintenanceEndedBeforeRelease, license, until, message)
}

pub(super) fn maintenance_ended(license: &License, until: Timestamp) -> Weighed {
    let (id, until_day) = (&license.id, day(until));
    let message = format!(
        "The maintenance of license {id} ended on {until_day}. The product goes on working; \
         renew the maintenance before you install a release built later."
    );
    about_license(Verdict::Licensed, ReasonCode::MaintenanceEnded, license, until, message)
}

pub(super) fn maintenance_ends_soon(license: &License, until: Timestamp) -> Weighed {
    let (id, until_day) = (&license.id, day(until));
    let message =
        format!("The maintenance of license {id} ends on {until_day}. Renew it to keep support and later releases.");
    about_license(Verdict::Attention, ReasonCode::MaintenanceEndsSoon, license, until, message)
}

/// What a limit gives cause to say; none where the count is well within it, or unknown.
pub(super) fn limit(limit: &LimitStanding, license: &License) -> Option<Weighed> {
    let (used, max) = (limit.used?, limit.max?);
    let (dimension, id) = (&limit.dimension, &license.id);
    let (weight, code) = weight(limit)?;
    // What restricts stops restricting within the allowance; what is mended otherwise is back at the limit.
    let tolerated = if code == ReasonCode::Restricted { limit.extra } else { 0 };
    let beyond = number(used.saturating_sub(max.saturating_add(tolerated)));
    let (used_words, max_words) = (number(used), number(max));
    let extra = match limit.extra {
        0 => String::new(),
        extra => format!(" and tolerates {} more", number(extra)),
    };
    let counted = format!("{used_words} {dimension} are counted, and license {id} allows {max_words}{extra}");
    let way_out = match limit.state {
        LimitState::Near if limit.behaviour == Behaviour::Refuse && used == max && limit.extra == 0 => {
            "The product refuses more. Free some, or set a larger license.".to_owned()
        }
        LimitState::Near => {
            let left = number(max - used);
            format!("That leaves {left}: free some, or ask for a larger license in time.")
        }
        _ => format!("Bring the count down by {beyond}, or set a larger license."),
    };
    let effect = if code == ReasonCode::Restricted { ": the licensed features are stopped" } else { "" };
    let message = text::line(&format!("{counted}{effect}. {way_out}"), MAX_MESSAGE);
    Some(Weighed { weight, reason: about_limit(code, limit, license, message) })
}

/// What running nodes without a license give cause to say (`p3`): which they are.
pub(super) fn lacking(limit: &LimitStanding, license: &License, lacking: &[&str]) -> Option<Weighed> {
    let (weight, code) = weight(limit)?;
    let (used, max) = (limit.used?, limit.max?);
    let effect = if code == ReasonCode::Restricted { ": the licensed features are stopped" } else { "" };
    // Where the nodes are not known by name, they are only counted.
    let which = if lacking.is_empty() { String::new() } else { format!(" Without a license: {}.", listed(lacking)) };
    let message = format!(
        "{} nodes run, licensed for {}: {}{effect}.{which} Set a license for {more} more, or stop {more}.",
        number(used),
        license.product,
        number(max),
        more = number(used.saturating_sub(max)),
    );
    Some(Weighed { weight, reason: about_limit(code, limit, license, text::line(&message, MAX_MESSAGE)) })
}

/// The first of some names from outside.
fn listed(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(MAX_LISTED).map(|name| text::line(name, MAX_QUOTED)).collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// What the state of a limit weighs; none where there is nothing to tell.
fn weight(limit: &LimitStanding) -> Option<(Verdict, ReasonCode)> {
    let restricts = limit.behaviour == Behaviour::Restrict;
    Some(match limit.state {
        LimitState::Unknown | LimitState::Within => return None,
        // A cluster that runs all its licensed nodes is in order.
        LimitState::Near if limit.dimension == Dimension::nodes() => return None,
        LimitState::Near => (Verdict::Attention, ReasonCode::NearLimit),
        LimitState::InAllowance => (Verdict::Attention, ReasonCode::InAllowance),
        LimitState::Over if restricts => (Verdict::Restricted, ReasonCode::Restricted),
        LimitState::Over => (Verdict::Attention, ReasonCode::OverLimit),
    })
}

fn about_limit(code: ReasonCode, limit: &LimitStanding, license: &License, message: String) -> Reason {
    let (license, dimension) = (Some(license.id.clone()), Some(limit.dimension.clone()));
    Reason { code, message, license, add_on: None, dimension, at: None }
}

fn about_license(weight: Verdict, code: ReasonCode, license: &License, at: Timestamp, message: String) -> Weighed {
    let message = text::line(&message, MAX_MESSAGE);
    Weighed {
        weight,
        reason: Reason {
            code,
            message,
            license: Some(license.id.clone()),
            add_on: None,
            dimension: None,
            at: Some(at),
        },
    }
}

fn quoted(name: Option<&str>) -> String {
    format!("“{}”", text::line(name.unwrap_or_default(), MAX_QUOTED))
}
