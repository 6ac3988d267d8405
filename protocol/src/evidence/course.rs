//! What is missing of a chain: stretches of numbers, and which of them were let go.

use serde::{Deserialize, Serialize};

use super::MAX_GAPS;
use crate::ids::Sequence;

/// A missing stretch of a chain, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// The first missing one.
    pub from: Sequence,
    /// The last missing one.
    pub to: Sequence,
}

impl Stretch {
    /// How many it holds; none where its ends are the wrong way round.
    pub fn count(&self) -> u64 {
        (self.to.get() + 1).saturating_sub(self.from.get())
    }
}

/// Reports that came, and that the central server keeps no longer, as its retention says: it is the one that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetGo {
    /// How many.
    pub reports: u64,
    /// Their stretches, the first first, at most [`MAX_GAPS`].
    pub stretches: Vec<Stretch>,
}

impl LetGo {
    /// Notes the next stretch.
    pub fn note(&mut self, stretch: Stretch) {
        self.reports += stretch.count();
        if self.stretches.len() < MAX_GAPS {
            self.stretches.push(stretch);
        }
    }

    /// Whether this can be said of a course: only what is missing there was let go.
    pub fn fits(&self, course: &Course) -> bool {
        let listed: u64 = self.stretches.iter().map(Stretch::count).sum();
        let is_all = self.stretches.len() < MAX_GAPS;
        let is_missing = course.gaps.len() >= MAX_GAPS || without(&self.stretches, &course.gaps).is_empty();
        self.reports <= course.missing && listed <= self.reports && (!is_all || listed == self.reports) && is_missing
    }
}

/// What is left of stretches without others. Both stand in their order.
pub fn without(all: &[Stretch], others: &[Stretch]) -> Vec<Stretch> {
    let (mut left, mut others) = (Vec::new(), others.iter().peekable());
    for stretch in all {
        let mut next = Some(stretch.from);
        while let Some(from) = next.filter(|from| *from <= stretch.to) {
            while others.next_if(|other| other.to < from).is_some() {}
            match others.peek().filter(|other| other.from <= stretch.to) {
                Some(other) => {
                    let before = other.from.previous().filter(|to| from <= *to);
                    left.extend(before.map(|to| Stretch { from, to }));
                    next = other.to.next();
                }
                None => {
                    left.push(Stretch { from, to: stretch.to });
                    break;
                }
            }
        }
    }
    left
}

/// The missing stretches between numbers that come in their order: what a section says of its gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    first: Option<Sequence>,
    last: Option<Sequence>,
    missing: u64,
    gaps: Vec<Stretch>,
}

impl Course {
    /// Notes the next number, which must be greater than all before; gives the gap before it, if there is one.
    pub fn note(&mut self, at: Sequence) -> Option<Stretch> {
        let expected = self.last.and_then(Sequence::next);
        self.first = self.first.or(Some(at));
        self.last = Some(at);
        let gap = Stretch { from: expected.filter(|expected| *expected < at)?, to: at.previous()? };
        self.missing += gap.count();
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        }
        Some(gap)
    }

    /// The first number and the last.
    pub fn ends(&self) -> (Option<Sequence>, Option<Sequence>) {
        (self.first, self.last)
    }

    /// How many are missing.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The missing stretches, at most [`MAX_GAPS`].
    pub fn gaps(&self) -> &[Stretch] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b12_a_course_names_what_is_missing() {
        let number = |number: u64| Sequence::try_from(number).expect("a sequence number");
        let mut course = Course::default();
        let gaps: Vec<_> = [3, 4, 7, 8, 10].into_iter().filter_map(|at| course.note(number(at))).collect();
        let named = [Stretch { from: number(5), to: number(6) }, Stretch { from: number(9), to: number(9) }];
        assert_eq!((gaps.as_slice(), course.gaps(), course.missing()), (&named[..], &named[..], 3));
        assert_eq!(course.ends(), (Some(number(3)), Some(number(10))));
    }

    fn stretches(ends: &[(u64, u64)]) -> Vec<Stretch> {
        let number = |number: u64| Sequence::try_from(number).expect("a sequence number");
        ends.iter().map(|(from, to)| Stretch { from: number(*from), to: number(*to) }).collect()
    }

    #[test]
    fn b12_what_was_let_go_is_told_apart_from_what_never_came() {
        let gaps = stretches(&[(3, 6), (9, 9), (12, 20)]);
        for (others, left) in [
            (&[][..], &[(3, 6), (9, 9), (12, 20)][..]),
            (&[(1, 30)], &[]),
            (&[(4, 5), (13, 13), (20, 25)], &[(3, 3), (6, 6), (9, 9), (12, 12), (14, 19)]),
            (&[(1, 3), (6, 12)], &[(4, 5), (13, 20)]),
        ] {
            assert_eq!(without(&gaps, &stretches(others)), stretches(left), "{others:?}");
        }
        // Whoever keeps to no order makes no endless loop.
        without(&gaps, &stretches(&[(9, 2), (4, 1), (5, 5), (20, 3), (1, 1)]));
    }

    #[test]
    fn b12_only_what_is_missing_can_be_said_to_be_let_go() {
        let mut course = Course::default();
        for number in [1, 2, 7, 10] {
            course.note(Sequence::try_from(number).expect("a sequence number"));
        }
        let says = |reports, ends: &[(u64, u64)]| LetGo { reports, stretches: stretches(ends) }.fits(&course);
        assert!(says(3, &[(3, 5)]) && says(6, &[(3, 6), (8, 9)]) && says(0, &[]));
        assert!(!says(4, &[(3, 5)]), "more than is listed");
        assert!(!says(1, &[(2, 2)]), "a report that is there");
        assert!(!says(2, &[(11, 12)]), "what comes after the last");
        assert!(!says(7, &[(3, 6), (8, 10)]));
    }

    #[test]
    fn b12_a_course_lists_a_hundred_gaps_and_counts_all() {
        let mut course = Course::default();
        for number in 1..=200 {
            course.note(Sequence::try_from(number * 2).expect("a sequence number"));
        }
        assert_eq!((course.gaps().len(), course.missing()), (MAX_GAPS, 199));
    }
}
