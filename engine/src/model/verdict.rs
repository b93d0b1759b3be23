//! What a changeset means for the queries and API fields of deployed versions, and who a held one waits for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::ChangesetId;

/// What one changeset means for one query or API field of one service version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    Compatible,
    Risky,
    Breaking,
}

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident = $name:literal;)*) => {
        /// How a changeset affects a query or an API field.
        ///
        /// To add a class, add a row here; the compiler then asks for its help and its advice in `report/advice.rs`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum VerdictClass {
            $($(#[$doc])* #[serde(rename = $name)] $class,)*
        }

        impl VerdictClass {
            pub const ALL: &[Self] = &[$(Self::$class),*];

            /// As in JSON, and as the author of a changeset writes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$class => $name,)*
                }
            }
        }
    };
}

classes! {
    /// The database refuses to plan the query.
    DoesNotPlan = "does-not-plan";
    /// The query plans, and the database refuses to run it.
    FailsWhenRun = "fails-when-run";
    /// The result has columns of other names, in another order, or more of them.
    ResultColumns = "result-columns";
    /// A column of the result has another type.
    ResultType = "result-type";
    /// A parameter has another type.
    ParameterType = "parameter-type";
    /// The column behind a field of an API changes.
    ApiField = "api-field";
    /// The query gives another answer.
    AnswersDifferently = "answers-differently";
    /// A name in the query means another object.
    OtherObject = "other-object";
    /// The plan of the query gets much dearer.
    GetsSlow = "gets-slow";
    /// The service loses a right that it uses.
    LostPrivilege = "lost-privilege";
}

impl VerdictClass {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }
}

impl fmt::Display for VerdictClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// `changeset` (its id), `author` and `path`.
    #[serde(flatten, with = "named")]
    #[schemars(with = "named::Changeset")]
    pub changeset: ChangesetId,
    pub service: String,
    pub version: String,
    /// Name of the query, or the API field.
    pub query: String,
    pub verdict: VerdictKind,
    pub class: VerdictClass,
    pub reason: String,
    pub column: Option<String>,
    /// The query does not plan because a unique key that it relies on is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_key_gone: bool,
    /// The way out is that the changeset itself grants this role what the query needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_to: Option<String>,
    /// The query deletes or changes rows that a foreign key keeps now, because others refer to them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rows_kept: bool,
    pub file: String,
    pub line: u64,
    /// Why the changeset's author lets it pass; it holds nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// A changeset where something else has an identity of its own: its id is called `changeset`.
mod named {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::changeset::ChangesetId;

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Changeset {
        changeset: String,
        author: String,
        path: String,
    }

    pub fn serialize<S: Serializer>(key: &ChangesetId, to: S) -> Result<S::Ok, S::Error> {
        let ChangesetId { id, author, path } = key.clone();
        Changeset { changeset: id, author, path }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ChangesetId, D::Error> {
        let Changeset { changeset, author, path } = Changeset::deserialize(from)?;
        Ok(ChangesetId { id: changeset, author, path })
    }
}

/// Who a held changeset waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct WaitsFor {
    pub service: String,
    pub version: String,
    pub query: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub waits_for: Vec<WaitsFor>,
    /// Held because it builds on another one that is held.
    pub because_of: Option<ChangesetId>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_class_has_one_name_everywhere() {
        for class in VerdictClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
            assert_eq!(VerdictClass::from_name(class.name()), Some(*class));
        }
        assert_eq!(VerdictClass::from_name("Does-Not-Plan"), None);
    }
}
