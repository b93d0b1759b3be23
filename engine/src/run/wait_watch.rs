//! Tells every few seconds who is in the way of sessions of ours, whatever they do: a dump, a look, a changeset.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind};
use crate::model::session::Wait;
use crate::product::Database;
use crate::watcher::Watcher;

const INTERVAL: Duration = Duration::from_secs(2);
/// A shorter wait is not worth a word.
const SPOKEN: Duration = Duration::from_secs(2);
/// What was seen longer ago does not explain a failure of now.
const RECENT: Duration = Duration::from_secs(20);

/// A look every two seconds, until it is dropped.
pub struct WaitWatch {
    task: JoinHandle<()>,
    seen: Arc<Mutex<Option<(Wait, Instant)>>>,
}

impl Drop for WaitWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl WaitWatch {
    /// Where the product does not show its sessions, nothing is ever seen.
    pub fn start(database: Arc<dyn Database>, watcher: Arc<dyn Watcher>) -> Self {
        let seen = Arc::new(Mutex::new(None));
        let shown = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            if !database.capabilities().shows_sessions {
                return;
            }
            let mut named = None;
            loop {
                tokio::time::sleep(INTERVAL).await;
                let Ok(waits) = database.waits().await else { continue };
                let longest = waits.into_iter().filter(|w| w.time >= SPOKEN).max_by_key(|w| w.time);
                let Some(wait) = longest else {
                    named = None;
                    continue;
                };
                let pids: Vec<i64> = wait.blockers.iter().map(|b| b.pid).collect();
                let text = wait.to_string();
                // Once where it stays to be read, and then as long as it lasts.
                if named.as_ref() == Some(&pids) {
                    watcher.progress(&text, None)
                } else {
                    watcher.note(&text)
                }
                named = Some(pids);
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((wait, Instant::now()));
            }
        });
        Self { task, seen }
    }

    /// An error that came of a wait, with who was in the way.
    #[must_use]
    pub fn explain(&self, error: Error) -> Error {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match seen {
            Some((wait, at)) if error.kind == ErrorKind::Busy && at.elapsed() < RECENT => {
                let who = wait.who();
                error.hint(format!(
                    "in the way: {who}; wait until it ends, or end it, and run the command again"
                ))
            }
            _ => error,
        }
    }
}
