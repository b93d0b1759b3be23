//! Whether a connection pooler is in front of the server.
//!
//! In transaction mode a pooler gives its server's sessions to whoever begins a transaction. What one client sets stays for the next,
//! a session-level lock stays with nobody, and prepared statements meet others of the same name (pgbouncer/pgbouncer#452,
//! ariga/atlas#2447). So nothing is set on a session before this is known.

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::error::{Error, Result};
use crate::model::endpoint::Endpoint;
use crate::model::preflight::PoolerSign;
use crate::product::postgres::server::connect::{INSPECT, ServerContext, connect_only, failed};
use crate::product::postgres::server::session::LockWait;

const ASK: &str = "cannot look for a connection pooler";
/// Protocol violation, and feature not supported: what poolers answer to startup options that they do not take.
const REFUSALS: &[&str] = &["08P01", "0A000"];
/// Not in a transaction of several statements.
const NO_BLOCKS: &str = "08P01";
/// A pooler that others use too may give the same session by chance.
const LOOKS: u32 = 3;

/// How a pooler in front of the server shows itself; `None`: there is none that can be seen.
///
/// # Errors
/// As of `connect_only`.
pub async fn find(endpoint: &Endpoint) -> Result<Option<PoolerSign>> {
    // A setting of our own that comes with the connection: a server keeps it, and nobody else sets it.
    let mark = format!("{:016x}", rand::random::<u64>());
    let mut marked = endpoint.clone();
    let own = marked.options.remove("options").unwrap_or_default();
    marked.options.insert("options".to_owned(), format!("{own} -c drydock.connection={mark}"));
    let (first, _) = match connect_only(&marked, INSPECT, LockWait::Short).await {
        Ok(connected) => connected,
        Err(error) if is_refusal(&error) => return Ok(Some(PoolerSign::RefusesOptions)),
        Err(error) => return Err(error),
    };
    let (second, _) = connect_only(&marked, INSPECT, LockWait::Short).await?;
    for _ in 0..LOOKS {
        if one(&first, "SELECT current_setting('drydock.connection', true)").await? != mark {
            return Ok(Some(PoolerSign::DropsOptions));
        }
        let before = pid(&first).await?;
        // An open transaction keeps its session, so that the first connection gets another one or waits for none.
        if let Err(error) = second.simple_query("BEGIN").await {
            let code = error.as_db_error().map(|db| db.code().code().to_owned());
            if code.as_deref() == Some(NO_BLOCKS) {
                return Ok(Some(PoolerSign::NoTransactions));
            }
            return Err(failed(ASK, &error));
        }
        let other = pid(&second).await;
        let after = pid(&first).await;
        second.simple_query("ROLLBACK").await.server_context(ASK)?;
        let (other, after) = (other?, after?);
        if before != after || other == before {
            return Ok(Some(PoolerSign::SharesSessions));
        }
    }
    Ok(None)
}

/// Whether it is a pooler that refused a connection for what it asks for.
pub fn is_refusal(error: &Error) -> bool {
    let said = error.chain().to_lowercase();
    error.code.as_deref().is_some_and(|code| REFUSALS.contains(&code))
        && ["startup", "command-line options"].iter().any(|word| said.contains(word))
}

async fn pid(client: &Client) -> Result<String> {
    one(client, "SELECT pg_backend_pid()").await
}

/// The one value of a query; the simple protocol prepares nothing.
async fn one(client: &Client, sql: &str) -> Result<String> {
    let messages = client.simple_query(sql).await.server_context(ASK)?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    Ok(row.unwrap_or_default())
}
