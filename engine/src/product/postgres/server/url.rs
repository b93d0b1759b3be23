//! Database URLs, as libpq reads them (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>).
//!
//! Every option of a URL is used by all who connect (this program, Liquibase and PostgreSQL's own programs), or the URL is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Error, Result};
use crate::model::database_url::DatabaseUrl;
use crate::model::endpoint::{Endpoint, Secret};
use crate::product::postgres::server::{pgpass, tls};

const HINT: &str = "use postgresql://user:password@host:5432/database?sslmode=require";

/// Options that are used, and libpq's variables for those that a URL leaves out.
pub const USED: &[(&str, &str)] = &[
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("options", "PGOPTIONS"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

const PORT: u16 = 5432;
/// Stands for the host that a URL like `postgresql://user@/database` leaves out and the parser insists on.
const NO_HOST: &str = "host.invalid";

/// Reads a URL of one server; see `parse_servers`.
///
/// # Errors
/// As of `parse_servers`, and `Input` where it names several.
pub fn parse_url(text: &str) -> Result<Endpoint> {
    let mut servers = parse_servers(text)?;
    match (servers.pop(), servers.is_empty()) {
        (Some(server), true) => Ok(server),
        _ => Err(Error::input("the database URL names several servers").hint("name the one that is meant")),
    }
}

/// Reads a URL: the servers that it names, in its order, at least one. What it leaves out comes from `PGHOST`, `PGPORT`, `PGUSER`,
/// `PGDATABASE`, `PGPASSWORD`, the variables of `USED` and `~/.pgpass`.
///
/// # Errors
/// `Input`, without repeating the URL: it may carry a password.
pub fn parse_servers(text: &str) -> Result<Vec<Endpoint>> {
    let urls = urls(text)?;
    let url = urls.first().ok_or_else(|| Error::input("the database URL is empty").hint(HINT))?;
    let mut options = BTreeMap::new();
    for pair in url.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        options.insert(decode(key)?, decode(value)?);
    }
    let places = places(&urls, &mut options)?;
    let some = |text: String| if text.is_empty() { None } else { Some(text) };
    let user = some(decode(url.username())?)
        .or_else(|| options.remove("user"))
        .or_else(|| std::env::var("PGUSER").ok())
        .or_else(|| nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|u| u.name))
        .unwrap_or_else(|| "postgres".into());
    let database = some(decode(url.path().trim_start_matches('/'))?)
        .or_else(|| options.remove("dbname"))
        .or_else(|| std::env::var("PGDATABASE").ok())
        .unwrap_or_else(|| user.clone());
    let passfile = options.remove("passfile").map(PathBuf::from);
    let password = url.password().map(decode).transpose()?.or_else(|| options.remove("password"));
    let password = password.or_else(|| std::env::var("PGPASSWORD").ok());
    for (option, variable) in USED {
        if let (false, Ok(value)) = (options.contains_key(*option), std::env::var(variable)) {
            options.insert((*option).to_owned(), value);
        }
    }
    check(&mut options)?;
    let endpoint = |(host, port): (String, u16)| {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let of_server = || pgpass::password(passfile.as_deref(), &host, port, &database, &user);
        let password = password.clone().or_else(of_server).map(Secret::new);
        Endpoint {
            host,
            port,
            database: database.clone(),
            user: user.clone(),
            password,
            options: options.clone(),
        }
    };
    Ok(places.into_iter().map(endpoint).collect())
}

/// The URL once for each server that stands before its path.
fn urls(text: &str) -> Result<Vec<Url>> {
    let with_host = |server: &str| match server.is_empty() || server.starts_with(':') {
        true => format!("{NO_HOST}{server}"),
        false => server.to_owned(),
    };
    let each = match DatabaseUrl::split(text) {
        Some(parts) => {
            parts.servers.split(',').map(|server| parts.with_servers(&with_host(server))).collect()
        }
        None => vec![text.to_owned()],
    };
    let read = |text: String| {
        Url::parse(&text)
            .map_err(|e| Error::input(format!("the database URL cannot be read: {e}")).hint(HINT))
    };
    each.into_iter().map(read).collect()
}

/// Hosts and ports, from before the path of a URL or from its options.
fn places(urls: &[Url], options: &mut BTreeMap<String, String>) -> Result<Vec<(String, u16)>> {
    let mut places: Vec<(String, Option<u16>)> = Vec::new();
    for url in urls {
        let hosts = decode(url.host_str().unwrap_or_default())?;
        let hosts = if hosts == NO_HOST { String::new() } else { hosts };
        places.extend(hosts.split(',').map(|host| (host.to_owned(), url.port())));
    }
    if let [(host, port)] = places.as_slice()
        && host.is_empty()
        && let Some(hosts) = options.remove("host").or_else(|| std::env::var("PGHOST").ok())
    {
        let port = *port;
        places = hosts.split(',').map(|host| (host.to_owned(), port)).collect();
    }
    let ports = options.remove("port").or_else(|| std::env::var("PGPORT").ok()).unwrap_or_default();
    let ports: Vec<&str> = ports.split(',').collect();
    if ports.len() > 1 && ports.len() != places.len() {
        let counts = format!("the database URL names {} hosts and {} ports", places.len(), ports.len());
        return Err(Error::input(counts).hint("give one port for all of them, or one for each"));
    }
    let settled = |(at, (host, port)): (usize, (String, Option<u16>))| {
        let written = if ports.len() == 1 { ports.first() } else { ports.get(at) };
        let port = match (port, written.map(|port| port.trim())) {
            (Some(port), _) => port,
            (None, None | Some("")) => PORT,
            (None, Some(port)) => port
                .parse()
                .map_err(|_| Error::input(format!("\"{}\" is no port number", shown(port))).hint(HINT))?,
        };
        Ok((if host.is_empty() { "localhost".to_owned() } else { host }, port))
    };
    places.into_iter().enumerate().map(settled).collect()
}

