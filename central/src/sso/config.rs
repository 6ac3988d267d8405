//! The configuration of single sign-on: a file in TOML.
//!
//! ```toml
//! issuer = "https://id.example.org/realms/staff"
//! client_id = "seatline"
//! client_secret_file = "seatline-client-secret"   # beside this file
//! label = "Example ID"
//!
//! [roles]
//! "license-administrators" = "administrator"
//! "it-operations" = "operator"
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use seatline_protocol::{pairing, text};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::SsoError;
use crate::domain::Role;

/// The most bytes of the file, and of the secret's.
const MAX_FILE: u64 = 64 * 1024;
/// For how many days a token serves after its owner has signed in, where nothing is said.
pub const DEFAULT_TOKEN_DAYS: u16 = 30;
/// The most characters of a line of text.
const MAX_LINE: usize = 200;

/// Which provider is asked, and what its groups may do.
#[derive(Clone)]
pub struct SsoConfig {
    /// The provider's address, as its tokens name it.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// By what this server proves itself there; absent for a public client.
    pub client_secret: Option<Zeroizing<String>>,
    /// What the provider is called on the sign-in page.
    pub label: String,
    /// The claim that names a person here.
    pub name_claim: String,
    /// The claim with a person's groups; a `.` leads into an object, as in `realm_access.roles`.
    pub groups_claim: String,
    /// What else is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The role of who is in none of the groups; absent to let none of them in.
    pub default_role: Option<Role>,
    /// For how many days an API token serves after its owner has signed in: who has left the provider has no token for
    /// long.
    pub token_days: u16,
    /// What each group may do.
    pub roles: BTreeMap<String, Role>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    issuer: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    label: Option<String>,
    name_claim: Option<String>,
    groups_claim: Option<String>,
    scopes: Option<Vec<String>>,
    default_role: Option<String>,
    token_days: Option<u16>,
    #[serde(default)]
    roles: BTreeMap<String, Role>,
}

impl SsoConfig {
    /// The configuration in a file.
    ///
    /// # Errors
    /// [`SsoError::Config`] with what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, SsoError> {
        let text = read(path)?;
        let beside = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, beside).map_err(|reason| SsoError::Config(format!("{}: {reason}", path.display())))
    }

    fn parse(text: &str, beside: &Path) -> Result<Self, String> {
        let document: Document = toml::from_str(text).map_err(|error| text::line(error.message(), MAX_LINE))?;
        pairing::check_url(&document.issuer).map_err(|reason| format!("issuer: {reason}"))?;
        let line = |what: &str, value: String| {
            let is_line = !value.is_empty() && text::is_line(&value, MAX_LINE);
            if is_line { Ok(value) } else { Err(format!("{what}: one line of 1 to {MAX_LINE} characters")) }
        };
        let secret = match document.client_secret_file {
            Some(file) => Some(secret(&beside.join(file)).map_err(|error| error.to_string())?),
            None => None,
        };
        let default_role = match document.default_role.as_deref() {
            None | Some("none") => None,
            Some(role) => Some(role.parse().map_err(|error| format!("default_role: {error}, or none"))?),
        };
        let token_days = document.token_days.unwrap_or(DEFAULT_TOKEN_DAYS);
        if token_days == 0 {
            return Err("token_days: at least 1".to_owned());
        }
        if document.roles.is_empty() && default_role.is_none() {
            return Err("nobody could sign in: name groups in [roles], or a default_role".to_owned());
        }
        Ok(Self {
            client_id: line("client_id", document.client_id)?,
            client_secret: secret,
            label: line("label", document.label.unwrap_or_else(|| "single sign-on".to_owned()))?,
            name_claim: line("name_claim", document.name_claim.unwrap_or_else(|| "preferred_username".to_owned()))?,
            groups_claim: line("groups_claim", document.groups_claim.unwrap_or_else(|| "groups".to_owned()))?,
            scopes: document.scopes.unwrap_or_else(|| vec!["profile".to_owned()]),
            default_role,
            token_days,
            roles: document.roles,
            issuer: document.issuer,
        })
    }

    /// The role of somebody in these groups: the greatest that one of them has.
    pub fn role(&self, groups: &[String]) -> Option<Role> {
        groups.iter().filter_map(|group| self.roles.get(group)).copied().max().or(self.default_role)
    }
}

impl fmt::Debug for SsoConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsoConfig").field("issuer", &self.issuer).field("client_id", &self.client_id).finish()
    }
}

fn read(path: &Path) -> Result<String, SsoError> {
    let failed = |reason: String| SsoError::Config(format!("{}: {reason}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if length > MAX_FILE {
        return Err(failed(format!("it is longer than {MAX_FILE} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

fn secret(path: &Path) -> Result<Zeroizing<String>, SsoError> {
    let text = Zeroizing::new(read(path)?);
    let secret = text.trim();
    if secret.is_empty() {
        return Err(SsoError::Config(format!("{}: it holds no secret", path.display())));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "issuer = \"https://id.example.org\"\nclient_id = \"seatline\"\n[roles]\nstaff = \"viewer\"\nadmins = \"administrator\"\n";

    fn parse(text: &str) -> Result<SsoConfig, String> {
        SsoConfig::parse(text, Path::new("/nonexistent"))
    }

    #[test]
    fn g10_the_greatest_role_of_the_groups_holds_and_without_one_nobody_is_let_in() {
        let config = parse(GOOD).expect("a configuration");
        let role = |groups: &[&str]| config.role(&groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>());
        assert_eq!(role(&["staff", "admins", "others"]), Some(Role::Administrator));
        assert_eq!(role(&["staff"]), Some(Role::Viewer));
        assert_eq!(role(&["Staff", "others"]), None);
        assert_eq!(role(&[]), None);
        let open = parse(&format!("default_role = \"viewer\"\n{GOOD}")).expect("a configuration");
        assert_eq!(open.role(&[]), Some(Role::Viewer));
    }

    #[test]
    fn g10_what_is_wrong_with_the_configuration_is_named() {
        for (bad, why) in [
            (GOOD.replace("https", "http"), "issuer"),
            (GOOD.replace("client_id", "client"), "client"),
            (GOOD.replace("administrator", "owner"), "owner"),
            (GOOD.split("[roles]").next().expect("a part").to_owned(), "nobody could sign in"),
            (format!("client_secret_file = \"missing\"\n{GOOD}"), "missing"),
            (format!("default_role = \"all\"\n{GOOD}"), "default_role"),
            (format!("label = \"a\\nb\"\n{GOOD}"), "label"),
            (format!("token_days = 0\n{GOOD}"), "token_days"),
        ] {
            let error = parse(&bad).map(|_| ()).expect_err(&bad);
            assert!(error.contains(why), "{why}: {error}");
        }
        assert!(parse(&GOOD.replace("https://id.example.org", "http://127.0.0.1:9")).is_ok(), "loopback may be plain");
    }

    #[test]
    fn g10_a_file_that_is_too_long_is_not_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("single-sign-on.toml");
        let long = usize::try_from(MAX_FILE).expect("it fits");
        let padded = |length: usize| format!("{GOOD}#{}", " ".repeat(length - GOOD.len() - 1));
        std::fs::write(&path, padded(long)).expect("written");
        assert!(SsoConfig::read(&path).is_ok(), "as long as it may be");
        std::fs::write(&path, padded(long + 1)).expect("written");
        let error = SsoConfig::read(&path).map(drop).expect_err("too long").to_string();
        assert!(error.contains("longer than 65536 bytes"), "{error}");
    }
}
