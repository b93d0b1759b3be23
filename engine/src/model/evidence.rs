//! What stages hand to the next and to the report. Every type here is part of the published JSON.

mod clone;
mod compat;
mod doctor;
mod load;
mod plan;
mod rollback;
mod rollout;
mod run;
mod shadow;

pub use super::verdict::{Held, Verdict, VerdictClass, VerdictKind, WaitsFor};
pub use clone::CloneProof;
pub use compat::{Checked, Compat, NotTried, NotTriedWhy};
pub use doctor::Doctor;
pub use load::{AroundMs, SkippedQuery, TrafficFailure, TrafficSecond, TrafficSummary};
pub use plan::{Drift, DriftKind, Filtered, Plan, Wave};
pub use rollback::{Rollback, RollbackPreview, TrialOutcome, TriedInverse, Undone, Untried};
pub use rollout::{Applied, BeforeAfter, FailedApply, GateMoment, GateReading, Rollout};
pub use run::{
    ChangesetLine, ChangesetOutcome, EventLine, Outcome, RunRecord, RunSummary, StageLine, StageOutcome,
    UNNAMED,
};
pub use shadow::{LockWait, Rehearsal, ReverseProof, Shadow};