fn decode(part: &str) -> Result<String> {
    percent_decode_str(part)
        .decode_utf8()
        .map(|s| s.into_owned())
        .map_err(|_| Error::input("the database URL is not UTF-8 after decoding").hint(HINT))
}

/// Refuses what is not used, and drops what says nothing.
fn check(options: &mut BTreeMap<String, String>) -> Result<()> {
    // What Drydock does anyway.
    let done = |name: &str, value: &str| {
        matches!(
            (name, value),
            ("client_encoding", "auto" | "utf8" | "UTF8" | "utf-8" | "UTF-8")
                | ("gssencmode", "disable" | "prefer")
        )
    };
    options.retain(|name, value| !done(name, value));
    let refused = |what: &str, hint: &str| {
        Err(Error::input(format!("the database URL has {what}")).hint(hint.to_owned()))
    };
    for (name, value) in options.iter() {
        match (name.as_str(), value.as_str()) {
            ("sslmode", mode) => tls::check_mode(mode)?,
            ("channel_binding", "disable" | "prefer" | "require") => {}
            ("channel_binding", _) => {
                return refused("a channel_binding that does not exist", "use disable, prefer or require");
            }
            ("connect_timeout", seconds) if seconds.parse::<u32>().is_ok() => {}
            ("connect_timeout", _) => {
                return refused("a connect_timeout that is no number", "give it in seconds");
            }
            (
                "target_session_attrs",
                "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby",
            ) => {}
            ("target_session_attrs", _) => {
                return refused(
                    "a target_session_attrs that does not exist",
                    "use any, read-write, read-only, primary, standby or prefer-standby",
                );
            }
            ("application_name" | "fallback_application_name", _) => {
                return refused(
                    &format!("the option {name}"),
                    "leave it out: Drydock names its sessions itself, and finds them by these names",
                );
            }
            (other, _) if USED.iter().any(|(used, _)| *used == other) => {}
            (other, _) => {
                let used: Vec<&str> = USED.iter().map(|(used, _)| *used).collect();
                let hint = format!("leave it out; the options that are used are {}", used.join(", "));
                return refused(&format!("the option {}, which Drydock does not use", shown(other)), &hint);
            }
        }
    }
    match (options.get("sslcert"), options.get("sslkey")) {
        (Some(_), None) => refused("sslcert without sslkey", "name the file of its private key: sslkey=PATH"),
        (None, Some(_)) => {
            refused("sslkey without sslcert", "name the file of the certificate: sslcert=PATH")
        }
        (Some(_), Some(key)) => tls::check_key(Path::new(key)),
        (None, None) => Ok(()),
    }
}

/// A name that may be anything, for a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(40).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

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
    fn several_servers_in_their_order() {
        let places = |url: &str| -> Vec<String> {
            parse_servers(url).unwrap().into_iter().map(|e| format!("{}:{}", e.host, e.port)).collect()
        };
        assert_eq!(places("postgresql://u:p@h1:1,[::1]:2,h3/d"), ["h1:1", "::1:2", "h3:5432"]);
        assert_eq!(places("postgresql://u@/d?host=h1,/run/s&port=1,2"), ["h1:1", "/run/s:2"]);
        assert_eq!(places("postgresql://u@h1,h2/d?port=7"), ["h1:7", "h2:7"]);
        let servers = parse_servers("postgresql://u:p@h1,h2:2/d?target_session_attrs=primary").unwrap();
        assert!(servers.iter().all(|e| e.user == "u" && e.database == "d" && e.password.is_some()));
        assert!(servers.iter().all(|e| e.options["target_session_attrs"] == "primary"));
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

    /// jackc/pgx#1005 and others: an option that is dropped in silence is one that somebody relied on.
    #[test]
    fn options_are_used_or_refused() {
        let e = parse_url(
            "postgresql://u@h/d?connect_timeout=5&target_session_attrs=primary&channel_binding=require",
        )
        .unwrap();
        assert_eq!(e.options["connect_timeout"], "5");
        assert_eq!(
            parse_url("postgresql://u@h/d?client_encoding=utf8&gssencmode=disable")
                .unwrap()
                .options
                .get("gssencmode"),
            None
        );
        for (url, told) in [
            ("postgresql://u@h1:5432,h2:5433/d", "several servers"),
            ("postgresql://u@h1,h2,h3/d?port=1,2", "3 hosts and 2 ports"),
            ("postgresql://u@h/d?target_session_attrs=master", "that does not exist"),
            ("postgresql://u@h/d?sslcrl=/x", "the option sslcrl"),
            ("postgresql://u@h/d?service=prod", "the option service"),
            ("postgresql://u@h/d?application_name=me", "the option application_name"),
            ("postgresql://u@h/d?sslcert=/x", "sslcert without sslkey"),
            ("postgresql://u@h/d?connect_timeout=soon", "no number"),
            ("postgresql://u@h/d?channel_binding=maybe", "channel_binding"),
        ] {
            let error = parse_url(url).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Input);
            assert!(error.chain().contains(told), "{url}: {}", error.chain());
            assert!(error.hint_text().is_some(), "{url}");
        }
    }
}
