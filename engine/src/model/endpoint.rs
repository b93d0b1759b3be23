//! Where a database is, as whom to reach it, and under which limits.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A password or token. It prints as `***`, and serialises so too.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }
    /// The value itself: only for handing to a driver or a child's environment, never its arguments.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a database is and as whom to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name, an address, or a folder with a socket (starts with `/`). Empty where no server stands between: `database`
    /// is a file then.
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: Option<Secret>,
    /// Other parameters of the URL.
    pub options: BTreeMap<String, String>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.is_empty() {
            return f.write_str(&self.database);
        }
        write!(f, "{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

/// The socket factory beside Liquibase (`liquibase/driver/UnixSocketFactory.java`), for JDBC drivers that take one and an argument for it:
/// the path of the socket.
pub const UNIX_SOCKET_FACTORY: &str = "drydock.UnixSocketFactory";

/// What JDBC needs; the password goes over the driver's standard input only.
#[derive(Debug, Clone)]
pub struct JdbcTarget {
    pub url: String,
    pub user: String,
    pub password: Option<Secret>,
    pub properties: BTreeMap<String, String>,
    /// The property that names the application to the server, where there is one.
    pub application_property: Option<&'static str>,
    /// Whether DDL is part of a transaction, so that a changeset and its record can be one.
    pub transactional_ddl: bool,
    /// A regular expression, as Java writes it, for SQL that switches the role for the rest of a transaction: a record in
    /// the same transaction would be written as that role.
    pub role_switch: Option<&'static str>,
    /// What the JDBC driver puts in front of the server's messages.
    pub message_prefixes: &'static [&'static str],
    /// Regular expressions, as Java writes them, for what it puts behind them.
    pub message_ends: &'static [&'static str],
    /// SQL states, by their beginning, of errors whose messages quote values: what is in double quotes is left out.
    pub value_states: &'static [&'static str],
    /// Statements that every new session begins with.
    pub session: Vec<String>,
}

/// Limits under which one changeset runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// How long a statement may wait for a lock, and so how long it may hold up those behind it. `None`: no limit
    /// (statements that wait without blocking others).
    pub lock_wait: Option<Duration>,
    /// How long one statement may run. `None`: no limit.
    pub statement: Option<Duration>,
}

/// What the session of a client is set to; the server decides what is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientSettings {
    /// How long one statement may run.
    pub statement: Option<Duration>,
    /// How long a statement may wait for a lock.
    pub lock_wait: Option<Duration>,
    /// How long a transaction may stay open with nothing to do.
    pub idle_in_transaction: Option<Duration>,
    /// Schemas searched for bare names, in order.
    pub search_path: Option<Vec<String>>,
    /// Other settings by name, as far as the session may set them; see `SessionDefaults::settings`.
    pub settings: BTreeMap<String, String>,
}
