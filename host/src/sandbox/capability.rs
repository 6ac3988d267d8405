//! What a plugin can be granted: one capability for each interface of the contract.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One interface of the contract that gives a plugin something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// What the host product is.
    Product,
    /// What the product measures by itself.
    Usage,
    /// The accounts of the product, without names.
    Accounts,
    /// The licenses that are set in the product.
    Licensing,
    /// The link to the central server: its settings, and the report that goes over it.
    ApplicationLink,
    /// A log for the administrator.
    Journal,
}

impl Capability {
    /// All capabilities, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Product, Self::Usage, Self::Accounts, Self::Licensing, Self::ApplicationLink, Self::Journal];

    /// The name of its interface in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Usage => "usage",
            Self::Accounts => "accounts",
            Self::Licensing => "licensing",
            Self::ApplicationLink => "application-link",
            Self::Journal => "journal",
        }
    }

    /// What it gives a plugin, in words for an administrator.
    pub fn gives(self) -> &'static str {
        match self {
            Self::Product => "reads the product's id, name, version, edition, server ID and running nodes",
            Self::Usage => "reads what the product measures besides accounts, such as lines of code",
            Self::Accounts => {
                "reads every account's state and last sign-in under a pseudonym, without names or addresses"
            }
            Self::Licensing => "reads the licenses that are set, with their limits, dates and standing",
            Self::ApplicationLink => "reads the link's settings, and submits one report in each run",
            Self::Journal => "writes lines into the log of its run",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no capability. The message lists those that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no capability; there are product, usage, accounts, licensing, application-link and journal")]
pub struct UnknownCapability {
    name: String,
}

impl FromStr for Capability {
    type Err = UnknownCapability;
    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        let unknown = || UnknownCapability { name: seatline_protocol::text::line(name, 64) };
        Self::ALL.into_iter().find(|capability| capability.name() == name).ok_or_else(unknown)
    }
}

/// The capabilities that an administrator granted to a plugin. Nothing is granted by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(BTreeSet<Capability>);

impl Grants {
    /// Every capability.
    pub fn all() -> Self {
        Capability::ALL.into_iter().collect()
    }

    /// Whether `capability` is granted.
    pub fn contains(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// The granted capabilities, in the order of [`Capability::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Capability> + '_ {
        self.0.iter().copied()
    }

    /// Their names, as a report has them.
    pub fn names(&self) -> BTreeSet<String> {
        self.iter().map(|capability| capability.name().to_owned()).collect()
    }

    /// Those of `asked` that are not granted.
    pub fn missing(&self, asked: &[Capability]) -> Vec<Capability> {
        asked.iter().copied().filter(|capability| !self.contains(*capability)).collect()
    }
}

impl FromIterator<Capability> for Grants {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_is_named_as_its_interface_everywhere() {
        for capability in Capability::ALL {
            assert_eq!(capability.name().parse(), Ok(capability));
            assert_eq!(serde_json::to_value(capability).expect("plain data"), capability.name());
        }
        let error = "network".parse::<Capability>().expect_err("there is none");
        assert!(Capability::ALL.iter().all(|known| error.to_string().contains(known.name())), "{error}");
    }

    #[test]
    fn nothing_is_granted_by_default() {
        assert_eq!(Grants::default().missing(&Capability::ALL), Capability::ALL);
        assert!(Grants::all().missing(&Capability::ALL).is_empty());
    }
}
