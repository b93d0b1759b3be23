//! Facts that are asked of a server before anything is done. Nothing is set here on a session.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, Row};

use crate::error::Result;
use crate::model::changeset::ChangesetId;
use crate::model::endpoint::Endpoint;
use crate::model::history::{OtherHistory, OtherHistoryRow};
use crate::model::preflight::{Fact, Finding, SettingScope};
use crate::product::postgres::server::connect::{INSPECT, ServerContext, connect_only, quoted_relation};
use crate::product::postgres::server::session::{self, LockWait};
use crate::product::postgres::server::{error_codes, pooler};

const READ: &str = "cannot read the server's facts";
const SQL_ASCII: &str = "SQL_ASCII";
/// Settings of roles and databases that are worth knowing. Others may hold what is nobody's business.
const TELLING: &[&str] = &[
    "lock_timeout",
    "search_path",
    "role",
    "row_security",
    "session_replication_role",
    "default_transaction_isolation",
    "default_tablespace",
];

/// Everything that the server tells. Where a pooler is in front of it, that alone.
pub async fn read(endpoint: &Endpoint) -> Result<Vec<Fact>> {
    if let Some(sign) = pooler::find(endpoint).await? {
        let remedy = "connect to PostgreSQL itself: give the server's own host and port, not the pooler's";
        return Ok(vec![Fact::new(Finding::Pooler { sign }).remedy(remedy)]);
    }
    let (client, _) = connect_only(endpoint, INSPECT, LockWait::Short).await?;
    let mut facts = Vec::new();
    server(&client, &mut facts).await?;
    settings(&client, &mut facts).await?;
    row_security(&client, &mut facts).await?;
    connections(&client, &mut facts).await?;
    replication(&client, &mut facts).await;
    transactions(&client, &mut facts).await?;
    clock(&client, &mut facts).await?;
    encoding(&client, &mut facts).await?;
    Ok(facts)
}

async fn server(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let sql = "SELECT split_part(current_setting('server_version'), ' ', 1), getdatabaseencoding()::text, pg_is_in_recovery(),
        current_setting('transaction_read_only')::bool, current_user::text";
    let row = client.query_typed_one(sql, &[]).await.server_context(READ)?;
    let version = format!("PostgreSQL {}", text(&row, 0)?);
    facts.push(Fact::new(Finding::Server { version, encoding: text(&row, 1)? }));
    if row.try_get(2).server_context(READ)? {
        // Only a superuser or pg_read_all_stats is told.
        let sql = "SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver WHERE sender_host IS NOT NULL";
        let primary = client.query_typed_opt(sql, &[]).await.ok().flatten();
        let primary = primary.and_then(|row| row.try_get(0).ok());
        facts.push(Fact::new(Finding::Replica { primary }).remedy("name the primary"));
    } else if row.try_get(3).server_context(READ)? {
        let remedy = "take default_transaction_read_only out of the URL's options";
        facts.push(Fact::new(Finding::ReadOnlySession).remedy(remedy));
    }
    Ok(())
}

async fn settings(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let sql = "SELECT s.setrole <> 0, s.setdatabase <> 0, split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
        FROM pg_db_role_setting s, unnest(s.setconfig) c
        WHERE s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
          AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 3, 1, 2";
    for row in client.query_typed(sql, &[]).await.server_context(READ)? {
        let of = match (row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?) {
            (true, true) => SettingScope::RoleInDatabase,
            (true, false) => SettingScope::Role,
            (false, _) => SettingScope::Database,
        };
        let (name, value) = (text(&row, 2)?, text(&row, 3)?);
        let reset = session::is_limit(&name);
        if reset || TELLING.contains(&name.to_lowercase().as_str()) {
            facts.push(Fact::new(Finding::SessionSetting { name, value, of, reset }));
        }
    }
    Ok(())
}

async fn row_security(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let sql = concat!(
        "SELECT ",
        qualified_sql!("n.nspname", "c.relname"),
        ", current_user::text,
          ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY 1)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relrowsecurity AND n.nspname !~ '^pg_' AND row_security_active(c.oid) ORDER BY 1"
    );
    for row in client.query_typed(sql, &[]).await.server_context(READ)? {
        let user = text(&row, 1)?;
        let hidden = Finding::HiddenRows {
            table: text(&row, 0)?,
            policies: row.try_get(2).server_context(READ)?,
            user: user.clone(),
        };
        let remedy =
            format!("let the user bypass row security (ALTER ROLE {user} BYPASSRLS), or use one that may");
        facts.push(Fact::new(hidden).remedy(remedy));
    }
    Ok(())
}

