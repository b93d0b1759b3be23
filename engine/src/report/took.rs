//! What a changeset took on production, as cells of a table.

use crate::model::changeset::ChangesetId;
use crate::model::evidence::RunRecord;
use crate::report::text::{count, duration};

/// Empty where there is nothing to tell.
#[derive(Debug, Default)]
pub(super) struct Took {
    pub seconds: String,
    pub attempts: String,
    pub rows: String,
    pub stall: String,
}

impl Took {
    /// Of the act that went through; else of all that did not, whose batches had stayed.
    pub(super) fn of(record: &RunRecord, key: &ChangesetId) -> Self {
        let Some(rollout) = &record.rollout else { return Self::default() };
        let rows = |rows: u64| if rows > 0 { count(rows) } else { String::new() };
        if let Some(applied) = rollout.changesets.iter().find(|applied| applied.key == *key) {
            return Self {
                seconds: duration(applied.seconds),
                attempts: applied.attempts.to_string(),
                rows: rows(applied.rows),
                stall: duration(applied.stall_ms / 1_000.0),
            };
        }
        let failed = || rollout.failed.iter().filter(|failed| failed.key == *key);
        if failed().next().is_none() {
            return Self::default();
        }
        let stall = failed().map(|failed| failed.stall_ms).fold(0.0, f64::max);
        Self {
            seconds: duration(failed().map(|failed| failed.seconds).sum()),
            attempts: String::new(),
            rows: rows(failed().map(|failed| failed.rows).sum()),
            stall: duration(stall / 1_000.0),
        }
    }
}
