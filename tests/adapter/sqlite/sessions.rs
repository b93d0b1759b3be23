//! Who is at work in a file: the connections of this process, and on Linux the processes that hold the file open.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use drydock::error::{Context, Error, Result};
use drydock::model::session::{Activity, LiquibaseLock, Wait};
use drydock::product::{self, LockWatch, Sessions};
use rusqlite::{Connection, InterruptHandle};

use super::{SqliteFile, on_thread};

/// A connection that can be ended from elsewhere.
pub type Shared = Arc<Mutex<Option<Connection>>>;

struct Known {
    path: PathBuf,
    application: String,
    connection: Weak<Mutex<Option<Connection>>>,
    interrupt: InterruptHandle,
}

/// Connections of this process that have an application name.
static KNOWN: LazyLock<Mutex<Vec<Known>>> = LazyLock::new(Mutex::default);

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn share(path: &Path, application: &str, connection: Connection) -> Shared {
    let interrupt = connection.get_interrupt_handle();
    let shared = Arc::new(Mutex::new(Some(connection)));
    let mut known = locked(&KNOWN);
    known.retain(|k| k.connection.strong_count() > 0);
    let (path, application, connection) =
        (path.to_path_buf(), application.to_owned(), Arc::downgrade(&shared));
    known.push(Known { path, application, connection, interrupt });
    shared
}

/// Whether another process, which none of ours started, holds a file open.
fn open_elsewhere(path: &Path) -> Result<bool> {
    const WHAT: &str = "the processes cannot be listed";
    let own = std::process::id().to_string();
    for process in std::fs::read_dir("/proc").context(WHAT)?.flatten() {
        let folder = process.path();
        let name = process.file_name().to_string_lossy().into_owned();
        if name == own || !name.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
        if status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|parent| parent.trim() == own)) {
            continue;
        }
        // Of processes of other users nothing is shown; they hold other files open.
        let files = std::fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
        if files.flat_map(|file| std::fs::read_link(file.path())).any(|target| target == path) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A lock file beside the database: the system releases it with the process that holds it.
struct Claim(File);

#[async_trait]
impl product::Claim for Claim {
    async fn held(&self) -> bool {
        true
    }

    async fn release(self: Box<Self>) {
        let _ = self.0.unlock();
    }
}

fn nothing_shown() -> Error {
    Error::failed("SQLite does not show who is at work")
}

#[async_trait]
impl Sessions for SqliteFile {
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn product::Claim>>> {
        let path = format!("{}.{name}.claim", self.endpoint.database);
        let file = File::create(&path).context(format!("{path} cannot be made"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Claim(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e).context(format!("{path} cannot be locked")),
        }
    }

    async fn end_sessions(&self, application_prefix: &str) -> Result<u64> {
        let path = self.path();
        let ended: Vec<Known> = locked(&KNOWN)
            .extract_if(.., |k| k.path == path && k.application.starts_with(application_prefix))
            .collect();
        on_thread(move || {
            let mut count = 0;
            for known in ended {
                let Some(connection) = known.connection.upgrade() else { continue };
                known.interrupt.interrupt();
                count += u64::from(locked(&connection).take().is_some());
            }
            Ok(count)
        })
        .await
    }

    async fn activity(&self, _ours: &str) -> Result<Activity> {
        Err(nothing_shown())
    }

    async fn waits(&self) -> Result<Vec<Wait>> {
        Err(nothing_shown())
    }

    async fn cancel(&self, application: &str) -> Result<()> {
        let path = self.path();
        locked(&KNOWN)
            .iter()
            .filter(|k| k.path == path && k.application == application)
            .for_each(|k| k.interrupt.interrupt());
        Ok(())
    }

    async fn watch_locks(&self, _application: &str) -> Result<Box<dyn LockWatch>> {
        Err(nothing_shown())
    }

    async fn liquibase_alive(&self, _lock: &LiquibaseLock, _ours: &str) -> Result<bool> {
        let path = self.path();
        on_thread(move || open_elsewhere(&path)).await
    }
}
