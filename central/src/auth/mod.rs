//! Who may look and change (`g11`): people sign in with a password and get a session, programs carry an API token.
//!
//! A password is kept as its argon2id hash, a session and a token as the SHA-256 of their 32 random bytes. The guard
//! stands before every page and every API route, also before those that do not exist, and holds the role of the
//! account, as it is at this moment, and the scopes of the token against what the route needs.

mod guard;
pub mod session;
mod single_sign_on;
pub mod token;

pub use guard::{SignedIn, Via, address, guard, signed_in};
pub use session::{Confirmed, SignInError, change_password, confirm, forget, sign_in, sign_out};
pub use single_sign_on::sign_on;
