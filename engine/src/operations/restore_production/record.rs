//! The record of the run that production is restored from: that it is over, and what becomes of it.

use std::path::PathBuf;

use super::point::Standing;
use super::taken::MOST_OBJECTS;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::event::{ActOutcome, Action, Event, EventKind};
use crate::model::evidence::{BeforeAfter, Outcome, Shadow};
use crate::model::restored_production::{RESTORED, RESTORING, RestorePoint, RestoredProduction};
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

    pub async fn keep(&self, name: &str, restored: &RestoredProduction) -> Result<()> {
        session::keep_evidence(self.environment, self.storage, self.run, name, restored).await.map(drop)
    }

    /// Completes the record of a restore that was cut off after production was exchanged.
    pub async fn catch_up(&self, database: &dyn Database, events: &[Event]) -> Result<()> {
        let evidence = |name| files::evidence::<RestoredProduction>(&self.folder(), name);
        let rolled_back = saga::next(events) == Decision::Over(Outcome::RolledBack);
        let Some(restoring) = evidence(RESTORING)?.filter(|restoring| restoring.aside == self.aside) else {
            // An older Drydock was at work, which restored to the moment of the backup only.
            if rolled_back {
                return Ok(());
            }
            last_schema::write(self.environment, self.storage, &database.schema_fingerprint().await?).await?;
            return self.finish(&mut self.journal().await?, None, true).await;
        };
        let written = evidence(RESTORED)?
            .map(|restored| RestoredProduction { outage_seconds: restoring.outage_seconds, ..restored });
        if written.as_ref() == Some(&restoring) && (rolled_back || !restoring.rolled_back) {
            return Ok(());
        }
        let schema = database.schema_fingerprint().await?;
        self.complete(&mut self.journal().await?, &restoring, &schema).await
    }

    /// Writes down what was restored. `schema`: of production from now on.
    pub async fn complete(
        &self,
        journal: &mut Journal,
        restored: &RestoredProduction,
        schema: &SchemaFingerprint,
    ) -> Result<()> {
        last_schema::write(self.environment, self.storage, schema).await?;
        self.keep(RESTORED, restored).await?;
        self.finish(journal, restored.point.as_ref(), restored.rolled_back).await
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
    async fn finish(
        &self,
        journal: &mut Journal,
        point: Option<&RestorePoint>,
        rolled_back: bool,
    ) -> Result<()> {
        let point = point.map(|point| format!(", {point}")).unwrap_or_default();
        let reason =
            format!("restored from its backup{point}; what was production is the database {}", self.aside);
        if !rolled_back {
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
