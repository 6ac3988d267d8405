//! What an instance has said of a change of its server ID (`b4`), and what a change calls for.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::continuity::parts_in_words;
use seatline_protocol::{Continuity, Digest, IdentityPart, ServerId};
use serde::Serialize;

use super::answer::{Answer, change_is_answered};
use super::trouble::Trouble;

/// A statement that came, opened: it is what its link's key has sealed.
#[derive(Debug, Clone)]
pub struct Stated {
    /// The exact bytes.
    pub sealed: String,
    /// Their digest.
    pub digest: Digest,
    /// What it says.
    pub statement: Continuity,
}

/// A statement that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Statement {
    /// The digest of its exact bytes.
    pub digest: Digest,
    /// When it came.
    pub received_at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub content: Continuity,
}

/// What a link has told of its server ID, and what administrators have answered to the questions of its chain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The statements, the newest first.
    pub statements: Vec<Statement>,
    /// The answers, the newest first.
    pub answers: Vec<Answer>,
    /// When the first refused report that is kept came, which cannot stand beside the chain.
    pub conflict_at: Option<Timestamp>,
}

impl From<Vec<Statement>> for Told {
    fn from(statements: Vec<Statement>) -> Self {
        Self { statements, ..Self::default() }
    }
}

/// How long an instance reports on beside a change that nobody has explained until that is taken for over: whoever
/// has the other server ID is silent, and the one that was linked goes on.
const SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The changes that `statements` tell of, the newest first as they are: of two that tell of one change, the later one
/// says what came of it.
pub fn changes(statements: Vec<Statement>) -> Vec<Statement> {
    let mut changes: Vec<Statement> = Vec::new();
    for statement in statements {
        let told = |known: &Statement| {
            let (known, this) = (&known.content, &statement.content);
            (&known.previous, &known.present, known.changed_at) == (&this.previous, &this.present, this.changed_at)
        };
        if !changes.iter().any(told) {
            changes.push(statement);
        }
    }
    changes
}

/// What the newest of `changes` calls for, where the newest report is of `reported` and came at a time.
pub(super) fn question(
    changes: &[Statement],
    answers: &[Answer],
    reported: Option<(&ServerId, Timestamp)>,
) -> Option<Trouble> {
    let newest = changes.first()?;
    let Continuity { previous, present, changed, staging, answer, .. } = &newest.content;
    // Whoever configures an instance changes its policy, and the link goes along with it.
    let is_policy_alone = changed.iter().all(|part| *part == IdentityPart::Policy);
    let is_over = reported.is_some_and(|(server, at)| {
        server == present || (server == previous && at.duration_since(newest.received_at) > SILENCE)
    });
    if answer.is_some() || is_policy_alone || is_over || change_is_answered(answers, newest) {
        return None;
    }
    let parts = parts_in_words(changed);
    let (code, message) = if *staging {
        let message = format!(
            "a staging instance with the server ID {present} holds this link, which was made for {previous}: nothing that it \
             counts is sent here. Run `seatline server-id confirm --copy` there, and link it to an application of its own"
        );
        ("staging-copy", message)
    } else {
        let message = format!(
            "moved, staging or restored? The server ID was {previous} and is {present} since ({parts}), and the reports wait \
             at the product, where none is lost. Run `seatline server-id confirm` there, and say which"
        );
        ("server-id-changed", message)
    };
    Some(Trouble { code, message, since: Some(newest.content.changed_at), until: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seatline_protocol::{ContinuityAnswer, LinkId};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3600).expect("a second of this century")
    }

    fn id(n: u8) -> ServerId {
        ServerId::from_random([n; 20])
    }

    fn said(from: u8, to: u8, hour: i64, parts: &[IdentityPart], answer: Option<ContinuityAnswer>) -> Statement {
        let content = Continuity {
            link: LinkId::from_random([1; 24]),
            previous: id(from),
            present: id(to),
            changed_at: at(hour),
            changed: parts.iter().copied().collect(),
            staging: parts.contains(&IdentityPart::Staging),
            answer,
        };
        Statement { digest: Digest::of(&[from, to]), received_at: at(hour), content }
    }

    fn code(changes: &[Statement], reported: Option<(u8, i64)>) -> Option<&'static str> {
        let reported = reported.map(|(server, hour)| (id(server), at(hour)));
        question(changes, &[], reported.as_ref().map(|(server, at)| (server, *at))).map(|trouble| trouble.code)
    }

    #[test]
    fn b4_a_change_is_a_question_until_somebody_has_said_what_it_was() {
        let moved = said(1, 2, 0, &[IdentityPart::Host], None);
        let asked = std::slice::from_ref(&moved);
        assert_eq!(code(asked, None), Some("server-id-changed"));
        assert_eq!(code(asked, Some((1, 1))), Some("server-id-changed"), "the one that was linked lives beside it");
        assert_eq!(code(asked, Some((2, 1))), None, "it reports again with its new server ID");
        assert_eq!(code(asked, Some((1, 7 * 24))), Some("server-id-changed"));
        assert_eq!(code(asked, Some((1, 7 * 24 + 1))), None, "a week later the other one is silent");
        let answered = said(1, 2, 0, &[IdentityPart::Host], Some(ContinuityAnswer::Moved));
        let told = changes(vec![answered.clone(), moved]);
        assert_eq!((code(&told, Some((1, 1))), told), (None, vec![answered]));
        assert_eq!(code(&[], None), None);
    }

    #[test]
    fn s3_a_staging_copy_is_told_apart_and_a_policy_asks_nothing() {
        let staging = said(1, 2, 0, &[IdentityPart::Staging, IdentityPart::Host], None);
        assert_eq!(code(&[staging], None), Some("staging-copy"));
        assert_eq!(code(&[said(1, 2, 0, &[IdentityPart::Policy], None)], None), None);
        let back = [said(2, 1, 1, &[IdentityPart::Host], None), said(1, 2, 0, &[IdentityPart::Host], None)];
        assert_eq!(code(&back, Some((1, 1))), None, "the database has come back");
    }
}
