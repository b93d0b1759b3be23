//! Keeps a copy from reaching out: it has the foreign servers of its source, with the passwords in their user mappings, the functions of
//! dblink, and its prepared transactions. Definitions that are compared stay as they are.
//!
//! What changesets bring later is disarmed by the server itself, in the statement that brings it (`disarm.sql`).

use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::model::disarmed::Disarmed;
use crate::product::postgres::{Postgres, ServerContext, literal};

const WHAT: &str = "the copy cannot be kept from reaching other servers";
const FUNCTIONS: &str = include_str!("disarm.sql");

/// Disarms one database of a copy. `admin`: a superuser in it.
///
/// # Errors
/// As the server gives them: a copy that cannot be disarmed must not be used.
pub async fn disarm(admin: &Postgres) -> Result<Vec<Disarmed>> {
    let client = admin.connect("restore (drydock)").await?;
    client.batch_execute(FUNCTIONS).await.server_context(WHAT)?;
    let mut disarmed = Vec::new();
    let found = "SELECT kind, name, wrapper FROM pg_catalog.drydock_disarm_all()";
    for row in client.query(found, &[]).await.server_context(WHAT)? {
        let kind: String = row.try_get(0).server_context(WHAT)?;
        let name: String = row.try_get(1).server_context(WHAT)?;
        let wrapper: Option<String> = row.try_get(2).server_context(WHAT)?;
        disarmed.push(match (kind.as_str(), wrapper) {
            ("server", Some(wrapper)) => Disarmed::ForeignServer { name, wrapper },
            ("wrapper", _) => Disarmed::ForeignDataWrapper { name },
            ("extension", _) => Disarmed::Extension { name },
            _ => return Err(Error::failed(WHAT).because(format!("{kind} {name} is not known"))),
        });
    }
    disarmed.extend(end_prepared(&client).await?);
    Ok(disarmed)
}

/// Takes back the transactions that a coordinator has prepared: nobody ends them in a copy, and their locks would stay.
///
/// # Errors
/// As the server gives them.
pub async fn end_prepared(client: &Client) -> Result<Vec<Disarmed>> {
    let mut ended = Vec::new();
    let prepared = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1";
    for row in client.query(prepared, &[]).await.server_context(WHAT)? {
        let name: String = row.try_get(0).server_context(WHAT)?;
        client.batch_execute(&format!("ROLLBACK PREPARED {}", literal(&name))).await.server_context(WHAT)?;
        ended.push(Disarmed::PreparedTransaction { name });
    }
    Ok(ended)
}
