//! A base backup, the log from before its start, a moment in that log that equals a snapshot, and the rows that are in no log.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio_postgres::Client;

use crate::error::{Context, Error, Result};
use crate::model::server::Moment;
use crate::product::Database;
use crate::product::postgres::local::backup::{Job, Taken};
use crate::product::postgres::local::tools::{last_words, libpq};
use crate::product::postgres::local::unlogged;
use crate::product::postgres::local::wal::{Lsn, Snapshot, Target, target};
use crate::product::postgres::{ServerContext, begin};

/// Moments to try: one fails only when two transactions became visible in another order than they were logged.
const TRIES: u32 = 8;

pub async fn take(job: &Job<'_>) -> Result<Taken> {
    let (base, wal) = (job.folder.join("base"), job.folder.join("wal"));
    job.tools.folder(&wal)?;
    let env = libpq(job.database.endpoint());
    let held = hold_log(job).await;
    // The log is received from before the base backup starts, so that nothing is missing between the two.
    let mut receiver = start_receiver(job, &wal, &env).await?;
    let arguments = ["-D".into(), base.clone().into_os_string()]
        .into_iter()
        .chain(["-X", "stream", "-c", "fast", "--progress", "--no-password"].map(OsString::from))
        .chain(held.is_some().then(|| "--no-slot".into()));
    let shown = job.progress.clone();
    let line = move |text: &str| {
        if let Some(parts) = mebibytes(text) {
            shown("base backup (MiB)", Some(parts));
        }
    };
    job.tools.follow("pg_basebackup", &arguments.collect::<Vec<_>>(), &env, &line).await?;
    (job.progress)("verifying the backup", None);
    job.tools.output("pg_verifybackup", &[base.as_os_str()], &[]).await?;
    (job.progress)("finding the moment", None);
    let mut last = None;
    for attempt in 1..=TRIES {
        let seen = Observation::take(job, attempt).await?;
        finish_receiver(&mut receiver).await?;
        receive_until(job, &wal, &env, seen.flushed).await?;
        let found = seen.place(job, &base, &wal).await?;
        let exact = found != Target::Nowhere;
        last = Some((seen, found));
        if exact {
            break;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 7)).await;
    }
    drop(held);
    let (seen, found) = last.ok_or_else(|| Error::failed("no moment was tried"))?;
    (job.progress)("fingerprint of the source", None);
    let (schema, data) = job.database.fingerprints_at(&seen.exported).await?;
    let extra = unlogged::dump(job, &seen.session, &seen.exported).await?;
    close_segment(&wal)?;
    let (name, position) = match found {
        Target::Before(at) => (None, at),
        Target::There | Target::Nowhere => (seen.name, seen.point),
    };
    let exact = found != Target::Nowhere;
    let moment = Moment { name, position: position.to_string(), exact, at: Some(seen.at) };
    let verified_by = "pg_verifybackup".into();
    Ok(Taken { moment, verified_by, schema, data, files: extra.files, extra_tables: extra.tables })
}

/// Keeps the server from removing log that has not been received yet. The slot is temporary: it ends with this session, whatever
/// becomes of us. `None` where there is no free slot: the server's own settings then say how long it keeps its log.
async fn hold_log(job: &Job<'_>) -> Option<Client> {
    let id: String = job.id.to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let name = format!("drydock_{id}");
    let session = job.database.connect("backup (drydock)").await.ok()?;
    match session.query("SELECT pg_create_physical_replication_slot($1, true, true)", &[&name]).await {
        Ok(_) => Some(session),
        Err(error) => {
            tracing::warn!(%error, "the log cannot be held by a replication slot");
            None
        }
    }
}

/// `  12345/67890 kB (18%), 0/1 tablespace`
fn mebibytes(line: &str) -> Option<(u64, u64)> {
    let (done, total) = line.split(" kB").next()?.trim().split_once('/')?;
    Some((done.trim().parse::<u64>().ok()? / 1024, total.trim().parse::<u64>().ok()? / 1024))
}

