//! The requests and answers of the driver as types. `driver/Driver.java` documents what each does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::model::changeset::{ApplyState, ChangesetId, CodeChange, RowPrecondition, UndoState};
use crate::model::history::HistoryRow;

#[derive(Serialize)]
pub(super) struct Numbered<'a> {
    pub id: u64,
    #[serde(flatten)]
    pub request: &'a Request<'a>,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Request<'a> {
    Hello,
    Connect(ConnectRequest<'a>),
    Disconnect,
    Changelog(&'a ChangelogRequest),
    Status,
    History,
    Recorded {
        changeset: &'a ChangesetId,
    },
    Apply {
        changeset: &'a ChangesetId,
        session: &'a [String],
    },
    ApplyToCopy {
        changeset: &'a ChangesetId,
        answers: &'a [RowAnswer],
    },
    ApplyAll {
        changesets: Option<&'a [ChangesetId]>,
        copy: bool,
    },
    Judge {
        checks: &'a [RowQuestion<'a>],
        session: &'a [String],
    },
    Undo {
        changeset: &'a ChangesetId,
        session: &'a [String],
        restore: &'a [HistoryRow],
        within: &'a [String],
    },
    Record {
        changeset: &'a ChangesetId,
    },
    Lock,
    ReleaseLock,
    Archive {
        file: &'a Path,
    },
}

/// A precondition of a changeset that may depend on rows, by its place among them.
#[derive(Debug, Serialize)]
pub struct RowQuestion<'a> {
    pub changeset: &'a ChangesetId,
    pub at: usize,
}

/// What is known of a precondition that may depend on rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum RowAnswer {
    Holds,
    Fails {
        message: String,
    },
    Unknown {
        message: String,
    },
    /// It asks nothing but what a database without rows knows as well.
    Here,
}

#[derive(Serialize)]
pub(super) struct ConnectRequest<'a> {
    pub url: &'a str,
    pub user: &'a str,
    pub password: Option<&'a str>,
    pub properties: BTreeMap<&'a str, &'a str>,
    pub transactional_ddl: bool,
    pub role_switch: Option<&'a str>,
    pub message_prefixes: &'a [&'a str],
    pub message_ends: &'a [&'a str],
    pub value_states: &'a [&'a str],
    pub session: &'a [String],
    pub deployment: &'a str,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ChangelogRequest {
    pub root: PathBuf,
    pub file: String,
    pub contexts: String,
    pub labels: String,
    /// Folders that are searched after the root.
    pub more_roots: Vec<PathBuf>,
    pub parameters: BTreeMap<String, String>,
    pub liquibase_schema: Option<String>,
    pub liquibase_table: Option<String>,
    pub liquibase_lock_table: Option<String>,
    pub default_schema: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// `None` where the driver could not read the request.
    pub id: Option<u64>,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Result(Value),
    Error(Fault),
}

#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    pub liquibase: String,
}

/// The answer to requests that have nothing to say.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

