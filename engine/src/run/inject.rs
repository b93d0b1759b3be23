//! Failures on demand, so that anybody can watch a run go back.

use crate::error::{Error, Result};
use crate::model::stage::Stage;

/// What is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Inject {
    /// Nothing is made to fail.
    #[default]
    None,
    /// The backup stage fails when its work is done.
    Backup,
    /// The compat stage fails when its work is done.
    Compat,
    /// The clone stage fails when its work is done.
    Clone,
    /// The shadow stage fails when its work is done.
    Shadow,
    /// Production gets really slow in the middle of the rollout: somebody locks a busy table.
    RolloutGate,
    /// A changeset really fails on production.
    RolloutError,
    /// The process is killed (SIGKILL) in the middle of the rollout.
    Kill,
}

impl Inject {
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Inject::None => return None,
            Inject::Backup => "backup",
            Inject::Compat => "compat",
            Inject::Clone => "clone",
            Inject::Shadow => "shadow",
            Inject::RolloutGate => "rollout-gate",
            Inject::RolloutError => "rollout-error",
            Inject::Kill => "kill",
        })
    }

    /// Fails a stage that is meant to.
    ///
    /// # Errors
    /// `Failed` when it is this stage's turn.
    pub fn strike(self, stage: Stage) -> Result<()> {
        let struck = match self {
            Inject::Backup => Stage::Backup,
            Inject::Compat => Stage::Compat,
            Inject::Clone => Stage::Clone,
            Inject::Shadow => Stage::Shadow,
            _ => return Ok(()),
        };
        if struck == stage {
            return Err(Error::failed(format!("{stage} was made to fail"))
                .hint("--inject asked for it; leave it out"));
        }
        Ok(())
    }
}
