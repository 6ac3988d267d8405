//! Confirming the password before a change (`c2`), and the temporary secure session that this begins.

use askama::Template;
use jiff::Timestamp;

use crate::field::Field;
use crate::format;
use crate::icon::Icon;
use crate::signs::Banner;

/// The form that asks for the password before a change. It posts `confirm-password`, and `pending` where it has one.
#[derive(Debug, Clone, Template)]
#[template(path = "confirmation.html")]
pub struct Confirmation {
    /// Whose password.
    pub user: String,
    /// Where the form posts to.
    pub action: String,
    /// What names the change that waits for it.
    pub pending: Option<String>,
    /// How long the confirmation lasts, in minutes.
    pub minutes: u64,
    /// What was wrong with the password before.
    pub banner: Option<Banner>,
    /// The page to go back to without a change.
    pub back: String,
}

impl Confirmation {
    fn field(&self) -> Field<'_> {
        Field::password("confirm-password", "Password").autocomplete("current-password").required()
    }
}

impl askama::filters::HtmlSafe for Confirmation {}

/// A temporary secure session: shown below the header of every page, with a way to end it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "secure_session.html")]
pub struct SecureSession {
    /// When it ends by itself.
    pub until: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// Where the form to end it posts to.
    pub end: String,
}

impl SecureSession {
    fn time(&self) -> String {
        format::time_of_day(self.until)
    }

    fn left(&self) -> String {
        format::relative(self.until, self.now)
    }
}

impl askama::filters::HtmlSafe for SecureSession {}