#[derive(Debug, Deserialize)]
pub(super) struct HistoryAnswer {
    pub history: Vec<HistoryRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ApplyAnswer {
    pub state: ApplyState,
    pub reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CopyAnswer {
    pub state: ApplyState,
    pub reason: Option<String>,
    pub unknown: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct JudgeAnswer {
    pub answers: Vec<Judged>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Judged {
    pub holds: Option<bool>,
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct UndoAnswer {
    pub state: UndoState,
}

#[derive(Debug, Deserialize)]
pub(super) struct LockAnswer {
    pub held: bool,
    pub by: Option<String>,
    pub since: Option<String>,
}

/// The state of one changeset of the changelog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangesetState {
    Ran,
    Pending,
    /// Liquibase's own filters leave it out.
    Filtered,
    /// It was edited after it was applied.
    RanChanged,
}

/// One changeset of the changelog, compared with the history.
#[derive(Debug, Clone, Deserialize)]
pub struct ChangesetStatus {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub comment: Option<String>,
    /// The comments in its SQL that are meant for Drydock.
    #[serde(default)]
    pub remarks: Vec<String>,
    pub state: ChangesetState,
    pub filter_reason: Option<String>,
    pub checksum: Option<String>,
    pub recorded_checksum: Option<String>,
    pub run_in_transaction: bool,
    #[serde(default)]
    pub code: Vec<CodeChange>,
    #[serde(default)]
    pub sql: Vec<String>,
    pub rollback: Option<RollbackSql>,
    #[serde(default)]
    pub preconditions: Vec<RowPrecondition>,
    pub line: Option<u64>,
}

/// What Liquibase would run to take a changeset back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackKind {
    Inverse,
    /// Its author says that there is nothing to do.
    Empty,
    None,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RollbackSql {
    pub kind: RollbackKind,
    #[serde(default)]
    pub sql: Vec<String>,
    /// The author of the changeset wrote it; Liquibase derived it otherwise.
    #[serde(default)]
    pub written: bool,
    /// Why there is none.
    pub message: Option<String>,
}

/// The changelog compared with the history.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    pub changesets: Vec<ChangesetStatus>,
    #[serde(default)]
    pub unknown: Vec<ChangesetId>,
    #[serde(default)]
    pub history: Vec<HistoryRow>,
}

/// What kind of failure the driver reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The changelog cannot be read.
    Parse,
    /// A changelog names a file that is in none of the folders that are searched.
    MissingFile,
    /// Two changesets have the same identity.
    Duplicate,
    /// A change lacks what it needs.
    Validation,
    /// A changeset was edited after it was applied.
    Checksum,
    UnknownChangeset,
    Precondition,
    NoInverse,
    /// The database refused a statement.
    Sql,
    /// Somebody else holds Liquibase's lock.
    Lock,
    /// There is no connection, or it broke.
    Connection,
    Internal,
}

/// A failure that the driver reports.
#[derive(Debug, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    pub message: String,
    /// The database's code by the SQL standard, where it gave one.
    pub sql_state: Option<String>,
    /// The product's own number for it, where it gave one.
    pub vendor_code: Option<i64>,
    pub changeset: Option<ChangesetId>,
    pub file: Option<String>,
    pub line: Option<u64>,
    pub sql: Option<String>,
    /// Whether the statement is about Liquibase's history.
    #[serde(default)]
    pub of_history: bool,
}

impl Fault {
    /// The codes that the database gave, the more general one first.
    pub fn codes(&self) -> impl Iterator<Item = String> {
        self.sql_state.clone().into_iter().chain(self.vendor_code.map(|code| code.to_string()))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let code = fault.codes().next();
        let place = match (&fault.file, fault.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let subject = fault.changeset.map(|c| format!("changeset {c}: ")).unwrap_or_default();
        let (kind, hint) = match fault.kind {
            FaultKind::Parse => {
                (ErrorKind::Input, Some("correct the changelog; `drydock plan` reads it again"))
            }
            FaultKind::MissingFile => (
                ErrorKind::Input,
                Some(
                    "correct the path, or name the folder that paths begin at: --changelog-root DIR, or changelog_root in drydock.toml",
                ),
            ),
            FaultKind::Duplicate => (
                ErrorKind::Input,
                Some("give each changeset an id that is unique within its author and file"),
            ),
            FaultKind::Checksum => (
                ErrorKind::Input,
                Some("an applied changeset was edited: undo the edit and write a new changeset"),
            ),
            FaultKind::Validation | FaultKind::UnknownChangeset => (ErrorKind::Input, None),
            FaultKind::NoInverse => (ErrorKind::Failed, Some("add a --rollback to the changeset")),
            FaultKind::Precondition
            | FaultKind::Sql
            | FaultKind::Lock
            | FaultKind::Connection
            | FaultKind::Internal => (ErrorKind::Failed, None),
        };
        let mut error = Error::new(kind, format!("{place}{subject}{}", fault.message));
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        if let Some(sql) = fault.sql {
            let short: String = sql.chars().take(300).collect();
            error = error.because(format!("while running: {short}"));
        }
        match code {
            Some(code) => error.code(code),
            None => error,
        }
    }
}

/// Why a request to Liquibase failed.
#[derive(Debug)]
pub enum Failure {
    /// The driver answered with a failure.
    Fault(Fault),
    /// The driver died: what came of the request has to be looked up.
    Died(Option<std::io::Error>),
    /// The driver could not be asked, or its answer not be read.
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Fault(fault) => fault.into(),
            Failure::Died(None) => Self::failed("the Liquibase driver died"),
            Failure::Died(Some(cause)) => Self::failed("the Liquibase driver died").because(cause),
            Failure::Other(error) => error,
        }
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
