//! Which column of a query is which field of an account.

use super::SourceError;
use crate::config::nearest_of;

/// The fields of an account, as the columns of a query are named.
pub const NAMES: [&str; 5] = ["identity", "active", "licensed_access", "last_seen", "service_account"];

/// For each of [`NAMES`], the index of its column in the query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns(pub [Option<usize>; NAMES.len()]);

impl Columns {
    /// Finds the fields among the `given` names of columns, without regard to case.
    ///
    /// # Errors
    /// When `identity` is missing, or a column is there twice, or one means nothing here: a field whose name is
    /// misspelt would otherwise take its default for every account.
    pub fn find<'n>(given: impl IntoIterator<Item = &'n str>) -> Result<Self, SourceError> {
        let mut columns = [None; NAMES.len()];
        for (index, name) in given.into_iter().enumerate() {
            let Some(field) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) else {
                let name = super::short(name);
                let hint = match nearest_of(&name, &NAMES) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("leave it out, or name it one of {}", NAMES.join(", ")),
                };
                return Err(SourceError::Columns(format!("`{name}` means nothing here: {hint}")));
            };
            if columns[field].replace(index).is_some() {
                return Err(SourceError::Columns(format!("`{}` is there twice", NAMES[field])));
            }
        }
        match columns[0] {
            Some(_) => Ok(Self(columns)),
            None => Err(SourceError::Columns("`identity` is missing".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_in_any_order_and_case() {
        let columns = Columns::find(["LAST_SEEN", "identity"]).expect("both");
        assert_eq!(columns.0, [Some(1), None, None, Some(0), None]);
    }

    #[test]
    fn a_column_that_is_missing_misspelt_or_doubled_is_refused_by_name() {
        let refusal = |names: &[&str]| Columns::find(names.iter().copied()).expect_err("a refusal").to_string();
        assert_eq!(refusal(&["active"]), "the query's columns: `identity` is missing");
        assert_eq!(
            refusal(&["identity", "last_sen"]),
            "the query's columns: `last_sen` means nothing here: did you mean `last_seen`?"
        );
        assert_eq!(refusal(&["identity", "Identity"]), "the query's columns: `identity` is there twice");
        assert!(refusal(&["identity", "x"]).ends_with(
            "leave it out, or name it one of identity, active, licensed_access, last_seen, service_account"
        ));
    }
}
