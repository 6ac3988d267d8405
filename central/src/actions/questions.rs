//! Answering the questions that a chain asks (`b4`, `b8`): a copy, a move, or a restored backup?

use seatline_protocol::LinkId;
use seatline_web::secret::random;
use serde::{Deserialize, Serialize};

use crate::central::{ActionError, Central};
use crate::domain::answer::{About, check_why};
use crate::domain::continuity::changes;
use crate::domain::{Actor, Answer, AnswerId, Explanation, Question};

/// What an administrator says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What is answered.
    pub question: Question,
    /// What it was.
    pub explanation: Explanation,
    /// Why he says so; may be empty.
    #[serde(default)]
    pub why: String,
}

impl Central {
    /// Answers a question that the chain of a link asks now. What is told of it ends with that, until it happens anew;
    /// nothing that is stored changes.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link, or it asks no such question; [`ActionError::Invalid`]
    /// where the explanation is no answer to it, or the reason breaks its rule.
    pub async fn answer_question(&self, actor: &Actor, link: &LinkId, said: &Said) -> Result<Answer, ActionError> {
        let act = self.act(actor)?;
        let why = said.why.trim();
        check_why(why).map_err(|reason| ActionError::invalid("why", reason))?;
        if !said.question.explanations().contains(&said.explanation) {
            return Err(ActionError::invalid("explanation", "it does not answer this question"));
        }
        let about = self.asked(link, said.question).await?.ok_or(ActionError::NotFound("question of this link"))?;
        let answer = Answer {
            id: AnswerId::from_random(random()?),
            link: link.clone(),
            question: said.question,
            about,
            explanation: said.explanation,
            why: why.to_owned(),
            by: act.actor.name.clone(),
            at: act.at,
        };
        self.store().answer(&act, &answer).await?;
        Ok(answer)
    }

    /// What a question is about at the moment; none where it is not asked.
    async fn asked(&self, id: &LinkId, question: Question) -> Result<Option<About>, ActionError> {
        let link = self.link(id).await?;
        Ok(match question {
            Question::Fork => (link.chain.forks > 0).then_some(About::Forks(link.chain.forks)),
            Question::ServerId => changes(self.store().statements(id).await?).first().map(About::of_change),
        })
    }
}
