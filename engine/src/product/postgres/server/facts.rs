//! Who the server is, and physical facts.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio_postgres::Client;

use crate::error::{Context, Result};
use crate::model::endpoint::Endpoint;
use crate::model::preflight::ServerDisk;
use crate::model::server::{Footprint, LogPosition, ServerInfo};
use crate::product::disk;
use crate::product::postgres::server::connect::ServerContext;

pub async fn read(client: &Client, endpoint: &Endpoint) -> Result<ServerInfo> {
    let what = format!("cannot ask {}:{} who it is", endpoint.host, endpoint.port);
    let sql = "SELECT current_setting('server_version'), current_setting('server_version_num')::int4 / 10000,
           r.rolname::text, r.rolsuper, r.rolsuper OR r.rolreplication, r.rolsuper OR pg_has_role('pg_read_all_stats', 'USAGE'),
           pg_database_size(current_database()) FROM pg_roles r WHERE r.rolname = current_user";
    let row = client.query_typed_one(sql, &[]).await.server_context(&what)?;
    let version: String = row.try_get(0).server_context(&what)?;
    // Executable by everybody unless revoked, which managed services do.
    let id = client.query_typed_one("SELECT system_identifier::text FROM pg_control_system()", &[]).await;
    Ok(ServerInfo {
        version: format!("PostgreSQL {}", version.split(' ').next().unwrap_or(&version)),
        major: u32::try_from(row.try_get::<_, i32>(1).server_context(&what)?).unwrap_or(0),
        system_id: id.and_then(|row| row.try_get(0)).ok(),
        user: row.try_get(2).server_context(&what)?,
        superuser: row.try_get(3).server_context(&what)?,
        replication: row.try_get(4).server_context(&what)?,
        sees_activity: row.try_get(5).server_context(&what)?,
        database_bytes: u64::try_from(row.try_get::<_, i64>(6).server_context(&what)?).unwrap_or(0),
    })
}

/// The server has no word for how much is free on its disk. Where its folder of data is one of this machine, it can be seen here: it is
/// the same one if it was made and changed at the same moments. Whoever may not ask for that sees nothing, nor does one whose
/// tables may be on other disks.
pub async fn disk(client: &Client) -> ServerDisk {
    seen(client).await.unwrap_or(ServerDisk::Hidden)
}

async fn seen(client: &Client) -> Option<ServerDisk> {
    let sql = "SELECT current_setting('data_directory'), extract(epoch FROM s.modification)::int8, extract(epoch FROM s.change)::int8
        FROM pg_stat_file('.') s WHERE NOT EXISTS (SELECT FROM pg_tablespace WHERE spcname !~ '^pg_')";
    let row = client.query_typed_opt(sql, &[]).await.ok()??;
    let folder: String = row.try_get(0).ok()?;
    let (modified, changed): (i64, i64) = (row.try_get(1).ok()?, row.try_get(2).ok()?);
    let here = std::fs::metadata(&folder).ok()?;
    let free =
        disk::free(Path::new(&folder)).filter(|_| (here.mtime(), here.ctime()) == (modified, changed))?;
    Some(ServerDisk::Here { folder, free })
}

/// Where the next record of the write-ahead log goes, and the timeline that it is written on: the name of a segment begins with it.
pub async fn log_position(client: &Client) -> Result<LogPosition> {
    const WHAT: &str = "cannot read the position in the write-ahead log";
    let sql = "SELECT l::text, substr(pg_walfile_name(l), 1, 8) FROM pg_current_wal_insert_lsn() l";
    let row = client.query_typed_one(sql, &[]).await.server_context(WHAT)?;
    let timeline: String = row.try_get(1).server_context(WHAT)?;
    let timeline = u32::from_str_radix(&timeline, 16).context(WHAT)?;
    Ok(LogPosition { position: row.try_get(0).server_context(WHAT)?, timeline })
}

/// The file behind each table and partition, and the position in the write-ahead log. On a standby, and where it may not be
/// asked for, the position is 0.
pub async fn footprint(client: &Client) -> Result<Footprint> {
    const WHAT: &str = "cannot read where tables are stored";
    let sql = concat!(
        "SELECT ",
        qualified_sql!("n.nspname", "c.relname"),
        ", pg_relation_filenode(c.oid)::text
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm') AND ",
        users_sql!("n.nspname"),
        " AND NOT ",
        liquibase_table_sql!("c")
    );
    let mut footprint = Footprint::default();
    for row in client.query_typed(sql, &[]).await.server_context(WHAT)? {
        let file: Option<String> = row.try_get(1).server_context(WHAT)?;
        footprint.storage.insert(row.try_get(0).server_context(WHAT)?, file.unwrap_or_default());
    }
    let sql =
        "SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE (pg_current_wal_insert_lsn() - '0/0')::int8 END";
    let position: Option<i64> = client.query_typed_one(sql, &[]).await.and_then(|row| row.try_get(0)).ok();
    footprint.log_bytes = position.and_then(|position| u64::try_from(position).ok());
    Ok(footprint)
}
