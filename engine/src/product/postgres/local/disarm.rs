//! Keeps a copy from reaching out: it has the foreign servers of its source, with the passwords in their user mappings, the functions of
//! dblink, and its prepared transactions. Definitions that are compared stay as they are.
//!
//! What changesets bring later is disarmed by the server itself, in the statement that brings it (`disarm.sql`).

use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::model::disarmed::Disarmed;
use crate::model::isolation::{Isolation, OutsideRoutine, RoutineReach};
use crate::product::postgres::local::cluster::Cluster;
use crate::product::postgres::{Postgres, ServerContext, literal};

const WHAT: &str = "the copy cannot be kept from reaching other servers";
const FUNCTIONS: &str = include_str!("disarm.sql");

/// The server's own routines and those that extensions bring in C are not counted: what these do is known by their extension. Those of
/// aggregates have no text.
const OUTSIDE_ROUTINES: &str = r#"SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), l.lanname::text,
         NOT l.lanpltrusted
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang,
         LATERAL (SELECT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')) e (brought)
       WHERE p.oid >= 16384 AND n.nspname <> 'pg_catalog' AND l.lanname <> 'internal' AND CASE
         WHEN NOT l.lanpltrusted THEN l.lanname <> 'c' OR NOT brought
         WHEN brought OR p.prokind = 'a' THEN false
         ELSE pg_get_functiondef(p.oid) ~* E'\\mdblink(_connect|_connect_u|_exec|_open|_send_query)?"?\\s*\\(' END
       ORDER BY 1"#;

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

/// What keeps a copy to itself. `admin`: a superuser in its database, which is whole.
///
/// # Errors
/// As the server gives them.
pub async fn isolation(
    cluster: &Cluster<'_>,
    admin: &Postgres,
    disarmed: Vec<Disarmed>,
) -> Result<Isolation> {
    const WHAT: &str = "cannot list the routines of the copy";
    let client = admin.connect("restore (drydock)").await?;
    let mut outside_routines = Vec::new();
    for row in client.query(OUTSIDE_ROUTINES, &[]).await.server_context(WHAT)? {
        let untrusted: bool = row.try_get(2).server_context(WHAT)?;
        outside_routines.push(OutsideRoutine {
            name: row.try_get(0).server_context(WHAT)?,
            language: row.try_get(1).server_context(WHAT)?,
            reach: if untrusted { RoutineReach::Machine } else { RoutineReach::OtherServers },
        });
    }
    Ok(Isolation { network: Some(cluster.network()), disarmed, outside_routines })
}
