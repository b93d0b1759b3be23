//! What is answered.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub id: u64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Connected(Connected),
    Rows(Rows),
    Executed(Executed),
    /// The columns of a query; none of DML.
    Described(Vec<Column>),
    Done,
    Failed(Failure),
}

/// What the server says of itself and of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// As `19.24.0.0.0`.
    pub version: String,
    pub database: String,
    pub service: String,
    pub instance: String,
    /// `SID` and `SERIAL#` of `V$SESSION`.
    pub session: u64,
    pub serial: u64,
    /// As that the password is about to expire.
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    pub columns: Vec<Column>,
    /// `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// There are rows after these.
    pub more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// As a table declares it: `VARCHAR2(30)`, `NUMBER(5,2)`.
    #[serde(rename = "type")]
    pub type_name: String,
    pub nullable: bool,
    /// The rows have the lengths of its values, since LOBs were not asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub length_only: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// How many rows were inserted, updated, deleted or merged.
    pub count: u64,
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub code: String,
    pub message: String,
    /// The driver keeps a warning and does not say of which call it is: where an earlier call of the session had the same one, it may not be of
    /// this call.
    pub certain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// The server's or the listener's, as `ORA-00942`.
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Without the link to Oracle's help.
    pub message: String,
    /// Where in the statement, in bytes from 0.
    #[serde(default)]
    pub offset: Option<u64>,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, reason: None, message: message.into(), offset: None }
    }
    #[must_use]
    pub fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// There is no connection, or none any more.
    Connection,
    /// The server does not let this user in.
    Login,
    Timeout,
    Statement,
    /// The driver or the request: nothing that the server said.
    Internal,
}

/// Where the server gave no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing listens on the port.
    Refused,
    UnknownHost,
    Unreachable,
    /// `tnsnames.ora` has no such alias, or is not there.
    UnknownAlias,
    MalformedConnectString,
    WalletMissing,
    WalletPassword,
    WalletKey,
    /// The certificate of one side does not satisfy the other, or TLS fails in another way.
    Tls,
    /// The connection was cut off.
    Lost,
    /// Instant Client is not there (`DPI-1047`).
    NoClientLibrary,
    /// DDL would run if it were parsed.
    NotDescribed,
    /// A value cannot be bound, or a column not be read.
    Value,
}
