//! Of which applications people are counted: those that have something in common, or all.

use seatline_protocol::ProductId;
use serde::{Deserialize, Serialize};

use crate::domain::fleet::FleetSent;
use crate::domain::labels::{GroupName, Tag};
use crate::domain::{Facet, FleetFilter, Use};

/// A set of applications, by what they have in common; of nothing, all of them. Staging is never counted with
/// production (`s3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PeopleScope)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What the instances are used for.
    #[serde(rename = "use", default = "production")]
    pub used_for: Use,
    /// The product.
    #[serde(default)]
    pub product: Option<ProductId>,
    /// The group.
    #[serde(default)]
    pub group: Option<GroupName>,
    /// A tag.
    #[serde(default)]
    pub tag: Option<Tag>,
}

fn production() -> Use {
    Use::Production
}

impl Scope {
    /// All applications of a use.
    pub fn all(used_for: Use) -> Self {
        Self { used_for, product: None, group: None, tag: None }
    }

    /// The set that somebody asks for: in production, where he does not say.
    ///
    /// # Errors
    /// The rule that a value breaks, with its name.
    pub fn sent(sent: &FleetSent) -> Result<Self, String> {
        let FleetFilter { product, group, tag, used_for, .. } = sent.filter()?;
        Ok(Self { used_for: used_for.unwrap_or(Use::Production), product, group, tag })
    }

    /// As [`Self::sent`], from the values alone.
    ///
    /// # Errors
    /// The rule that a value breaks, with its name.
    pub fn typed(product: &str, group: &str, tag: &str, used_for: &str) -> Result<Self, String> {
        let [product, group, tag, used_for] = [product, group, tag, used_for].map(str::to_owned);
        Self::sent(&FleetSent { product, group, tag, used_for, ..FleetSent::default() })
    }

    /// The same as a filter of the fleet.
    pub fn filter(&self) -> FleetFilter {
        FleetFilter {
            product: self.product.clone(),
            group: self.group.clone(),
            tag: self.tag.clone(),
            used_for: Some(self.used_for),
            ..FleetFilter::default()
        }
    }

    /// The lists that each hold all of them, without that of staging.
    pub fn lists(&self) -> Vec<Facet> {
        let lists = FleetFilter { used_for: None, ..self.filter() }.facets();
        if lists.is_empty() { vec![Facet::all()] } else { lists }
    }

    /// What it is, in words: `product acme-wiki, group Sales`.
    pub fn words(&self) -> String {
        let named = [
            self.product.as_ref().map(|product| format!("product {product}")),
            self.group.as_ref().map(|group| format!("group {group}")),
            self.tag.as_ref().map(|tag| format!("tag {tag}")),
        ];
        let named: Vec<String> = named.into_iter().flatten().collect();
        match (named.is_empty(), self.used_for) {
            (true, Use::Production) => "all applications in production".to_owned(),
            (true, Use::Staging) => "all staging instances".to_owned(),
            (false, Use::Production) => named.join(", "),
            (false, Use::Staging) => format!("{}, staging", named.join(", ")),
        }
    }

    /// The pairs of an address that ask for it.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let mut pairs = vec![("use", self.used_for.name())];
        pairs.extend(self.product.iter().map(|product| ("product", product.as_str())));
        pairs.extend(self.group.iter().map(|group| ("group", group.as_str())));
        pairs.extend(self.tag.iter().map(|tag| ("tag", tag.as_str())));
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_a_set_is_of_production_unless_staging_is_asked_for() {
        let scope = Scope::typed("acme-wiki", " Sales ", "", "").expect("a set");
        assert_eq!((scope.used_for, scope.words().as_str()), (Use::Production, "product acme-wiki, group Sales"));
        assert_eq!(scope.pairs(), [("use", "production"), ("product", "acme-wiki"), ("group", "Sales")]);
        let staging = Scope::typed("", "", "", "staging").expect("a set");
        assert_eq!((staging.lists(), staging.words().as_str()), (vec![Facet::all()], "all staging instances"));
        assert!(Scope::typed("", "", "", "both").expect_err("no use").starts_with("use: "));
    }

    #[test]
    fn a_set_is_kept_and_read_as_the_same_text() {
        let scope = Scope::typed("acme-wiki", "", "critical", "staging").expect("a set");
        let kept = serde_json::to_string(&scope).expect("JSON");
        assert_eq!(kept, r#"{"use":"staging","product":"acme-wiki","group":null,"tag":"critical"}"#);
        assert_eq!(serde_json::from_str::<Scope>(&kept).expect("a set"), scope);
    }
}
