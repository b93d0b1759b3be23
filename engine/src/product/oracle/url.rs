//! URLs of Oracle databases: `oracle://user@host:1521/service`, `oracles://` over TLS, and `oracle://user@alias?wallet=FOLDER` for an alias
//! of the wallet's `tnsnames.ora`.

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Error, Result};
use crate::model::endpoint::{Endpoint, Secret};
use crate::model::preflight::{Fact, Finding};

pub(crate) const SCHEMES: &[&str] = &["oracle", "oracles"];
const HINT: &str =
    "use oracle://user@host:1521/service, oracles://… for TLS, or oracle://user@alias?wallet=FOLDER";

/// Options of an endpoint, which are those of the URL.
pub(crate) const WALLET: &str = "wallet";
pub(crate) const SCHEMA: &str = "schema";
pub(crate) const EDITION: &str = "edition";
/// Seconds.
pub(crate) const CONNECT_TIMEOUT: &str = "connect_timeout";
/// `tcp` or `tcps`.
pub(crate) const PROTOCOL: &str = "protocol";
const USED: &[&str] = &[WALLET, SCHEMA, EDITION, CONNECT_TIMEOUT, PROTOCOL];

const PORT: u16 = 1521;
/// Of TLS with certificates of both sides, on Autonomous Database.
const TLS_PORT: u16 = 1522;

/// Reads a URL. An endpoint without a host has an alias as its database.
///
/// # Errors
/// `Input`, without repeating the URL: it may carry a password.
pub(crate) fn parse_url(text: &str) -> Result<Endpoint> {
    let wrong = |what: String| Err(Error::input(format!("the database URL {what}")).hint(HINT));
    // The password may have been written with what means something else in a URL, and then stands where a host should.
    let Ok(url) = Url::parse(text) else {
        return wrong("cannot be read: encode what is special in the password, as %40 for @".into());
    };
    if !SCHEMES.contains(&url.scheme()) {
        return wrong("does not begin with oracle:// or oracles://".into());
    }
    if url.fragment().is_some() {
        return wrong("has a #: write it as %23 where it is part of the password".into());
    }
    let mut options = options(&url)?;
    let user = decode(url.username())?;
    if user.is_empty() {
        return wrong("names no user".into());
    }
    let password = url.password().map(decode).transpose()?.map(Secret::new);
    let host = decode(url.host_str().unwrap_or_default())?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return wrong("names no host and no alias".into());
    }
    let service = decode(url.path().trim_start_matches('/'))?;
    if url.scheme() == "oracles" {
        if options.get(PROTOCOL).is_some_and(|protocol| protocol != "tcps") {
            return wrong("begins with oracles:// and asks for a protocol without TLS".into());
        }
        options.insert(PROTOCOL.into(), "tcps".into());
    }
    if !host.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c)) {
        return wrong("has a host with characters that no host has".into());
    }
    let named = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.$#".contains(c));
    if !service.is_empty() {
        if !named(&service) {
            return wrong("has a service with characters that no service has".into());
        }
        let port =
            if options.get(PROTOCOL).is_some_and(|protocol| protocol == "tcps") { TLS_PORT } else { PORT };
        let port = url.port().unwrap_or(port);
        return Ok(Endpoint { host, port, database: service, user, password, options });
    }
    if url.port().is_some() {
        return wrong("names a port and no service".into());
    }
    if options.contains_key(PROTOCOL) {
        return wrong("names an alias and a protocol, which stands in tnsnames.ora".into());
    }
    if !options.contains_key(WALLET) {
        match std::env::var("TNS_ADMIN") {
            Ok(folder) if !folder.is_empty() => {
                options.insert(WALLET.into(), folder);
            }
            _ => return wrong("names no service, and no wallet in which an alias could be looked up".into()),
        }
    }
    Ok(Endpoint { host: String::new(), port: 0, database: host, user, password, options })
}

fn options(url: &Url) -> Result<BTreeMap<String, String>> {
    let wrong = |what: &str, hint: &str| Err(Error::input(format!("the database URL has {what}")).hint(hint));
    let mut options = BTreeMap::new();
    for pair in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        match name.as_str() {
            "password" | "wallet_password" => {
                return wrong(
                    "a password in its options",
                    "give it as a secret: env:NAME or file:PATH in the configuration",
                );
            }
            CONNECT_TIMEOUT if !value.parse::<u32>().is_ok_and(|seconds| seconds > 0) => {
                return wrong("a connect_timeout that is no number of seconds", "as connect_timeout=20");
            }
            PROTOCOL if !matches!(value.as_str(), "tcp" | "tcps") => {
                return wrong("a protocol that does not exist", "use protocol=tcp or protocol=tcps");
            }
            WALLET if !Path::new(&value).is_absolute() => {
                return wrong(
                    "a wallet that is no whole path",
                    "name the folder from / on: wallet=/path/to/folder",
                );
            }
            SCHEMA | EDITION if !is_name(&value) => {
                return wrong(&format!("a name of the {name} that no {name} has"), HINT);
            }
            known if USED.contains(&known) => {}
            _ => {
                let hint = format!("leave it out; the options that are used are {}", USED.join(", "));
                return wrong("an option that Drydock does not use", &hint);
            }
        }
        if options.insert(name, value).is_some() {
            return wrong("an option twice", "leave one of them out");
        }
    }
    Ok(options)
}

/// A name, in quotes where it is not in capitals.
fn is_name(written: &str) -> bool {
    let name = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(written);
    (1..=128).contains(&name.len()) && !name.contains(['"', '\0'])
}

