//! Users: who signs in, and what he may do.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Badge, Banner, Choice, Copyable, Field, Icon, Tabs, Tone, format};
use seatline_web::address::escape;
use seatline_web::password;
use serde::Deserialize;

use super::{Listed, Part, tabs};
use crate::actions::accounts::AccountError;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::{Account, AccountName, Role};
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of, page_of_with};
use crate::pages::parsed;
use crate::server::App;
use crate::store::{PageSize, StoreError};

/// The list.
#[derive(Template)]
#[template(path = "administration/users.html")]
struct UsersPage {
    tabs: Tabs,
    banner: Option<Banner>,
    users: Vec<UserLine>,
    more: Option<String>,
}

/// A user in the list.
struct UserLine {
    name: String,
    href: String,
    role: Badge,
    by: &'static str,
    last: String,
}

impl UserLine {
    fn new(account: &Account) -> Self {
        Self {
            name: account.name.to_string(),
            href: href(&account.name),
            role: role_badge(account.role),
            by: signs_in_by(account),
            last: account.last_sign_in_at.map_or_else(|| "never".to_owned(), format::date_time),
        }
    }
}

fn href(name: &AccountName) -> String {
    format!("/administration/users/{}", escape(name.as_str()))
}

fn signs_in_by(account: &Account) -> &'static str {
    if account.password().is_some() { "Password" } else { "Single sign-on" }
}

/// A role, in a badge.
pub(super) fn role_badge(role: Role) -> Badge {
    let tone = if role == Role::Administrator { Tone::Info } else { Tone::Neutral };
    Badge::new(tone, format::capitalised(role.name()))
}

/// `GET /administration/users`
pub async fn list(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(Listed { after, done }): Query<Listed>,
) -> Result<Response, PageError> {
    let page = app.central.store().accounts(after.as_ref(), PageSize::default()).await?;
    let banner = (done.as_deref() == Some("removed"))
        .then(|| Banner::new(Tone::Good, "The user is removed.", "Sessions and API tokens are gone with the account."));
    let page = UsersPage {
        tabs: tabs(Part::Users),
        banner,
        users: page.items.iter().map(UserLine::new).collect(),
        more: page.next.map(|next| format!("/administration/users?after={}", escape(next.as_str()))),
    };
    Ok(page_of(Section::Administration, "Users", Some(&who), page))
}

/// The form that adds a user, and the password that was made for him.
#[derive(Template)]
#[template(path = "administration/user_new.html")]
struct NewUserPage {
    sent: UserSent,
    error: Option<(&'static str, String)>,
    made: Option<(String, Copyable)>,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UserSent {
    name: String,
    role: String,
}

fn roles() -> Vec<Choice<'static>> {
    let says = |role: Role| match role {
        Role::Viewer => "Viewer: reads",
        Role::Operator => "Operator: also changes applications, links and alerts",
        Role::Administrator => "Administrator: also looks after users and the server",
    };
    Role::ALL.into_iter().map(|role| Choice { value: role.name(), label: says(role).to_owned() }).collect()
}

impl NewUserPage {
    fn fields(&self) -> [Field<'_>; 2] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        [
            Field::text("name", "Name to sign in with")
                .hint("1 to 64 of a-z 0-9 . _ - @, such as a mail address.")
                .value(&self.sent.name)
                .required()
                .error(error("name")),
            Field::select("role", "Role", roles()).value(&self.sent.role).error(error("role")),
        ]
    }
}

/// `GET /administration/users/new`
pub async fn new_form(Extension(who): Extension<SignedIn>) -> Response {
    let page = NewUserPage { sent: UserSent::default(), error: None, made: None };
    page_of(Section::Administration, "Add a user", Some(&who), page)
}

/// `POST /administration/users`: the password is made here, and shown this once.
pub async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<UserSent>,
) -> Result<Response, PageError> {
    let password = password::make().map_err(ActionError::from)?;
    let added = async {
        let role: Role = sent.role.parse().map_err(|error| ActionError::invalid("role", error))?;
        app.central.add_account(&who.actor(), &sent.name, role, &password).await
    };
    let (status, page) = match added.await {
        Ok(account) => {
            let made = Some((account.name.to_string(), Copyable::new("Password", password.as_str())));
            (StatusCode::OK, NewUserPage { sent, error: None, made })
        }
        Err(AccountError::Action(ActionError::Invalid { field, reason })) => {
            (StatusCode::UNPROCESSABLE_ENTITY, NewUserPage { sent, error: Some((field, reason)), made: None })
        }
        Err(AccountError::Action(ActionError::Store(StoreError::Conflict(_)))) => {
            let error = Some(("name", "another user has this name".to_owned()));
            (StatusCode::CONFLICT, NewUserPage { sent, error, made: None })
        }
        Err(error) => return Err(error.into()),
    };
    Ok(page_of_with(status, Section::Administration, "Add a user", Some(&who), page))
}

