//! Restores production from the backup of a run: the last resort.
//!
//! The backup becomes a database beside production, which services may only read from then on, and is held against what the backup
//! says of itself. Then the two exchange their names. What was production stays under another name. Cut off at any moment, the same
//! command goes on.
//!
//! Where a later moment is asked for, the backup is first recovered to it on this machine. What it is then takes the place of what the
//! backup says of itself. Services notice nothing of that.

mod point;
mod record;
mod taken;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::Operations;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::event::Event;
use crate::model::evidence::{BeforeAfter, CloneProof};
use crate::model::restored_production::{MomentAsked, RESTORING, RestorePoint, RestoredProduction};
use crate::model::server::Moment;
use crate::product::{Database, InPlace, Origin};
use crate::run::journal::Journal;
use crate::run::select::{self, RunSelector};
use crate::run::{files, owner, target};
use crate::stages::clone;
use crate::watcher::as_progress;
use point::{Replay, Standing};
use record::{Record, over};
pub use taken::Taken;
use taken::{compare, refusal};

impl Operations {
    /// Puts the backup of a run in the place of production, as it is or recovered `to` a later moment. `ask` answers whether to, knowing
    /// what production has that is not restored.
    ///
    /// # Errors
    /// `Input` when there is no such run or backup, or the run is not over; `Refused` when somebody else is at work, something is in the
    /// way, the log does not lead to the moment, or nobody accepts it; `Failed` when the database does not do it. Production is open for
    /// writes then, as it was.
    pub async fn restore_production(
        &self,
        environment: &Environment,
        run: &str,
        to: Option<MomentAsked>,
        accept: bool,
        ask: &dyn Fn(&Taken) -> bool,
    ) -> Result<RestoredProduction> {
        let _lock = owner::lock(environment)?;
        let storage = select::bring(environment, RunSelector::Since(run)).await?;
        let events = over(environment, run)?;
        select::is_last(environment, &files::list(environment)?, run)?;
        let backup = files::evidence::<Backup>(&files::runs_folder(environment).join(run), "backup")?
            .ok_or_else(|| Error::input(format!("run {run} has no backup")))?;
        let now = jiff::Timestamp::now();
        let replay = to.map(|to| point::replay(to, environment, (run, &events), &backup, now)).transpose()?;
        let database = self.opened(environment).await?.database;
        target::was_here((run, &events), database.endpoint())?;
        let provider = database.product().provider().await?;
        if !provider.holds(&backup).await? {
            return Err(Error::input(format!("the backup of run {run} is not here any more")));
        }
        let in_place = provider.in_place().ok_or_else(|| {
            Error::input(format!(
                "{} cannot put a backup in the place of production",
                database.product().name()
            ))
        })?;
        // Names that nobody else has: what `beside` is called is dropped where it is in the way.
        let name = |is: &str| name_of(&database.endpoint().database, is, run);
        let (aside, beside) = (name("before"), name("restored"));
        let folder = files::runs_folder(environment).join(run).join("restore");
        let (database, aside, beside) = (database.as_ref(), aside.as_str(), beside.as_str());
        let record = Record { environment, storage: storage.as_ref(), run, aside };
        let work = Work { in_place, database, aside, beside, folder: &folder };
        if in_place.has(database, aside).await? {
            // It may have been cut off right after.
            record.catch_up(database, &events).await?;
            return Err(Error::input(format!("production was restored from run {run} before")).hint(
                format!("what it was until then is in the database {aside}; drop it when nobody needs it"),
            ));
        }
        let hindrances = in_place.hindrances(&backup, database).await?;
        if !hindrances.is_empty() {
            let all: Vec<String> = hindrances.iter().map(ToString::to_string).collect();
            return Err(Error::refused(format!("production cannot be restored: {}", all.join("; ")))
                .hint("nothing was changed; see docs/rollback-and-injections.md"));
        }
        let claim = owner::claim(database).await?;
        let point = replay.as_ref().map(|replay| &replay.point);
        let prepared = match self.prepare(&work, &record, &backup, replay.as_ref(), &events).await {
            Err(error) if replay.is_some() => return Err(work.withdraw(&record, error).await),
            prepared => prepared?,
        };
        if !accept && !ask(&prepared.taken) {
            let closed = in_place.is_closed(database).await;
            if replay.is_some() {
                work.discard().await;
            }
            return Err(refusal(&prepared.taken, closed?, environment, run, to));
        }
        let Prepared { backup, standing, fingerprint, .. } = &prepared;
        let origin = point.map_or(Origin::Backup(backup), |_| Origin::Recovered);
        let mut journal = match record.journal().await {
            Err(error) if replay.is_some() => return Err(work.withdraw(&record, error).await),
            journal => journal?,
        };
        let begun = Instant::now();
        let mut stop = self.interrupt.listen();
        let laid = tokio::select! {
            laid = self.lay(&work, (origin, backup, point), &mut journal) => laid,
            () = stop.asked() => Err(interrupted()),
        };
        // From here on nothing stops it: both have their new names, or neither.
        let exchanging = async {
            let Laid { database: laid, proof, taken } = laid?;
            let restored = RestoredProduction {
                run: run.to_owned(),
                backup: backup.id.clone(),
                point: taken.point,
                rolled_back: *standing == Standing::Nothing,
                schema: taken.schema,
                writes: taken.writes,
                aside: aside.to_owned(),
                objects: proof.objects,
                tables: proof.tables,
                rows: proof.rows,
                fingerprint: fingerprint.clone(),
                outage_seconds: begun.elapsed().as_secs_f64(),
            };
            // Cut off after the exchange, the record is completed from this.
            record.keep(RESTORING, &restored).await?;
            self.watcher.progress("putting it in the place of production", None);
            work.in_place.exchange(work.database, laid.as_ref(), aside).await?;
            Ok(restored)
        };
        let exchanged = exchanging.await;
        let outage_seconds = begun.elapsed().as_secs_f64();
        drop(claim);
        let restored = match exchanged {
            Ok(restored) => RestoredProduction { outage_seconds, ..restored },
            Err(error) => return Err(work.give_up(&mut journal, error).await?),
        };
        record.complete(&mut journal, &restored, &backup.schema).await?;
        Ok(restored)
    }