fn decode(part: &str) -> Result<String> {
    let decoded = percent_decode_str(part).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| {
        Error::input("the database URL is not UTF-8 after decoding").hint("encode what is special in it")
    })
}

/// What is to be known of the service before anything is done: those of Autonomous Database that end in `_high` and `_medium` run DML in
/// parallel, and a transaction that reads what it wrote so fails with ORA-12838.
pub(crate) fn service_fact(endpoint: &Endpoint) -> Option<Fact> {
    let name = endpoint.database.split('.').next().unwrap_or_default().to_ascii_lowercase();
    (name.ends_with("_high") || name.ends_with("_medium")).then(|| {
        let service = endpoint.database.clone();
        Fact::new(Finding::ParallelService { service })
            .remedy("connect to the service of the same database that ends in _tp, or in _low")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::preflight::Weight;

    #[test]
    fn urls_as_people_write_them() {
        let shown = |text: &str| {
            let e = parse_url(text).expect(text);
            let password = e.password.as_ref().map(|p| p.expose().to_owned()).unwrap_or_default();
            let options: Vec<_> = e.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{}|{}|{}|{}|{password}|{}", e.host, e.port, e.database, e.user, options.join(","))
        };
        for (url, expected) in [
            ("oracle://app@db.example/orders", "db.example|1521|orders|app||"),
            (
                "oracle://app:s%40cret@db.example:1600/orders.example.com",
                "db.example|1600|orders.example.com|app|s@cret|",
            ),
            (
                "oracles://app@adb.eu.oraclecloud.com/g1_db_tp.adb",
                "adb.eu.oraclecloud.com|1522|g1_db_tp.adb|app||protocol=tcps",
            ),
            ("oracle://app@h:1521/s?protocol=tcps&wallet=/w", "h|1521|s|app||protocol=tcps,wallet=/w"),
            ("oracle://app@DB_TP?wallet=/opt/my%20wallet", "|0|DB_TP|app||wallet=/opt/my wallet"),
            (
                "oracle://a%5Bb%5D@h/s?schema=Orders&edition=GREEN&connect_timeout=5",
                "h|1521|s|a[b]||connect_timeout=5,edition=GREEN,schema=Orders",
            ),
            ("oracle://app@[::1]:1521/s", "::1|1521|s|app||"),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_no_password_repeated() {
        for (url, said) in [
            ("postgresql://app:Hidden7@h/s", "does not begin with oracle://"),
            ("oracle://:Hidden7@h/s", "names no user"),
            ("oracle://h/s", "names no user"),
            ("oracle://app:Hidden7@/s", "cannot be read"),
            ("oracle:///s?password=Hidden7", "a password in its options"),
            ("oracle://app@h/s?wallet_password=Hidden7", "a password in its options"),
            ("oracle://app:Hid#den7@h/s", "cannot be read"),
            ("oracle://app:Hidden7@h/s#x", "a #"),
            ("oracle://app:x/Hidden7@h/s", "cannot be read"),
            ("oracle://app:Hidden7@h:x/s", "cannot be read"),
            ("oracle://app:Hidden7@h:1521", "a port and no service"),
            ("oracle://app:Hidden7@h/s)(x=y", "a service with characters"),
            ("oracle://app:Hidden7@h%20)/s", "host"),
            ("oracle://app:Hidden7@alias?protocol=tcps&wallet=/w", "an alias and a protocol"),
            ("oracle://app:Hidden7@h/s?connect_timeout=soon", "connect_timeout"),
            ("oracle://app:Hidden7@h/s?connect_timeout=0", "connect_timeout"),
            ("oracle://app:Hidden7@h/s?protocol=udp", "a protocol that does not exist"),
            ("oracles://app:Hidden7@h/s?protocol=tcp", "without TLS"),
            ("oracle://app:Hidden7@h/s?wallet=here", "no whole path"),
            ("oracle://app:Hidden7@h/s?schema=a%22b", "schema"),
            ("oracle://app:Hidden7@h/s?sslmode=require", "an option that Drydock does not use"),
            ("oracle://app:Hidden7@h/s?schema=A&schema=B", "an option twice"),
            ("oracle://app:Hidden7%FF@h/s", "not UTF-8"),
            ("Hidden7", "cannot be read"),
        ] {
            let error = parse_url(url).expect_err(url);
            assert_eq!(error.kind, ErrorKind::Input, "{url}");
            let all = format!("{} {}", error.chain(), error.hint_text().unwrap_or_default());
            assert!(all.contains(said), "{url}: {all}");
            assert!(!all.contains("den7"), "{url}: {all}");
        }
    }

    #[test]
    fn services_that_run_dml_in_parallel_are_told() {
        let fact = |url: &str| service_fact(&parse_url(url).unwrap());
        for url in ["oracle://a@h/x_db_high.adb.oraclecloud.com", "oracle://a@DB_MEDIUM?wallet=/w"] {
            let fact = fact(url).unwrap();
            assert_eq!(fact.weight, Weight::Warning);
            assert!(fact.finding.to_string().contains("in parallel"), "{}", fact.finding);
            assert!(fact.remedy.unwrap().contains("_tp"));
        }
        for url in
            ["oracle://a@h/x_db_tp.adb.oraclecloud.com", "oracle://a@db_low?wallet=/w", "oracle://a@h/high"]
        {
            assert_eq!(fact(url), None, "{url}");
        }
    }
}
