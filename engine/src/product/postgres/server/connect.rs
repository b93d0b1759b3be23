//! Connections, and what their errors mean.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::config::{ChannelBinding, SslMode, TargetSessionAttrs};
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};

use crate::error::{Error, ErrorKind, Result};
use crate::model::endpoint::Endpoint;
use crate::model::error_class::ErrorClass;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::server::session::{self, LockWait};
use crate::product::postgres::server::{choice, error_codes, tls};

/// Application names of our own helpers. They do not start as those of a run do, so that ending a run's sessions leaves
/// them alone.
pub const INSPECT: &str = "inspect (drydock)";
pub const NAMES: &str = "names (drydock)";
pub const WATCH: &str = "watch (drydock)";
pub const KEEP: &str = "keep (drydock)";
pub const CLAIM: &str = "claim (drydock)";

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens one session, free of the limits that its role or database sets, on a server that is what the URL asks for. The task that
/// drives it ends with the client.
///
/// # Errors
/// One sentence with host, port and reason. `Failed` for what may pass, `Input` for a wrong password, user or database.
pub async fn connect(endpoint: &Endpoint, application: &str, wait: LockWait) -> Result<Client> {
    limited(open(endpoint, demanding(endpoint, application, wait), None).await?).await
}

/// The same, and what the server says besides its answers, in its order: what belongs to an answer is there before the answer is.
///
/// # Errors
/// See `connect`.
pub async fn connect_hearing(
    endpoint: &Endpoint,
    application: &str,
    wait: LockWait,
) -> Result<(Client, UnboundedReceiver<DbError>)> {
    let (say, hear) = unbounded_channel();
    let config = demanding(endpoint, application, wait);
    Ok((limited(open(endpoint, config, Some(say)).await?).await?, hear))
}

async fn limited((client, version): (Client, String)) -> Result<Client> {
    if let Some(limits) = session::later_limits(&version) {
        client.batch_execute(limits).await.server_context("cannot set up the session")?;
    }
    Ok(client)
}

/// The same on whatever server is there, and nothing is set after the connection stands: what is sent with it does not outlive it,
/// whoever shares the session behind it. Also gives the server's version as it tells it.
///
/// # Errors
/// See `connect`.
pub async fn connect_only(
    endpoint: &Endpoint,
    application: &str,
    wait: LockWait,
) -> Result<(Client, String)> {
    open(endpoint, config(endpoint, application, wait), None).await
}

async fn open(
    endpoint: &Endpoint,
    config: Config,
    notices: Option<UnboundedSender<DbError>>,
) -> Result<(Client, String)> {
    let mode = endpoint.options.get("sslmode").map_or("prefer", String::as_str);
    let connecting = async {
        if endpoint.host.starts_with('/') || mode == "disable" || mode == "allow" {
            let mut config = config;
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect(NoTls).await.map_err(|e| unreachable(endpoint, &e))?;
            return Ok((client, driven(connection, notices)));
        }
        let connector = tls::connector(mode, &endpoint.options)?;
        let (client, connection) = config.connect(connector).await.map_err(|e| unreachable(endpoint, &e))?;
        Ok((client, driven(connection, notices)))
    };
    // The driver's own limit covers the TCP handshake only; a server that accepts and says nothing must not hang us.
    let patience = patience(endpoint) * 2;
    match tokio::time::timeout(patience, connecting).await {
        Ok(result) => result,
        Err(_) => {
            let said =
                format!("it accepted the connection and then said nothing for {} s", patience.as_secs());
            Err(at(endpoint, "does not answer", &said))
        }
    }
}

/// As `config`; a server that has become another kind since it was looked at is refused.
fn demanding(endpoint: &Endpoint, application: &str, wait: LockWait) -> Config {
    let mut config = config(endpoint, application, wait);
    config.target_session_attrs(match endpoint.options.get(choice::ATTRIBUTES).map(String::as_str) {
        Some("read-write" | "primary") => TargetSessionAttrs::ReadWrite,
        Some("read-only" | "standby") => TargetSessionAttrs::ReadOnly,
        _ => TargetSessionAttrs::Any,
    });
    config
}

fn config(endpoint: &Endpoint, application: &str, wait: LockWait) -> Config {
    let option = |name: &str| endpoint.options.get(name).map(String::as_str);
    let mut config = Config::new();
    config
        .port(endpoint.port)
        .user(&endpoint.user)
        .dbname(&endpoint.database)
        .application_name(application)
        .connect_timeout(patience(endpoint))
        .keepalives_idle(Duration::from_secs(30))
        .options(session::options(option("options"), wait))
        .channel_binding(match option("channel_binding") {
            Some("require") => ChannelBinding::Require,
            Some("disable") => ChannelBinding::Disable,
            _ => ChannelBinding::Prefer,
        })
        .ssl_mode(match option("sslmode") {
            None | Some("prefer") => SslMode::Prefer,
            _ => SslMode::Require,
        });
    if endpoint.host.starts_with('/') {
        config.host_path(&endpoint.host);
    } else {
        config.host(&endpoint.host);
    }
    if let Some(password) = &endpoint.password {
        config.password(password.expose());
    }
    config
}

