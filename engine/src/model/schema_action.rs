//! What a statement does to the schema, to rows or to the server, as facts that hold for any database product.
//!
//! A product reads its statements into these; everything else decides by them and never by the text of a statement.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a statement does. Relations, types and indexes are named `schema.name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum SchemaAction {
    CreateTable {
        table: String,
    },
    DropTable {
        table: String,
    },
    /// A table or view gets another name, or goes into another schema.
    RenameTable {
        table: String,
        to: String,
    },
    /// All rows of a table go at once.
    TruncateTable {
        table: String,
    },
    AddColumn {
        table: String,
        column: String,
        /// Every new row must be given a value.
        required: bool,
    },
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        column: String,
        to: String,
    },
    ChangeColumnType {
        table: String,
        column: String,
    },
    SetNotNull {
        table: String,
        column: String,
    },
    DropNotNull {
        table: String,
        column: String,
    },
    SetDefault {
        table: String,
        column: String,
    },
    DropDefault {
        table: String,
        column: String,
    },
    /// A constraint of a table that is there. Constraints that come with a new column or table are part of that.
    AddConstraint {
        table: String,
        /// `None`: the server makes one up.
        name: Option<String>,
        kind: ConstraintKind,
        /// The rows that are there are checked too.
        valid: bool,
        /// Columns that it keeps from being NULL.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_null: Vec<String>,
    },
    DropConstraint {
        table: String,
        name: String,
    },
    ValidateConstraint {
        table: String,
        name: String,
    },
    CreateIndex {
        table: String,
        /// `None`: the server makes one up.
        index: Option<String>,
        unique: bool,
    },
    DropIndex {
        index: String,
        table: Option<String>,
    },
    /// A view is made, or made anew.
    CreateView {
        view: String,
    },
    DropView {
        view: String,
    },
    /// A sequence goes on at a number that the statement says.
    RestartSequence,
    AddEnumLabel {
        enumeration: String,
        label: String,
    },
    RenameEnumLabel {
        enumeration: String,
        label: String,
        to: String,
    },
    /// Something else goes.
    DropObject {
        kind: ObjectKind,
        name: String,
    },
    Grant {
        relations: Vec<String>,
    },
    Revoke {
        relations: Vec<String>,
    },
    AttachPartition {
        table: String,
        partition: String,
    },
    DetachPartition {
        table: String,
        partition: String,
    },
    /// Rows are written, one by one or many.
    MoveRows {
        table: String,
        kind: RowChange,
    },
    /// Code runs that may do anything: a query that calls functions, a procedure, a block.
    RunsCode,
    /// Something outside of the database is reached, and no rehearsal may do that.
    ReachesOut {
        to: Outside,
    },
    /// Something that all databases of the server have in common changes: roles, databases, settings. Once is enough for all.
    Server,
    /// Nothing of the above.
    Other,
}

/// What lies outside of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// A program on the server's machine.
    Program,
    /// A file on the server's machine.
    ServerFile,
    /// Another database server.
    OtherServer,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Program => "it runs a program on the server's machine",
            Self::ServerFile => "it reads or writes a file on the server's machine",
            Self::OtherServer => "it connects to another server",
        })
    }
}

impl SchemaAction {
    /// A name goes, so that what uses it may come to mean something else, and no row goes or moves.
    pub fn takes_name(&self) -> bool {
        use ObjectKind::{Aggregate, Function, Procedure, Routine};
        match self {
            Self::RenameTable { .. }
            | Self::RenameColumn { .. }
            | Self::DropTable { .. }
            | Self::DropView { .. }
            | Self::DropColumn { .. } => true,
            Self::DropObject { kind, .. } => matches!(kind, Aggregate | Function | Procedure | Routine),
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintKind {
    Check,
    ForeignKey,
    Unique,
    PrimaryKey,
    Exclude,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    Insert,
    Update,
    Delete,
    Merge,
    Copy,
}

/// An object that has neither rows nor columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    Aggregate,
    Domain,
    Extension,
    Function,
    Policy,
    Procedure,
    Role,
    Routine,
    Rule,
    Schema,
    Sequence,
    Trigger,
    Type,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Aggregate => "aggregate",
            Self::Domain => "domain",
            Self::Extension => "extension",
            Self::Function => "function",
            Self::Policy => "policy",
            Self::Procedure => "procedure",
            Self::Role => "role",
            Self::Routine => "routine",
            Self::Rule => "rule",
            Self::Schema => "schema",
            Self::Sequence => "sequence",
            Self::Trigger => "trigger",
            Self::Type => "type",
        })
    }
}
