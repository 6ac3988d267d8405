//! What people sort applications by: one group each, and any tags.

use std::collections::BTreeSet;

use seatline_protocol::text;
use serde::{Deserialize, Serialize};

/// The most characters of a group's name.
pub const MAX_GROUP: usize = 60;
/// The most characters of a tag.
pub const MAX_TAG: usize = 30;
/// The most tags of an application.
pub const MAX_TAGS: usize = 16;

seatline_protocol::checked_string!(
    /// The name of a group, such as a department or a site.
    GroupName,
    "a group",
    "one line of 1 to 60 characters, without control characters",
    |name| !name.is_empty() && text::is_line(name, MAX_GROUP),
    |text| text.trim().to_owned()
);

seatline_protocol::checked_string!(
    /// A tag, in lower case.
    Tag,
    "a tag",
    "one line of 1 to 30 characters, without commas and control characters",
    |tag| !tag.is_empty() && !tag.contains(',') && text::is_line(tag, MAX_TAG),
    |text| text.trim().to_lowercase()
);

/// How an application is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Labels {
    /// Its group.
    pub group: Option<GroupName>,
    /// Its tags, at most [`MAX_TAGS`].
    pub tags: BTreeSet<Tag>,
}

impl Labels {
    /// The labels that somebody has typed: a group or nothing, and tags with commas between them.
    ///
    /// # Errors
    /// The field that breaks a rule, and the rule.
    pub fn parse(group: &str, tags: &str) -> Result<Self, (&'static str, String)> {
        let group = Some(group.trim()).filter(|group| !group.is_empty()).map(str::parse).transpose();
        let group = group.map_err(|error: seatline_protocol::IdError| ("group", error.to_string()))?;
        let typed = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        let tags: Result<BTreeSet<Tag>, seatline_protocol::IdError> = typed.map(str::parse).collect();
        let labels = Self { group, tags: tags.map_err(|error| ("tags", error.to_string()))? };
        labels.check().map_err(|reason| ("tags", reason)).map(|()| labels)
    }

    /// The rule that no type holds.
    ///
    /// # Errors
    /// The rule, in one line.
    pub fn check(&self) -> Result<(), String> {
        if self.tags.len() > MAX_TAGS { Err(format!("at most {MAX_TAGS} tags")) } else { Ok(()) }
    }

    /// The tags as somebody types them.
    pub fn typed_tags(&self) -> String {
        self.tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_taken_as_people_type_them() {
        let labels = Labels::parse(" Sales ", "Critical, eu-west,, critical ,").expect("labels");
        assert_eq!(labels.group.as_ref().map(GroupName::as_str), Some("Sales"));
        assert_eq!(labels.typed_tags(), "critical, eu-west");
        assert_eq!(Labels::parse("", ""), Ok(Labels::default()));
    }

    #[test]
    fn labels_that_break_a_rule_are_refused_by_their_field() {
        let many: Vec<String> = (0..17).map(|n| format!("t{n}")).collect();
        let cases = [
            ("a\nb".to_owned(), String::new(), "group"),
            ("x".repeat(61), String::new(), "group"),
            (String::new(), "x".repeat(31), "tags"),
            (String::new(), "a\u{7}b".to_owned(), "tags"),
            (String::new(), many.join(","), "tags"),
        ];
        for (group, tags, field) in cases {
            assert_eq!(Labels::parse(&group, &tags).expect_err("refused").0, field, "{group:?} {tags:?}");
        }
        assert!(Labels::parse("", &many[..16].join(",")).is_ok());
    }
}
