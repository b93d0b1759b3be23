//! The way back on the clone: every inverse, newest first, each held against what stood before its changeset, and all of them
//! against the backup.

use std::sync::Arc;
use std::time::Instant;

use super::runner;
use crate::error::Result;
use crate::model::backup::Backup;
use crate::model::changeset::{Changeset, Phase};
use crate::model::difference::{Difference, DifferenceClass, Standing};
use crate::model::evidence::{Rehearsal, ReverseProof};
use crate::model::history::HistoryRow;
use crate::model::schema::{DataFingerprint, SchemaFingerprint, WriteMark};
use crate::product::Database;
use crate::run::Run;
use crate::stages::changeset_runner::{self, Step};
use crate::stages::differences::{self, RowDifferences};

/// What stood before a changeset ran, to hold its inverse against.
pub(super) struct Before {
    schema: SchemaFingerprint,
    data: Option<DataFingerprint>,
    history: Vec<HistoryRow>,
    mark: Option<WriteMark>,
}

impl Before {
    pub(super) async fn take(run: &mut Run, clone: &dyn Database, changeset: &Changeset) -> Result<Self> {
        let data = match changeset.phase {
            Phase::Expand => None,
            _ => Some(clone.data_fingerprint(tables(changeset).as_deref()).await?),
        };
        Ok(Self {
            schema: clone.schema_fingerprint().await?,
            data,
            history: run.liquibase.recorded(&changeset.key).await?,
            mark: clone.write_mark().await?,
        })
    }
}

/// The tables whose rows it may change; `None`: any, since it runs code.
fn tables(changeset: &Changeset) -> Option<Vec<String>> {
    changeset.code.is_empty().then(|| changeset.touches())
}

/// The way back, and what it is held against.
pub(super) struct WayBack<'a> {
    pub(super) clone: &'a Arc<dyn Database>,
    pub(super) application: &'a str,
    pub(super) changesets: &'a [Changeset],
    pub(super) befores: &'a [Before],
    pub(super) backup: &'a Backup,
}

/// How the clone differs from the backup once all inverses have run.
#[derive(Default)]
pub(super) struct End {
    pub(super) differences: Vec<String>,
    pub(super) explained: Vec<Difference>,
}

impl WayBack<'_> {
    /// Goes it. `None`: an inverse failed or is not proven.
    ///
    /// # Errors
    /// As the database gives them.
    pub(super) async fn go(&self, run: &mut Run, rehearsals: &mut [Rehearsal]) -> Result<Option<End>> {
        let total = u64::try_from(self.changesets.len()).unwrap_or(u64::MAX);
        let mut found: Vec<Vec<Difference>> = Vec::new();
        let steps = self.changesets.iter().zip(rehearsals.iter_mut()).zip(self.befores).rev();
        for (n, ((changeset, rehearsal), before)) in (0_u64..).zip(steps) {
            run.watcher.progress(&format!("back: {}", changeset.key.id), Some((n, total)));
            let left = found.last().map(Vec::as_slice).unwrap_or_default();
            let Some(all) = self.backward(run, changeset, rehearsal, before, left).await? else { break };
            found.push(all);
        }
        let is_through = found.len() == self.changesets.len();
        let waits = |d: &Difference| d.is_refused() && d.class.may_go_later();
        let hopeless = |r: &Rehearsal| r.explained.iter().any(|d| d.is_refused() && !waits(d));
        let is_open = rehearsals.iter().all(|r| r.differences.is_empty() && !hopeless(r));
        let end = match is_through && is_open {
            true => Some(self.compare(run).await?),
            false => None,
        };
        for rehearsal in rehearsals.iter_mut().filter(|r| r.reverse == ReverseProof::Proven) {
            for difference in rehearsal.explained.iter_mut().filter(|d| waits(d)) {
                if end.as_ref().is_some_and(|end| end.iter().all(|left| left.object != difference.object)) {
                    difference.standing = Standing::GoneLater;
                }
            }
            let refused = rehearsal.explained.iter().filter(|d| d.is_refused());
            rehearsal.differences.extend(refused.map(ToString::to_string));
            rehearsal.differences.truncate(10);
            if !rehearsal.differences.is_empty() {
                rehearsal.reverse = ReverseProof::Differs;
            }
        }
        if rehearsals.iter().any(|r| r.reverse != ReverseProof::Proven) {
            return Ok(None);
        }
        Ok(end.map(|all| End {
            differences: all.iter().filter(|d| d.is_refused()).take(10).map(ToString::to_string).collect(),
            explained: all.into_iter().filter(|d| d.class != DifferenceClass::Other).collect(),
        }))
    }

    /// All differences from the backup.
    async fn compare(&self, run: &Run) -> Result<Vec<Difference>> {
        run.watcher.progress("comparing the clone with the backup", None);
        let (schema, data) =
            tokio::try_join!(self.clone.schema_fingerprint(), self.clone.data_fingerprint(None))?;
        let all: Vec<&Changeset> = self.changesets.iter().collect();
        let mut found = differences::of_schema(self.clone.as_ref(), &self.backup.schema, &schema, &all);
        if self.backup.moment.exact {
            let rows = RowDifferences {
                database: self.clone,
                contracts: &run.contracts,
                changesets: &all,
                since: self.befores.first().and_then(|b| b.mark.as_ref()),
            };
            found.extend(rows.read(&self.backup.data, &data).await?);
        }
        Ok(found)
    }

    /// Runs an inverse and holds the clone against what stood before. `None` when it failed. `left` is what the inverses before it
    /// left behind, which is not this one's fault. Gives all that differs now.
    async fn backward(
        &self,
        run: &mut Run,
        changeset: &Changeset,
        rehearsal: &mut Rehearsal,
        before: &Before,
        left: &[Difference],
    ) -> Result<Option<Vec<Difference>>> {
        let begun = Instant::now();
        let mut tell = |_: Step| {};
        let mut runner = runner(run, self.clone.as_ref(), self.application, &mut tell);
        let undone = changeset_runner::back(&mut runner, changeset, &before.history, &[]).await;
        rehearsal.inverse_seconds = begun.elapsed().as_secs_f64();
        if let Err(error) = undone {
            rehearsal.reverse = ReverseProof::Failed;
            rehearsal.differences.push(error.chain());
            return Ok(None);
        }
        let schema = self.clone.schema_fingerprint().await?;
        let mut all = differences::of_schema_here(self.clone.as_ref(), &before.schema, &schema, &[changeset]);
        if let Some(data) = &before.data {
            let now = self.clone.data_fingerprint(tables(changeset).as_deref()).await?;
            let rows = RowDifferences {
                database: self.clone,
                contracts: &run.contracts,
                changesets: &[changeset],
                since: before.mark.as_ref(),
            };
            all.extend(rows.read(data, &now).await?);
        }
        let own = all.iter().filter(|d| !left.iter().any(|l| l.object == d.object));
        let (real, explained): (Vec<&Difference>, Vec<_>) =
            own.partition(|d| d.class == DifferenceClass::Other);
        rehearsal.reverse = if real.is_empty() { ReverseProof::Proven } else { ReverseProof::Differs };
        rehearsal.differences = real.iter().take(10).map(ToString::to_string).collect();
        rehearsal.explained = explained.into_iter().cloned().collect();
        Ok(Some(all))
    }
}
