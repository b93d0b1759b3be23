//! What inverses would take: rows and values that are there, and which of them were written after the run.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::changeset::ChangesetId;

/// What one statement of an inverse takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "takes", rename_all = "snake_case")]
pub enum Taken {
    /// All rows of a table.
    Table { table: String },
    /// The values of a column, its default left out.
    Column { table: String, column: String },
    /// The rows that a DELETE finds.
    Rows { table: String },
    /// The values that an UPDATE overwrites.
    Values { table: String, columns: Vec<String> },
    /// The values of a column that the type it gets does not hold as they are.
    Converted { table: String, column: String },
    /// Code runs, or rows change in a way that cannot be counted beforehand.
    Unknown { statement: String },
}

impl Taken {
    /// The table that it is taken from, where that is known.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Table { table }
            | Self::Column { table, .. }
            | Self::Rows { table }
            | Self::Values { table, .. }
            | Self::Converted { table, .. } => Some(table),
            Self::Unknown { .. } => None,
        }
    }
}

/// How much that is at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtRisk {
    #[serde(flatten)]
    pub taken: Taken,
    /// `None`: it could not be counted.
    pub rows: Option<u64>,
    /// Over the values in any order; equal values have equal digests.
    pub digest: Option<String>,
}

/// What the inverse of one changeset would take, statement by statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangesetAtRisk {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub risks: Vec<AtRisk>,
}

/// What going back takes and the run did not write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    #[serde(flatten)]
    pub key: ChangesetId,
    #[serde(flatten)]
    pub taken: Taken,
    /// `None`: it could not be counted.
    pub rows: Option<u64>,
    /// It may be more: what was overwritten in place changes the digest, and not the count.
    #[serde(default)]
    pub at_least: bool,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.at_least { "at least " } else { "" };
        let rows = |one: &str, more: &str| match self.rows {
            Some(1) => format!("{least}1 {one}"),
            Some(n) => format!("{least}{n} {more}"),
            None => format!("an unknown number of {more}"),
        };
        match &self.taken {
            Taken::Table { table } => write!(f, "{} of {table}", rows("row", "rows")),
            Taken::Column { table, column } => {
                write!(f, "{} of {table}.{column}", rows("value", "values"))
            }
            Taken::Rows { table } => write!(f, "{} deleted from {table}", rows("row", "rows")),
            Taken::Values { table, columns } => {
                write!(f, "{} of {table} overwritten ({})", rows("row", "rows"), columns.join(", "))
            }
            Taken::Converted { table, column } => {
                write!(f, "{} of {table}.{column} that its other type does not hold", rows("value", "values"))
            }
            Taken::Unknown { statement } => {
                write!(f, "what this takes, which cannot be counted: {statement}")
            }
        }
    }
}

/// What was written since the run ended, from what was at risk then and is now. `then` has what the run wrote itself; what is not
/// in it had no rows or values when the run ended.
pub fn written_since(then: &[ChangesetAtRisk], now: &[ChangesetAtRisk]) -> Vec<Loss> {
    let mut losses = Vec::new();
    for changeset in now {
        let earlier = then.iter().find(|c| c.key == changeset.key).map_or(&[][..], |c| &c.risks);
        for risk in &changeset.risks {
            let known = earlier.iter().find(|s| s.taken == risk.taken);
            let rows = match (risk.rows, known) {
                (Some(0), _) => continue,
                (Some(_), Some(known)) if known.rows == risk.rows && known.digest == risk.digest => {
                    continue;
                }
                (Some(rows), Some(known)) => known.rows.map(|then| rows.saturating_sub(then).max(1)),
                (rows, None) => rows,
                (None, Some(_)) => None,
            };
            // Of what the run wrote, some may be written over.
            let at_least = rows.is_some() && known.is_some_and(|known| known.rows != Some(0));
            losses.push(Loss { key: changeset.key.clone(), taken: risk.taken.clone(), rows, at_least });
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risks(rows: Option<u64>, digest: &str) -> Vec<ChangesetAtRisk> {
        let key = ChangesetId { id: "1".into(), author: "ann".into(), path: "a.sql".into() };
        let taken = Taken::Column { table: "public.t".into(), column: "c".into() };
        vec![ChangesetAtRisk { key, risks: vec![AtRisk { taken, rows, digest: Some(digest.to_owned()) }] }]
    }

    #[test]
    fn what_the_run_wrote_itself_is_no_loss() {
        let told = |then: &[ChangesetAtRisk], now: &[ChangesetAtRisk]| {
            written_since(then, now).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(told(&[], &risks(Some(0), "0")), none);
        assert_eq!(told(&[], &risks(Some(150), "a")), ["150 values of public.t.c"]);
        assert_eq!(told(&risks(Some(150), "a"), &risks(Some(150), "a")), none);
        assert_eq!(
            told(&risks(Some(100), "a"), &risks(Some(150), "b")),
            ["at least 50 values of public.t.c"]
        );
        // Overwritten in place.
        assert_eq!(told(&risks(Some(150), "a"), &risks(Some(150), "b")), ["at least 1 value of public.t.c"]);
        assert_eq!(
            told(&risks(Some(150), "a"), &risks(None, "")),
            ["an unknown number of values of public.t.c"]
        );
        assert_eq!(told(&risks(Some(1), "a"), &risks(Some(0), "0")), none);
    }
}
