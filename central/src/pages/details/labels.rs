//! The form that sorts an application into a group and under tags.

use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::Field;
use serde::Deserialize;

use super::handlers::{answer, known};
use crate::auth::SignedIn;
use crate::domain::{ApplicationId, Labels};
use crate::pages::failure::PageError;
use crate::pages::parsed;
use crate::server::App;

/// The form.
#[derive(Debug, Clone, Default)]
pub struct LabelsForm {
    sent: LabelsSent,
    error: Option<(&'static str, String)>,
}

/// What the form sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LabelsSent {
    /// The group, or nothing.
    pub group: String,
    /// Tags, with commas between them.
    pub tags: String,
}

impl LabelsForm {
    /// The form with what holds now.
    pub fn of(labels: &Labels) -> Self {
        let group = labels.group.as_ref().map(ToString::to_string).unwrap_or_default();
        Self { sent: LabelsSent { group, tags: labels.typed_tags() }, error: None }
    }

    /// The form as it was sent, with what was wrong with a field.
    pub fn refused(sent: LabelsSent, field: &'static str, why: String) -> Self {
        Self { sent, error: Some((field, why)) }
    }

    /// What holds, for whoever may not change it.
    pub fn facts(&self) -> [(&'static str, &str); 2] {
        fn or_none(text: &str) -> &str {
            if text.is_empty() { "none" } else { text }
        }
        [("Group", or_none(&self.sent.group)), ("Tags", or_none(&self.sent.tags))]
    }

    /// The fields, in the order in which they stand.
    pub fn fields(&self) -> [Field<'_>; 2] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        [
            Field::text("group", "Group")
                .hint("One, such as a department or a site.")
                .value(&self.sent.group)
                .error(error("group")),
            Field::text("tags", "Tags")
                .hint("Any, with commas between them, such as critical, eu-west.")
                .value(&self.sent.tags)
                .error(error("tags")),
        ]
    }
}

/// `POST /applications/{id}/labels`
pub async fn save_labels(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(sent): Form<LabelsSent>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    match Labels::parse(&sent.group, &sent.tags) {
        Ok(labels) => {
            app.central.set_labels(&who.actor(), &id, &labels).await?;
            Ok(Redirect::to(&format!("/applications/{id}?done=sorted")).into_response())
        }
        Err((field, why)) => {
            let known = known(&app, &who, &id).await?;
            let tab = known.tab.with_labels(LabelsForm::refused(sent, field, why));
            Ok(answer(StatusCode::UNPROCESSABLE_ENTITY, &who, &known.name, &known.head, &tab))
        }
    }
}