/// The page of one user.
#[derive(Template)]
#[template(path = "administration/user.html")]
struct UserPage {
    name: String,
    path: String,
    banner: Option<Banner>,
    /// A password that was just made.
    made: Option<Copyable>,
    role: Role,
    badge: Badge,
    by: &'static str,
    local: bool,
    own: bool,
    issuer: Option<String>,
    added: String,
    last: String,
    sessions: u64,
    audit: String,
}

impl UserPage {
    async fn new(app: &App, who: &SignedIn, name: &AccountName) -> Result<Self, PageError> {
        let account = app.central.account(name).await?;
        let running = app.central.store().sessions_of(name, who.asked_at, app.used_since()).await?;
        let issuer = match &account.proof {
            crate::domain::Proof::SingleSignOn(subject) => Some(subject.issuer.clone()),
            crate::domain::Proof::Password { .. } => None,
        };
        Ok(Self {
            name: account.name.to_string(),
            path: href(&account.name),
            banner: None,
            made: None,
            role: account.role,
            badge: role_badge(account.role),
            by: signs_in_by(&account),
            local: account.password().is_some(),
            own: account.name == who.name,
            issuer,
            added: format::date_time(account.created_at),
            last: account.last_sign_in_at.map_or_else(|| "never".to_owned(), format::date_time),
            sessions: running.len() as u64,
            audit: format!("/administration/audit?actor={}", escape(account.name.as_str())),
        })
    }

    fn running(&self) -> String {
        format::counted(self.sessions, "session runs", "sessions run")
    }

    fn field(&self) -> Field<'_> {
        Field::select("role", "Role", roles()).value(self.role.name()).hint("It holds at once, also for tokens.")
    }
}

/// `GET /administration/users/{name}`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(name): Path<String>,
    Query(Listed { done, .. }): Query<Listed>,
) -> Result<Response, PageError> {
    let name: AccountName = parsed(&name, "user")?;
    let banner = match done.as_deref() {
        Some("role") => Some("The role is changed."),
        Some("ended") => Some("All sessions of the user are ended."),
        _ => None,
    };
    let banner = banner.map(|what| Banner::new(Tone::Good, what, ""));
    let page = UserPage { banner, ..UserPage::new(&app, &who, &name).await? };
    Ok(page_of(Section::Administration, name.as_str(), Some(&who), page))
}

/// What the form of a role sends.
#[derive(Deserialize)]
pub struct RoleSent {
    role: String,
}

/// `POST /administration/users/{name}/role`
pub async fn role(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(name): Path<String>,
    Form(sent): Form<RoleSent>,
) -> Result<Redirect, PageError> {
    let (name, role) = (parsed::<AccountName>(&name, "user")?, parsed::<Role>(&sent.role, "role")?);
    app.central.change_role(&who.actor(), &name, role).await?;
    Ok(Redirect::to(&format!("{}?done=role", href(&name))))
}

/// `POST /administration/users/{name}/password`: another one is made, and shown this once.
pub async fn password(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let name: AccountName = parsed(&name, "user")?;
    let password = password::make().map_err(ActionError::from)?;
    let keep = who.session().filter(|_| who.name == name).map(|session| &session.id);
    app.central.set_password(&who.actor(), &name, &password, keep).await?;
    let made = Some(Copyable::new("Password", password.as_str()));
    let page = UserPage { made, ..UserPage::new(&app, &who, &name).await? };
    Ok(page_of(Section::Administration, name.as_str(), Some(&who), page).into_response())
}

/// `POST /administration/users/{name}/end-sessions`
pub async fn end_sessions(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let name: AccountName = parsed(&name, "user")?;
    app.central.end_sessions(&who.actor(), &name, None).await?;
    Ok(Redirect::to(&format!("{}?done=ended", href(&name))))
}

/// `POST /administration/users/{name}/remove`
pub async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    app.central.remove_account(&who.actor(), &parsed(&name, "user")?).await?;
    Ok(Redirect::to("/administration/users?done=removed"))
}

const PLUS: Icon = Icon::Plus;
