//! What sessions of ours begin with.
//!
//! Settings of the role, of the database and of the server get into every session. The limits among them are meant for the short
//! statements of services: they would end a backup, a backfill or an index build in the middle, and a session that waits for the
//! stage before it. They are set anew here, for every connection that this program, Liquibase and PostgreSQL's own programs make.
//! Settings that decide what a statement means (`search_path`, `role`) stay: they are the same when Liquibase runs by itself.

/// Set with the connection, where they take precedence over `ALTER ROLE … SET` and `ALTER DATABASE … SET`
/// (<https://www.postgresql.org/docs/current/config-setting.html>). All versions know them.
const LIMITS: &[(&str, &str)] = &[
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("default_transaction_read_only", "off"),
];

/// How long a session of ours waits for a lock where a statement does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// For those that look: nobody else has a lock for so long that is not worth a word.
    Short,
    /// For those that stand for a service, or have a limit of their own.
    Unlimited,
}

impl LockWait {
    /// In seconds; 0 is no limit.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Short => 15,
            Self::Unlimited => 0,
        }
    }
}

/// Whether sessions of ours do without what the role or the database says.
pub fn is_limit(name: &str) -> bool {
    LIMITS.iter().any(|(limit, _)| limit.eq_ignore_ascii_case(name))
        || LATER_LIMITS.contains(&format!("'{name}'"))
}

/// Startup options of a connection; those of the URL come last, so that they hold.
pub fn options(own: Option<&str>, wait: LockWait) -> String {
    let limits = LIMITS.iter().map(|(name, value)| format!("-c {name}={value}"));
    let wait = format!("-c lock_timeout={}s", wait.seconds());
    limits.chain([wait]).chain(own.map(str::to_owned)).collect::<Vec<_>>().join(" ")
}

/// Limits that only later versions know, so that they cannot be set with the connection.
pub fn later_limits(server_version: &str) -> Option<&'static str> {
    let digits: String = server_version.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse().unwrap_or(0) {
        ..14 => None,
        14..17 => Some("SET idle_session_timeout = 0"),
        17.. => Some("SET idle_session_timeout = 0; SET transaction_timeout = 0"),
    }
}

/// The same as one statement that every version takes.
pub const LATER_LIMITS: &str = "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_holds() {
        let options = options(Some("-c statement_timeout=5s"), LockWait::Short);
        assert!(options.starts_with("-c statement_timeout=0 "), "{options}");
        assert!(options.ends_with(" -c lock_timeout=15s -c statement_timeout=5s"), "{options}");
    }

    #[test]
    fn a_version_is_asked_for_what_it_knows() {
        assert_eq!(later_limits("13.4"), None);
        assert_eq!(later_limits("15.18 (Debian 15.18-1)"), Some("SET idle_session_timeout = 0"));
        assert!(later_limits("17beta1").is_some_and(|sql| sql.contains("transaction_timeout")));
        assert_eq!(later_limits(""), None);
    }
}