/// How long a connection may take to be made; 0 stands for no limit in libpq, and for the default here.
fn patience(endpoint: &Endpoint) -> Duration {
    let seconds = endpoint.options.get("connect_timeout").and_then(|s| s.parse().ok()).filter(|s| *s > 0);
    seconds.map_or(PATIENCE, Duration::from_secs)
}

/// Drives a connection to its end, beside everything else. Gives the server's version.
fn driven<S, T>(mut connection: Connection<S, T>, notices: Option<UnboundedSender<DbError>>) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let version = connection.parameter("server_version").unwrap_or_default().to_owned();
    let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
    tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            match (message, &notices) {
                (Ok(AsyncMessage::Notice(notice)), Some(notices)) => drop(notices.send(notice)),
                (Ok(_), _) => {}
                (Err(error), _) => {
                    tracing::debug!(%error, "a connection ended");
                    break;
                }
            }
        }
    });
    version
}

fn at(endpoint: &Endpoint, what: &str, why: &str) -> Error {
    Error::failed(format!("the database at {}:{} {what}: {why}", endpoint.host, endpoint.port))
}

fn unreachable(endpoint: &Endpoint, error: &tokio_postgres::Error) -> Error {
    let place = format!("{}:{}", endpoint.host, endpoint.port);
    if let Some(db) = error.as_db_error() {
        let code = db.code().code().to_owned();
        let (message, hint) = match code.as_str() {
            "28P01" => (
                format!("{place} does not accept the password of user {}", endpoint.user),
                "check the password",
            ),
            "28000" => (
                format!("{place} does not let user {} in: {}", endpoint.user, db.message()),
                "check the user, sslmode and the server's pg_hba.conf",
            ),
            "3D000" => (
                format!("{place} has no database \"{}\"", endpoint.database),
                "check the name of the database",
            ),
            "53300" => {
                (format!("{place} has no connection free"), "raise max_connections or end idle sessions")
            }
            "57P03" => (format!("{place} is not ready: {}", db.message()), "wait until it has started"),
            _ => (format!("{place} refused the connection: {}", db.message()), "see the server's log"),
        };
        let kind =
            if code.starts_with("28") || code == "3D000" { ErrorKind::Input } else { ErrorKind::Failed };
        return Error::new(kind, message).hint(hint).code(code);
    }
    let mut why = cause(error);
    if why.contains("Connection refused") {
        why = "nothing listens there".into();
    }
    if why.contains("password missing") {
        return Error::input(format!("{place} asks for a password of user {}", endpoint.user))
            .hint("set PGPASSWORD, a line in ~/.pgpass, or put it into the URL");
    }
    if why.contains("does not allow writes") || why.contains("is not read only") {
        // Of no class that may pass: what is asked again would be asked of another server than before.
        return at(endpoint, "is no server of the kind that was asked for", &why)
            .hint("see which server is the primary now, and target_session_attrs in the URL");
    }
    at(endpoint, "cannot be reached", &why)
        .hint("check host, port, network and sslmode")
        .code(error_codes::CONNECTION)
}

/// The innermost cause, which is the only telling one with this driver.
pub fn cause(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

/// Gives an error of the driver a sentence, a kind and the SQLSTATE.
pub fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(db) => {
            let code = db.code().code();
            let class = error_codes::class(code);
            let kind = if class.may_pass() { ErrorKind::Busy } else { ErrorKind::Failed };
            let said = if class == ErrorClass::DataException {
                without_values(db.message(), "")
            } else {
                db.message().to_owned()
            };
            let made = Error::new(kind, format!("{what}: {said}")).code(code);
            match (class, db.hint()) {
                (ErrorClass::PermissionDenied, _) => {
                    made.hint("grant this right to the user, or use one that has it")
                }
                (_, Some(hint)) => made.hint(hint.to_owned()),
                _ => made,
            }
        }
        None => Error::failed(format!("{what}: {}", cause(error))).code(error_codes::CONNECTION),
    }
}

/// A message without what stands in double quotes: of an error about a value, that is the value, which may be anybody's data. What `said`
/// has in it is known anyway.
pub fn without_values(message: &str, said: &str) -> String {
    let shown = |(at, part): (usize, &str)| match at % 2 {
        0 => part.to_owned(),
        _ if !part.is_empty() && said.contains(part) => format!("\"{part}\""),
        _ => "\"…\"".to_owned(),
    };
    message.split('"').enumerate().map(shown).collect()
}

/// `failed` as a method.
pub trait ServerContext<T> {
    fn server_context(self, what: &str) -> Result<T>;
}

impl<T> ServerContext<T> for std::result::Result<T, tokio_postgres::Error> {
    fn server_context(self, what: &str) -> Result<T> {
        self.map_err(|e| failed(what, &e))
    }
}

/// An identifier in quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `schema.name` (or a bare name) with each part in quotes.
pub fn quoted_relation(name: &str) -> String {
    sql::quote_name(name)
}

/// A string literal.
pub fn literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    if body.contains('\\') { format!(" E'{}'", body.replace('\\', "\\\\")) } else { format!("'{body}'") }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn values_are_left_out() {
        let said = r#"invalid input syntax for type integer: "m7@example.com""#;
        assert_eq!(without_values(said, ""), r#"invalid input syntax for type integer: "…""#);
        assert_eq!(without_values("integer out of range", ""), "integer out of range");
        assert_eq!(without_values(r#"value "1" is "#, ""), r#"value "…" is "#);
    }
}
