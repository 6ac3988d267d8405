//! The plugin that reports, and what it reports: what is new of either is an event (see [`crate::domain::alerts`]).
//!
//! A report names its plugin with version and digest, and holds what the plugin could read. What it is *granted* is the product's
//! affair and not in a report: what it newly reports is what central can see of a new capability.

use std::collections::BTreeSet;

use seatline_protocol::notices::Step;
use seatline_protocol::report::{Measured, PluginFacts};
use serde::{Deserialize, Serialize};

use super::{Concern, Gravity};
use crate::domain::Licenses;

/// The plugin that reports, and what it reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Seen {
    /// The plugin.
    pub plugin: PluginFacts,
    /// What it reports: `accounts`, `licenses`, `people`, and the dimensions that it measures.
    pub reports: BTreeSet<String>,
}

/// The most new things that are told of one report: a product may name any dimensions.
const MAX_NEW: usize = 8;

impl Seen {
    /// What a view shows of it.
    pub(super) fn of(view: &Licenses) -> Option<Self> {
        let plugin = view.reported.as_ref()?.reporter.plugin.clone()?;
        let counted = view.counted.as_ref()?;
        let whole = [("accounts", counted.accounts.is_some()), ("licenses", counted.verdict.is_some())];
        let whole = whole.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned());
        let measured = counted.measurements.iter().filter(|one| matches!(one.value, Measured::Value(_)));
        let measured = measured.map(|one| one.dimension.to_string());
        Some(Self { plugin, reports: whole.chain(measured).collect() })
    }

    /// What is new since `before`: events, as concerns that do not last.
    pub fn news_since(&self, before: &Self) -> Vec<Concern> {
        let event = |code: &str, subject: String, gravity, message| Concern {
            code: code.to_owned(),
            subject,
            step: Step::Holds,
            gravity,
            since: None,
            message,
        };
        let (old, new) = (&before.plugin, &self.plugin);
        let mut news = Vec::new();
        if (&old.name, &old.version) != (&new.name, &new.version) {
            let message = format!(
                "the plugin {} {} reports in the place of {} {}: where nobody has updated it, look into the product",
                new.name, new.version, old.name, old.version
            );
            news.push(event("plugin-changed", format!("{} {}", new.name, new.version), Gravity::Note, message));
        } else if old.digest != new.digest {
            let message = format!(
                "the plugin {} {} is another component than before, of the same version: only who has built it himself does that; \
                 compare its digest in the product with that of the catalogue",
                new.name, new.version
            );
            let subject = format!("{} {} ({})", new.name, new.version, &new.digest.hex()[..12]);
            news.push(event("plugin-changed", subject, Gravity::Warning, message));
        }
        for more in self.reports.difference(&before.reports).take(MAX_NEW) {
            let message = format!(
                "the plugin {} {} reports {more} for the first time: what it may read is granted in the product",
                new.name, new.version
            );
            news.push(event("plugin-reports-more", more.clone(), Gravity::Note, message));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use seatline_protocol::Digest;

    use super::*;

    fn seen(version: &str, digest: &str, reports: &[&str]) -> Seen {
        let plugin = PluginFacts {
            name: "license-visibility".to_owned(),
            version: version.to_owned(),
            digest: Digest::of(digest.as_bytes()),
        };
        Seen { plugin, reports: reports.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn a_new_version_and_what_it_newly_reports_are_events() {
        let before = seen("0.1.0", "a", &["accounts"]);
        let news = seen("0.2.0", "b", &["accounts", "channels", "licenses"]).news_since(&before);
        let codes: Vec<(&str, &str)> = news.iter().map(|one| (one.code.as_str(), one.subject.as_str())).collect();
        assert_eq!(
            codes,
            [
                ("plugin-changed", "license-visibility 0.2.0"),
                ("plugin-reports-more", "channels"),
                ("plugin-reports-more", "licenses")
            ]
        );
        assert!(news.iter().all(|one| one.gravity == Gravity::Note));
        assert!(before.news_since(&before).is_empty());
        assert!(seen("0.1.0", "a", &[]).news_since(&before).is_empty(), "what is missing has concerns of its own");
    }

    #[test]
    fn another_component_of_the_same_version_is_a_warning() {
        let news = seen("0.1.0", "b", &["accounts"]).news_since(&seen("0.1.0", "a", &["accounts"]));
        assert_eq!((news.len(), news[0].gravity), (1, Gravity::Warning));
    }

    #[test]
    fn a_plugin_that_names_a_thousand_dimensions_is_no_flood() {
        let names: Vec<String> = (0..1000).map(|n| format!("d{n}")).collect();
        let many: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(seen("0.1.0", "a", &many).news_since(&seen("0.1.0", "a", &[])).len(), MAX_NEW);
    }
}