    /// What takes the place of production, and what that takes. Nothing is done to production.
    async fn prepare(
        &self,
        work: &Work<'_>,
        record: &Record<'_>,
        backup: &Backup,
        replay: Option<&Replay>,
        events: &[Event],
    ) -> Result<Prepared> {
        let before = &backup.schema;
        let (backup, standing) = match replay {
            None => (backup.clone(), Standing::Nothing),
            Some(replay) => self.recover(work, backup, replay, (record.run, events)).await?,
        };
        self.watcher.progress("comparing production with what is restored", None);
        let taken = compare(work.database, &backup, replay.map(|replay| &replay.point)).await?;
        let fingerprint = record.fingerprint(before, &backup.schema, standing)?;
        Ok(Prepared { backup, standing, taken, fingerprint })
    }

    /// Recovers the backup to a later moment. Gives it as it is then, and what of the run is there.
    async fn recover(
        &self,
        work: &Work<'_>,
        backup: &Backup,
        replay: &Replay,
        run: (&str, &[Event]),
    ) -> Result<(Backup, Standing)> {
        let Work { in_place, database, folder, .. } = *work;
        let mut stop = self.interrupt.listen();
        let recovering = async {
            let (point, progress) = (&replay.point, as_progress(&self.watcher));
            let recovered =
                in_place.recover(backup, database, point, &replay.fetch, folder, progress).await?;
            self.watcher.progress("fingerprint of what was recovered", None);
            let (schema, data, histories) = futures::try_join!(
                recovered.schema_fingerprint(),
                recovered.data_fingerprint(None),
                recovered.histories()
            )?;
            let standing = point::standing(run, &histories)?;
            let moment = Moment { exact: true, ..backup.moment.clone() };
            Ok((Backup { schema, data, moment, ..backup.clone() }, standing))
        };
        tokio::select! {
            recovered = recovering => recovered,
            () = stop.asked() => Err(interrupted()),
        }
    }

