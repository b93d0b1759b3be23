//! Settings of a client's session.

use std::time::Duration;

use crate::model::endpoint::ClientSettings;
use crate::product::postgres::server::connect::quoted;

/// Statements that set what is given; none for what is left out.
pub fn statements(settings: &ClientSettings) -> String {
    let limit =
        |name: &str, limit: Option<Duration>| limit.map(|d| format!("SET {name} = {}", d.as_millis()));
    let path = settings.search_path.as_ref().map(|path| {
        let names: Vec<String> = path.iter().map(|name| quoted(name)).collect();
        format!("SET search_path = {}", if names.is_empty() { "''".to_owned() } else { names.join(", ") })
    });
    let all = [
        limit("statement_timeout", settings.statement),
        limit("lock_timeout", settings.lock_wait),
        limit("idle_in_transaction_session_timeout", settings.idle_in_transaction),
        path,
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_set() {
        assert_eq!(statements(&ClientSettings::default()), "");
        let settings = ClientSettings {
            statement: Some(Duration::from_secs(2)),
            search_path: Some(vec!["Shop".to_owned(), "public".to_owned()]),
            ..ClientSettings::default()
        };
        assert_eq!(
            statements(&settings),
            "SET statement_timeout = 2000; SET search_path = \"Shop\", \"public\""
        );
        let nowhere = ClientSettings { search_path: Some(Vec::new()), ..ClientSettings::default() };
        assert_eq!(statements(&nowhere), "SET search_path = ''");
    }
}
