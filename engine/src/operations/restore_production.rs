//! Restores production from the backup of a run: the last resort.
//!
//! The backup becomes a database beside production, which services may only read from then on, and is held against what the backup
//! says of itself. Then the two exchange their names. What was production stays under another name. Cut off at any moment, the same
//! command goes on.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::Operations;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::event::{ActOutcome, Action, Event, EventKind};
use crate::model::evidence::{BeforeAfter, CloneProof, Outcome};
use crate::model::restored_production::{RESTORED, RestoredProduction, WritesSince};
use crate::product::{Database, InPlace};
use crate::run::journal::{self, Journal};
use crate::run::saga::{self, Decision};
use crate::run::select::{self, RunSelector};
use crate::run::{files, last_schema, owner, session, target};
use crate::stages::clone;
use crate::watcher::as_progress;

/// Objects that are named where the schemas differ.
const MOST_OBJECTS: usize = 40;

/// What a restore takes from production, before anything is done.
#[derive(Debug, Clone)]
pub struct Taken {
    pub schema: Vec<String>,
    pub writes: Vec<WritesSince>,
}

impl Operations {
    /// Puts the backup of a run in the place of production. `ask` answers whether to, knowing what production has that the backup does
    /// not.
    ///
    /// # Errors
    /// `Input` when there is no such run or backup, or the run is not over; `Refused` when somebody else is at work, something is in the
    /// way, or nobody accepts it; `Failed` when the database does not do it. Production is open for writes then, as it was.
    pub async fn restore_production(
        &self,
        environment: &Environment,
        run: &str,
        accept: bool,
        ask: &dyn Fn(&Taken) -> bool,
    ) -> Result<RestoredProduction> {
        let _lock = owner::lock(environment)?;
        let storage = select::bring(environment, RunSelector::Since(run)).await?;
        let events = over(environment, run)?;
        select::is_last(environment, &files::list(environment)?, run)?;
        let backup = files::evidence::<Backup>(&files::runs_folder(environment).join(run), "backup")?
            .ok_or_else(|| Error::input(format!("run {run} has no backup")))?;
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
        if in_place.has(database.as_ref(), &aside).await? {
            // It may have been cut off right after.
            if saga::next(&events) != Decision::Over(Outcome::RolledBack) {
                let mut journal = session::journal_afterwards(environment, storage.as_ref(), run).await?;
                finish(&mut journal, &aside).await?;
                last_schema::write(environment, storage.as_ref(), &backup.schema).await?;
            }
            return Err(Error::input(format!("production was restored from run {run} before")).hint(
                format!("what it was until then is in the database {aside}; drop it when nobody needs it"),
            ));
        }
        let hindrances = in_place.hindrances(&backup, database.as_ref()).await?;
        if !hindrances.is_empty() {
            let all: Vec<String> = hindrances.iter().map(ToString::to_string).collect();
            return Err(Error::refused(format!("production cannot be restored: {}", all.join("; ")))
                .hint("nothing was changed; see docs/rollback-and-injections.md"));
        }
        let claim = owner::claim(database.as_ref()).await?;
        let folder = files::runs_folder(environment).join(run).join("restore");
        self.watcher.progress("comparing production with the backup", None);
        let taken = compare(database.as_ref(), &backup).await?;
        if !accept && !ask(&taken) {
            let closed = in_place.is_closed(database.as_ref()).await?;
            return Err(refusal(&taken, closed, environment, run));
        }
        let (database, backup) = (database.as_ref(), &backup);
        let work = Work { in_place, database, backup, aside: &aside, beside: &beside, folder: &folder };
        let mut journal = session::journal_afterwards(environment, storage.as_ref(), run).await?;
        let begun = Instant::now();
        let mut stop = self.interrupt.listen();
        let laid = tokio::select! {
            laid = self.lay(&work, &mut journal) => laid,
            () = stop.asked() => Err(Error::interrupted().hint("production is open for writes, as it was")),
        };
        // From here on nothing stops it: both have their new names, or neither.
        let done = match laid {
            Ok(Laid { database: laid, proof, taken }) => {
                self.watcher.progress("putting it in the place of production", None);
                work.in_place.exchange(work.database, laid.as_ref(), &aside).await.map(|()| (proof, taken))
            }
            Err(error) => Err(error),
        };
        let outage_seconds = begun.elapsed().as_secs_f64();
        drop(claim);
        let (proof, Taken { schema, writes }) = match done {
            Ok(done) => done,
            Err(error) => return Err(work.give_up(&mut journal, error).await?),
        };
        let restored = RestoredProduction {
            run: run.to_owned(),
            backup: backup.id.clone(),
            schema,
            writes,
            aside: aside.clone(),
            objects: proof.objects,
            tables: proof.tables,
            rows: proof.rows,
            // They were compared: see `proof`.
            fingerprint: BeforeAfter {
                before: backup.schema.digest.clone(),
                after: backup.schema.digest.clone(),
                as_expected: true,
                differences: Vec::new(),
            },
            outage_seconds,
        };
        session::keep_evidence(environment, storage.as_ref(), run, RESTORED, &restored).await?;
        finish(&mut journal, &aside).await?;
        last_schema::write(environment, storage.as_ref(), &backup.schema).await?;
        Ok(restored)
    }

