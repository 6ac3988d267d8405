//! What comes with a request, checked, with the API's own errors where it is not what it should be.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use seatline_protocol::text;
pub(super) use seatline_web::Input;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ApiError;
use crate::store::{Cursor, PageSize};

/// The ids in a request's path, one after the other.
pub(super) struct Ids(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(ids) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::invalid("the path is not UTF-8"))?;
        Ok(Self(ids.into_iter().map(|(_, id)| id).collect()))
    }
}

impl Ids {
    /// The only id. What is no id names nothing.
    pub(super) fn one<A: FromStr>(&self, what: &str) -> Result<A, ApiError> {
        self.nth(0, what)
    }

    /// The first id and the second.
    pub(super) fn two<A: FromStr, B: FromStr>(&self, first: &str, second: &str) -> Result<(A, B), ApiError> {
        Ok((self.nth(0, first)?, self.nth(1, second)?))
    }

    fn nth<A: FromStr>(&self, n: usize, what: &str) -> Result<A, ApiError> {
        self.0.get(n).and_then(|id| id.parse().ok()).ok_or_else(|| ApiError::not_found(what))
    }
}

/// What an address asks for behind its `?`, checked: what cannot be read is refused with its reason.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(asked) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::invalid(text::line(&error.body_text(), 400)))?;
        Ok(Self(asked))
    }
}

/// Which page of a list is wanted.
#[derive(Deserialize)]
struct Wanted {
    after: Option<Cursor>,
    limit: Option<u32>,
}

/// Which page of a list is wanted, checked.
pub(super) struct Paging {
    pub(super) after: Option<Cursor>,
    pub(super) size: PageSize,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Asked(wanted) = Asked::<Wanted>::from_request_parts(parts, state).await?;
        Ok(Self { after: wanted.after, size: wanted.limit.map(PageSize::new).unwrap_or_default() })
    }
}
