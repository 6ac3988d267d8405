//! What was sent: the fields of a form, also where one of them is a file, and what the address of a page says.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Form, FromRequest, Multipart, Request};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::PageError;

/// What was done just before, as the address says to which a form leads, so that the page can say so.
#[derive(Debug, Deserialize)]
pub struct Done {
    /// A word of the page's own.
    pub done: Option<String>,
}

/// What a form sent: names and texts, in their order. Any of them may be a secret.
#[derive(Default)]
pub struct Fields(Vec<(String, Zeroizing<String>)>);

impl Fields {
    /// The text of a field; empty where it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.sent(name).unwrap_or_default()
    }

    fn sent(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(sent, _)| sent == name).map(|(_, text)| text.as_str())
    }

    /// Nothing, if all these fields were sent: in some forms an empty field takes away what is set, and so must not be
    /// one that got lost.
    ///
    /// # Errors
    /// When one is missing.
    pub fn need(&self, names: &[&str]) -> Result<(), PageError> {
        match names.iter().all(|name| self.sent(name).is_some()) {
            true => Ok(()),
            false => Err(PageError::invalid("the form did not arrive whole: open its page anew, and send it again")),
        }
    }

    /// A text that was pasted into one field, or else is the file of another. What was typed goes first: a file that
    /// was chosen earlier stays chosen in some browsers.
    pub fn pasted(&self, typed: &str, file: &str) -> &str {
        let typed = self.get(typed);
        if typed.trim().is_empty() { self.get(file) } else { typed }
    }

    /// The fields whose names begin with `prefix`, without it.
    pub fn beginning<'f>(&'f self, prefix: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.0.iter().filter_map(move |(name, text)| Some((name.strip_prefix(prefix)?, text.as_str())))
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
        if content_type.is_some_and(|content_type| content_type.starts_with(b"multipart/form-data")) {
            let parts = Multipart::from_request(request, state).await;
            return of_parts(parts.map_err(|error| PageError::of_status(error.status()))?).await;
        }
        let sent = Form::<Vec<(String, Zeroizing<String>)>>::from_request(request, state).await;
        sent.map(|Form(fields)| Self(fields)).map_err(|error| PageError::of_status(error.into_response().status()))
    }
}

async fn of_parts(mut parts: Multipart) -> Result<Fields, PageError> {
    let mut fields = Fields::default();
    let refused = |error: MultipartError| PageError::of_status(error.status());
    while let Some(part) = parts.next_field().await.map_err(refused)? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.0.push((name, text(part).await?));
    }
    Ok(fields)
}

/// The text of a part. What is no text is neither a key nor a document: it is refused by the same rule as any other
/// nonsense.
async fn text(part: Field<'_>) -> Result<Zeroizing<String>, PageError> {
    let bytes = part.bytes().await.map_err(|error| PageError::of_status(error.status()))?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}
