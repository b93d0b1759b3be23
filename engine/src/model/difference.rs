//! How a database differs from what it should equal, and what is known of why.
//!
//! A difference that is explained by nothing is a real one and refuses. A class has what is understood: it is harmless where that
//! is proven, and else the author of the changeset may allow it with a reason.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::changeset::ChangesetId;
use super::row_writer::WriterId;

/// What kind of difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceClass {
    /// All rows that were there are there unchanged, and rows have come to a table that no statement of the changesets writes to:
    /// what a trigger logs.
    LogRows,
    /// The rows differ only in columns that a trigger sets when a row is written.
    TriggerColumns,
    /// An enum keeps a label that a changeset added.
    LabelKept,
    /// A constraint stays validated.
    ValidityKept,
    /// The columns of a table stand in another order: what is added comes last.
    ColumnOrder,
    /// Nothing of the above: a real difference.
    Other,
}

impl DifferenceClass {
    const ALL: [Self; 6] = [
        Self::LogRows,
        Self::TriggerColumns,
        Self::LabelKept,
        Self::ValidityKept,
        Self::ColumnOrder,
        Self::Other,
    ];

    /// What a changeset says to allow it: `drydock: allow NAME because REASON`. A label that is kept is what the hazard of that name
    /// is about. A real difference cannot be allowed.
    pub fn allowance(self) -> Option<&'static str> {
        match self {
            Self::LogRows => Some("log-rows"),
            Self::TriggerColumns => Some("trigger-columns"),
            Self::LabelKept => Some("no-inverse"),
            Self::ValidityKept => Some("validity-kept"),
            Self::ColumnOrder | Self::Other => None,
        }
    }

    /// The class that this name allows.
    pub fn from_allowance(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.allowance() == Some(name))
    }

    /// It holds nothing that anybody wrote, so that it is enough when an inverse further back takes it away.
    pub fn may_go_later(self) -> bool {
        matches!(self, Self::LabelKept | Self::ValidityKept | Self::ColumnOrder)
    }
}

/// Whether a difference keeps a run from going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    Refused,
    /// It is proven that nothing is lost by it.
    Harmless,
    /// It stays, and who goes back is told: nothing that anybody wrote and no rule is another one.
    Told,
    /// An inverse further back takes it away, as the comparison after all of them shows.
    GoneLater,
    /// The author of a changeset allows it.
    Allowed {
        changeset: ChangesetId,
        reason: String,
    },
}

/// Why rows that have come are not proven to be a trigger's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "doubt", rename_all = "snake_case")]
pub enum Doubt {
    /// A changeset runs code, which may have written them itself.
    Code { changeset: ChangesetId },
    /// No trigger is seen to write there.
    NoWriter,
    /// A service works with the table, so that it may be no log.
    Used { service: String, query: String },
    /// What the queries of the services use cannot be told.
    UnknownUse,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    pub class: DifferenceClass,
    /// The object as the fingerprint of the schema names it, or the table whose rows differ.
    pub object: String,
    /// The columns that differ, where only some do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<WriterId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// What differs, as a line.
    pub line: String,
    #[serde(flatten)]
    pub standing: Standing,
}

impl Difference {
    pub fn is_refused(&self) -> bool {
        self.standing == Standing::Refused
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        let writers = || self.writers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self.class {
            DifferenceClass::LogRows => {
                if !self.writers.is_empty() {
                    write!(f, ", written by {}", writers())?;
                }
                match &self.doubt {
                    Some(Doubt::Code { changeset }) => {
                        write!(f, ", or by the code that {} runs", changeset.id)?;
                    }
                    Some(Doubt::NoWriter) => f.write_str(", and no trigger is seen to write there")?,
                    Some(Doubt::Used { service, query }) => {
                        write!(f, "; {service} works with this table ({query})")?;
                    }
                    Some(Doubt::UnknownUse) => {
                        f.write_str("; what the services' queries use cannot be told")?
                    }
                    None => {}
                }
            }
            DifferenceClass::TriggerColumns => {
                write!(f, " in {} only, set by {}", self.columns.join(", "), writers())?;
            }
            DifferenceClass::LabelKept => f.write_str(", because an enum keeps its labels")?,
            DifferenceClass::ValidityKept => f.write_str(", because the constraint stays validated")?,
            DifferenceClass::ColumnOrder => {
                f.write_str(", which is seen by * and by an INSERT without a list of columns")?;
            }
            DifferenceClass::Other => {}
        }
        match &self.standing {
            Standing::Allowed { reason, .. } => write!(f, "; allowed because {reason}"),
            Standing::GoneLater => f.write_str("; an inverse further back takes it away"),
            Standing::Refused | Standing::Harmless | Standing::Told => Ok(()),
        }
    }
}

/// What it comes to that the definition of an object is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionChange {
    /// An enum has all labels that it had, in their order, and these.
    LabelsAdded {
        enumeration: String,
        labels: Vec<String>,
    },
    /// The rows of a table are known to keep a constraint, and were not. Nothing else differs.
    Validated {
        table: String,
        constraint: String,
    },
    /// A table has the columns that it had, in another order.
    ColumnsReordered,
    /// Another object of the fingerprint says it.
    Implied,
    Other,
}
