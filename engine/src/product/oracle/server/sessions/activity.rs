//! Sessions that wait, and transactions that are open for long.

use std::time::Duration;

use drydock_oracle_protocol::Bind;

use super::named;
use crate::error::Result;
use crate::model::session::{Activity, Blocker, LiquibaseLock, LongTransaction, Wait};
use crate::product::oracle::queries::words;
use crate::product::oracle::server::dictionary::{Row, query_with};
use crate::product::oracle::session::Session;

fn micros(row: Row<'_>) -> Result<Duration> {
    let micros = row.number("MICROS")?.and_then(|n| u64::try_from(n).ok());
    Ok(Duration::from_micros(micros.unwrap_or(0)))
}

fn text(row: Row<'_>, column: &str) -> Result<String> {
    Ok(row.maybe(column)?.unwrap_or_default().to_owned())
}

fn seconds(row: Row<'_>) -> Result<u64> {
    Ok(row.number("SECONDS")?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}

/// Sessions that wait for another session, and who that is in the end.
pub fn blocked_sql() -> String {
    format!(
        "/* drydock blocked */ SELECT w.wait_time_micro AS micros, {} AS waits, {} AS blocks
         FROM gv$session w LEFT JOIN gv$session b ON b.sid = w.final_blocking_session AND b.inst_id = w.final_blocking_instance
         WHERE w.type = 'USER' AND w.blocking_session IS NOT NULL",
        named("w"),
        named("b")
    )
}

/// Transactions that are older than a second, with the tables that they hold locks on.
pub fn long_sql() -> String {
    format!(
        "/* drydock transactions */ SELECT s.sid, {} AS application, ROUND((SYSDATE - t.start_date) * 86400) AS seconds,
           (SELECT LISTAGG(o.owner || '.' || o.object_name, ',') WITHIN GROUP (ORDER BY o.owner, o.object_name)
            FROM gv$locked_object l JOIN all_objects o ON o.object_id = l.object_id
            WHERE l.session_id = s.sid AND l.inst_id = s.inst_id) AS holds
         FROM gv$transaction t JOIN gv$session s ON s.taddr = t.addr AND s.inst_id = t.inst_id
         WHERE t.start_date < SYSDATE - 1 / 86400 ORDER BY t.start_date",
        named("s")
    )
}

pub async fn read(session: &mut Session, ours: &str) -> Result<Activity> {
    let mut activity = Activity::default();
    for row in query_with(session, "blocked", blocked_sql(), Vec::new()).await?.rows() {
        if text(row, "WAITS")?.starts_with(ours) {
            continue;
        }
        let wait = micros(row)?;
        activity.blocked += 1;
        activity.longest_wait = activity.longest_wait.max(wait);
        if text(row, "BLOCKS")?.starts_with(ours) {
            activity.blocked_by_us += 1;
            activity.longest_wait_for_us = activity.longest_wait_for_us.max(wait);
        }
    }
    for row in query_with(session, "transactions", long_sql(), Vec::new()).await?.rows() {
        let application = text(row, "APPLICATION")?;
        if application.starts_with(ours) {
            continue;
        }
        let holds = text(row, "HOLDS")?;
        activity.long_transactions.push(LongTransaction {
            pid: row.number("SID")?.unwrap_or(0),
            application,
            seconds: seconds(row)?,
            holds: holds.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        });
    }
    Ok(activity)
}

pub fn waits_sql() -> String {
    format!(
        "/* drydock waits */ SELECT w.sid || ',' || w.inst_id AS waiter, {} AS application, w.wait_time_micro AS micros, b.sid,
           {} AS blocker, b.username,
           (SELECT ROUND((SYSDATE - t.start_date) * 86400) FROM gv$transaction t
            WHERE t.addr = b.taddr AND t.inst_id = b.inst_id) AS seconds,
           (SELECT MAX(q.sql_text) FROM gv$sqlstats q
            WHERE q.sql_id = NVL(b.sql_id, b.prev_sql_id) AND q.inst_id = b.inst_id) AS query
         FROM gv$session w JOIN gv$session b ON b.sid = w.blocking_session AND b.inst_id = w.blocking_instance
         WHERE w.type = 'USER' AND w.blocking_session IS NOT NULL ORDER BY 1, b.sid",
        named("w"),
        named("b")
    )
}

fn is_ours(application: &str) -> bool {
    application.starts_with("drydock ") || application.ends_with(" (drydock)")
}

/// Sessions of ours that wait, and for whom. Others of ours are not named: we end by ourselves.
pub async fn waits(session: &mut Session) -> Result<Vec<Wait>> {
    let mut waits: Vec<(String, Wait)> = Vec::new();
    for row in query_with(session, "waits", waits_sql(), Vec::new()).await?.rows() {
        let (application, by) = (text(row, "APPLICATION")?, text(row, "BLOCKER")?);
        if !is_ours(&application) || is_ours(&by) {
            continue;
        }
        let blocker = Blocker {
            pid: row.number("SID")?.unwrap_or(0),
            application: by,
            user: text(row, "USERNAME")?,
            seconds: seconds(row)?,
            query: row.maybe("QUERY")?.map(without_constants),
        };
        let waiter = text(row, "WAITER")?;
        match waits.last_mut().filter(|(last, _)| *last == waiter) {
            Some((_, wait)) => wait.blockers.push(blocker),
            None => waits.push((waiter, Wait { application, time: micros(row)?, blockers: vec![blocker] })),
        }
    }
    Ok(waits.into_iter().map(|(_, wait)| wait).collect())
}

/// The beginning of a query without its constants.
fn without_constants(query: &str) -> String {
    const SHOWN: usize = 80;
    let plain = words::fingerprint(query);
    let shown: String = plain.chars().take(SHOWN).collect();
    if shown.len() < plain.len() { format!("{shown}…") } else { shown }
}

/// Sessions that came before a moment and may be Liquibase's: by their driver's name, or by what they have open from the holder's machine.
pub fn liquibase_sql() -> String {
    format!(
        "/* drydock liquibase */ SELECT {} AS application FROM gv$session s
         WHERE s.type = 'USER' AND NOT (s.sid = SYS_CONTEXT('USERENV', 'SID') AND s.inst_id = SYS_CONTEXT('USERENV', 'INSTANCE'))
           AND (LOWER(s.program) LIKE '%jdbc%' OR LOWER(s.program) LIKE '%liquibase%' OR s.program LIKE 'drydock%'
             OR s.taddr IS NOT NULL OR INSTR(:1, s.machine) > 0)",
        named("s")
    )
}

pub async fn liquibase_alive(session: &mut Session, lock: &LiquibaseLock, ours: &str) -> Result<bool> {
    let holder = vec![Bind::text(lock.by.clone())];
    let rows = query_with(session, "liquibase", liquibase_sql(), holder).await?;
    for row in rows.rows() {
        if !text(row, "APPLICATION")?.starts_with(ours) {
            return Ok(true);
        }
    }
    Ok(false)
}
