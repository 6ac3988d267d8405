//! `fields`: which part of what a source gives for an account is which field of it, where the source has names of its
//! own.

use super::super::document::{Found, Problem};
use crate::accounts::NAMES;

/// The most places that a field may be looked for at.
const MAX_PLACES: usize = 8;

/// Where each field of an account is, in the order of [`NAMES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// The identity: the first of these that is there.
    pub identity: Vec<Path>,
    /// Whether it is active; none: yes.
    pub active: Option<Truth>,
    /// Whether it may use the product; none: yes.
    pub licensed_access: Option<Truth>,
    /// The last sign-in: the first of these that is there. None: not known.
    pub last_seen: Option<Vec<Path>>,
    /// Whether it belongs to a machine; none: no.
    pub service_account: Option<Truth>,
}

/// Where something is in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The names on the way, from the outside.
    pub segments: Vec<String>,
}

/// How a truth value is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Where.
    pub path: Path,
    /// What is asked of what is there.
    pub test: Test,
    /// What it means that nothing is there.
    pub missing: Option<bool>,
}

/// What is asked of the values at a place, of which a source may give several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The value is a truth value itself.
    Itself,
    /// One of the values is one of these, without regard to case.
    Is(Vec<String>),
    /// None of the values is one of these.
    IsNot(Vec<String>),
    /// There is a value that is not empty.
    Present(bool),
    /// The value is a number with these bits set.
    Bits(u64),
    /// The value is a number without any of these bits.
    WithoutBits(u64),
}

impl Path {
    /// The place that `text` names: a JSON pointer (RFC 6901) that begins with a slash; or names with dots between
    /// them, of which the first may be the URN of a SCIM schema (RFC 7644, section 3.10).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let segments: Vec<String> = if let Some(pointer) = text.strip_prefix('/') {
            pointer.split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()
        } else if let Some((schema, name)) = text.rsplit_once(':').filter(|(schema, _)| schema.starts_with("urn:")) {
            std::iter::once(schema).chain(name.split('.')).map(str::to_owned).collect()
        } else {
            text.split('.').map(str::to_owned).collect()
        };
        match segments.iter().any(String::is_empty) {
            true => Err(
                "must be a name such as \"email\" or \"profile.email\", or a JSON pointer such as \"/profile/email\"",
            ),
            false => Ok(Self { segments }),
        }
    }

    /// The one name, where there is but one: an attribute.
    pub fn name(&self) -> Option<&str> {
        match &self.segments[..] {
            [name] => Some(name),
            _ => None,
        }
    }
}

impl Fields {
    /// Of the section; what it does not say is as in `usual`.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, usual: Option<&Self>) -> Result<Self, Problem> {
        let section = found.section(&NAMES)?;
        let usual_truth = |truth: fn(&Self) -> &Option<Truth>| usual.and_then(|fields| truth(fields).clone());
        let truth = |key: &'static str, usual| match section.find(key) {
            Some(found) => Truth::read(&found).map(Some),
            None => Ok(usual),
        };
        let places = |key: &'static str| section.find(key).map(|found| read_places(&found)).transpose();
        Ok(Self {
            identity: match (places("identity")?, usual) {
                (Some(identity), _) => identity,
                (None, Some(usual)) => usual.identity.clone(),
                (None, None) => return Err(section.refuse("identity", "is missing")),
            },
            active: truth("active", usual_truth(|fields| &fields.active))?,
            licensed_access: truth("licensed_access", usual_truth(|fields| &fields.licensed_access))?,
            last_seen: places("last_seen")?.or_else(|| usual.and_then(|fields| fields.last_seen.clone())),
            service_account: truth("service_account", usual_truth(|fields| &fields.service_account))?,
        })
    }

    /// Every place in them.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let truths = [&self.active, &self.licensed_access, &self.service_account];
        let lists = [Some(&self.identity), self.last_seen.as_ref()];
        lists.into_iter().flatten().flatten().chain(truths.into_iter().flatten().map(|truth| &truth.path))
    }
}

fn read_places(found: &Found<'_, '_>) -> Result<Vec<Path>, Problem> {
    let texts = found.text_or_texts()?;
    if texts.is_empty() || texts.len() > MAX_PLACES {
        return Err(found.refuse(format_args!("must name 1 to {MAX_PLACES} places")));
    }
    texts.into_iter().map(|text| Path::parse(text).map_err(|rule| found.refuse(rule))).collect()
}

impl Truth {
    /// The value at `path` itself.
    pub fn itself(path: Path) -> Self {
        Self { path, test: Test::Itself, missing: None }
    }

    fn read(found: &Found<'_, '_>) -> Result<Self, Problem> {
        const TESTS: [&str; 5] = ["is", "is_not", "present", "bits", "without_bits"];
        if found.is_text() {
            return Path::parse(found.text()?).map(Self::itself).map_err(|rule| found.refuse(rule));
        }
        let section = found.section(&[&["field", "missing"][..], &TESTS].concat())?;
        let field = section.require("field")?;
        let path = Path::parse(field.text()?).map_err(|rule| field.refuse(rule))?;
        let mut tests = TESTS.iter().filter_map(|name| section.find(name).map(|found| (*name, found)));
        let first = tests.next();
        if let Some((other, _)) = tests.next() {
            return Err(section.refuse(other, "cannot stand beside another of is, is_not, present, bits, without_bits"));
        }
        let words = |found: &Found<'_, '_>| -> Result<Vec<String>, Problem> {
            Ok(found.text_or_texts()?.into_iter().map(str::to_owned).collect())
        };
        let test = match first {
            None => Test::Itself,
            Some(("is", found)) => Test::Is(words(&found)?),
            Some(("is_not", found)) => Test::IsNot(words(&found)?),
            Some(("present", found)) => Test::Present(found.truth()?),
            Some(("bits", found)) => Test::Bits(found.number(1..=u64::from(u32::MAX))?),
            Some((_, found)) => Test::WithoutBits(found.number(1..=u64::from(u32::MAX))?),
        };
        let missing = section.find("missing").map(|found| found.truth()).transpose()?;
        if missing.is_some() && matches!(test, Test::Present(_)) {
            return Err(section.refuse("missing", "has no meaning beside `present`"));
        }
        Ok(Self { path, test, missing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(text: &str) -> Vec<String> {
        Path::parse(text).expect("a place").segments
    }

    #[test]
    fn a_place_is_a_pointer_or_names_or_a_name_of_a_schema() {
        assert_eq!(segments("email"), ["email"]);
        assert_eq!(segments("profile.email"), ["profile", "email"]);
        assert_eq!(segments("/pro.file/a~1b~0c/0"), ["pro.file", "a/b~c", "0"]);
        let schema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(segments(&format!("{schema}:manager.value")), [schema, "manager", "value"]);
        for wrong in ["", "/", "a..b", ".a", "a.", "/a//b", "urn:x:"] {
            Path::parse(wrong).expect_err(wrong);
        }
    }
}
