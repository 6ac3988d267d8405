//! Who may look: administrators sign in with a password and get a session, programs carry an API token.
//!
//! A password is kept as its argon2id hash, a session and a token as the SHA-256 of their 32 random bytes. The guard
//! stands before every page and every API route, also before those that do not exist.

mod guard;
pub mod session;
pub mod token;

use crate::central::{ActionError, Central};
use crate::domain::{Admin, AdminName};
pub use guard::{SignedIn, Via, guard};
use seatline_web::password;
pub use session::{SignInError, sign_in, sign_out};

/// Adds an administrator.
///
/// # Errors
/// [`ActionError::Invalid`] for a name or password that breaks its rule; a conflict where the name is taken.
pub async fn create_admin(central: &Central, name: &str, password: &str) -> Result<Admin, ActionError> {
    let name: AdminName = name.parse().map_err(|error| ActionError::invalid("name", error))?;
    let admin = Admin { name, password: password::hash(password)?, created_at: central.now() };
    central.store().add_admin(&admin).await?;
    Ok(admin)
}

/// Sets another password of an administrator, and ends his sessions; his API tokens stay.
///
/// # Errors
/// [`ActionError::Invalid`] for a password that breaks its rule, [`ActionError::NotFound`] where there is no such
/// administrator.
pub async fn set_password(central: &Central, name: &str, password: &str) -> Result<AdminName, ActionError> {
    let name: AdminName = name.parse().map_err(|error| ActionError::invalid("name", error))?;
    central.store().set_password(&name, &password::hash(password)?).await?;
    Ok(name)
}