    /// Makes a database of the backup, or of what was recovered from it, while services only read.
    async fn lay(
        &self,
        work: &Work<'_>,
        (origin, backup, point): (Origin<'_>, &Backup, Option<&RestorePoint>),
        journal: &mut Journal,
    ) -> Result<Laid> {
        let Work { in_place, database, aside, beside, folder } = *work;
        let to = point.map(|point| format!("; it is to be restored {point}")).unwrap_or_default();
        let begins = format!("restore-production: services may only read production from here on{to}");
        journal.note(begins, None).await?;
        let begun = Instant::now();
        self.watcher.progress("ending the writes of services", None);
        in_place.close(database).await?;
        let laid = in_place.lay_beside(origin, database, beside, folder, as_progress(&self.watcher)).await?;
        self.watcher.progress("comparing what was laid beside production", None);
        let proof = clone::prove(laid.as_ref(), backup, begun.elapsed().as_secs_f64()).await?;
        if !proof.equal {
            return Err(Error::failed(format!(
                "what was restored is not equal to {}: {}",
                point.map_or("the backup", |_| "what was recovered"),
                proof.differences.join("; ")
            )));
        }
        // Nobody has written since it was closed, so that this is all that goes.
        let taken = compare(database, backup, point).await?;
        let tables: Vec<String> = taken.writes.iter().map(|table| table.line(point)).collect();
        let keeps =
            format!("restore-production: {aside} will have what is not restored: {}", tables.join("; "));
        journal.note(keeps, None).await?;
        Ok(Laid { database: laid, proof, taken })
    }
}

struct Prepared {
    /// As it is, or as it was recovered.
    backup: Backup,
    standing: Standing,
    taken: Taken,
    fingerprint: BeforeAfter,
}

/// The backup as a database beside production.
struct Laid {
    database: Arc<dyn Database>,
    proof: CloneProof,
    taken: Taken,
}

struct Work<'a> {
    in_place: &'a dyn InPlace,
    database: &'a dyn Database,
    /// What production will be called.
    aside: &'a str,
    /// What takes its place is called so until then.
    beside: &'a str,
    folder: &'a Path,
}

impl Work<'_> {
    /// Before anything was done to production: removes what was recovered. One that a restore before this one has left closed is opened.
    /// Gives the error to tell.
    async fn withdraw(&self, record: &Record<'_>, error: Error) -> Error {
        self.discard().await;
        if !self.in_place.is_closed(self.database).await.unwrap_or(false) {
            return error;
        }
        match record.journal().await {
            Ok(mut journal) => self.give_up(&mut journal, error).await.unwrap_or_else(|failed| failed),
            Err(failed) => failed.because(error),
        }
    }

    async fn discard(&self) {
        let _ = self.in_place.discard_beside(self.database, self.beside, self.folder).await;
    }

    /// Opens production for writes again, and removes what was made. Gives the error to tell.
    async fn give_up(&self, journal: &mut Journal, error: Error) -> Result<Error> {
        let Self { in_place, database, aside, .. } = *self;
        // Whether it came to the exchange is asked of the server: an answer may have been lost.
        if in_place.has(database, aside).await.unwrap_or(true) {
            return Ok(error.hint("run the same command again: it says how far it came"));
        }
        let opened = in_place.reopen(database).await;
        self.discard().await;
        journal.note(format!("restore-production: {}", error.chain()), None).await?;
        Ok(match opened {
            Ok(()) => error,
            Err(closed) => Error::stuck("services may only read production")
                .hint("run the same command again")
                .because(closed),
        })
    }
}

fn interrupted() -> Error {
    Error::interrupted().hint("production is open for writes, as it was")
}

/// Short enough for every product.
fn name_of(database: &str, is: &str, run: &str) -> String {
    const LONGEST: usize = 30;
    let end = (0..=LONGEST.min(database.len())).rev().find(|at| database.is_char_boundary(*at)).unwrap_or(0);
    format!("{}_{is}_{}", database.get(..end).unwrap_or(database), run.to_lowercase())
}
