//! The request for a license (`s10`): as text to send, and as the file that the vendor's tool answers.
//!
//! It changes nothing, so what is asked for stands in the address: the page, its text and its file say the same.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::request::MAX_WISH;
use seatline_protocol::{LicenseRequest, ProductId, text};
use seatline_ui::format::counted;
use seatline_ui::{Banner, Copyable, Field};
use seatline_web::address::escape;
use serde::Deserialize;

use crate::pages::download::download;
use crate::pages::{Content, PageError, Pages, Place, identity};

/// The most characters of an edition that is asked for, and of a note: together with the users they fit into a wish.
const MAX_EDITION: usize = 100;
const MAX_NOTE: usize = 250;
const _: () = assert!(MAX_EDITION + MAX_NOTE + 40 <= MAX_WISH);

/// What is asked for, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    add_on: String,
    users: String,
    edition: String,
    note: String,
}

/// Why a field was not taken.
#[derive(Debug, Default, PartialEq, Eq)]
struct Errors {
    add_on: Option<&'static str>,
    users: Option<&'static str>,
    edition: Option<&'static str>,
    note: Option<&'static str>,
}

/// What is asked for, checked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    add_on: Option<ProductId>,
    wish: Option<String>,
}

impl Asked {
    fn check(&self) -> Result<Wanted, Errors> {
        let [add_on, users, edition, note] =
            [&self.add_on, &self.users, &self.edition, &self.note].map(|typed| typed.trim());
        let mut errors = Errors::default();
        let add_on_id = add_on.parse::<ProductId>();
        if !add_on.is_empty() && add_on_id.is_err() {
            errors.add_on = Some("an add-on's ID is made of lower-case letters, digits, dots and hyphens");
        }
        let number = users.replace([',', ' '], "").parse::<u64>().ok().filter(|users| (1..=MAX_COUNT).contains(users));
        if !users.is_empty() && number.is_none() {
            errors.users = Some("write a whole number of users, or nothing");
        }
        if !text::is_line(edition, MAX_EDITION) {
            errors.edition = Some("an edition is one line of at most 100 characters");
        }
        if !text::is_line(note, MAX_NOTE) {
            errors.note = Some("a note is one line of at most 250 characters");
        }
        if errors != Errors::default() {
            return Err(errors);
        }
        let parts = [
            number.map(|users| counted(users, "user", "users")),
            Some(edition).filter(|edition| !edition.is_empty()).map(|edition| format!("edition {edition}")),
            Some(note).filter(|note| !note.is_empty()).map(str::to_owned),
        ];
        let wish = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        Ok(Wanted { add_on: add_on_id.ok(), wish: Some(wish).filter(|wish| !wish.is_empty()) })
    }

    /// The same as a part of an address.
    fn query(&self) -> String {
        let fields =
            [("add_on", &self.add_on), ("users", &self.users), ("edition", &self.edition), ("note", &self.note)];
        let sent = fields.iter().filter(|(_, value)| !value.trim().is_empty());
        let pairs: Vec<String> = sent.map(|(name, value)| format!("{name}={}", escape(value.trim()))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "license/request.html")]
struct RequestPage {
    warning: Option<Banner>,
    back: String,
    action: String,
    file: String,
    asked: Asked,
    errors: Errors,
    add_on_hint: String,
    /// None where what is asked for was not taken.
    text: Option<Copyable>,
}

impl RequestPage {
    fn fields(&self) -> [Field<'_>; 4] {
        let Self { asked, errors, .. } = self;
        let users = Field::number("users", "Users").hint("How many the license should allow.").value(&asked.users);
        let edition = Field::text("edition", "Edition").hint("If it should be another one.").value(&asked.edition);
        let add_on = Field::text("add_on", "Add-on").hint(&self.add_on_hint).value(&asked.add_on);
        let note =
            Field::text("note", "Note").hint("What else the vendor should know, on one line.").value(&asked.note);
        [users.error(errors.users), edition.error(errors.edition), add_on.error(errors.add_on), note.error(errors.note)]
    }
}

async fn request(pages: &Pages, wanted: Wanted) -> Result<LicenseRequest, PageError> {
    let made = pages.ask(move |host| host.license_request(wanted.add_on, wanted.wish.as_deref())).await?;
    made.map_err(|error| PageError::of_host(&error))
}

/// `GET /license/request`
pub async fn show(State(pages): State<Pages>, Query(asked): Query<Asked>) -> Result<Content, PageError> {
    let add_ons: Vec<String> = match pages.ask(|host| host.live()).await? {
        Ok(live) => live.standing.add_ons.iter().map(|add_on| format!("`{}`", add_on.product)).collect(),
        Err(_) => Vec::new(),
    };
    let known = if add_ons.is_empty() { String::new() } else { format!(" Licensed here: {}.", add_ons.join(", ")) };
    let (text, errors) = match asked.check() {
        Ok(wanted) => {
            let text = request(&pages, wanted).await?.to_text();
            (Some(Copyable::new("Text of the request", text.trim_end()).prose()), Errors::default())
        }
        Err(errors) => (None, errors),
    };
    let status = if text.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = RequestPage {
        warning: pages.ask(identity::warning).await?,
        back: pages.href("/license"),
        action: pages.href("/license/request"),
        file: pages.href(&format!("/license/request.json{}", asked.query())),
        add_on_hint: format!("The ID of the add-on that the license is for; empty for the product itself.{known}"),
        text,
        errors,
        asked,
    };
    Ok(Content::new("Request a license", page).at(Place::License).status(status))
}

/// `GET /license/request.json`: the file.
pub async fn file(State(pages): State<Pages>, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let wanted = asked.check().map_err(|_| {
        let why = "what is asked for is not valid: go back to the request, where each field says what it takes";
        PageError::invalid(why).way_out("To the request", format!("/license/request{}", asked.query()))
    })?;
    let request = request(&pages, wanted).await?;
    let json = serde_json::to_string_pretty(&request).map_err(|_| PageError::internal())?;
    let name = format!("license-request-{}.json", request.product.server_id);
    Ok(download("application/json", &name, format!("{json}\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: [&str; 4]) -> Asked {
        let [add_on, users, edition, note] = fields.map(str::to_owned);
        Asked { add_on, users, edition, note }
    }

    #[test]
    fn s10_what_is_asked_for_becomes_one_line_that_a_request_takes() {
        let wanted = asked(["", " 1,600 ", "enterprise", "from July on"]).check().expect("valid");
        assert_eq!(wanted.wish.as_deref(), Some("1,600 users; edition enterprise; from July on"));
        assert_eq!(asked(["", "", " ", ""]).check(), Ok(Wanted::default()));
        let largest = asked(["", &MAX_COUNT.to_string(), &"e".repeat(MAX_EDITION), &"n".repeat(MAX_NOTE)])
            .check()
            .expect("valid");
        assert!(largest.wish.is_some_and(|wish| text::is_line(&wish, MAX_WISH)));
    }

    #[test]
    fn s10_each_field_says_what_it_takes() {
        for users in ["0", "-1", "many", "1.5", "99999999999999999999"] {
            assert!(asked(["", users, "", ""]).check().is_err_and(|errors| errors.users.is_some()), "{users}");
        }
        let errors = asked(["No Add-on", "", &"e".repeat(101), "two\nlines"]).check().expect_err("three errors");
        assert!(errors.add_on.is_some() && errors.edition.is_some() && errors.note.is_some() && errors.users.is_none());
    }
}
