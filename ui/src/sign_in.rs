//! The form to sign in.

use askama::Template;

use crate::field::Field;
use crate::signs::{Banner, Prose};

/// The form to sign in. It posts `name`, `password` and `next`.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// What the server calls itself.
    pub server: String,
    /// Where the form posts to.
    pub action: String,
    /// What was wrong with the sign-in before.
    pub banner: Option<Banner>,
    /// The name that was typed.
    pub name: String,
    /// Where to go afterwards: a path of this server, checked by the caller.
    pub next: String,
    /// What single sign-on is called, and where it begins; none where there is none.
    pub single_sign_on: Option<(String, String)>,
    /// How somebody gets a password.
    pub hint: Prose,
}

impl SignIn {
    fn fields(&self) -> [Field<'_>; 2] {
        [
            Field::text("name", "Name").value(&self.name).autocomplete("username").required(),
            Field::password("password", "Password").autocomplete("current-password").required(),
        ]
    }
}

impl askama::filters::HtmlSafe for SignIn {}