async fn connections(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let sql = "WITH a AS (SELECT usename = current_user AS mine, datname = current_database() AS here FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
          c AS (SELECT (SELECT sum(setting::int8) FILTER (WHERE name = 'max_connections')
              - coalesce(sum(setting::int8) FILTER (WHERE name <> 'max_connections'), 0) FROM pg_settings
              WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')) AS all_of_them)
        SELECT c.all_of_them::int8, (SELECT count(*) FROM a)::int8,
          CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END::int8, (SELECT count(*) FROM a WHERE mine)::int8,
          CASE WHEN r.rolsuper THEN -1 ELSE d.datconnlimit END::int8, (SELECT count(*) FROM a WHERE here)::int8
        FROM c, pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()";
    let row = client.query_typed_one(sql, &[]).await.server_context(READ)?;
    let number = |at: usize| row.try_get::<_, i64>(at).server_context(READ);
    let mut fewest = (i64::MAX, 0);
    for at in [0, 2, 4] {
        let (limit, used) = (number(at)?, number(at + 1)?);
        if limit >= 0 && limit - used < fewest.0 {
            fewest = (limit - used, limit);
        }
    }
    let (free, limit) = (unsigned(fewest.0), unsigned(fewest.1));
    let remedy = "end idle sessions, or raise the limit (max_connections, or CONNECTION LIMIT of the role or the database)";
    facts.push(Fact::new(Finding::Connections { free, limit }).remedy(remedy));
    Ok(())
}

/// What may not be asked is left out.
async fn replication(client: &Client, facts: &mut Vec<Fact>) {
    let sql = "SELECT coalesce(nullif(application_name, ''), client_addr::text, 'without a name'),
          pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::int8, coalesce(extract(epoch FROM replay_lag), 0)::float8
        FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY 1";
    for row in client.query_typed(sql, &[]).await.unwrap_or_default() {
        if let (Ok(name), Ok(bytes), Ok(seconds)) = (row.try_get(0), row.try_get(1), row.try_get(2)) {
            facts.push(Fact::new(Finding::ReplicaLag { name, bytes: unsigned(bytes), seconds }).remedy(
                "wait until it has caught up: a migration writes much log, and readers there see it late",
            ));
        }
    }
    let sql = "SELECT slot_name::text, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 FROM pg_replication_slots
        WHERE restart_lsn IS NOT NULL AND NOT temporary ORDER BY 1";
    for row in client.query_typed(sql, &[]).await.unwrap_or_default() {
        if let (Ok(name), Ok(active), Ok(bytes)) =
            (row.try_get::<_, String>(0), row.try_get(1), row.try_get(2))
        {
            let consumer = format!("the replication slot {name}");
            let kept = Finding::LogKept { consumer, active, bytes: unsigned(bytes) };
            let remedy = format!("if nobody will use it any more: SELECT pg_drop_replication_slot('{name}')");
            facts.push(Fact::new(kept).remedy(remedy));
        }
    }
}

async fn transactions(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let sql = "SELECT pid, coalesce(application_name, ''), coalesce(usename::text, ''),
          extract(epoch FROM clock_timestamp() - xact_start)::int8
        FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
          AND xact_start < clock_timestamp() - interval '1 min' AND coalesce(application_name, '') !~ 'drydock' ORDER BY 4 DESC";
    for row in client.query_typed(sql, &[]).await.server_context(READ)? {
        let pid = i64::from(row.try_get::<_, i32>(0).server_context(READ)?);
        let (application, user, seconds) = (text(&row, 1)?, text(&row, 2)?, seconds(&row, 3)?);
        let long = Finding::LongTransaction { pid, application, user, seconds };
        let remedy = format!("wait until it ends, or end it: SELECT pg_terminate_backend({pid})");
        facts.push(Fact::new(long).remedy(remedy));
    }
    let sql = "SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::int8 FROM pg_prepared_xacts
        WHERE database = current_database() AND prepared < clock_timestamp() - interval '10 s' ORDER BY 2 DESC";
    for row in client.query_typed(sql, &[]).await.server_context(READ)? {
        let (name, seconds) = (text(&row, 0)?, seconds(&row, 1)?);
        facts.push(
            Fact::new(Finding::PreparedTransaction { name, seconds })
                .remedy("its coordinator has to end it (COMMIT PREPARED or ROLLBACK PREPARED): it holds its locks until then"),
        );
    }
    Ok(())
}

async fn clock(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64();
    let before = now();
    let row = client.query_typed_one("SELECT extract(epoch FROM clock_timestamp())::float8", &[]).await;
    let theirs: f64 = row.and_then(|row| row.try_get(0)).server_context(READ)?;
    let seconds = theirs - f64::midpoint(before, now());
    facts.push(
        Fact::new(Finding::ClockDifference { seconds })
            .remedy("set both clocks by the same source: the age of locks and sessions is told by them"),
    );
    Ok(())
}

/// Where the database does not know its encoding, some rows of each table are tried: everybody who reads them as text would fail.
async fn encoding(client: &Client, facts: &mut Vec<Fact>) -> Result<()> {
    let row = client.query_typed_one("SELECT getdatabaseencoding()::text", &[]).await.server_context(READ)?;
    if text(&row, 0)? != SQL_ASCII {
        return Ok(());
    }
    let remedy = "dump the database, convert it and restore it into one with ENCODING 'UTF8'";
    facts.push(Fact::new(Finding::NoEncoding { encoding: SQL_ASCII.to_owned() }).remedy(remedy));
    let sql = concat!(
        "SELECT ",
        qualified_sql!("n.nspname", "c.relname"),
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.relpages DESC, 1 LIMIT 100"
    );
    for row in client.query_typed(sql, &[]).await.server_context(READ)? {
        let table = text(&row, 0)?;
        // Only the count leaves the server.
        let look = format!(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = '2s'; SET LOCAL lock_timeout = '1s';
             SELECT count(convert_from(textsend(t::text), 'UTF8')) FROM (SELECT * FROM ONLY {} LIMIT 2000) t; ROLLBACK",
            quoted_relation(&table)
        );
        let looked = client.simple_query(&look).await;
        if let Err(error) = looked {
            client.simple_query("ROLLBACK").await.server_context(READ)?;
            let code = error.as_db_error().map(|db| db.code().code());
            if code == Some(error_codes::NOT_IN_REPERTOIRE) {
                facts.push(Fact::new(Finding::UnreadableText { table }).remedy(remedy));
            }
        }
    }
    Ok(())
}

/// Tables with the columns of Liquibase's history, and what they hold.
pub async fn histories(client: &Client) -> Result<Vec<OtherHistory>> {
    const WHAT: &str = "cannot look for Liquibase's history";
    let sql = concat!("SELECT n.nspname::text, ", qualified_sql!("n.nspname", "c.relname"), ", c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
          AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname IN ('id', 'author', 'filename', 'md5sum', 'dateexecuted', 'exectype')) = 6 ORDER BY 2");
    let mut histories = Vec::new();
    for row in client.query_typed(sql, &[]).await.server_context(WHAT)? {
        let table: String = row.try_get(1).server_context(WHAT)?;
        let sql = format!(
            "SELECT id::text, author::text, filename::text, md5sum::text, to_jsonb(h) ->> 'deployment_id' FROM {} h",
            quoted_relation(&table)
        );
        let mut rows = Vec::new();
        for row in client.query_typed(&sql, &[]).await.server_context(WHAT)? {
            let text = |at: usize| row.try_get::<_, String>(at).server_context(WHAT);
            let key = ChangesetId { id: text(0)?, author: text(1)?, path: text(2)? };
            let (checksum, deployment) =
                (row.try_get(3).server_context(WHAT)?, row.try_get(4).server_context(WHAT)?);
            rows.push(OtherHistoryRow { key, checksum, deployment });
        }
        let (schema, table) = (row.try_get(0).server_context(WHAT)?, row.try_get(2).server_context(WHAT)?);
        histories.push(OtherHistory { schema, table, rows });
    }
    Ok(histories)
}

fn text(row: &Row, at: usize) -> Result<String> {
    row.try_get(at).server_context(READ)
}

fn seconds(row: &Row, at: usize) -> Result<u64> {
    row.try_get(at).map(unsigned).server_context(READ)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
