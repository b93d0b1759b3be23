//! What rollbacks have kept aside: puts it back, and drops it when its window is over.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Operations;
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::model::kept::{Kept, PutBack, PutBackOutcome};
use crate::product::{Database, Keep, PutBackOptions};
use crate::run::journal::Journal;
use crate::run::select::{self, RunSelector};
use crate::run::storage::Storage;
use crate::run::{files, kept_files, owner, session};

/// What `drydock restore-data` prints as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RestoredData {
    pub run: String,
    /// In the order in which they were put back.
    pub things: Vec<PutBack>,
}

/// What `drydock clean` prints as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Cleaned {
    pub dropped: Vec<Kept>,
    /// Their window is not over.
    pub stay: Vec<Kept>,
}

impl Operations {
    /// Puts back what the rollback of a run kept aside: all of it in one transaction, or nothing. What was written since stays as it
    /// is. What was put back before is not touched.
    ///
    /// # Errors
    /// `Input` when nothing is kept of the run, `Refused` when somebody else is at work or a table or column is not there, `Busy` when
    /// locks are not to be had, `Failed` when the database refuses what was kept.
    pub async fn restore_data(&self, environment: &Environment, run: &str) -> Result<RestoredData> {
        let _lock = owner::lock(environment)?;
        let storage = select::bring(environment, RunSelector::Since(run)).await?;
        let database = self.opened(environment).await?.database;
        let keep = keep_of(database.as_ref())?;
        let _claim = owner::claim(database.as_ref()).await?;
        let folder = kept_files::folder(environment, run);
        let mut kept = keep.kept(Some(run)).await?;
        let in_files = kept_files::read(&folder)?;
        kept.extend(in_files.iter().cloned());
        if kept.is_empty() {
            return Err(Error::input(format!("nothing is kept of run {run}")).hint(
                "`drydock history` lists the runs; what a rollback took is kept for [rollback] keep_days, and until `drydock clean`",
            ));
        }
        // What an inverse takes last was made first, and what was made later may refer to it.
        kept.reverse();
        let mut journal = journal_of(environment, storage.as_ref(), run).await?;
        let things: Vec<String> =
            kept.iter().filter(|k| k.put_back_at.is_none()).map(ToString::to_string).collect();
        if !things.is_empty() {
            note(&mut journal, format!("restore-data begins to put back {}", things.join(", "))).await?;
        }
        self.watcher.progress("putting back what was kept", None);
        let options = PutBackOptions {
            folder: &folder,
            application: &format!("drydock {run}"),
            lock_wait: environment.limits.stall(),
            statement: environment.limits.statement(),
        };
        let put_back = put_back(keep, &kept, options, environment.limits.lock_attempts).await;
        if !things.is_empty() {
            let text = match &put_back {
                Ok(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
                Err(error) => error.chain(),
            };
            note(&mut journal, format!("restore-data: {text}")).await?;
        }
        let things = put_back?;
        kept_files::describe(&folder, &marked(&things))?;
        Ok(RestoredData { run: run.to_owned(), things })
    }

    /// Drops what is past its window; of the named run all there is.
    ///
    /// # Errors
    /// `Refused` when somebody else is at work, `Failed` when the database or the disk refuses.
    pub async fn clean(&self, environment: &Environment, run: Option<&str>) -> Result<Cleaned> {
        let _lock = owner::lock(environment)?;
        let database = self.opened(environment).await?.database;
        let _claim = owner::claim(database.as_ref()).await?;
        let mut all = match database.keep() {
            Some(keep) => keep.kept(None).await?,
            None => Vec::new(),
        };
        for id in files::list(environment)? {
            all.extend(kept_files::read(&kept_files::folder(environment, &id))?);
        }
        let now = Timestamp::now();
        let (dropped, stay): (Vec<Kept>, Vec<Kept>) =
            all.into_iter().partition(|kept| run.map_or(kept.until <= now, |run| kept.run == run));
        self.note_clean(environment, &dropped).await?;
        if let Some(keep) = database.keep() {
            keep.drop_kept(&dropped).await?;
        }
        // Files of a run have one window.
        for kept in dropped.iter().filter(|kept| kept_files::is_file(kept)) {
            kept_files::remove(&kept_files::folder(environment, &kept.run))?;
        }
        Ok(Cleaned { dropped, stay })
    }

    /// Writes into the records of the runs what is dropped of theirs.
    async fn note_clean(&self, environment: &Environment, dropped: &[Kept]) -> Result<()> {
        let runs: BTreeSet<&str> = dropped.iter().map(|kept| kept.run.as_str()).collect();
        let Some(first) = runs.first() else { return Ok(()) };
        let storage = select::bring(environment, RunSelector::Since(first)).await?;
        for run in runs {
            let things = dropped.iter().filter(|kept| kept.run == run).map(ToString::to_string);
            let text = format!("clean drops what was kept: {}", things.collect::<Vec<_>>().join(", "));
            note(&mut journal_of(environment, storage.as_ref(), run).await?, text).await?;
        }
        Ok(())
    }
}

fn keep_of(database: &dyn Database) -> Result<&dyn Keep> {
    let product = database.product().name();
    database.keep().ok_or_else(|| Error::input(format!("{product} keeps nothing of what rollbacks take")))
}

/// A lock that somebody holds is waited for shortly and often, as everything that changes production does.
async fn put_back(
    keep: &dyn Keep,
    kept: &[Kept],
    options: PutBackOptions<'_>,
    attempts: u32,
) -> Result<Vec<PutBack>> {
    let mut pause = Duration::from_millis(50);
    for _ in 1..attempts {
        match keep.put_back(kept, options).await {
            Err(error) if error.kind == ErrorKind::Busy => tokio::time::sleep(pause).await,
            done => return done,
        }
        pause = (pause * 2).min(Duration::from_secs(2));
    }
    keep.put_back(kept, options).await.map_err(|error| match error.kind {
        ErrorKind::Busy => error.hint("run it again when the tables are less busy"),
        _ => error,
    })
}

/// The files, with what was put back just now.
fn marked(things: &[PutBack]) -> Vec<Kept> {
    let now = Timestamp::now();
    let mark = |thing: &PutBack| match thing.outcome {
        PutBackOutcome::Done { .. } => Kept { put_back_at: Some(now), ..thing.kept.clone() },
        PutBackOutcome::DoneBefore { .. } | PutBackOutcome::NoKey => thing.kept.clone(),
    };
    let mut all: Vec<Kept> = things.iter().map(mark).collect();
    // As they were kept.
    all.reverse();
    all
}

/// The journal of the run. Where its record is on another machine, what is kept in the database can be put back all the same.
async fn journal_of(
    environment: &Environment,
    storage: Option<&Storage>,
    run: &str,
) -> Result<Option<Journal>> {
    if !files::journal_path(environment, run).is_file() {
        return Ok(None);
    }
    session::journal_afterwards(environment, storage, run).await.map(Some)
}

async fn note(journal: &mut Option<Journal>, text: String) -> Result<()> {
    if let Some(journal) = journal {
        journal.note(text, None).await?;
    }
    Ok(())
}
