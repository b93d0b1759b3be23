//! One owner at a time: a session-level advisory lock, and the ending of sessions that outlived their run.

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::product;
use crate::product::postgres::server::connect::{CLAIM, INSPECT, ServerContext};

const CLAIMING: &str = "cannot claim the database";
const ENDING: &str = "cannot end sessions of an earlier run";

/// The lock goes with this connection, whatever ends it
/// (<https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS>).
pub struct Claim {
    client: Client,
    name: String,
}

impl Claim {
    /// `None` when another session holds it.
    pub async fn take(client: Client, name: &str) -> Result<Option<Self>> {
        // Without this the server would notice that we are gone only when it next writes to us.
        let _ = client.batch_execute("SET tcp_keepalives_idle = 10").await;
        let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 7466))";
        let row = client.query_typed_one(sql, &[(&name, Type::TEXT)]).await;
        let taken: bool = row.and_then(|r| r.try_get(0)).server_context(CLAIMING)?;
        Ok(taken.then(|| Self { client, name: name.to_owned() }))
    }
}

#[async_trait]
impl product::Claim for Claim {
    async fn held(&self) -> bool {
        let ask = self.client.simple_query("");
        !self.client.is_closed()
            && matches!(tokio::time::timeout(Duration::from_secs(5), ask).await, Ok(Ok(_)))
    }
    async fn release(self: Box<Self>) {
        let sql = "SELECT pg_advisory_unlock(hashtextextended($1, 7466))";
        let _ = self.client.query_typed(sql, &[(&self.name, Type::TEXT)]).await;
    }
}

/// Ends sessions by prefix of their application name and waits up to 10 s until they are gone. Our inspecting and claiming
/// sessions are spared.
pub async fn end_sessions(client: &Client, prefix: &str) -> Result<u64> {
    let found =
        "SELECT pid FROM pg_stat_activity WHERE starts_with(application_name, $1) AND pid <> pg_backend_pid()
         AND datname = current_database() AND application_name NOT IN ($2, $3)";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&prefix, Type::TEXT), (&INSPECT, Type::TEXT), (&CLAIM, Type::TEXT)];
    let ending = format!("SELECT pg_terminate_backend(pid) FROM ({found}) s");
    let ended = client.query_typed(&ending, &parameters).await.server_context(ENDING)?.len();
    for _ in 0..200 {
        if client.query_typed(found, &parameters).await.server_context(ENDING)?.is_empty() {
            return Ok(u64::try_from(ended).unwrap_or(0));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Error::failed(format!("{ENDING}: they are still there after 10 s"))
        .hint(format!("look for application_name {prefix}… in pg_stat_activity")))
}
