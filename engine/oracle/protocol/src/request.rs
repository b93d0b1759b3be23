//! What is asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bind::Bind;

/// A request. Its answer has the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub id: u64,
    /// How long it may take, in milliseconds. The call is ended after that, and the session goes on.
    pub limit_ms: u64,
    /// How long ending it may take. The process ends after that.
    pub grace_ms: u64,
    pub ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Once, and first.
    Connect(Box<Connect>),
    Query(Query),
    Execute(Execute),
    /// The columns of a query, or that DML can be parsed. Nothing runs.
    Describe {
        sql: String,
    },
    Commit,
    Rollback,
    Ping,
    /// Logs off. The process ends after its answer.
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// `host:port/service`, a descriptor in parentheses, or an alias of `tnsnames.ora` in the folder of the wallet.
    pub connect_string: String,
    pub user: String,
    pub password: Password,
    /// A folder with `ewallet.pem`, and `tnsnames.ora` for aliases.
    pub wallet: Option<String>,
    pub wallet_password: Option<Password>,
    /// How long each address may take to accept a connection of TCP, in milliseconds.
    pub tcp_ms: u64,
    pub application: Application,
    /// Statements that the session begins with, in order.
    pub session: Vec<String>,
}

/// How the session shows in `V$SESSION`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    pub module: String,
    pub action: String,
    pub client_identifier: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    pub sql: String,
    /// One for each name of a placeholder, in the order in which the names first stand in the text.
    pub binds: Vec<Bind>,
    /// Rows after so many are left out, and the answer says so.
    pub max_rows: u64,
    /// Values of LOBs. Without it their lengths come in their place.
    pub lobs: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execute {
    pub sql: String,
    /// A statement without placeholders has none; one that runs once has one row. Rows of several have the same types.
    pub rows: Vec<Vec<Bind>>,
}

/// It goes over standard input only, and is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
