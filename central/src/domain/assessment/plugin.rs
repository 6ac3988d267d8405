//! The plugin that reports, and what it reports: what is new of either is an event (see [`crate::domain::alerts`]).
//!
//! A report names its plugin with version and digest, says what it is granted, and holds what it could read. An early
//! version of the host does not say what is granted: then what the plugin newly reports is what central can see of it.

use std::collections::BTreeSet;

use seatline_protocol::notices::Step;
use seatline_protocol::report::{Measured, PluginFacts};
use seatline_protocol::text;
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
/// The most characters of the names of capabilities: six are known.
const MAX_NAMES: usize = 200;

/// The capability by which a plugin reads what it reports.
fn capability_of(reported: &str) -> &'static str {
    match reported {
        "accounts" => "accounts",
        "licenses" => "licensing",
        _ => "usage",
    }
}

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

    /// What is kept for the report after this one: of what `seen` does not show, what was seen before.
    pub fn kept(seen: Option<Self>, before: Option<&Self>) -> Option<Self> {
        let Some(mut seen) = seen else { return before.cloned() };
        let known = || before.and_then(|before| before.plugin.granted.clone());
        seen.plugin.granted = seen.plugin.granted.or_else(known);
        Some(seen)
    }

    /// The capabilities that the plugin is granted and was not before, where both reports say what is granted.
    fn granted_since(&self, before: &Self) -> BTreeSet<&str> {
        let Some((new, old)) = self.plugin.granted.as_ref().zip(before.plugin.granted.as_ref()) else {
            return BTreeSet::new();
        };
        new.iter().filter(|name| !old.contains(*name)).map(String::as_str).collect()
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
        let granted = self.granted_since(before);
        if !granted.is_empty() {
            let names = text::line(&granted.iter().copied().collect::<Vec<_>>().join(", "), MAX_NAMES);
            let message = format!(
                "the plugin {} {} is newly granted in the product: {names}; where nobody there has agreed to that, look into the product",
                new.name, new.version
            );
            news.push(event("plugin-granted", names, Gravity::Note, message));
        }
        let more = self.reports.difference(&before.reports);
        // What a new capability brings was told with it.
        for more in more.filter(|more| !granted.contains(capability_of(more))).take(MAX_NEW) {
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
            granted: None,
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

    fn granted(names: &[&str], reports: &[&str]) -> Seen {
        let mut seen = seen("0.1.0", "a", reports);
        seen.plugin.granted = Some(names.iter().map(|name| (*name).to_owned()).collect());
        seen
    }

    #[test]
    fn what_a_plugin_is_newly_granted_is_told_once_by_name() {
        let (before, after) =
            (granted(&["journal"], &[]), granted(&["accounts", "journal", "usage"], &["accounts", "pages"]));
        let news = after.news_since(&before);
        let told: Vec<(&str, &str)> = news.iter().map(|one| (one.code.as_str(), one.subject.as_str())).collect();
        assert_eq!(told, [("plugin-granted", "accounts, usage")], "and not again that it reports them");
        assert!(after.news_since(&after).is_empty());
        assert!(before.news_since(&after).is_empty(), "what is taken away needs no look");
        let other = granted(&["journal"], &["accounts"]).news_since(&before);
        assert_eq!(other[0].code, "plugin-reports-more", "it was granted before, and is used now");
    }

    #[test]
    fn a_host_that_does_not_say_what_is_granted_hides_nothing_from_the_next_report() {
        let (said, unsaid) = (granted(&["journal"], &[]), seen("0.1.0", "a", &[]));
        assert!(said.news_since(&unsaid).is_empty(), "the first word is nothing new");
        let kept = Seen::kept(Some(unsaid), Some(&said)).expect("seen");
        let news = granted(&["accounts", "journal"], &[]).news_since(&kept);
        assert_eq!((news.len(), news[0].subject.as_str()), (1, "accounts"));
        assert_eq!(Seen::kept(None, Some(&said)), Some(said), "a run that failed shows no plugin");
    }

    #[test]
    fn a_plugin_that_names_a_thousand_dimensions_is_no_flood() {
        let names: Vec<String> = (0..1000).map(|n| format!("d{n}")).collect();
        let many: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(seen("0.1.0", "a", &many).news_since(&seen("0.1.0", "a", &[])).len(), MAX_NEW);
    }
}
