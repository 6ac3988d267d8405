//! Links as rows of a list: each with its application, its last report and its chain in a word.

use jiff::Timestamp;
use seatline_protocol::chain::ChainState;
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{LinkId, ProductId, ServerId};
use serde::{Deserialize, Serialize};

use super::link::{Link, LinkState};

/// A link of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LinkRow {
    /// The link.
    #[serde(flatten)]
    pub link: Link,
    /// The name of the application that it belongs to.
    pub application_name: Option<String>,
    /// When its newest report came.
    pub last_report_at: Option<Timestamp>,
    /// Its chain in a word.
    pub chain_state: ChainState,
}

/// A link that was removed, as the list remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RemovedRow {
    /// Its id.
    pub link: LinkId,
    /// When it was removed.
    pub removed_at: Timestamp,
    /// The product as it had presented itself; absent where it was removed by a version that did not keep it.
    pub product: Option<ProductFacts>,
    /// The name that its application had then, where it belonged to one.
    pub application_name: Option<String>,
}

/// Which links are wanted. What is absent is no matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFilter {
    /// What they may do.
    pub state: Option<LinkState>,
    /// The product that they joined as.
    pub product: Option<ProductId>,
    /// The server ID that they joined with.
    pub server: Option<ServerId>,
}

impl LinkFilter {
    /// Those of one state.
    pub fn state(state: LinkState) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    /// The states that are wanted, in the order of the list: what waits for a decision first, and last what runs.
    pub fn states(&self) -> impl Iterator<Item = LinkState> {
        let wanted = self.state;
        LinkState::IN_ORDER.into_iter().filter(move |state| wanted.is_none_or(|wanted| wanted == *state))
    }
}

/// What somebody asks of the links, as it stands in an address. What is empty is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LinksSent {
    /// A state.
    pub state: String,
    /// A product id.
    pub product: String,
    /// A server ID.
    pub server_id: String,
}

/// What was asked of the links is nothing that could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct FilterError {
    /// The value's name.
    pub field: &'static str,
    /// The rule that it breaks.
    pub rule: String,
}

impl LinksSent {
    /// The filter that was asked for.
    ///
    /// # Errors
    /// The value that breaks its rule, and the rule.
    pub fn filter(&self) -> Result<LinkFilter, FilterError> {
        let asked = |text: &'_ str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let wrong = |field, rule: &dyn std::fmt::Display| FilterError { field, rule: rule.to_string() };
        let state = asked(&self.state).map(|name| {
            LinkState::of_name(&name).ok_or_else(|| wrong("state", &"one of pending, suspended, approved"))
        });
        let product = asked(&self.product).map(|id| id.parse().map_err(|rule| wrong("product", &rule)));
        let server = asked(&self.server_id).map(|id| id.parse().map_err(|rule| wrong("server_id", &rule)));
        Ok(LinkFilter { state: state.transpose()?, product: product.transpose()?, server: server.transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w3_links_are_asked_for_by_what_people_know_of_them() {
        let sent = |state: &str, product: &str, server_id: &str| LinksSent {
            state: state.to_owned(),
            product: product.to_owned(),
            server_id: server_id.to_owned(),
        };
        assert_eq!(sent("", " ", "").filter(), Ok(LinkFilter::default()));
        let found = sent("pending", " acme-wiki ", "").filter().expect("a filter");
        assert_eq!(found.states().collect::<Vec<_>>(), [LinkState::Pending]);
        assert_eq!(found.product.as_ref().map(ProductId::as_str), Some("acme-wiki"));
        assert_eq!(LinkFilter::default().states().next(), Some(LinkState::Pending), "what waits stands first");
        for (sent, field) in [
            (sent("removed", "", ""), "state"),
            (sent("", "Acme Wiki", ""), "product"),
            (sent("", "", "my server"), "server_id"),
        ] {
            assert_eq!(sent.filter().expect_err("refused").field, field);
        }
    }
}
