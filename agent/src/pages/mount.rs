//! The pages inside a host product, under a path of its own and behind its own sign-in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::http::request::Parts;
use seatline_host::Host;
use zeroize::Zeroizing;

use super::{Pages, People, Visitor, routes};
use crate::failure::Failure;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Who = Box<dyn Fn(Parts) -> Answer<Option<Visitor>> + Send + Sync>;
type Check = Box<dyn Fn(Visitor, Zeroizing<String>) -> Answer<bool> + Send + Sync>;

/// How an administrator confirms who he is before a change (`c2`).
pub enum Confirmation {
    /// The pages ask for the password, and the product says whether it is the visitor's. See
    /// [`Confirmation::by_password`].
    Password(CheckPassword),
    /// The product has confirmed it itself, for every request that it lets pass: the pages do not ask.
    ByProduct,
}

/// Says whether a password is a visitor's.
pub struct CheckPassword(Check);

impl Confirmation {
    /// The pages ask for the password, at most every ten minutes, and `check` says whether it is the visitor's. Wrong
    /// ones are slowed down here.
    pub fn by_password<F>(check: impl Fn(Visitor, Zeroizing<String>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        Self::Password(CheckPassword(Box::new(move |visitor, password| Box::pin(check(visitor, password)))))
    }
}

/// The sign-in of the product.
pub(crate) struct ProductSignIn {
    who: Who,
    confirmation: Confirmation,
    sign_in: Option<String>,
    gate: seatline_web::Gate,
}

impl ProductSignIn {
    pub async fn visitor(&self, parts: &Parts) -> Option<Visitor> {
        (self.who)(parts.clone()).await
    }

    /// Where whoever is not signed in is sent to.
    pub fn sign_in(&self) -> Option<&str> {
        self.sign_in.as_deref()
    }

    pub fn gate(&self) -> &seatline_web::Gate {
        &self.gate
    }

    /// Says whether a password is the visitor's; none where the product has confirmed it itself.
    pub fn check(&self) -> Option<impl Fn(Visitor, Zeroizing<String>) -> Answer<bool>> {
        match &self.confirmation {
            Confirmation::Password(CheckPassword(check)) => Some(check),
            Confirmation::ByProduct => None,
        }
    }
}

/// The pages, to be nested into a product's own router.
///
/// ```no_run
/// # use std::sync::Arc;
/// use seatline_agent::pages::{Confirmation, Mount, Visitor};
/// use seatline_agent::users::Role;
/// # fn mounted(host: Arc<seatline_host::Host>) -> Result<axum::Router, seatline_agent::failure::Failure> {
/// let who = async |request: axum::http::request::Parts| {
///     let session = request.headers.get("x-session")?.to_str().ok()?.to_owned();
///     Some(Visitor::new("ada", Some(Role::Administrator), &session))
/// };
/// let pages = Mount::new(host, "/admin/licensing", who, Confirmation::ByProduct).router()?;
/// Ok(axum::Router::new().nest("/admin/licensing", pages))
/// # }
/// ```
pub struct Mount {
    host: Arc<Host>,
    path: String,
    who: Who,
    confirmation: Confirmation,
    sign_in: Option<String>,
    origins: Vec<String>,
}

impl Mount {
    /// The pages of `host` under `path`, such as `/admin/licensing`. `who` says who sends a request: none where nobody
    /// is signed in. It is asked at every request, and what the product has put beside the request is in `extensions`.
    pub fn new<F>(
        host: Arc<Host>,
        path: &str,
        who: impl Fn(Parts) -> F + Send + Sync + 'static,
        confirmation: Confirmation,
    ) -> Self
    where
        F: Future<Output = Option<Visitor>> + Send + 'static,
    {
        Self {
            host,
            path: path.trim_end_matches('/').to_owned(),
            who: Box::new(move |parts| Box::pin(who(parts))),
            confirmation,
            sign_in: None,
            origins: Vec::new(),
        }
    }

    /// Sends whoever is not signed in to this address of the product, with `?next=` and the page that was wanted.
    /// Without it they are told that they are not signed in.
    pub fn sign_in_at(self, address: &str) -> Self {
        Self { sign_in: Some(address.to_owned()), ..self }
    }

    /// An origin that browsers reach the product by, such as `https://wiki.example.org`: needed behind a reverse proxy
    /// that changes the `Host` header.
    pub fn origin(mut self, origin: &str) -> Self {
        self.origins.push(origin.to_owned());
        self
    }

    /// The router, with everything that the pages need: their files, headers, limits, and the refusal of other sites.
    ///
    /// # Errors
    /// Where the path or an origin is none, and where the operating system gives no randomness.
    pub fn router(self) -> Result<Router, Failure> {
        let is_path = self.path.is_empty() || self.path.starts_with('/');
        if !is_path || !self.path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b)) {
            return Err(Failure::new("path", format!("`{}` is no path to mount pages under", self.path)));
        }
        let gate = seatline_web::Gate::new().map_err(|error| Failure::of("no-randomness", &error))?;
        let Self { host, path, who, confirmation, sign_in, origins } = self;
        let people = People::Product(ProductSignIn { who, confirmation, sign_in, gate });
        routes::router(&Pages::new(host, path, people, origins, Arc::default(), None), routes::REQUEST_TIME)
    }
}
