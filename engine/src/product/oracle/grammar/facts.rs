//! What the reader says of a text, as types; `engine/plsql/` documents it.

mod query;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::schema_action::SchemaAction;
pub use query::{Bind, BindRole, Constant, Query, Signature, Write};

/// The answer to a request: an element for each text.
#[derive(Debug, Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub texts: Vec<Text>,
    /// There is no answer, and why.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Text {
    pub statements: Vec<Piece>,
}

/// One statement of a text.
#[derive(Debug, Clone, Deserialize)]
pub struct Piece {
    /// Where it stands in the text, in bytes.
    pub start: usize,
    pub end: usize,
    pub line: u64,
    pub error: Option<Complaint>,
    #[serde(flatten)]
    pub read: Option<Read>,
}

/// Why a statement is not read.
#[derive(Debug, Clone, Deserialize)]
pub struct Complaint {
    pub line: u64,
    pub column: u64,
    pub message: String,
    pub hint: Option<String>,
}

/// What a statement is and does.
#[derive(Debug, Clone, Deserialize)]
pub struct Read {
    /// As the grammar calls it: `alter_table`, `select`.
    pub kind: String,
    pub actions: Vec<SchemaAction>,
    /// All relations that it names.
    pub relations: Vec<String>,
    pub facts: Facts,
    pub query: Option<Query>,
}

/// What only Oracle has beside the actions. A fact that is not told does not hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Facts {
    pub all_triggers: Option<String>,
    pub as_select: bool,
    pub bitmap: bool,
    pub blockchain: bool,
    pub body: bool,
    pub build: Option<String>,
    pub cascade: bool,
    pub cascade_constraints: bool,
    pub checkpoint: Option<u64>,
    pub cluster: bool,
    pub coalesce: bool,
    pub column: Option<String>,
    pub columns: Vec<Column>,
    pub comment_on: Option<String>,
    pub compact: bool,
    pub compile: bool,
    pub compress: Option<String>,
    pub constraint_states: Vec<ConstraintState>,
    pub constraints: Vec<Constraint>,
    pub crossedition: Option<String>,
    pub deferred_invalidation: bool,
    pub deferred_segment: bool,
    pub disable: bool,
    pub drop_unused_columns: bool,
    pub duality: bool,
    /// Texts of SQL in strings, which code runs.
    pub dynamic: Option<Vec<String>>,
    pub editionable: Option<bool>,
    pub editioning: bool,
    pub enable: bool,
    pub external: bool,
    pub flashback: Option<String>,
    pub flashback_archive: bool,
    pub for_update: Option<String>,
    pub force: bool,
    pub global: bool,
    pub grant_option: bool,
    pub if_exists: bool,
    pub if_not_exists: bool,
    pub immutable: bool,
    pub index: Option<String>,
    pub index_columns: Vec<String>,
    pub indextype: Option<String>,
    pub invisible: bool,
    pub keep_index: bool,
    pub link: Option<String>,
    pub literal_length: Option<u64>,
    pub lob_storage: bool,
    pub local: bool,
    pub lock_mode: Option<String>,
    pub log_errors: bool,
    pub logging: bool,
    pub materialized: bool,
    #[serde(rename = "move")]
    pub moves: bool,
    pub nologging: bool,
    pub online: bool,
    pub parallel: Option<String>,
    pub partition: Option<Partition>,
    pub partition_only: bool,
    pub partitioned: bool,
    pub period: Option<String>,
    pub prebuilt: bool,
    pub preserve_table: bool,
    pub private: bool,
    pub privileges: Vec<String>,
    pub purge: bool,
    pub query_rewrite: bool,
    pub read_only: Option<bool>,
    pub rebuild: bool,
    pub refresh: Option<String>,
    pub refresh_on: Option<String>,
    pub reference_partitioned: Option<String>,
    pub rename_constraint: Option<Renamed>,
    pub rename_to: Option<String>,
    pub replace: bool,
    pub reuse_storage: bool,
    pub reverse: bool,
    pub routine: Option<Routine>,
    pub row_movement: Option<bool>,
    pub sequence: Option<Sequence>,
    pub session: Option<String>,
    pub set_unused: bool,
    pub shrink: bool,
    pub supplemental_logging: bool,
    pub synonym: Option<Synonym>,
    pub table_lock: Option<String>,
    pub tablespace: Option<String>,
    pub temporary: bool,
    pub to: Vec<String>,
    pub trigger: Option<Trigger>,
    #[serde(rename = "type")]
    pub object_type: Option<String>,
    pub unnamed_constraint: bool,
    pub unusable: bool,
    pub updates_indexes: bool,
    pub using_index: Option<String>,
    pub view: Option<String>,
    pub visible: bool,
    /// A data change has a condition.
    #[serde(rename = "where")]
    pub has_where: bool,
    /// Code whose source is hidden: what it does is not to be read.
    pub wrapped: bool,
}

/// A column of a new table, a new column, or what MODIFY says of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub sql_type: Option<String>,
    /// The type that it has now, as the catalog of the request says.
    pub old_type: Option<String>,
    pub not_null: bool,
    /// The name of that constraint.
    pub not_null_name: Option<String>,
    /// The rows that are there are not looked at.
    pub novalidate: bool,
    pub default: Option<DefaultKind>,
    pub default_text: Option<String>,
    pub on_null: bool,
    pub identity: Option<Identity>,
    pub identity_options: Vec<String>,
    #[serde(rename = "virtual")]
    pub is_virtual: bool,
    pub invisible: bool,
    pub visible: bool,
    pub lob: bool,
    pub encrypted: bool,
    /// MODIFY takes the encryption away.
    pub decrypted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultKind {
    Constant,
    Expression,
}

/// `ALWAYS`, or may rows bring their own number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Identity {
    Way(String),
    /// Written as a virtual column.
    Generated(bool),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Constraint {
    pub name: Option<String>,
    pub kind: String,
    pub columns: Vec<String>,
    pub references: Option<String>,
    /// None: those of the primary key there.
    pub references_columns: Vec<String>,
    /// What a check says, as it is written.
    pub condition: Option<String>,
    pub on_delete: Option<String>,
    pub disabled: bool,
    pub novalidate: bool,
    pub rely: bool,
    pub deferrable: bool,
}

/// A constraint gets another state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ConstraintState {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub enabled: Option<bool>,
    pub validated: Option<bool>,
    pub rely: Option<bool>,
}

/// Maintenance of partitions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Partition {
    pub kind: String,
    /// `table` or `index`.
    pub of: String,
    pub names: Vec<String>,
    pub subpartition: bool,
    pub updates_indexes: bool,
    pub invalidates_indexes: bool,
    pub with: Option<String>,
    pub validates: bool,
    pub including_indexes: bool,
    pub loses_rows: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Routine {
    /// `procedure`, `function`, `package`, `package_body`, …
    pub kind: String,
    pub name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Sequence {
    pub name: String,
    pub cache: Option<String>,
    pub increment: Option<String>,
    pub start: Option<String>,
    pub maxvalue: Option<String>,
    pub minvalue: Option<String>,
    /// `order`, `cycle`, `nocache`, …
    #[serde(flatten)]
    pub options: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Synonym {
    pub name: String,
    #[serde(rename = "for")]
    pub target: Option<String>,
    pub link: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Trigger {
    pub name: String,
    pub table: Option<String>,
    pub events: Vec<String>,
    /// Of an update: only of these.
    pub columns: Vec<String>,
    pub compound: bool,
    pub instead: bool,
    pub each_row: bool,
    pub enabled: bool,
}
