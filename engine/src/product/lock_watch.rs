//! Watching the locks that sessions of a name hold: what every product does, around one look of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::Result;
use crate::model::session::{Blocks, HeldLock};
use crate::product::LockWatch;

/// A connection of its own, on which locks are looked at again and again.
#[async_trait]
pub trait Looks: Send + 'static {
    /// How the server names the mode of a lock.
    type Mode: Ord + Send;

    /// The relations that are locked now, each with the mode of its lock.
    async fn look(&mut self) -> Result<Vec<(String, Self::Mode)>>;
    /// The mode as the manual writes it, and whom it blocks.
    fn told(mode: &Self::Mode) -> (String, Blocks);
    /// Lets go of the connection.
    async fn close(self);
}

/// Relation and mode -> how long it was held, and when it was seen last.
struct Seen<M> {
    held: BTreeMap<(String, M), (Duration, Instant)>,
    looked: Option<Instant>,
}

impl<M: Ord> Seen<M> {
    async fn look<L: Looks<Mode = M>>(&mut self, looks: &mut L) -> Result<()> {
        let locks = looks.look().await?;
        let now = Instant::now();
        for lock in locks {
            let entry = self.held.entry(lock).or_insert((Duration::ZERO, now));
            // Held all the time since the look before, if it was seen then too.
            if Some(entry.1) == self.looked {
                entry.0 += now - entry.1;
            }
            entry.1 = now;
        }
        self.looked = Some(now);
        Ok(())
    }

    fn locks(self, told: impl Fn(&M) -> (String, Blocks)) -> Vec<HeldLock> {
        let held = self.held.into_iter().map(|((relation, mode), (time, _))| {
            let (mode, blocks) = told(&mode);
            HeldLock { relation, mode, blocks, held_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX) }
        });
        held.collect()
    }
}

struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<HeldLock>>,
}

/// Looks every `interval` until it is told to stop. Has looked once when it returns.
///
/// # Errors
/// As of the first look.
pub async fn start<L: Looks>(mut looks: L, interval: Duration) -> Result<Box<dyn LockWatch>> {
    let mut seen = Seen { held: BTreeMap::new(), looked: None };
    seen.look(&mut looks).await?;
    let (stop, mut stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let mut tick = tokio::time::interval(interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                _ = tick.tick() => {}
            }
            if let Err(error) = seen.look(&mut looks).await {
                tracing::warn!(%error, "the lock watch lost its connection");
                break;
            }
        }
        looks.close().await;
        seen.locks(L::told)
    });
    Ok(Box::new(Watch { stop, task }))
}

#[async_trait]
impl LockWatch for Watch {
    async fn stop(self: Box<Self>) -> Vec<HeldLock> {
        let _ = self.stop.send(());
        self.task.await.unwrap_or_default()
    }
}
