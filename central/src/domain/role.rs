//! What people and programs may do: the role of an account, and the scopes that a token is narrowed to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an account may do. A greater role may do all that a smaller one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads applications, licenses, links, reports and alerts.
    Viewer,
    /// Also changes everything about applications, links and alerts.
    Operator,
    /// Also looks after accounts, tokens of others, the audit log and the settings of the server.
    Administrator,
}

impl Role {
    /// All roles, the smallest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// The name in documents, in the store and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(RoleError)
    }
}

/// A text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of viewer, operator and administrator")]
pub struct RoleError;

/// Part of the server that a route is about. A token can be narrowed to some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Applications and what is shown of their licenses.
    Applications,
    /// Application links, and the invites that make them.
    Links,
    /// Reports, refused ones, and what they add up to over time.
    Reports,
    /// People, counted once across applications.
    People,
    /// Alerts, and where they go.
    Alerts,
    /// Accounts, sessions and tokens.
    Accounts,
    /// The audit log.
    Audit,
    /// The server itself: what it is, its settings, its metrics.
    Server,
}

impl Area {
    /// All areas.
    pub const ALL: [Self; 8] = [
        Self::Applications,
        Self::Links,
        Self::Reports,
        Self::People,
        Self::Alerts,
        Self::Accounts,
        Self::Audit,
        Self::Server,
    ];

    /// The name, as scopes are written with it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Links => "links",
            Self::Reports => "reports",
            Self::People => "people",
            Self::Alerts => "alerts",
            Self::Accounts => "accounts",
            Self::Audit => "audit",
            Self::Server => "server",
        }
    }
}

/// What a token may do: what a role may, everywhere or in one area. Written `read`, `operate`, `administer`, or with an
/// area before it: `reports:read`, `links:operate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The area, or all of them.
    pub area: Option<Area>,
    /// The role whose rights it lends.
    pub role: Role,
}

impl Scope {
    /// Whether it covers what `role` is needed for in `area`.
    pub fn covers(self, area: Area, role: Role) -> bool {
        self.area.is_none_or(|own| own == area) && self.role >= role
    }
}

fn verb(role: Role) -> &'static str {
    match role {
        Role::Viewer => "read",
        Role::Operator => "operate",
        Role::Administrator => "administer",
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.area {
            Some(area) => write!(f, "{}:{}", area.name(), verb(self.role)),
            None => f.write_str(verb(self.role)),
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (area, right) = match text.split_once(':') {
            Some((area, right)) => {
                let area = Area::ALL.into_iter().find(|known| known.name() == area).ok_or(ScopeError)?;
                (Some(area), right)
            }
            None => (None, text),
        };
        let role = Role::ALL.into_iter().find(|role| verb(*role) == right).ok_or(ScopeError)?;
        Ok(Self { area, role })
    }
}

/// A text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope is `read`, `operate` or `administer`, or one of them in an area, such as `reports:read`; the areas are \
     applications, links, reports, people, alerts, accounts, audit and server"
)]
pub struct ScopeError;

/// The scopes of a token: one or more, each once, in their order. Written with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// These scopes.
    ///
    /// # Errors
    /// [`ScopeError`] where there is none.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopeError> {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() { Err(ScopeError) } else { Ok(Self(scopes)) }
    }

    /// The scope that lends all that `role` may.
    pub fn all_of(role: Role) -> Self {
        Self(vec![Scope { area: None, role }])
    }

    /// Whether one of them covers what `role` is needed for in `area`.
    pub fn cover(&self, area: Area, role: Role) -> bool {
        self.0.iter().any(|scope| scope.covers(area, role))
    }

    /// The greatest role that one of them lends.
    pub fn greatest(&self) -> Role {
        self.0.iter().map(|scope| scope.role).max().unwrap_or(Role::Viewer)
    }

    /// The scopes.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(Scope::to_string).collect();
        f.write_str(&all.join(" "))
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::new(text.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?)
    }
}

impl Serialize for Scopes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Scope::to_string))
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<String>::deserialize(deserializer)?;
        let scopes = all.iter().map(|text| text.parse()).collect::<Result<Vec<Scope>, _>>();
        scopes.and_then(Self::new).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g11_a_greater_role_may_do_all_that_a_smaller_one_may() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Administrator);
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!("admin".parse::<Role>(), Err(RoleError));
    }

    #[test]
    fn g11_a_scope_covers_its_area_up_to_its_right_and_nothing_else() {
        let scope = |text: &str| text.parse::<Scope>().expect("a scope");
        assert!(scope("read").covers(Area::Audit, Role::Viewer));
        assert!(!scope("read").covers(Area::Links, Role::Operator));
        assert!(scope("links:operate").covers(Area::Links, Role::Viewer));
        assert!(scope("links:operate").covers(Area::Links, Role::Operator));
        assert!(!scope("links:operate").covers(Area::Reports, Role::Viewer));
        assert!(!scope("links:operate").covers(Area::Links, Role::Administrator));
        for area in Area::ALL {
            for role in Role::ALL {
                assert!(scope("administer").covers(area, role));
                let written = Scope { area: Some(area), role };
                assert_eq!(written.to_string().parse(), Ok(written));
            }
        }
        for bad in ["", "write", "links:", ":read", "links:write", "links:read:more", "Links:read", "links :read"] {
            assert_eq!(bad.parse::<Scope>(), Err(ScopeError), "{bad}");
        }
    }

    #[test]
    fn scopes_are_written_once_each_in_one_order() {
        let scopes: Scopes = "reports:read  links:operate reports:read".parse().expect("scopes");
        assert_eq!(scopes.to_string(), "links:operate reports:read");
        assert_eq!(scopes.greatest(), Role::Operator);
        assert_eq!("".parse::<Scopes>(), Err(ScopeError));
        assert_eq!(serde_json::to_string(&scopes).expect("JSON"), r#"["links:operate","reports:read"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(r#"["links:operate","reports:read"]"#).expect("read"), scopes);
        assert!(serde_json::from_str::<Scopes>("[]").is_err());
    }
}
