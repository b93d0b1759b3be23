//! Database URLs, as libpq reads them (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>), for one host.
//!
//! Every option of a URL is used by all who connect (this program, Liquibase and PostgreSQL's own programs), or the URL is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Error, Result};
use crate::model::endpoint::{Endpoint, Secret};
use crate::product::postgres::server::tls;

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

/// Reads a URL. What it leaves out comes from `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, `PGPASSWORD`, the variables of `USED` and
/// `~/.pgpass`.
///
/// # Errors
/// `Input`, without repeating the URL: it may carry a password.
pub fn parse_url(text: &str) -> Result<Endpoint> {
    if authority(text).is_some_and(|(_, host)| host.contains(',')) {
        return Err(several_hosts());
    }
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
        return Err(several_hosts());
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
    let passfile = options.remove("passfile").map(PathBuf::from);
    let password = match url.password().map(decode).transpose()?.or_else(|| options.remove("password")) {
        Some(password) => Some(password),
        None => {
            let from_file = || pgpass(passfile.as_deref(), &host, port, &database, &user);
            std::env::var("PGPASSWORD").ok().or_else(from_file)
        }
    };
    for (option, variable) in USED {
        if let (false, Ok(value)) = (options.contains_key(*option), std::env::var(variable)) {
            options.insert((*option).to_owned(), value);
        }
    }
    check(&mut options)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Endpoint { host, port, database, user, password: password.map(Secret::new), options })
}

fn several_hosts() -> Error {
    Error::input("the database URL names several hosts")
        .hint("name the primary alone: a schema is changed on one server, and its backup is taken there")
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
            // That the server takes writes is looked at in any case.
            ("target_session_attrs", "any" | "read-write" | "primary") => {}
            ("target_session_attrs", _) => {
                return refused(
                    "a target_session_attrs that is for readers",
                    "Drydock changes the database: use primary or read-write, or leave it out",
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

/// Stands for the host that a URL like `postgresql://user@/database` leaves out and the parser insists on.
const NO_HOST: &str = "host.invalid";

/// The user's part and the host's part of a URL.
fn authority(text: &str) -> Option<(Option<&str>, &str)> {
    let (_, rest) = text.split_once("://")?;
    let (authority, _) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    Some(authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host)))
}

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
fn pgpass(file: Option<&Path>, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let file = file
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os("PGPASSFILE").map(PathBuf::from))
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
            ("postgresql://u@h1:5432,h2:5433/d", "several hosts"),
            ("postgresql://u@/d?host=h1,h2", "several hosts"),
            ("postgresql://u@h/d?target_session_attrs=standby", "for readers"),
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
