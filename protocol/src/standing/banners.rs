//! What a product shows above its pages (`a4`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LicenseStanding, Reason, ReasonCode, Standing, Verdict};
use crate::ids::{Dimension, LicenseId, ProductId};

/// A banner: one thing that the users or administrators of a product should know about its licenses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Banner {
    /// How grave it is.
    pub level: BannerLevel,
    /// What it is about, stable for machines: with `license` and `dimension` it names the banner, so that somebody can
    /// put it away.
    pub code: ReasonCode,
    /// One line.
    pub text: String,
    /// Since when it is so, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when it is so: the expiry that comes near, the end of the grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whole days from now to `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// The limit that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// The license that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
    /// The add-on that it is about; absent for the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on: Option<ProductId>,
}

/// How grave a banner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BannerLevel {
    /// To know.
    Info,
    /// Something comes near, or is passed and tolerated.
    Warning,
    /// Licensed features are stopped, or no license is in force.
    Error,
}

impl BannerLevel {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Standing {
    /// The banners at `now`, the gravest first: a limit that comes near or is passed, an expiry that comes near, an
    /// expired license. Maintenance that has ended is none: it would stand there for good.
    pub fn banners(&self, now: Timestamp) -> Vec<Banner> {
        let shown = self.reasons.iter().filter(|reason| reason.code != ReasonCode::MaintenanceEnded);
        let mut banners: Vec<Banner> = shown.map(|reason| self.banner(reason, now)).collect();
        banners.sort_by_key(|banner| std::cmp::Reverse(banner.level));
        banners
    }

    fn banner(&self, reason: &Reason, now: Timestamp) -> Banner {
        // Vendors of a product and of its add-on may use the same id.
        let is_about = |license: &&LicenseStanding| {
            Some(&license.id) == reason.license.as_ref()
                && reason.add_on.as_ref().is_none_or(|add_on| license.product == *add_on)
        };
        let about = self.licenses.iter().find(is_about);
        let (since, until) = span(reason, about);
        let days = |until: Timestamp| (until.as_second() - now.as_second()).div_euclid(86_400);
        Banner {
            level: self.level(reason),
            code: reason.code,
            text: reason.message.clone(),
            since,
            until,
            days_left: until.map(days),
            dimension: reason.dimension.clone(),
            license: reason.license.clone(),
            add_on: reason.add_on.clone(),
        }
    }

    fn level(&self, reason: &Reason) -> BannerLevel {
        use ReasonCode::*;
        match reason.code {
            // An add-on's fault stops the add-on, not the product.
            _ if self.verdict < Verdict::Restricted || reason.add_on.is_some() => BannerLevel::Warning,
            Restricted | MaintenanceEndedBeforeRelease => BannerLevel::Error,
            NoLicense | WrongProduct | WrongEdition | WrongServer | StagingOnly | WrongNode | Expired | NotYetValid => {
                BannerLevel::Error
            }
            OverLimit | InGrace | ServerChanged | InAllowance | NearLimit | ExpiresSoon | MaintenanceEnded
            | MaintenanceEndsSoon => BannerLevel::Warning,
        }
    }
}

/// From when until when a reason holds, as far as its dates say.
fn span(reason: &Reason, about: Option<&LicenseStanding>) -> (Option<Timestamp>, Option<Timestamp>) {
    match reason.code {
        ReasonCode::InGrace => (about.and_then(|license| license.expires), reason.at),
        ReasonCode::ExpiresSoon
        | ReasonCode::MaintenanceEndsSoon
        | ReasonCode::NotYetValid
        | ReasonCode::ServerChanged => (None, reason.at),
        _ => (reason.at, None),
    }
}
