//! The record of the run that production is restored from: that it is over, and what becomes of it.

use std::path::PathBuf;

use super::point::{self, Standing};
use super::taken::MOST_OBJECTS;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::event::{ActOutcome, Action, Event, EventKind};
use crate::model::evidence::{BeforeAfter, Outcome, Shadow};
use crate::model::restored_production::{RESTORED, RestorePoint, RestoredProduction};
use crate::model::schema::SchemaFingerprint;
use crate::product::Database;
use crate::run::journal::{self, Journal};
use crate::run::saga::{self, Decision};
use crate::run::storage::Storage;
use crate::run::{files, last_schema, session};

/// What is in the journal of a run that is over. One that is not has a better way back.
pub(super) fn over(environment: &Environment, run: &str) -> Result<Vec<Event>> {
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

/// The record of the run that production is restored from.
pub(super) struct Record<'a> {
    pub environment: &'a Environment,
    pub storage: Option<&'a Storage>,
    pub run: &'a str,
    /// What production will be called, or is.
    pub aside: &'a str,
}

impl Record<'_> {
    pub async fn journal(&self) -> Result<Journal> {
        session::journal_afterwards(self.environment, self.storage, self.run).await
    }

    fn folder(&self) -> PathBuf {
        files::runs_folder(self.environment).join(self.run)
    }

    /// Completes the record of a restore that was cut off after production was exchanged.
    pub async fn catch_up(&self, database: &dyn Database, events: &[Event]) -> Result<()> {
        let restored = files::evidence::<RestoredProduction>(&self.folder(), RESTORED)?;
        let complete = saga::next(events) == Decision::Over(Outcome::RolledBack)
            || restored.as_ref().is_some_and(|restored| !restored.rolled_back);
        if complete {
            return Ok(());
        }
        let standing = point::standing((self.run, events), &database.histories().await?)?;
        last_schema::write(self.environment, self.storage, &database.schema_fingerprint().await?).await?;
        let point = restored.and_then(|restored| restored.point);
        self.finish(&mut self.journal().await?, standing, point.as_ref()).await
    }

    /// The schema of before the run and the restored one, held against that of before the run or after its rehearsal.
    pub fn fingerprint(
        &self,
        before: &SchemaFingerprint,
        restored: &SchemaFingerprint,
        standing: Standing,
    ) -> Result<BeforeAfter> {
        let rehearsed = match standing {
            Standing::Nothing => None,
            Standing::Everything => files::evidence::<Shadow>(&self.folder(), "shadow")?,
        };
        let expected = rehearsed.as_ref().map_or(before, |shadow| &shadow.schema_after);
        let differences = expected.differences(restored, MOST_OBJECTS);
        Ok(BeforeAfter {
            before: before.digest.clone(),
            after: restored.digest.clone(),
            as_expected: differences.is_empty(),
            differences,
        })
    }

    /// Where nothing of the run is on production any more, it counts as rolled back.
    pub async fn finish(
        &self,
        journal: &mut Journal,
        standing: Standing,
        point: Option<&RestorePoint>,
    ) -> Result<()> {
        let point = point.map(|point| format!(", {point}")).unwrap_or_default();
        let reason =
            format!("restored from its backup{point}; what was production is the database {}", self.aside);
        if standing == Standing::Everything {
            let text =
                format!("restore-production: {reason}; its changesets are on production, as they were then");
            return journal.note(text, None).await;
        }
        journal.append(EventKind::Unwinding { reason: reason.clone(), automatic: false }).await?;
        for changeset in saga::to_undo(journal.events()) {
            let (action, outcome) = (Action::Undo { changeset }, ActOutcome::Changed { changed: true });
            let text = "gone with the restore".to_owned();
            journal.append(EventKind::Done { action, outcome, evidence: None, text }).await?;
        }
        journal.append(EventKind::Finished { outcome: Outcome::RolledBack, reason: Some(reason) }).await?;
        Ok(())
    }
}
