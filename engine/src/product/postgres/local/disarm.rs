//! Keeps a copy from reaching out: it has the foreign servers of its source, with the passwords in their user mappings, and its
//! prepared transactions. Definitions that are compared stay as they are.

use crate::error::Result;
use crate::model::disarmed::Disarmed;
use crate::product::postgres::{Postgres, ServerContext, literal, quoted};

const WHAT: &str = "the copy cannot be kept from reaching other servers";
/// A folder for sockets that is not there. It is in the messages of what tries to connect.
const NOWHERE: &str = "/disarmed-by-drydock";
/// Wrappers whose servers have libpq's options.
const LIBPQ: &[&str] = &["postgres_fdw", "dblink_fdw"];

/// Disarms one database of a copy. `admin`: a superuser in it.
///
/// # Errors
/// As the server gives them: a copy that cannot be disarmed must not be used.
pub async fn disarm(admin: &Postgres) -> Result<Vec<Disarmed>> {
    let client = admin.connect("restore (drydock)").await?;
    let mut disarmed = Vec::new();
    let servers = "SELECT s.srvname::text, w.fdwname::text,
            ARRAY(SELECT split_part(o, '=', 1) FROM unnest(s.srvoptions) o)
        FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE w.fdwname = ANY ($1) ORDER BY 1";
    for row in client.query(servers, &[&LIBPQ]).await.server_context(WHAT)? {
        let name: String = row.try_get(0).server_context(WHAT)?;
        let wrapper: String = row.try_get(1).server_context(WHAT)?;
        let options: Vec<String> = row.try_get(2).server_context(WHAT)?;
        let mut changes = vec![format!("{} host {}", verb(&options, "host"), literal(NOWHERE))];
        // Each of these would be tried in the place of the host.
        for option in ["hostaddr", "service"].iter().filter(|o| options.iter().any(|has| has == **o)) {
            changes.push(format!("DROP {option}"));
        }
        let sql = format!("ALTER SERVER {} OPTIONS ({})", quoted(&name), changes.join(", "));
        client.batch_execute(&sql).await.server_context(WHAT)?;
        disarmed.push(Disarmed::ForeignServer { name, wrapper });
    }
    let wrappers = "SELECT w.fdwname::text FROM pg_foreign_data_wrapper w
        WHERE w.fdwhandler <> 0 AND w.fdwname <> ALL ($1)
          AND EXISTS (SELECT FROM pg_foreign_server s WHERE s.srvfdw = w.oid) ORDER BY 1";
    for row in client.query(wrappers, &[&LIBPQ]).await.server_context(WHAT)? {
        let name: String = row.try_get(0).server_context(WHAT)?;
        let sql = format!("ALTER FOREIGN DATA WRAPPER {} NO HANDLER", quoted(&name));
        client.batch_execute(&sql).await.server_context(WHAT)?;
        disarmed.push(Disarmed::ForeignDataWrapper { name });
    }
    let prepared = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1";
    for row in client.query(prepared, &[]).await.server_context(WHAT)? {
        let name: String = row.try_get(0).server_context(WHAT)?;
        client.batch_execute(&format!("ROLLBACK PREPARED {}", literal(&name))).await.server_context(WHAT)?;
        disarmed.push(Disarmed::PreparedTransaction { name });
    }
    Ok(disarmed)
}

fn verb(options: &[String], name: &str) -> &'static str {
    if options.iter().any(|has| has == name) { "SET" } else { "ADD" }
}
