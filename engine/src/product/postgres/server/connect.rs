//! URLs, connections and what their errors mean.
//!
//! URLs follow libpq (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>) for one host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use url::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::model::endpoint::{Endpoint, Secret};
use crate::model::error_class::ErrorClass;
use crate::product::postgres::server::{error_codes, tls};

/// Application names of our own helpers. They do not start as those of a run do, so that ending a run's sessions leaves
/// them alone.
pub const INSPECT: &str = "inspect (drydock)";
pub const FINGERPRINT: &str = "fingerprint (drydock)";
pub const NAMES: &str = "names (drydock)";
pub const CLAIM: &str = "claim (drydock)";

const HINT: &str = "use postgresql://user:password@host:5432/database?sslmode=require";
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a URL. What it leaves out comes from `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, `PGPASSWORD` and `~/.pgpass`.
///
/// # Errors
/// `Input`, without repeating the URL: it may carry a password.
pub fn parse_url(text: &str) -> Result<Endpoint> {
    let url = Url::parse(&with_host(text))
        .map_err(|e| Error::input(format!("the database URL cannot be read: {e}")).hint(HINT))?;
    let decode = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(|s| s.into_owned())
            .map_err(|_| Error::input("the database URL is not UTF-8 after decoding").hint(HINT))
    };
    let mut options = BTreeMap::new();
    for pair in url.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        options.insert(decode(key)?, decode(value)?);
    }
    let some = |text: String| if text.is_empty() { None } else { Some(text) };
    let host = some(decode(url.host_str().unwrap_or_default())?)
        .filter(|host| host != NO_HOST)
        .or_else(|| options.remove("host"))
        .or_else(|| std::env::var("PGHOST").ok())
        .unwrap_or_else(|| "localhost".into());
    if host.contains(',') {
        return Err(Error::input("the database URL names several hosts").hint("name the primary alone"));
    }
    let port = match (url.port(), options.remove("port").or_else(|| std::env::var("PGPORT").ok())) {
        (Some(port), _) => port,
        (None, Some(port)) => {
            port.parse().map_err(|_| Error::input(format!("\"{port}\" is no port number")).hint(HINT))?
        }
        (None, None) => 5432,
    };
    let user = some(decode(url.username())?)
        .or_else(|| options.remove("user"))
        .or_else(|| std::env::var("PGUSER").ok())
        .or_else(|| nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|u| u.name))
        .unwrap_or_else(|| "postgres".into());
    let database = some(decode(url.path().trim_start_matches('/'))?)
        .or_else(|| options.remove("dbname"))
        .or_else(|| std::env::var("PGDATABASE").ok())
        .unwrap_or_else(|| user.clone());
    let password = match url.password().map(decode).transpose()?.or_else(|| options.remove("password")) {
        Some(password) => Some(password),
        None => std::env::var("PGPASSWORD").ok().or_else(|| pgpass(&host, port, &database, &user)),
    };
    if let Some(mode) = options.get("sslmode") {
        tls::check_mode(mode)?;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Endpoint { host, port, database, user, password: password.map(Secret::new), options })
}

/// Stands for the host that a URL like `postgresql://user@/database` leaves out and the parser insists on.
const NO_HOST: &str = "host.invalid";

fn with_host(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    match (user, host.is_empty() || host.starts_with(':')) {
        (Some(user), true) => format!("{scheme}://{user}@{NO_HOST}{host}{path}"),
        (None, true) if !host.is_empty() => format!("{scheme}://{NO_HOST}{host}{path}"),
        _ => text.to_owned(),
    }
}

/// <https://www.postgresql.org/docs/current/libpq-pgpass.html>
fn pgpass(host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let file = std::env::var_os("PGPASSFILE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pgpass")))?;
    let host = if host.starts_with('/') { "localhost" } else { host };
    let port = port.to_string();
    std::fs::read_to_string(file).ok()?.lines().filter(|l| !l.starts_with('#')).find_map(|line| {
        let fields = pgpass_fields(line);
        let [h, p, d, u, password] = fields.as_slice() else { return None };
        let fits = |pattern: &String, value: &str| pattern == "*" || pattern == value;
        (fits(h, host) && fits(p, &port) && fits(d, database) && fits(u, user)).then(|| password.clone())
    })
}

fn pgpass_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let add = match c {
            '\\' => characters.next(),
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                None
            }
            other => Some(other),
        };
        if let (Some(last), Some(add)) = (fields.last_mut(), add) {
            last.push(add);
        }
    }
    fields
}

