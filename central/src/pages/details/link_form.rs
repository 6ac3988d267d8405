//! The form of an application's link (`w4`): which link is shown, and what the product is told to do.

use seatline_protocol::settings::MAX_DORMANCY_DAYS;
use seatline_protocol::{Counting, LinkId};
use seatline_ui::{Choice, Field, format};
use serde::Deserialize;

use crate::domain::{Link, SettingsChange, interval};

/// The intervals that are offered, in seconds.
const INTERVALS: [&str; 7] = ["300", "900", "3600", "21600", "43200", "86400", "604800"];
/// The choice of an interval that is not among them.
const OTHER: &str = "other";
const ACCOUNT: &str = "account";
const FIRST_SIGN_IN: &str = "first-sign-in";

/// The form.
#[derive(Debug, Clone, Default)]
pub struct LinkForm {
    links: Vec<(String, String)>,
    sent: LinkSent,
    error: Option<(&'static str, String)>,
}

/// What the form sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LinkSent {
    /// The link whose reports are shown.
    pub link: String,
    /// The interval in seconds, or `other`.
    pub interval: String,
    /// The other interval, as people write it.
    pub other: String,
    /// The dormancy days.
    pub dormancy_days: String,
    /// The counting rule.
    pub counting: String,
    /// How much the link may bring within a day, in MiB.
    pub daily_mib: String,
}

impl LinkForm {
    /// The form with what holds now, or none where no link is there.
    pub fn of(links: &[Link], shown: Option<&LinkId>) -> Option<Self> {
        let chosen = links.iter().find(|link| Some(&link.id) == shown).or(links.first())?;
        let settings = &chosen.settings;
        let seconds = settings.interval.to_string();
        let offered = INTERVALS.contains(&seconds.as_str());
        let sent = LinkSent {
            link: chosen.id.to_string(),
            interval: if offered { seconds } else { OTHER.to_owned() },
            other: if offered { String::new() } else { interval::short(settings.interval) },
            dormancy_days: settings.dormancy_days.to_string(),
            counting: match settings.counting {
                Counting::Account => ACCOUNT,
                Counting::FirstSignIn => FIRST_SIGN_IN,
            }
            .to_owned(),
            daily_mib: settings.daily_mib.to_string(),
        };
        Some(Self { links: links.iter().map(labelled).collect(), sent, error: None })
    }

    /// The form as it was sent, with what was wrong with a field.
    pub fn refused(links: &[Link], sent: LinkSent, field: &'static str, why: &str) -> Self {
        let error = Some((field, why.to_owned()));
        Self { links: links.iter().map(labelled).collect(), sent, error }
    }

    /// The fields, in the order in which they stand.
    pub fn fields(&self) -> [Field<'_>; 6] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        let links = self.links.iter().map(|(id, label)| Choice { value: id, label: label.clone() }).collect();
        let intervals = INTERVALS
            .iter()
            .map(|seconds| Choice { value: seconds, label: format::every(seconds.parse().unwrap_or_default()) });
        let other = Choice { value: OTHER, label: "another interval".to_owned() };
        let rules = vec![
            Choice { value: ACCOUNT, label: "Every account, from its creation on".to_owned() },
            Choice { value: FIRST_SIGN_IN, label: "An account counts from its first sign-in on".to_owned() },
        ];
        [
            Field::select("link", "Link", links)
                .hint("The link whose reports are shown for this application.")
                .value(&self.sent.link)
                .error(error("link"))
                .wide(),
            Field::select("interval", "Synchronisation interval", intervals.chain([other]).collect())
                .hint("How often the product counts and reports.")
                .value(&self.sent.interval)
                .error(error("interval")),
            Field::text("other", "Another interval")
                .hint("If another one is chosen: from one minute to 31 days, such as 90m, 2h or 1d.")
                .value(&self.sent.other)
                .error(error("other")),
            Field::number("dormancy_days", "Dormant after")
                .hint("Without a sign-in for so long, a seat could be freed.")
                .suffix("days")
                .value(&self.sent.dormancy_days)
                .error(error("dormancy_days")),
            Field::select("counting", "Counting rule", rules)
                .hint("A rule that the license demands goes first.")
                .value(&self.sent.counting)
                .error(error("counting")),
            Field::number("daily_mib", "Room for reports")
                .hint("What the product sends beyond it is refused, and waits there until there is room.")
                .suffix("MiB a day")
                .value(&self.sent.daily_mib)
                .error(error("daily_mib")),
        ]
    }
}

