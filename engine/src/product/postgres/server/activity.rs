//! What other sessions do: who waits, for whom, and which locks ours hold.
//!
//! Built on `pg_locks`, which every role may read; what needs `pg_read_all_stats` comes as NULL and is left out
//! (<https://www.postgresql.org/docs/current/monitoring-stats.html>).

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Result;
use crate::model::session::{Activity, Blocker, Blocks, LiquibaseLock, LongTransaction, Wait};
use crate::product::LockWatch;
use crate::product::lock_watch::{self, Looks};
use crate::product::postgres::server::connect::ServerContext;

const WATCH: &str = "cannot watch sessions";
const INTERVAL: Duration = Duration::from_millis(10);

/// Sessions of this database as seen now. `ours`: prefix of our application names; our own waits are not counted.
pub async fn read(client: &Client, ours: &str) -> Result<Activity> {
    // The start of the wait is in pg_locks since 14; `to_jsonb` reads the column only where it exists.
    let since = "coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start)";
    // A session waits for one lock at a time, but takes part in pg_locks several times.
    let waits = format!(
        "WITH w AS (
           SELECT l.pid, greatest(extract(epoch FROM clock_timestamp() - min({since}))::float8, 0) AS seconds
           FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
           WHERE NOT l.granted AND a.datname = current_database() AND NOT starts_with(coalesce(a.application_name, ''), $1)
           GROUP BY l.pid)
         SELECT coalesce(w.seconds, 0), EXISTS (SELECT FROM pg_stat_activity o
           WHERE o.pid = ANY (pg_blocking_pids(w.pid)) AND starts_with(coalesce(o.application_name, ''), $1)) FROM w"
    );
    let mut activity = Activity::default();
    for row in client.query_typed(&waits, &[(&ours, Type::TEXT)]).await.server_context(WATCH)? {
        let wait = Duration::try_from_secs_f64(row.try_get(0).server_context(WATCH)?).unwrap_or_default();
        activity.blocked += 1;
        activity.longest_wait = activity.longest_wait.max(wait);
        if row.try_get(1).server_context(WATCH)? {
            activity.blocked_by_us += 1;
            activity.longest_wait_for_us = activity.longest_wait_for_us.max(wait);
        }
    }
    let long = concat!("SELECT a.pid, coalesce(a.application_name, ''), extract(epoch FROM clock_timestamp() - a.xact_start)::int8,
           coalesce((SELECT array_agg(DISTINCT ", qualified_sql!("n.nspname", "c.relname"), ") FROM pg_locks l
             JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE l.pid = a.pid AND l.granted AND l.database = a.datid AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
               AND ", users_sql!("n.nspname"), "), '{}')
         FROM pg_stat_activity a
         WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
           AND a.xact_start < clock_timestamp() - interval '1 s' AND NOT starts_with(coalesce(a.application_name, ''), $1)
         ORDER BY a.xact_start");
    for row in client.query_typed(long, &[(&ours, Type::TEXT)]).await.server_context(WATCH)? {
        activity.long_transactions.push(LongTransaction {
            pid: i64::from(row.try_get::<_, i32>(0).server_context(WATCH)?),
            application: row.try_get(1).server_context(WATCH)?,
            seconds: u64::try_from(row.try_get::<_, i64>(2).server_context(WATCH)?).unwrap_or(0),
            holds: row.try_get(3).server_context(WATCH)?,
        });
    }
    Ok(activity)
}

/// Sessions of ours that wait for a lock, and for whom. Others of ours are not named: we end by ourselves.
pub async fn waits(client: &Client) -> Result<Vec<Wait>> {
    let sql = "WITH w AS MATERIALIZED (
           SELECT a.pid, a.application_name AS name, a.query_start FROM pg_stat_activity a
           WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' AND a.application_name ~ '(^drydock | \\(drydock\\)$)')
         SELECT w.pid, w.name,
           extract(epoch FROM clock_timestamp() - coalesce((SELECT min((to_jsonb(l) ->> 'waitstart')::timestamptz) FROM pg_locks l
             WHERE l.pid = w.pid AND NOT l.granted), w.query_start))::float8,
           coalesce(b.pid, 0), coalesce(b.application_name, ''), coalesce(b.usename::text, ''),
           coalesce(extract(epoch FROM clock_timestamp() - b.xact_start), 0)::int8, b.query
         FROM w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS p (pid)
         LEFT JOIN pg_stat_activity b ON b.pid = p.pid
         WHERE coalesce(b.application_name, '') !~ '(^drydock | \\(drydock\\)$)' ORDER BY w.pid, 4";
    let mut waits: Vec<(i32, Wait)> = Vec::new();
    for row in client.query_typed(sql, &[]).await.server_context(WATCH)? {
        let pid = row.try_get(0).server_context(WATCH)?;
        let seconds: Option<f64> = row.try_get(2).server_context(WATCH)?;
        let query: Option<String> = row.try_get(7).server_context(WATCH)?;
        let blocker = Blocker {
            pid: i64::from(row.try_get::<_, i32>(3).server_context(WATCH)?),
            application: row.try_get(4).server_context(WATCH)?,
            user: row.try_get(5).server_context(WATCH)?,
            seconds: u64::try_from(row.try_get::<_, i64>(6).server_context(WATCH)?).unwrap_or(0),
            query: query.and_then(|query| without_constants(&query)),
        };
        match waits.last_mut().filter(|(last, _)| *last == pid) {
            Some((_, wait)) if !wait.blockers.contains(&blocker) => wait.blockers.push(blocker),
            Some(_) => {}
            None => {
                let time = Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default();
                let application = row.try_get(1).server_context(WATCH)?;
                waits.push((pid, Wait { application, time, blockers: vec![blocker] }));
            }
        }
    }
    Ok(waits.into_iter().map(|(_, wait)| wait).collect())
}

