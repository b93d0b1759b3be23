//! What copies on this machine will need.

use crate::error::Result;
use crate::model::preflight::{Fact, Finding};
use crate::product::Inspect;
use crate::product::postgres::local::tools::Tools;
use crate::product::postgres::server::connect::INSPECT;
use crate::product::postgres::{Postgres, ServerContext};

const READ: &str = "cannot read what copies will need";

pub async fn read(tools: &Tools, database: &Postgres) -> Result<Vec<Fact>> {
    let server = database.server().await?;
    let client = database.take(INSPECT).await?;
    // A base backup takes all databases of the server, and the log that is kept.
    let whole = server.replication && server.major == tools.major;
    let sql = "SELECT CASE WHEN $1 THEN (SELECT sum(pg_database_size(oid)) FROM pg_database WHERE has_database_privilege(oid, 'CONNECT'))
          ELSE pg_database_size(current_database()) END::int8,
        ARRAY(SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1),
        (SELECT count(*) FROM pg_tablespace WHERE spcname !~ '^pg_')::int8";
    let row = client
        .query_typed_one(sql, &[(&whole, tokio_postgres::types::Type::BOOL)])
        .await
        .server_context(READ)?;
    let bytes: i64 = row.try_get(0).server_context(READ)?;
    let extensions: Vec<String> = row.try_get(1).server_context(READ)?;
    let tablespaces: i64 = row.try_get(2).server_context(READ)?;
    database.give_back(INSPECT, client);
    let mut facts = vec![Fact::new(Finding::CopySize { bytes: u64::try_from(bytes).unwrap_or(0) })];
    if server.major > tools.major {
        let old = Finding::OldPrograms {
            server: server.version.clone(),
            programs: format!("of PostgreSQL {}", tools.major),
        };
        facts.push(Fact::new(old).remedy(format!("install PostgreSQL {} or newer here", server.major)));
    }
    for name in extensions {
        if tools.has_extension(&name) == Some(false) {
            let remedy = format!("install it for PostgreSQL {} on this machine too", tools.major);
            facts.push(Fact::new(Finding::MissingExtension { name }).remedy(remedy));
        }
    }
    if tablespaces > 0 {
        facts.push(Fact::new(Finding::OutsideStorage { count: u64::try_from(tablespaces).unwrap_or(0) }));
    }
    Ok(facts)
}
