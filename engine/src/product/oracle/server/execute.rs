//! What changes the database outside Liquibase, and what Liquibase's session needs.

use std::time::Duration;

use async_trait::async_trait;
use drydock_oracle_protocol::{Bind, Execute as Statement};

use super::Oracle;
use super::dictionary::query_with;
use super::later::not_yet;
use super::sql::{quoted, relation};
use crate::error::{Error, Result};
use crate::model::changeset::Backfill;
use crate::model::endpoint::Limits;
use crate::product::oracle::Speaks;
use crate::product::oracle::grammar::{self, Context};
use crate::product::oracle::session::Session;
use crate::product::{Batch, Execute, Trial};

/// An index or statistics of a large table take their time.
const LIMIT: Duration = Duration::from_secs(4 * 3_600);
/// The largest that Oracle takes: without a limit.
const LONGEST_LOCK_WAIT: u64 = 1_000_000;

/// A text as SQL writes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The beginning of a text that has room for so many bytes.
fn within(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

async fn run(session: &mut Session, sql: String, binds: Vec<Bind>) -> Result<()> {
    let rows = if binds.is_empty() { Vec::new() } else { vec![binds] };
    session.execute(Statement { sql, rows }, LIMIT).await.map(|_| ())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexState {
    Usable,
    /// By a failed build.
    Left,
}

/// `None`: there is no such index.
async fn state(session: &mut Session, index: &str) -> Result<Option<IndexState>> {
    let (owner, name) = index.split_once('.').unwrap_or(("", index));
    let binds = vec![Bind::text(owner), Bind::text(name)];
    let found = query_with(session, "left index", LEFT.to_owned(), binds).await?;
    let Some(row) = found.rows().next() else { return Ok(None) };
    let left = row.is("STATUS", "UNUSABLE")? || row.number("JOURNALS")?.unwrap_or(0) > 0;
    Ok(Some(if left { IndexState::Left } else { IndexState::Usable }))
}

async fn drop(session: &mut Session, index: &str) -> Result<()> {
    let dropped = run(session, format!("DROP INDEX {}", relation(index)), Vec::new()).await;
    dropped.map_err(|e| match e.code.as_deref() {
        Some("ORA-08104") => {
            let built = format!("the index {index} is still being built, or a build that was broken off is not cleared away");
            let hint = "the server clears it away by itself after a while; a DBA does so by DBMS_REPAIR.ONLINE_INDEX_CLEAN";
            Error::busy(built).because(e).code("ORA-08104").hint(hint)
        }
        _ => e,
    })
}

/// An index that a failed build left: unusable, or with the journal of a build that did not end.
const LEFT: &str = "/* drydock left index */ SELECT i.status,
    (SELECT COUNT(*) FROM all_tables j WHERE j.owner = i.owner AND j.table_name = 'SYS_JOURNAL_' || o.object_id) AS journals
  FROM all_indexes i JOIN all_objects o ON o.owner = i.owner AND o.object_name = i.index_name AND o.object_type = 'INDEX'
    AND o.subobject_name IS NULL
  WHERE i.owner = :1 AND i.index_name = :2";

#[async_trait]
impl Execute for Oracle {
    fn session_setup(&self, limits: &Limits, application: &str) -> Vec<String> {
        let seconds = match limits.lock_wait {
            // A wait that is shorter than a second would be none.
            Some(wait) => (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).clamp(1, LONGEST_LOCK_WAIT),
            None => LONGEST_LOCK_WAIT,
        };
        let (module, action) = application.split_once(' ').unwrap_or((application, ""));
        vec![
            format!("ALTER SESSION SET DDL_LOCK_TIMEOUT = {seconds}"),
            format!(
                "BEGIN DBMS_APPLICATION_INFO.SET_MODULE({}, {}); DBMS_SESSION.SET_IDENTIFIER({}); END;",
                literal(within(module, 48)),
                literal(within(action, 32)),
                literal(within(application, 64))
            ),
        ]
    }

    async fn before_retry(&self, index: &str) -> Result<bool> {
        let mut session = self.looking().await?;
        let left = state(&mut session, index).await? == Some(IndexState::Left);
        if left {
            drop(&mut session, index).await?;
        }
        self.give_back(session).await;
        Ok(left)
    }

    async fn has_index(&self, index: &str) -> Result<bool> {
        let mut session = self.looking().await?;
        let found = state(&mut session, index).await?;
        self.give_back(session).await;
        Ok(found.is_some())
    }

    async fn drop_index(&self, index: &str) -> Result<()> {
        let mut session = self.looking().await?;
        drop(&mut session, index).await?;
        self.give_back(session).await;
        Ok(())
    }

    async fn backfill_batch(
        &self,
        _backfill: &Backfill,
        _after: Option<&str>,
        _size: u32,
        _application: &str,
        _lock_wait: Duration,
    ) -> Result<Option<Batch>> {
        Err(not_yet("fill columns in batches"))
    }

    async fn try_out(&self, _statements: &[&str], _limit: Duration, _application: &str) -> Result<Trial> {
        Err(Error::refused(
            "Oracle commits before and after each DDL statement: nothing can be tried out on production",
        ))
    }

    async fn refresh_statistics(&self, tables: &[String], rewritten: &[String]) -> Result<()> {
        let mut session = self.looking().await?;
        let mut all: Vec<&String> = tables.iter().chain(rewritten).collect();
        all.sort();
        all.dedup();
        for table in all {
            let (owner, name) = table.split_once('.').unwrap_or(("", table));
            let sql = "BEGIN DBMS_STATS.GATHER_TABLE_STATS(ownname => :1, tabname => :2); END;".to_owned();
            // In quotes a name keeps its case.
            run(&mut session, sql, vec![Bind::text(quoted(owner)), Bind::text(quoted(name))]).await?;
        }
        self.give_back(session).await;
        Ok(())
    }

    async fn execute_script(&self, sql: &str) -> Result<()> {
        let catalog = crate::model::catalog::Catalog::default();
        let pieces = grammar::pieces(sql, &Context::new(self.version().name(), &catalog))?;
        let mut session = self.connect("drydock script").await?;
        for piece in pieces {
            let text = sql.get(piece.start..piece.end).unwrap_or_default().to_owned();
            let done = run(&mut session, text, Vec::new()).await;
            done.map_err(|e| {
                let (kind, code) = (e.kind, e.code.clone().unwrap_or_default());
                Error::new(kind, format!("the script failed at line {}", piece.line)).because(e).code(code)
            })?;
        }
        session.commit(LIMIT).await?;
        session.close().await;
        Ok(())
    }
}
