//! The questions that the chain of the shown link asks (`b4`, `b8`), and what was answered to them.

use seatline_ui::{Choice, Field, Prose, format};

use crate::actions::questions::Said;
use crate::domain::{Answer, Explanation, Licenses, Question};
use crate::pages::failure::Broken;

/// A question, with the form that answers it.
pub(super) struct QuestionCard {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) message: Prose,
    pub(super) action: String,
    /// What tells its fields from those of another question.
    apart: String,
    /// The answer as it was sent, and the rule that it breaks.
    refused: Option<(Said, Broken)>,
}

/// What was answered.
pub(super) struct AnswerLine {
    pub(super) what: &'static str,
    pub(super) why: String,
    pub(super) by: String,
    pub(super) at: String,
    /// What is still to be done at the product.
    pub(super) next: Option<&'static str>,
    /// Whether a link is to be made for that: of this application, or of one of its own.
    pub(super) invites_here: bool,
    pub(super) invites_elsewhere: bool,
}

/// The questions of the application's link that are open.
pub(super) fn open(view: &Licenses) -> Vec<QuestionCard> {
    let Some(link) = &view.link else { return Vec::new() };
    let action = format!("/applications/{}/links/{}/answer", view.application.id, link.id);
    let card = |question: Question, title, message: &str| QuestionCard {
        id: question.name(),
        title,
        message: Prose::sentence(message),
        action: action.clone(),
        apart: format!("-{}", question.name()),
        refused: None,
    };
    let of_trouble = view.troubles.iter().filter_map(|trouble| match trouble.code {
        "fork" => Some(card(Question::Fork, "Two live copies, or a restored backup?", &trouble.message)),
        "server-id-changed" | "staging-copy" => {
            Some(card(Question::ServerId, "Moved, staging or restored?", &trouble.message))
        }
        _ => None,
    });
    of_trouble.collect()
}

/// The title of each open question, and where it is answered.
pub fn addresses(view: &Licenses) -> Vec<(&'static str, String)> {
    let address = |id: &str| format!("/applications/{}#question-{id}", view.application.id);
    open(view).into_iter().map(|card| (card.title, address(card.id))).collect()
}

impl QuestionCard {
    /// With the answer as it was sent, if it is one to this question, and the rule that it breaks.
    pub(super) fn with_refused(self, said: &Said, wrong: &Broken) -> Self {
        let is_this = said.question.name() == self.id;
        Self { refused: is_this.then(|| (said.clone(), wrong.clone())), ..self }
    }

    /// The fields of its form.
    pub(super) fn fields(&self) -> [Field<'_>; 2] {
        let question = if self.id == Question::Fork.name() { Question::Fork } else { Question::ServerId };
        let choice = |one: &Explanation| Choice { value: one.name(), label: one.words().to_owned() };
        let choices = question.explanations().iter().map(choice).collect();
        let (said, wrong) = self.refused.as_ref().map(|(said, wrong)| (said, wrong)).unzip();
        let error = |field| wrong.filter(|(at, _)| *at == field).map(|(_, rule)| rule.as_str());
        [
            Field::select("explanation", "What was it?", choices)
                .value(said.map_or("", |said| said.explanation.name()))
                .error(error("explanation"))
                .id(&self.apart),
            Field::text("why", "Why (optional)")
                .hint("For whoever asks later: it is kept with your name and the time.")
                .value(said.map_or("", |said| said.why.as_str()))
                .error(error("why"))
                .id(&self.apart),
        ]
    }
}

impl AnswerLine {
    pub(super) fn of(answer: &Answer) -> Self {
        let needs_link = answer.explanation.needs_link(answer.question);
        let is_copy = answer.explanation == Explanation::Staging;
        Self {
            what: answer.explanation.words(),
            why: answer.why.clone(),
            by: answer.by.clone(),
            at: format::date_time(answer.at),
            next: answer.explanation.next_step(answer.question),
            invites_here: needs_link && !is_copy,
            invites_elsewhere: needs_link && is_copy,
        }
    }
}
