//! Limits, gates and the rest that an environment may set, with their defaults.

use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};

/// How gently production is treated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// The stall budget: how long a statement may wait for a lock on each attempt, milliseconds.
    pub stall_ms: u64,
    /// Attempts before a changeset is given up.
    pub lock_attempts: u32,
    /// How long one statement may run on production, seconds; one that waits without blocking others (a concurrent index build) may run without limit.
    pub statement_seconds: u64,
    /// How long a statement that waits without blocking others may wait for one and the same transaction, seconds.
    pub wait_seconds: u64,
    /// Time one batch of a backfill aims at, milliseconds.
    pub batch_ms: u64,
    /// Most rows of one batch.
    pub batch_rows: u32,
    /// Changesets of a wave, at most.
    pub wave_size: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            stall_ms: 100,
            lock_attempts: 40,
            statement_seconds: 60,
            wait_seconds: 120,
            batch_ms: 60,
            batch_rows: 20_000,
            wave_size: 6,
        }
    }
}

impl LimitSettings {
    pub fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms)
    }
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds)
    }
    pub fn statement(&self) -> Duration {
        Duration::from_secs(self.statement_seconds)
    }
}

/// Conditions on live signals.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateSettings {
    /// Greatest share of requests that may fail within the window, 0 to 1.
    pub error_rate: f64,
    /// Greatest p99 within the window, milliseconds.
    pub p99_ms: f64,
    /// Sessions that may wait for a lock at once.
    pub blocked: u64,
    /// Seconds a gate looks back.
    pub window_seconds: f64,
    /// Seconds of traffic before the first wave and after the last one.
    pub settle_seconds: f64,
    /// Rows and values that others have written and a run may take when it goes back by itself.
    pub may_lose: u64,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            error_rate: 0.001,
            p99_ms: 1_000.0,
            blocked: 12,
            window_seconds: 2.0,
            settle_seconds: 3.0,
            may_lose: 0,
        }
    }
}

/// How a run goes back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RollbackSettings {
    /// The rollback window: how many days what inverses take is kept aside. 0: nothing is kept.
    pub keep_days: u32,
}

impl Default for RollbackSettings {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

/// What there is of production's history besides the backups of runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupSettings {
    /// The command that fetches a file of production's archived log, as PostgreSQL's `restore_command`: `%f` stands for the file, `%p` for
    /// where it goes.
    pub restore_command: Option<String>,
}

impl BackupSettings {
    /// # Errors
    /// `Input` when the command cannot fetch a file that is asked for.
    pub(super) fn check(&self, environment: &str) -> Result<()> {
        let Some(command) = &self.restore_command else { return Ok(()) };
        let mut found = Vec::new();
        let mut rest = command.chars();
        while let Some(at) = rest.by_ref().find(|c| *c == '%').and_then(|_| rest.next()) {
            found.push(at);
        }
        let wrong = match () {
            () if command.chars().any(char::is_control) => "is not one line",
            () if !found.contains(&'f') => "has no %f",
            () if !found.contains(&'p') => "has no %p",
            () => return Ok(()),
        };
        let hint =
            "%f stands for the name of the file in the archive and %p for where it is put: cp /archive/%f %p";
        Err(Error::input(format!("restore_command of environment \"{environment}\" {wrong}")).hint(hint))
    }
}

/// How queries are held against changesets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompatSettings {
    /// Whether queries are also run, on some of production's rows that are copied into the scratch database for the time of
    /// the check.
    pub rows: bool,
    /// Whether a run goes on although no service is known: nothing is held, and the gates judge by the database's sessions alone.
    pub without_contracts: bool,
}

impl Default for CompatSettings {
    fn default() -> Self {
        Self { rows: true, without_contracts: false }
    }
}

/// When a query counts as slow: by the plans on the clone, before and after.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShadowSettings {
    /// Rows of a table from which on it is told that a query reads it from end to end, and did not before.
    pub slow_rows: u64,
    /// How many times the plan's cost must have grown for that.
    pub slow_times: f64,
    /// Rows from which on the run is refused for it.
    pub refuse_rows: u64,
    /// How many times the cost must have grown for that.
    pub refuse_times: f64,
    /// Whether code of the changelog (custom changes, `executeCommand`, changes of extensions) runs: on the clone first, where it may
    /// reach whatever it reaches, and then on production.
    pub run_code: bool,
}

impl Default for ShadowSettings {
    fn default() -> Self {
        Self {
            slow_rows: 10_000,
            slow_times: 10.0,
            refuse_rows: 100_000,
            refuse_times: 100.0,
            run_code: false,
        }
    }
}

/// What makes the live signals.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficSettings {
    /// Requests a second over all services.
    pub rate: f64,
    pub connections: usize,
    /// `services`: all queries, effects kept (demo). `rehearse`: all queries, each rolled back. `probe`: reading queries only.
    pub kind: TrafficKind,
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrafficKind {
    Services,
    Rehearse,
    Probe,
}

impl Default for TrafficSettings {
    fn default() -> Self {
        Self { rate: 20.0, connections: 4, kind: TrafficKind::Probe, seed: 1 }
    }
}