async fn start_receiver(job: &Job<'_>, wal: &Path, env: &[(String, String)]) -> Result<Child> {
    let arguments = ["-D".into(), wal.as_os_str().to_owned(), "--no-loop".into(), "--no-password".into()];
    let mut child = job.tools.spawn("pg_receivewal", &arguments, env)?;
    for _ in 0..600 {
        if child.try_wait().context("pg_receivewal cannot be watched")?.is_some() {
            return Err(last_words("pg_receivewal", &mut child).await);
        }
        if partial(wal).is_some() {
            return Ok(child);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Error::failed("pg_receivewal has received nothing for 30 s"))
}

/// Stops it, if it still runs. That it ended before is an error: the log may have a gap.
async fn finish_receiver(child: &mut Child) -> Result<()> {
    let Some(pid) = child.id() else { return Ok(()) };
    if child.try_wait().context("pg_receivewal cannot be watched")?.is_some() {
        return Err(last_words("pg_receivewal", child).await);
    }
    if let Ok(pid) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
    }
    match tokio::time::timeout(Duration::from_secs(30), child.wait()).await {
        Ok(_) => Ok(()),
        Err(_) => child.kill().await.context("pg_receivewal cannot be stopped"),
    }
}

/// Goes on where the receiver stopped, and ends by itself.
async fn receive_until(job: &Job<'_>, wal: &Path, env: &[(String, String)], end: Lsn) -> Result<()> {
    let arguments = [
        "-D".into(),
        wal.as_os_str().to_owned(),
        "--no-loop".into(),
        "--no-password".into(),
        format!("--endpos={end}").into(),
    ];
    let receiving = job.tools.output("pg_receivewal", &arguments, env);
    match tokio::time::timeout(Duration::from_secs(120), receiving).await {
        Ok(result) => result.map(|_| ()),
        Err(_) => Err(Error::failed(format!("the log up to {end} did not arrive within 120 s"))),
    }
}

/// The segment that was still being written.
fn partial(wal: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(wal).ok()?.flatten().map(|e| e.path());
    files.into_iter().find(|p| p.extension().is_some_and(|e| e == "partial"))
}

fn close_segment(wal: &Path) -> Result<()> {
    match partial(wal) {
        Some(path) => std::fs::rename(&path, path.with_extension(""))
            .context("the last segment of the log cannot be renamed"),
        None => Ok(()),
    }
}

/// What a base backup says of its begin.
pub struct Label {
    pub start: Lsn,
    pub timeline: u32,
}

impl Label {
    pub fn read(base: &Path) -> Result<Self> {
        const WHAT: &str = "the label of the base backup cannot be read";
        let label = std::fs::read_to_string(base.join("backup_label")).context(WHAT)?;
        let line = |name: &str| label.lines().find_map(|line| line.strip_prefix(name));
        let start = line("START WAL LOCATION: ").and_then(|l| l.split(' ').next()).and_then(Lsn::parse);
        let timeline = line("START TIMELINE: ").and_then(|l| l.trim().parse().ok()).unwrap_or(1);
        Ok(Self { start: start.ok_or_else(|| Error::failed(WHAT))?, timeline })
    }
}

/// A snapshot that is held, and a place in the log after it.
struct Observation {
    /// Holds the snapshot.
    session: Client,
    snapshot: Snapshot,
    exported: String,
    /// Of the restore point, where we may make one.
    name: Option<String>,
    point: Lsn,
    /// After the point, with a whole record between.
    flushed: Lsn,
    /// After the point too.
    at: Timestamp,
}