    /// Makes a database of the backup while services only read.
    async fn lay(&self, work: &Work<'_>, journal: &mut Journal) -> Result<Laid> {
        let Work { in_place, database, backup, aside, beside, folder } = *work;
        journal.note("restore-production: services may only read production from here on", None).await?;
        let begun = Instant::now();
        self.watcher.progress("ending the writes of services", None);
        in_place.close(database).await?;
        let laid = in_place.lay_beside(backup, database, beside, folder, as_progress(&self.watcher)).await?;
        self.watcher.progress("comparing what was restored with the backup", None);
        let proof = clone::prove(laid.as_ref(), backup, begun.elapsed().as_secs_f64()).await?;
        if !proof.equal {
            return Err(Error::failed(format!(
                "what was restored is not equal to the backup: {}",
                proof.differences.join("; ")
            )));
        }
        // Nobody has written since it was closed, so that this is all that goes.
        let taken = compare(database, backup).await?;
        let tables: Vec<String> = taken.writes.iter().map(ToString::to_string).collect();
        let keeps =
            format!("restore-production: {aside} will have what the backup does not: {}", tables.join("; "));
        journal.note(keeps, None).await?;
        Ok(Laid { database: laid, proof, taken })
    }
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
    backup: &'a Backup,
    /// What production will be called.
    aside: &'a str,
    /// What the backup is called until then.
    beside: &'a str,
    folder: &'a Path,
}

impl Work<'_> {
    /// Opens production for writes again, and removes what was made. Gives the error to tell.
    async fn give_up(&self, journal: &mut Journal, error: Error) -> Result<Error> {
        let Self { in_place, database, aside, beside, folder, .. } = *self;
        // Whether it came to the exchange is asked of the server: an answer may have been lost.
        if in_place.has(database, aside).await.unwrap_or(true) {
            return Ok(error.hint("run the same command again: it says how far it came"));
        }
        let opened = in_place.reopen(database).await;
        let _ = in_place.discard_beside(database, beside, folder).await;
        journal.note(format!("restore-production: {}", error.chain()), None).await?;
        Ok(match opened {
            Ok(()) => error,
            Err(closed) => Error::stuck("services may only read production")
                .hint("run the same command again")
                .because(closed),
        })
    }
}

/// What is in the journal of a run that is over. One that is not has a better way back.
fn over(environment: &Environment, run: &str) -> Result<Vec<Event>> {
    let path = files::journal_path(environment, run);
    if !path.is_file() {
        return Err(Error::input(format!("there is no run {run}")).hint("`drydock history` lists the runs"));
    }
    let events = journal::read(&path)?;
    if !matches!(saga::next(&events), Decision::Over(_)) {
        return Err(Error::input(format!("run {run} is not over")).hint(format!(
            "go on with it: {}; or take it back: {}",
            environment.command("migrate"),
            environment.command(&format!("rollback --run {run}"))
        )));
    }
    Ok(events)
}

/// Nothing of the run is on production any more.
async fn finish(journal: &mut Journal, aside: &str) -> Result<()> {
    let reason = format!("restored from its backup; what was production is the database {aside}");
    journal.append(EventKind::Unwinding { reason: reason.clone(), automatic: false }).await?;
    for changeset in saga::to_undo(journal.events()) {
        let (action, outcome) = (Action::Undo { changeset }, ActOutcome::Changed { changed: true });
        let text = "gone with the restore".to_owned();
        journal.append(EventKind::Done { action, outcome, evidence: None, text }).await?;
    }
    journal.append(EventKind::Finished { outcome: Outcome::RolledBack, reason: Some(reason) }).await?;
    Ok(())
}

async fn compare(database: &dyn Database, backup: &Backup) -> Result<Taken> {
    let (schema, data) = futures::try_join!(database.schema_fingerprint(), database.data_fingerprint(None))?;
    let writes = WritesSince::between(&backup.data, &data);
    Ok(Taken { schema: backup.schema.differences(&schema, MOST_OBJECTS), writes })
}

/// Short enough for every product.
fn name_of(database: &str, is: &str, run: &str) -> String {
    const LONGEST: usize = 30;
    let end = (0..=LONGEST.min(database.len())).rev().find(|at| database.is_char_boundary(*at)).unwrap_or(0);
    format!("{}_{is}_{}", database.get(..end).unwrap_or(database), run.to_lowercase())
}

fn refusal(taken: &Taken, closed: bool, environment: &Environment, run: &str) -> Error {
    let again = environment.command(&format!("restore-production --run {run} --accept-loss"));
    let what = taken.to_string();
    if closed {
        return Error::refused(format!(
            "a restore was cut off, and services may only read production\n{what}"
        ))
        .hint(format!("go on with it: {again}"));
    }
    Error::refused(format!("a restore takes from production what the backup does not have\n{what}")).hint(format!(
        "nothing was changed. Services can only read while it runs, and it keeps what production is now as a database of its own: {again}"
    ))
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines =
            self.writes.iter().map(|w| format!("  {w}")).chain(self.schema.iter().map(|o| format!("  {o}")));
        let lines: Vec<String> = lines.collect();
        f.write_str(if lines.is_empty() { "  production is as the backup" } else { "" })?;
        f.write_str(&lines.join("\n"))
    }
}
