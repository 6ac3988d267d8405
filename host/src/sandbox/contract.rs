//! The contract in Rust: bindings made from `wit/v1`, and what crosses in both directions as types of the protocol.

use seatline_protocol::license::{Counting, Kind};
use seatline_protocol::standing::{LicenseStanding, Status};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Type};

wasmtime::component::bindgen!({
    path: "../wit/v1",
    world: "license-visibility",
    additional_derives: [PartialEq],
});

pub(crate) use exports::seatline::license_visibility::reporter;
pub(crate) use seatline::license_visibility::{accounts, application_link, journal, licensing, product, types, usage};

/// The package of the contract, without its version.
pub(crate) const PACKAGE: &str = "seatline:license-visibility";
/// The newest version of the contract that this host knows.
pub const VERSION: &str = "1.0.0";
/// The major versions that this host knows.
pub(crate) const MAJORS: [&str; 1] = ["1"];

/// Whether the exported `run` of `component` has the type of the contract. wasmtime checks imports when it links, but
/// looks at the type of an export only when a run begins, and that is too late to refuse an installation.
pub(crate) fn exports_run(component: &Component) -> bool {
    let run = component
        .get_export_index(None, "seatline:license-visibility/reporter@1.0.0")
        .and_then(|reporter| component.get_export(Some(&reporter), "run"));
    let Some((ComponentItem::ComponentFunc(run), _)) = run else { return false };
    let params: Vec<_> = run.params().map(|(_, ty)| ty).collect();
    let results: Vec<_> = run.results().collect();
    let ([Type::Record(occasion)], [Type::Result(result)]) = (&params[..], &results[..]) else { return false };
    let fields: Vec<_> = occasion.fields().map(|field| (field.name, field.ty)).collect();
    let [("trigger", Type::Enum(trigger)), ("today", Type::U32)] = &fields[..] else { return false };
    trigger.names().eq(["start", "interval", "demand"]) && result.ok().is_none() && result.err() == Some(Type::String)
}

impl From<Counting> for types::CountingRule {
    fn from(counting: Counting) -> Self {
        match counting {
            Counting::Account => Self::Account,
            Counting::FirstSignIn => Self::FirstSignIn,
        }
    }
}

impl From<types::CountingRule> for Counting {
    fn from(rule: types::CountingRule) -> Self {
        match rule {
            types::CountingRule::Account => Self::Account,
            types::CountingRule::FirstSignIn => Self::FirstSignIn,
        }
    }
}

impl From<Kind> for types::LicenseKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Commercial => Self::Commercial,
            Kind::Academic => Self::Academic,
            Kind::Community => Self::Community,
            Kind::Evaluation => Self::Evaluation,
            Kind::Staging => Self::Staging,
            Kind::Developer => Self::Developer,
        }
    }
}

impl From<Status> for types::LicenseStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Grace => Self::Grace,
            Status::Upcoming => Self::Upcoming,
            Status::Expired => Self::Expired,
            Status::NotApplicable => Self::NotApplicable,
            Status::Replaced => Self::Replaced,
        }
    }
}

impl From<&LicenseStanding> for types::License {
    fn from(license: &LicenseStanding) -> Self {
        Self {
            id: license.id.to_string(),
            product: license.product.to_string(),
            add_on_of: license.add_on_of.as_ref().map(ToString::to_string),
            edition: license.edition.clone(),
            kind: license.kind.into(),
            licensee: license.licensee.clone(),
            limits: license
                .limits
                .iter()
                .map(|limit| types::LicenseLimit { dimension: limit.dimension.to_string(), max: limit.max })
                .collect(),
            features: license.features.iter().cloned().collect(),
            expires: license.expires.map(|at| at.as_second()),
            maintenance_until: license.maintenance_until.map(|at| at.as_second()),
            status: license.status.into(),
            reason: license.reason.clone(),
        }
    }
}
