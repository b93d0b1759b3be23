//! Locks that sessions of a name hold, watched while they are at work.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use drydock_oracle_protocol::Bind;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::named;
use crate::error::Result;
use crate::model::session::{Blocks, HeldLock};
use crate::product::LockWatch;
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

/// Relation and mode -> how long it was held, and when it was seen last.
#[derive(Default)]
struct Seen {
    held: BTreeMap<(String, i64), (Duration, Instant)>,
    looked: Option<Instant>,
}

impl Seen {
    async fn look(&mut self, session: &mut Session, application: &str) -> Result<()> {
        let rows = query_with(session, "locks", locks_sql(), vec![Bind::text(application)]).await?;
        let now = Instant::now();
        for row in rows.rows() {
            let key = (row.name("OWNER", "OBJECT_NAME")?, row.number("LOCKED_MODE")?.unwrap_or(6));
            let entry = self.held.entry(key).or_insert((Duration::ZERO, now));
            // Held all the time since the look before, if it was seen then too.
            if Some(entry.1) == self.looked {
                entry.0 += now - entry.1;
            }
            entry.1 = now;
        }
        self.looked = Some(now);
        Ok(())
    }

    fn locks(self) -> Vec<HeldLock> {
        let held = self.held.into_iter().map(|((relation, mode), (time, _))| HeldLock {
            relation,
            mode: spoken(mode).to_owned(),
            blocks: Blocks::Writers,
            held_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        });
        held.collect()
    }
}

pub struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<HeldLock>>,
}

impl Watch {
    /// Has looked once when it returns.
    pub async fn start(mut session: Session, application: String) -> Result<Self> {
        let mut seen = Seen::default();
        seen.look(&mut session, &application).await?;
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut tick = tokio::time::interval(INTERVAL);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => break,
                    _ = tick.tick() => {}
                }
                if let Err(error) = seen.look(&mut session, &application).await {
                    tracing::warn!(%error, "the lock watch lost its connection");
                    break;
                }
            }
            session.close().await;
            seen.locks()
        });
        Ok(Self { stop, task })
    }
}

#[async_trait]
impl LockWatch for Watch {
    async fn stop(self: Box<Self>) -> Vec<HeldLock> {
        let _ = self.stop.send(());
        self.task.await.unwrap_or_default()
    }
}
