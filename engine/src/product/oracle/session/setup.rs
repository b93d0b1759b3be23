//! What every session begins with, so that a value means the same in each.

use std::time::Duration;

use crate::model::endpoint::Endpoint;
use crate::product::oracle::url;

/// Formats of values as text. The session program writes and reads the same ones (`drydock_oracle_protocol::BindType`).
const FORMATS: &[&str] = &[
    "NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS'",
    "NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF9'",
    "NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM'",
    "NLS_NUMERIC_CHARACTERS = '.,'",
];

/// The largest that Oracle takes, in seconds.
const LONGEST_LOCK_WAIT: u64 = 1_000_000;

/// A name as a person writes it: in quotes it is meant as it stands, and in capitals otherwise, as in SQL.
fn dictionary_name(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(name) => name.to_owned(),
        None => written.to_uppercase(),
    }
}

/// What differs between sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    /// As the dictionary has it; that of the user where there is none.
    pub schema: Option<String>,
    /// As the dictionary has it; the database's own where there is none.
    pub edition: Option<String>,
    /// How long DDL waits for a lock; not at all where there is none, which is Oracle's own setting.
    pub ddl_lock_wait: Option<Duration>,
}

impl Setup {
    /// As the database's URL has it.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        let name = |option: &str| endpoint.options.get(option).map(|written| dictionary_name(written));
        Self { schema: name(url::SCHEMA), edition: name(url::EDITION), ddl_lock_wait: None }
    }

    /// The statements, in the order in which they are to run.
    pub(crate) fn statements(&self) -> Vec<String> {
        let mut statements = Vec::new();
        // First, since a session can change its edition only where it has no transaction.
        if let Some(edition) = &self.edition {
            statements.push(format!("ALTER SESSION SET EDITION = {}", quoted(edition)));
        }
        if let Some(schema) = &self.schema {
            statements.push(format!("ALTER SESSION SET CURRENT_SCHEMA = {}", quoted(schema)));
        }
        let formats = FORMATS.join(" ");
        statements.push(format!("ALTER SESSION SET {formats} TIME_ZONE = '+00:00'"));
        // What a transaction wrote in parallel it cannot read again: ORA-12838.
        statements.push("ALTER SESSION DISABLE PARALLEL DML".into());
        let wait = self.ddl_lock_wait.unwrap_or_default();
        // A wait that is shorter than a second would be none.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        statements.push(format!("ALTER SESSION SET DDL_LOCK_TIMEOUT = {}", seconds.min(LONGEST_LOCK_WAIT)));
        statements
    }
}

/// A name as it is in the dictionary. Oracle's names cannot have a quote in them, so that nothing can end it; what has one names nothing.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_begin_alike() {
        let plain = [
            "ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS' \
             NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF9' \
             NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM' \
             NLS_NUMERIC_CHARACTERS = '.,' TIME_ZONE = '+00:00'",
            "ALTER SESSION DISABLE PARALLEL DML",
        ];
        assert_eq!(
            Setup::default().statements(),
            [&plain[..], &["ALTER SESSION SET DDL_LOCK_TIMEOUT = 0"]].concat()
        );
        let setup = Setup {
            schema: Some("Order\" x".into()),
            edition: Some("GREEN".into()),
            ddl_lock_wait: Some(Duration::from_millis(1_200)),
        };
        let own = ["ALTER SESSION SET EDITION = \"GREEN\"", "ALTER SESSION SET CURRENT_SCHEMA = \"Order x\""];
        let wait = ["ALTER SESSION SET DDL_LOCK_TIMEOUT = 2"];
        assert_eq!(setup.statements(), [&own[..], &plain[..], &wait[..]].concat());
    }

    #[test]
    fn names_of_a_url_are_read_as_in_sql() {
        let endpoint = url::parse_url("oracle://a@h/s?schema=orders&edition=%22Green%22");
        let setup = endpoint.map(|endpoint| Setup::of(&endpoint)).unwrap_or_default();
        assert_eq!((setup.schema.as_deref(), setup.edition.as_deref()), (Some("ORDERS"), Some("Green")));
    }

    #[test]
    fn a_wait_is_within_what_oracle_takes() {
        let last = |wait| Setup { ddl_lock_wait: Some(wait), ..Default::default() }.statements().pop();
        for (wait, seconds) in [
            (Duration::from_millis(1), "1"),
            (Duration::from_secs(30), "30"),
            (Duration::from_secs(9_999_999), "1000000"),
        ] {
            assert_eq!(last(wait), Some(format!("ALTER SESSION SET DDL_LOCK_TIMEOUT = {seconds}")));
        }
    }
}
