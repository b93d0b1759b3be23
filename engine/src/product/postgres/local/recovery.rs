//! A copy of a base backup replays the log: to the moment of the backup, or further, as far as production has archived its log.
//!
//! <https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-PITR-RECOVERY>

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::model::restored_production::RestorePoint;
use crate::product::postgres::Postgres;
use crate::product::postgres::local::START;
use crate::product::postgres::local::backup::Manifest;
use crate::product::postgres::local::cluster::{Cluster, Settings, last_fatal};
use crate::watcher::Progress;

/// Replaying a log takes as long as it takes.
const RECOVERY: Duration = Duration::from_secs(6 * 3600);
/// What the server says of each file that it got from the archive.
const FETCHED: &str = "restored log file \"";

/// How far the log is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal<'a> {
    /// To the moment of the backup, from the log that is part of it.
    Backup,
    /// Further, from the archive.
    Archived(Archived<'a>),
}

/// A moment that the archived log leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived<'a> {
    pub point: &'a RestorePoint,
    /// The timeline that production is on at the point; `None`: the one that the backup was taken on.
    pub timeline: Option<u32>,
    /// Fetches a file of the archive.
    pub fetch: &'a str,
}

/// <https://www.postgresql.org/docs/current/runtime-config-wal.html#RUNTIME-CONFIG-WAL-RECOVERY-TARGET>
pub fn settings(lasting: &Settings, manifest: &Manifest, goal: Goal<'_>) -> Settings {
    let mut settings = lasting.clone();
    let mut set = |name, value: &str| settings.push((name, value.to_owned()));
    // Nobody reads before the moment is reached, so the source's limits on connections need not be met. Only here: with this
    // off, the server's programs call a server started that still recovers from a crash.
    set("hot_standby", "off");
    set("recovery_target_action", "promote");
    match goal {
        Goal::Backup => {
            let wal = manifest.backup.folder.join("wal").to_string_lossy().replace('%', "%%");
            set("restore_command", &format!("cp \"{}/%f\" \"%p\"", shell(&wal)));
            set("recovery_target_timeline", "current");
            let moment = &manifest.backup.moment;
            match &moment.name {
                Some(name) => set("recovery_target_name", name),
                None => {
                    set("recovery_target_lsn", &moment.position);
                    set("recovery_target_inclusive", "off");
                }
            }
        }
        Goal::Archived(Archived { point, timeline, fetch }) => {
            // The log within the backup is no part of it: its last segment was still being written, and the log would seem to end there.
            set("restore_command", fetch);
            // It may evaluate expressions of the database, and the archive may be reached over a network.
            set("autovacuum", "off");
            // Never "latest", which is the default: who has recovered a copy with the archiving on has put a timeline of that copy into
            // the archive.
            set(
                "recovery_target_timeline",
                &timeline.map_or("current".to_owned(), |number| number.to_string()),
            );
            match point {
                RestorePoint::Time { at } => {
                    // While it reads its configuration, the server knows no name of a zone, and not Z.
                    let at = at.strftime("%Y-%m-%d %H:%M:%S%.6f+00");
                    set("recovery_target_time", &at.to_string());
                    set("recovery_target_inclusive", "on");
                }
                RestorePoint::BeforeRollout { log } => {
                    set("recovery_target_lsn", &log.position);
                    set("recovery_target_inclusive", "off");
                }
            }
        }
    }
    settings
}

/// How long it may take until the server has begun to recover: it has fetched files of the log by then.
pub fn patience(goal: Goal<'_>) -> Duration {
    match goal {
        Goal::Backup => START,
        Goal::Archived(_) => RECOVERY,
    }
}

/// For a place within double quotes.
fn shell(text: &str) -> String {
    ['\\', '"', '$', '`'].iter().fold(text.to_owned(), |text, c| text.replace(*c, &format!("\\{c}")))
}

