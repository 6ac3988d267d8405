//! A route, and what it demands of who asks. The tables stand in `pages/mod.rs` and `api/mod.rs`; the router is made of
//! them alone, so no route is without a [`Need`], and a test asks each of them in every role and with every scope.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::App;
use crate::domain::{Area, Role};

/// What a route demands of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The least role.
    pub role: Role,
    /// What the route is about: a token's scopes are held against it.
    pub area: Area,
    /// Whether it is for people alone: what concerns one's own account is not for a token, which could outlive itself
    /// by it.
    pub person: bool,
    /// Whether a person has to have confirmed of late who he is (`c2`).
    pub confirmed: bool,
}

impl Need {
    /// For what changes nothing.
    pub const fn read(area: Area) -> Self {
        Self { role: Role::Viewer, area, person: false, confirmed: false }
    }

    /// For what somebody sees and changes of his own account, whatever his role.
    pub const fn own() -> Self {
        Self { role: Role::Viewer, area: Area::Accounts, person: true, confirmed: false }
    }

    /// For what changes applications, links and alerts.
    pub const fn operate(area: Area) -> Self {
        Self { role: Role::Operator, area, person: false, confirmed: false }
    }

    /// For what concerns accounts, the audit log and the settings of the server, also where it changes nothing.
    pub const fn administer(area: Area) -> Self {
        Self { role: Role::Administrator, area, person: false, confirmed: false }
    }

    /// The same, after the password was confirmed.
    pub const fn confirmed(self) -> Self {
        Self { confirmed: true, ..self }
    }
}

/// A route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{…}` for what it is about.
    pub path: &'static str,
    /// What it demands.
    pub need: Need,
    pub(super) handler: MethodRouter<App>,
}

impl Route {
    fn new<H: Handler<T, App>, T: 'static>(
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        need: Need,
        handler: H,
    ) -> Self {
        Self { method, path, need, handler: on(filter, handler) }
    }

    /// A route that is asked by `GET`.
    pub fn get<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new((Method::GET, MethodFilter::GET), path, need, handler)
    }

    /// A route that something is sent to by `POST`.
    pub fn post<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new((Method::POST, MethodFilter::POST), path, need, handler)
    }

    /// A route whose thing is replaced by `PUT`.
    pub fn put<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new((Method::PUT, MethodFilter::PUT), path, need, handler)
    }

    /// A route whose thing is changed by `PATCH`.
    pub fn patch<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new((Method::PATCH, MethodFilter::PATCH), path, need, handler)
    }

    /// A route whose thing is removed by `DELETE`.
    pub fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new((Method::DELETE, MethodFilter::DELETE), path, need, handler)
    }
}

#[cfg(test)]
mod tests;