/// The beginning of a query, on one line and with its constants replaced; `None` where that cannot be done.
fn without_constants(query: &str) -> Option<String> {
    const SHOWN: usize = 80;
    let plain = pg_query::normalize(query).ok()?;
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = plain.chars().take(SHOWN).collect();
    Some(if shown.len() < plain.len() { format!("{shown}…") } else { shown })
}

/// Breaks off what sessions of this name run now.
pub async fn cancel(client: &Client, application: &str) -> Result<()> {
    let sql = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE application_name = $1 AND datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    client
        .query_typed(sql, &[(&application, Type::TEXT)])
        .await
        .server_context("cannot break off a statement of ours")?;
    Ok(())
}

/// Whether another session that may be Liquibase is as old as a lock granted at `since` (a local time of some machine: read
/// as UTC and as the server's zone, whichever is later). Sessions whose start we may not see count as old. Ours do not count:
/// those of a run's earlier life were ended when it was taken up, and the ones there are came after the lock, if only just.
///
/// The name alone does not tell: a service migrates under its own. What it has written in an open transaction does, and so does the
/// holder's address, unless it is our own that the session comes from.
pub async fn liquibase_alive(client: &Client, lock: &LiquibaseLock, ours: &str) -> Result<bool> {
    let since =
        lock.since.trim().replace('T', " ").parse::<jiff::civil::DateTime>().ok().map(|t| t.to_string());
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database()
           AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
           AND NOT starts_with(a.application_name, $2)
           AND (a.application_name ~* '(jdbc|liquibase|^drydock)' OR a.backend_xid IS NOT NULL OR
               host(a.client_addr) = $3 AND a.application_name !~* 'drydock')
           AND coalesce(a.backend_start <= interval '1 min'
               + greatest($1::timestamp AT TIME ZONE 'UTC', $1::timestamp AT TIME ZONE current_setting('TimeZone')), true))";
    let sql = sql.replace("$1::timestamp", "$1::text::timestamp");
    let row = client
        .query_typed_one(&sql, &[(&since, Type::TEXT), (&ours, Type::TEXT), (&lock.address(), Type::TEXT)])
        .await;
    row.and_then(|r| r.try_get(0)).server_context("cannot look for the holder of Liquibase's lock")
}

/// The locks of sessions with this name.
struct Locks {
    client: Client,
    application: String,
}

/// Watches the locks of sessions with this name. Has looked once when it returns.
///
/// # Errors
/// `Failed` when the server does not answer.
pub async fn watch_locks(client: Client, application: String) -> Result<Box<dyn LockWatch>> {
    lock_watch::start(Locks { client, application }, INTERVAL).await
}

#[async_trait]
impl Looks for Locks {
    type Mode = String;

    async fn look(&mut self) -> Result<Vec<(String, String)>> {
        // A lock on an index is one on its table for those who plan a query. Relations that the watched transaction makes
        // are in no catalog yet, and in nobody's way.
        let sql = concat!("SELECT DISTINCT ", qualified_sql!("n.nspname", "c.relname"), ", l.mode FROM pg_locks l
             JOIN pg_stat_activity a ON a.pid = l.pid AND a.application_name = $1
             LEFT JOIN pg_index i ON i.indexrelid = l.relation
             JOIN pg_class c ON c.oid = coalesce(i.indrelid, l.relation) JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE l.granted AND l.locktype = 'relation' AND a.datid = l.database
               AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
               AND c.relkind IN ('r', 'p', 'm', 'v', 'f') AND ", users_sql!("n.nspname"));
        let rows = self.client.query_typed(sql, &[(&self.application, Type::TEXT)]).await;
        let rows = rows.server_context(WATCH)?;
        let lock = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(lock).collect::<std::result::Result<_, tokio_postgres::Error>>().server_context(WATCH)
    }

    fn told(mode: &String) -> (String, Blocks) {
        (spoken(mode), blocks(mode))
    }

    async fn close(self) {}
}

/// `AccessExclusiveLock` -> `ACCESS EXCLUSIVE`, as the manual writes it
/// (<https://www.postgresql.org/docs/current/explicit-locking.html>).
fn spoken(mode: &str) -> String {
    let mut text = String::new();
    for c in mode.trim_end_matches("Lock").chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(c.to_uppercase());
    }
    text
}

fn blocks(mode: &str) -> Blocks {
    match mode {
        "AccessExclusiveLock" => Blocks::Everybody,
        "ExclusiveLock" | "ShareRowExclusiveLock" | "ShareLock" => Blocks::Writers,
        _ => Blocks::Nobody,
    }
}
