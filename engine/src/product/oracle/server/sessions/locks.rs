//! Locks that sessions of a name hold, watched while they are at work.

use std::time::Duration;

use async_trait::async_trait;
use drydock_oracle_protocol::Bind;

use super::named;
use crate::error::Result;
use crate::model::session::Blocks;
use crate::product::LockWatch;
use crate::product::lock_watch::{self, Looks};
use crate::product::oracle::server::dictionary::query_with;
use crate::product::oracle::session::Session;

/// Each look is a query.
const INTERVAL: Duration = Duration::from_millis(50);

/// Locks of tables that keep writers away: those of rows alone (2 and 3) do not. Readers wait for none of them.
pub fn locks_sql() -> String {
    format!(
        "/* drydock locks */ SELECT DISTINCT o.owner, o.object_name, l.locked_mode
         FROM gv$locked_object l JOIN gv$session s ON s.sid = l.session_id AND s.inst_id = l.inst_id
         JOIN all_objects o ON o.object_id = l.object_id
         WHERE l.locked_mode > 3 AND {} = :1",
        named("s")
    )
}

fn spoken(mode: i64) -> &'static str {
    match mode {
        4 => "share",
        5 => "share row exclusive",
        _ => "exclusive",
    }
}

/// The locks of sessions with this name.
struct Locks {
    session: Session,
    application: String,
}

/// Watches the locks of sessions with this name. Has looked once when it returns.
///
/// # Errors
/// As the server has it.
pub async fn watch(session: Session, application: String) -> Result<Box<dyn LockWatch>> {
    lock_watch::start(Locks { session, application }, INTERVAL).await
}

#[async_trait]
impl Looks for Locks {
    type Mode = i64;

    async fn look(&mut self) -> Result<Vec<(String, i64)>> {
        let binds = vec![Bind::text(&self.application)];
        let rows = query_with(&mut self.session, "locks", locks_sql(), binds).await?;
        let rows = rows.rows();
        rows.map(|row| Ok((row.name("OWNER", "OBJECT_NAME")?, row.number("LOCKED_MODE")?.unwrap_or(6))))
            .collect()
    }

    fn told(mode: &i64) -> (String, Blocks) {
        (spoken(*mode).to_owned(), Blocks::Writers)
    }

    async fn close(self) {
        self.session.close().await;
    }
}
