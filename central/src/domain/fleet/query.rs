//! What somebody asks of a fleet, as it stands in an address: the pages, the API and the exports take the same.

use serde::Deserialize;

use super::{FleetFilter, FleetOrder, Use};
use crate::domain::Gravity;
use crate::domain::assessment::CODES;

/// What was asked, as text. What is empty is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FleetSent {
    /// Words to search.
    pub q: String,
    /// A product.
    pub product: String,
    /// A group.
    pub group: String,
    /// A tag.
    pub tag: String,
    /// The code of a concern.
    pub concern: String,
    /// How grave at least: `note`, `warning` or `problem`.
    pub gravity: String,
    /// `production` or `staging`.
    #[serde(rename = "use")]
    pub used_for: String,
    /// The order.
    pub sort: String,
    /// Where the page begins.
    pub after: String,
}

impl FleetSent {
    /// The filter that was asked for.
    ///
    /// # Errors
    /// The rule that a value breaks, with its name.
    pub fn filter(&self) -> Result<FleetFilter, String> {
        let wrong = |name: &str, rule: String| format!("{name}: {rule}");
        let id = |error: seatline_protocol::IdError| error.to_string();
        let concern = asked(&self.concern).map(|code| match CODES.contains(&code) {
            true => Ok(code.to_owned()),
            false => Err(wrong("concern", format!("one of {}", CODES.join(", ")))),
        });
        let gravity = asked(&self.gravity).map(|name| {
            Gravity::of_name(name).ok_or_else(|| wrong("gravity", "one of note, warning, problem".to_owned()))
        });
        let used_for = asked(&self.used_for)
            .map(|name| Use::of_name(name).ok_or_else(|| wrong("use", "one of production, staging".to_owned())));
        Ok(FleetFilter {
            search: FleetFilter::searched(&self.q),
            product: asked(&self.product).map(str::parse).transpose().map_err(|e| wrong("product", id(e)))?,
            group: asked(&self.group).map(str::parse).transpose().map_err(|e| wrong("group", id(e)))?,
            tag: asked(&self.tag).map(str::parse).transpose().map_err(|e| wrong("tag", id(e)))?,
            concern: concern.transpose()?,
            at_least: gravity.transpose()?,
            used_for: used_for.transpose()?,
        })
    }

    /// The order that was asked for.
    ///
    /// # Errors
    /// The rule, with the name of the value.
    pub fn order(&self) -> Result<FleetOrder, String> {
        let Some(name) = asked(&self.sort) else { return Ok(FleetOrder::default()) };
        FleetOrder::of_name(name).ok_or_else(|| "sort: one of attention, name, consumption, expiry".to_owned())
    }

    /// The pairs of an address that ask the same, without where the page begins.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("q", &self.q),
            ("product", &self.product),
            ("group", &self.group),
            ("tag", &self.tag),
            ("concern", &self.concern),
            ("gravity", &self.gravity),
            ("use", &self.used_for),
            ("sort", &self.sort),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, asked(value)?))).collect()
    }
}

fn asked(value: &str) -> Option<&str> {
    Some(value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_filter_is_refused_by_its_name() {
        let sent = FleetSent::default;
        assert_eq!(sent().filter(), Ok(FleetFilter::default()));
        let wrong = [
            FleetSent { product: "Acme Wiki".into(), ..sent() },
            FleetSent { group: "x".repeat(100), ..sent() },
            FleetSent { tag: "a,b".into(), ..sent() },
            FleetSent { concern: "bad".into(), ..sent() },
            FleetSent { gravity: "high".into(), ..sent() },
            FleetSent { used_for: "both".into(), ..sent() },
        ];
        for (sent, name) in wrong.iter().zip(["product", "group", "tag", "concern", "gravity", "use"]) {
            assert!(sent.filter().expect_err(name).starts_with(&format!("{name}: ")), "{name}");
        }
        assert!(FleetSent { sort: "size".into(), ..sent() }.order().is_err());
        let asked = FleetSent { q: "wiki".into(), used_for: " staging ".into(), after: "x".into(), ..sent() };
        assert_eq!(asked.pairs(), [("q", "wiki"), ("use", "staging")]);
    }
}