/// Opens one session. The task that drives it ends with the client.
///
/// # Errors
/// One sentence with host, port and reason. `Failed` for what may pass, `Input` for a wrong password, user or database.
pub async fn connect(endpoint: &Endpoint, application: &str) -> Result<Client> {
    open(endpoint, application, None).await
}

/// The same, and what the server says besides its answers, in its order: what belongs to an answer is there before the answer is.
///
/// # Errors
/// As of `connect`.
pub async fn connect_hearing(
    endpoint: &Endpoint,
    application: &str,
) -> Result<(Client, UnboundedReceiver<DbError>)> {
    let (say, hear) = unbounded_channel();
    Ok((open(endpoint, application, Some(say)).await?, hear))
}

/// Drives a session until it ends.
fn drive<S, T>(mut connection: Connection<S, T>, notices: Option<UnboundedSender<DbError>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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
}

async fn open(
    endpoint: &Endpoint,
    application: &str,
    notices: Option<UnboundedSender<DbError>>,
) -> Result<Client> {
    let mut config = Config::new();
    config
        .port(endpoint.port)
        .user(&endpoint.user)
        .dbname(&endpoint.database)
        .application_name(application)
        .connect_timeout(PATIENCE)
        .keepalives_idle(Duration::from_secs(30));
    if endpoint.host.starts_with('/') {
        config.host_path(&endpoint.host);
    } else {
        config.host(&endpoint.host);
    }
    if let Some(password) = &endpoint.password {
        config.password(password.expose());
    }
    if let Some(options) = endpoint.options.get("options") {
        config.options(options);
    }
    let mode = endpoint.options.get("sslmode").map_or("prefer", String::as_str);
    let connecting = async {
        if endpoint.host.starts_with('/') || mode == "disable" || mode == "allow" {
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect(NoTls).await.map_err(|e| unreachable(endpoint, &e))?;
            drive(connection, notices);
            return Ok(client);
        }
        config.ssl_mode(if mode == "prefer" { SslMode::Prefer } else { SslMode::Require });
        let connector = tls::connector(mode, endpoint.options.get("sslrootcert").map(String::as_str))?;
        let (client, connection) = config.connect(connector).await.map_err(|e| unreachable(endpoint, &e))?;
        drive(connection, notices);
        Ok(client)
    };
    // The driver's own limit covers the TCP handshake only; a server that accepts and says nothing must not hang us.
    match tokio::time::timeout(PATIENCE * 2, connecting).await {
        Ok(result) => result,
        Err(_) => {
            Err(at(endpoint, "does not answer", "it accepted the connection and then said nothing for 20 s"))
        }
    }
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
            let made = Error::new(kind, format!("{what}: {}", db.message())).code(code);
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

/// `schema.name` (or a bare name) with each part in quotes. The first dot divides.
pub fn quoted_relation(name: &str) -> String {
    match name.split_once('.') {
        Some((schema, name)) => format!("{}.{}", quoted(schema), quoted(name)),
        None => quoted(name),
    }
}

/// A string literal.
pub fn literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    if body.contains('\\') { format!(" E'{}'", body.replace('\\', "\\\\")) } else { format!("'{body}'") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn urls_as_people_write_them() {
        let e = parse_url("postgresql://us%40er:p%3Aw@db.example:6543/my%20db?sslmode=require").unwrap();
        assert_eq!(
            (e.user.as_str(), e.host.as_str(), e.port, e.database.as_str()),
            ("us@er", "db.example", 6543, "my db")
        );
        assert_eq!(e.password.unwrap().expose(), "p:w");
        assert_eq!(e.options["sslmode"], "require");

        let e = parse_url("postgres://u@/db?host=/var/run/postgresql").unwrap();
        assert_eq!((e.host.as_str(), e.port), ("/var/run/postgresql", 5432));

        let e = parse_url("postgresql://u@%2Ftmp%2Fs/db").unwrap();
        assert_eq!(e.host, "/tmp/s");

        assert_eq!(parse_url("postgresql://u@[::1]:5433/db").unwrap().host, "::1");
    }

    #[test]
    fn a_bad_url_is_not_repeated() {
        for bad in
            ["postgresql://u:geheim@host:99999/db", "postgresql://u:geheim@h/db?sslmode=sometimes", "geheim"]
        {
            let error = parse_url(bad).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Input);
            assert!(!error.chain().contains("geheim"), "{}", error.chain());
        }
    }

    #[test]
    fn pgpass_lines() {
        assert_eq!(pgpass_fields(r"h:5432:*:us\:er:p\\a:b"), ["h", "5432", "*", "us:er", r"p\a:b"]);
    }
}
