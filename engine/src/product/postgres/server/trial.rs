//! Tries statements out where others work: in one transaction that is taken back, and that is over before anybody waits for long.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::error::Result;
use crate::model::error_class::ErrorClass;
use crate::product::Trial;
use crate::product::postgres::server::connect::{ServerContext, failed};
use crate::product::postgres::server::error_codes;

const WHAT: &str = "statements cannot be tried out";
/// What waits for the end of a transaction would never be seen.
const CHECK: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// Runs them in this order. From the first one on, everything is over within `limit`.
///
/// # Errors
/// As the server gives them, where they are not a statement's.
pub async fn run(client: &Client, statements: &[&str], limit: Duration) -> Result<Trial> {
    client.batch_execute("BEGIN").await.server_context(WHAT)?;
    let outcome = within(client, statements, limit).await;
    client.batch_execute("ROLLBACK").await.server_context(WHAT)?;
    outcome
}

async fn within(client: &Client, statements: &[&str], limit: Duration) -> Result<Trial> {
    let begun = Instant::now();
    for (statement, sql) in statements.iter().chain(&[CHECK]).enumerate() {
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(Trial::OutOfTime { statement });
        }
        let left = left.as_millis().max(1);
        let limits = format!("SET LOCAL lock_timeout = {left}; SET LOCAL statement_timeout = {left}");
        client.batch_execute(&limits).await.server_context(WHAT)?;
        let Err(error) = client.batch_execute(sql).await else { continue };
        let error = failed("it fails", &error);
        return match error.code.as_deref().map(error_codes::class) {
            Some(ErrorClass::Busy) => Ok(Trial::OutOfTime { statement }),
            Some(ErrorClass::ConnectionLost | ErrorClass::OutOfResources) | None => Err(error),
            Some(_) => Ok(Trial::Failed { statement, error }),
        };
    }
    Ok(Trial::Passed)
}