impl Observation {
    async fn take(job: &Job<'_>, attempt: u32) -> Result<Self> {
        const WHAT: &str = "cannot fix the moment of the backup";
        let unreadable = || Error::failed(format!("{WHAT}: the server's answer cannot be read"));
        let session = job.database.connect("backup (drydock)").await?;
        let other = job.database.connect("backup (drydock)").await?;
        begin(&session, None).await?;
        let row = session
            .query_one("SELECT pg_current_snapshot()::text, pg_export_snapshot()", &[])
            .await
            .server_context(WHAT)?;
        let snapshot =
            Snapshot::parse(&row.try_get::<_, String>(0).server_context(WHAT)?).ok_or_else(unreadable)?;
        let exported = row.try_get(1).server_context(WHAT)?;
        // A name may have 63 bytes.
        let id: String = job
            .id
            .chars()
            .filter(char::is_ascii)
            .rev()
            .take(40)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let name = format!("drydock_{id}_{attempt}");
        let made = other.query_one("SELECT pg_create_restore_point($1)::text", &[&name]).await;
        let (name, point): (Option<String>, String) = match made {
            Ok(row) => (Some(name), row.try_get(0).server_context(WHAT)?),
            // Only superusers may, unless they were granted it.
            Err(_) => {
                let row = other
                    .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
                    .await
                    .server_context(WHAT)?;
                (None, row.try_get(0).server_context(WHAT)?)
            }
        };
        // An idle server would keep the point to itself: a commit flushes it. Recovery needs a whole record after its target,
        // and the receiver one after the place where it is to end.
        let commit = "SET synchronous_commit = local; SELECT pg_current_xact_id()";
        other.batch_execute(commit).await.server_context(WHAT)?;
        let after = "SELECT pg_current_wal_insert_lsn()::text, (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
        let row = other.query_one(after, &[]).await.server_context(WHAT)?;
        other.batch_execute(commit).await.server_context(WHAT)?;
        let flushed =
            Lsn::parse(&row.try_get::<_, String>(0).server_context(WHAT)?).ok_or_else(unreadable)?;
        let point = Lsn::parse(&point).ok_or_else(unreadable)?;
        let at = Timestamp::from_microsecond(row.try_get(1).server_context(WHAT)?).context(WHAT)?;
        Ok(Self { session, snapshot, exported, name, point, flushed, at })
    }

    /// Reads the log from the start of the base backup.
    async fn place(&self, job: &Job<'_>, base: &Path, wal: &Path) -> Result<Target> {
        const WHAT: &str = "the manifest of the base backup cannot be read";
        let Label { start, timeline } = Label::read(base)?;
        let manifest = std::fs::read_to_string(base.join("backup_manifest")).context(WHAT)?;
        let manifest: serde_json::Value = serde_json::from_str(&manifest).context(WHAT)?;
        let end = manifest.pointer("/WAL-Ranges/0/End-LSN").and_then(|v| v.as_str()).and_then(Lsn::parse);
        let end = end.ok_or_else(|| Error::failed(WHAT))?;
        // The last segment is called partial; the reader wants it under its own name.
        let scan = job.folder.join("scan");
        let _ = std::fs::remove_dir_all(&scan);
        job.tools.folder(&scan)?;
        for entry in std::fs::read_dir(wal).context(WHAT)?.flatten() {
            let path = entry.path();
            let plain = if path.extension().is_some_and(|e| e == "partial") {
                path.with_extension("")
            } else {
                path.clone()
            };
            if let Some(name) = plain.file_name() {
                std::os::unix::fs::symlink(&path, scan.join(name))
                    .context("the log cannot be laid out for reading")?;
            }
        }
        let arguments = [
            "--rmgr=Transaction".to_owned(),
            format!("--path={}", scan.display()),
            format!("--timeline={timeline}"),
            format!("--start={start}"),
            format!("--end={}", self.point.as_end()),
        ];
        let dump = job.tools.output("pg_waldump", &arguments, &[]).await?;
        let _ = std::fs::remove_dir_all(&scan);
        Ok(target(&dump, &self.snapshot, end))
    }
}