fn labelled(link: &Link) -> (String, String) {
    let product = &link.product;
    let label = format!("{} {}, server {}, {}", product.name, product.version, product.server_id, link.state.name());
    (link.id.to_string(), label)
}

impl LinkSent {
    /// What was sent as values.
    ///
    /// # Errors
    /// The field that breaks its rule, and the rule.
    pub fn parse(&self) -> Result<(LinkId, SettingsChange), (&'static str, String)> {
        let link = self.link.parse().map_err(|_| ("link", "choose one of the links".to_owned()))?;
        let interval = match self.interval.as_str() {
            OTHER => interval::parse(&self.other).map_err(|why| ("other", why)),
            offered => INTERVALS
                .contains(&offered)
                .then(|| offered.parse().ok())
                .flatten()
                .ok_or(("interval", "choose one of the intervals".to_owned())),
        }?;
        let days = self.dormancy_days.trim().parse().ok().filter(|days| (1..=MAX_DORMANCY_DAYS).contains(days));
        let dormancy_days = days.ok_or_else(|| {
            (
                "dormancy_days",
                format!("give a whole number of days from 1 to {}", format::number(MAX_DORMANCY_DAYS.into())),
            )
        })?;
        let counting = match self.counting.as_str() {
            ACCOUNT => Counting::Account,
            FIRST_SIGN_IN => Counting::FirstSignIn,
            _ => return Err(("counting", "choose one of the rules".to_owned())),
        };
        let daily_mib = self.daily_mib.trim().parse().map_err(|_| "give a whole number of MiB".to_owned());
        let daily_mib = daily_mib
            .and_then(|mib| SettingsChange::check_daily_mib(mib).map(|()| mib))
            .map_err(|why| ("daily_mib", why))?;
        let change = SettingsChange {
            interval: Some(interval),
            dormancy_days: Some(dormancy_days),
            counting: Some(counting),
            daily_mib: Some(daily_mib),
        };
        Ok((link, change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> LinkSent {
        LinkSent {
            link: LinkId::from_random([7; 24]).to_string(),
            interval: "3600".to_owned(),
            dormancy_days: "90".to_owned(),
            counting: ACCOUNT.to_owned(),
            daily_mib: "256".to_owned(),
            ..LinkSent::default()
        }
    }

    #[test]
    fn an_offered_interval_and_another_one_are_both_taken() {
        let interval = |sent: &LinkSent| sent.parse().map(|(_, change)| change.interval);
        assert_eq!(interval(&sent()), Ok(Some(3600)));
        let other = LinkSent { interval: OTHER.to_owned(), other: " 90m ".to_owned(), ..sent() };
        assert_eq!(interval(&other), Ok(Some(5400)));
    }

    #[test]
    fn each_field_refuses_what_breaks_its_rule() {
        let refused = |sent: LinkSent| sent.parse().expect_err("it is refused").0;
        assert_eq!(refused(LinkSent { link: "x".into(), ..sent() }), "link");
        assert_eq!(refused(LinkSent { interval: "7".into(), ..sent() }), "interval");
        for minutes in ["", "0", "-1", "1.5", "59", "32d", "soon", "99999999999"] {
            let sent = LinkSent { interval: OTHER.into(), other: minutes.into(), ..sent() };
            assert_eq!(refused(sent), "other", "{minutes}");
        }
        for days in ["", "0", "3651", "ninety"] {
            assert_eq!(refused(LinkSent { dormancy_days: days.into(), ..sent() }), "dormancy_days", "{days}");
        }
        assert_eq!(refused(LinkSent { counting: "all".into(), ..sent() }), "counting");
        for mib in ["", "0", "-1", "much", "1048577", "99999999999"] {
            assert_eq!(refused(LinkSent { daily_mib: mib.into(), ..sent() }), "daily_mib", "{mib}");
        }
    }
}
