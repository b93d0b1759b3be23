//! A session with an Oracle database. It lives in a process of its own (`engine/oracle`), because nothing cancels a call of Oracle's driver and
//! a panic inside it cannot be caught. A call that is dropped, or that outlives its limit, ends that process, and with it the session.

pub(crate) mod failure;
mod process;
mod program;
pub(crate) mod setup;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use drydock_oracle_protocol::{
    Application, Ask, Column, Connect, Connected, Execute, Executed, Failure, FailureKind, Outcome, Password,
    Query, Reason, Rows, is_query_or_dml,
};

use self::failure::Place;
use self::process::Process;
use self::setup::Setup;
use crate::error::Result;
use crate::model::endpoint::{Endpoint, Secret};
use crate::model::preflight::{Fact, Finding};
use crate::product::oracle::url;

/// How long the server may take to let a session in, where nothing else is said.
const CONNECT: Duration = Duration::from_secs(20);
const CLOSE: Duration = Duration::from_secs(2);
/// The code of a warning: the password expires soon.
const EXPIRES: &str = "ORA-28002";

/// How to come in, and what the session is.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub endpoint: Endpoint,
    pub wallet_password: Option<Secret>,
    pub application: Application,
    pub setup: Setup,
}

pub(crate) struct Session {
    process: Process,
    server: Connected,
    place: Place,
}

impl Session {
    /// Starts the process, logs in and sets the session up, within the endpoint's `connect_timeout`, or 20 seconds.
    ///
    /// # Errors
    /// `Input` when the program, the wallet, the service, the user or the password is wrong, and `Failed` when the server is not reached.
    pub(crate) async fn connect(login: &Login) -> Result<Self> {
        let endpoint = &login.endpoint;
        let seconds = endpoint.options.get(url::CONNECT_TIMEOUT).and_then(|text| text.parse().ok());
        let limit = seconds.map_or(CONNECT, Duration::from_secs);
        let place = place(endpoint);
        let mut process = Process::spawn()?;
        let password = |secret: &Secret| Password::new(secret.expose());
        let ask = Ask::Connect(Box::new(Connect {
            connect_string: connect_string(endpoint),
            user: endpoint.user.clone(),
            password: endpoint.password.as_ref().map_or_else(|| Password::new(""), password),
            wallet: endpoint.options.get(url::WALLET).cloned(),
            wallet_password: login.wallet_password.as_ref().map(password),
            tcp_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            application: login.application.clone(),
            session: login.setup.statements(),
        }));
        // A listener that accepts and says nothing.
        let unreachable = |failure: Failure| match failure.kind {
            FailureKind::Timeout => failure.reason(Reason::Unreachable),
            _ => failure,
        };
        let outcome = process.call(ask, limit).await.map_err(unreachable);
        let outcome = outcome.map_err(|failure| failure::error(failure, &place, limit))?;
        let Outcome::Connected(server) = outcome else { return Err(unexpected(&place, limit)) };
        Ok(Self { process, server, place })
    }

    /// What the server says of itself.
    pub(crate) fn server(&self) -> &Connected {
        &self.server
    }

    /// What is to be known of the log-in before anything is done.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let expires = self.server.warnings.iter().filter(|warning| warning.code == EXPIRES);
        let fact = |message: &str| {
            let user = self.place.user.clone();
            Fact::new(Finding::ExpiringPassword { user, message: message.to_owned() })
                .remedy("set a new password before a run falls into the time when it is gone")
        };
        expires.map(|warning| fact(&warning.message)).collect()
    }

    async fn call(&mut self, ask: Ask, limit: Duration) -> Result<Outcome> {
        let outcome = self.process.call(ask, limit).await;
        outcome.map_err(|failure| failure::error(failure, &self.place, limit))
    }

    /// # Errors
    /// As the server has it; `Busy` when the limit is reached.
    pub(crate) async fn query(&mut self, query: Query, limit: Duration) -> Result<Rows> {
        match self.call(Ask::Query(query), limit).await? {
            Outcome::Rows(rows) => Ok(rows),
            _ => Err(unexpected(&self.place, limit)),
        }
    }

    /// Nothing is committed, except by DDL.
    ///
    /// # Errors
    /// As of `query`.
    pub(crate) async fn execute(&mut self, statement: Execute, limit: Duration) -> Result<Executed> {
        match self.call(Ask::Execute(statement), limit).await? {
            Outcome::Executed(executed) => Ok(executed),
            _ => Err(unexpected(&self.place, limit)),
        }
    }

    /// The columns of a query, none of DML. Nothing runs.
    ///
    /// # Errors
    /// As of `query`, and `Input` for any other statement: parsing DDL runs it.
    pub(crate) async fn describe(&mut self, sql: &str, limit: Duration) -> Result<Vec<Column>> {
        if !is_query_or_dml(sql) {
            let why = "only queries and DML are described: parsing any other statement may run it";
            let refused = Failure::new(FailureKind::Statement, why).reason(Reason::NotDescribed);
            return Err(failure::error(refused, &self.place, limit));
        }
        match self.call(Ask::Describe { sql: sql.to_owned() }, limit).await? {
            Outcome::Described(columns) => Ok(columns),
            _ => Err(unexpected(&self.place, limit)),
        }
    }

    /// # Errors
    /// As of `query`. Where the connection is lost, it cannot be told whether the transaction was committed.
    pub(crate) async fn commit(&mut self, limit: Duration) -> Result<()> {
        self.call(Ask::Commit, limit).await.map(drop)
    }

    /// # Errors
    /// As of `query`.
    pub(crate) async fn rollback(&mut self, limit: Duration) -> Result<()> {
        self.call(Ask::Rollback, limit).await.map(drop)
    }

    /// Asks the server. A session that is not alive stays so.
    pub(crate) async fn is_alive(&mut self, limit: Duration) -> bool {
        self.process.call(Ask::Ping, limit).await.is_ok()
    }

    /// Logs off, or gives the connection up where that takes too long. The server undoes what was not committed.
    pub(crate) async fn close(mut self) {
        let _ = self.process.call(Ask::Close, CLOSE).await;
        self.process.end().await;
    }
}

fn unexpected(place: &Place, limit: Duration) -> crate::error::Error {
    let other =
        Failure::new(FailureKind::Internal, "the program that connects to Oracle is of another version");
    failure::error(other, place, limit)
}

fn place(endpoint: &Endpoint) -> Place {
    let server = match endpoint.host.as_str() {
        "" => endpoint.database.clone(),
        host => format!("{host}:{}", endpoint.port),
    };
    Place {
        server,
        service: endpoint.database.clone(),
        user: endpoint.user.clone(),
        wallet: endpoint.options.get(url::WALLET).cloned(),
    }
}

/// An alias, or a descriptor. The parts of a URL cannot have a parenthesis.
pub(crate) fn connect_string(endpoint: &Endpoint) -> String {
    let Endpoint { host, port, database, options, .. } = endpoint;
    if host.is_empty() {
        return database.clone();
    }
    let protocol = options.get(url::PROTOCOL).map_or("tcp", String::as_str);
    format!(
        "(DESCRIPTION=(ADDRESS=(PROTOCOL={protocol})(HOST={host})(PORT={port}))(CONNECT_DATA=(SERVICE_NAME={database})))"
    )
}