/// Waits for the end of recovery: the server's programs call a server started when its recovery has begun.
pub async fn ended(cluster: &Cluster<'_>, progress: &Progress) -> Result<()> {
    let began = Instant::now();
    let mut database = "postgres";
    while began.elapsed() < RECOVERY {
        match Postgres::from_endpoint(cluster.admin(database)).connect("restore (drydock)").await {
            Ok(client) => {
                let row = client.query_one("SELECT pg_is_in_recovery()", &[]).await;
                if row.and_then(|row| row.try_get(0)).is_ok_and(|recovering: bool| !recovering) {
                    return Ok(());
                }
            }
            // A source may have no database of this name.
            Err(e) if e.code.as_deref() == Some("3D000") && database == "postgres" => database = "template1",
            Err(e) if e.kind == ErrorKind::Input => return Err(e),
            Err(_) if cluster.running().await => {}
            Err(e) => return Err(cluster.died(e)),
        }
        if let Some(file) = last_fetched(&end_of(&cluster.log())) {
            progress(&format!("replaying the log: {file}"), None);
        }
        // The server notes each time that it lets nobody in yet.
        let pause = if began.elapsed() < Duration::from_secs(3) { 50 } else { 500 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    Err(Error::failed(format!("the copy was not recovered within {} h", RECOVERY.as_secs() / 3600)))
}

/// The last lines of a file: the server adds one for each file that it fetches.
fn end_of(path: &Path) -> String {
    const MOST: u64 = 4096;
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

/// The last file of the log that came from the archive; those that tell of timelines are none.
fn last_fetched(log: &str) -> Option<&str> {
    let files = log.lines().rev().filter_map(|line| line.split_once(FETCHED)?.1.split('"').next());
    files.into_iter().find(|file| !file.ends_with(".history"))
}

/// Why a recovery that was to come to a point did not come there. The server says it in its log only, in words: it has one error code for
/// all of this. `log`: all that it and `restore_command` said.
pub fn explain(error: Error, log: &str, archived: &Archived<'_>) -> Error {
    let (Some(fatal), point) = (last_fatal(log), archived.point) else { return error };
    let said = |text: &str| fatal.contains(text);
    let refused = |text: String, hint: &str| Error::refused(text).hint(hint);
    let explained = if said("before configured recovery target was reached") {
        match last_fetched(log) {
            None => refused(
                format!("production cannot be restored {point}: restore_command gives no file of the log"),
                "it runs on this machine, as the user of the server and in the data folder of a copy: try it there",
            ),
            Some(file) => {
                let of =
                    log.lines().rev().find_map(|l| l.split_once("was at log time ")?.1.split('+').next());
                let of = of.map(|at| format!(" and a transaction of {}Z", at.replace(' ', "T")));
                let of = of.unwrap_or_default();
                refused(
                    format!(
                        "production cannot be restored {point}: the log that restore_command gives ends with {file}{of}"
                    ),
                    "see that the archive has all files after it. `SELECT pg_switch_wal()` on production has it archive the one that it \
                     writes to; a transaction after the moment must be in it",
                )
            }
        }
    } else if said("before consistent recovery point") {
        let text = format!("production cannot be restored {point}: the backup was still being taken then");
        refused(text, "name a later moment")
    } else if said("timeline") {
        let number = archived.timeline.map_or("of the backup".to_owned(), |number| number.to_string());
        refused(
            format!(
                "production cannot be restored {point}: the archive does not lead from the backup to timeline {number}"
            ),
            "restore_command has to give the files that tell of timelines too, as 00000002.history",
        )
    } else if said("from archive") {
        let text = format!("production cannot be restored {point}: restore_command does not run: {fatal}");
        refused(text, "it runs on this machine, as the user of the server and in the data folder of a copy")
    } else {
        return error;
    };
    match words_of_command(log) {
        Some(words) => explained.because(Error::failed(format!("restore_command says: {words}"))),
        None => explained,
    }
}

/// The last line that the server did not write. It asks for files of timelines that need not be there.
fn words_of_command(log: &str) -> Option<&str> {
    let others = log.lines().rev().filter(|line| !line.contains(".history") && !line.trim().is_empty());
    // The server's own lines have its process number after the time, or go on with one.
    others.into_iter().find(|line| !line.contains(" [") && !line.starts_with('\t')).map(str::trim)
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
