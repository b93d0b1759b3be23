//! Settings of a client's session.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::Client;

use crate::model::endpoint::ClientSettings;
use crate::product::postgres::server::connect::{literal, quoted};

/// Statements that set what is given; none for what is left out.
pub fn statements(settings: &ClientSettings) -> String {
    let limit =
        |name: &str, limit: Option<Duration>| limit.map(|d| format!("SET {name} = {}", d.as_millis()));
    let path = settings.search_path.as_ref().map(|path| search_path(Some(path)));
    let all = [
        limit("statement_timeout", settings.statement),
        limit("lock_timeout", settings.lock_wait),
        limit("idle_in_transaction_session_timeout", settings.idle_in_transaction),
        path,
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Sets what a role has of its own. What cannot be set says nothing about queries, and is left.
pub async fn set_own(client: &Client, settings: &BTreeMap<String, String>) {
    for (name, value) in settings {
        let sql = format!("SELECT set_config({}, {}, false)", literal(name), literal(value));
        if let Err(error) = client.batch_execute(&sql).await {
            tracing::debug!(%name, %error, "not set");
        }
    }
}

/// `None`: as a new session has it.
pub fn search_path(path: Option<&[String]>) -> String {
    let Some(path) = path else { return "RESET search_path".to_owned() };
    let names: Vec<String> = path.iter().map(|name| quoted(name)).collect();
    format!("SET search_path = {}", if names.is_empty() { "''".to_owned() } else { names.join(", ") })
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
