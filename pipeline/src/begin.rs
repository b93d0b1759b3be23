//! What functions take that begin a run, go on with one or look at one.

use dagger_module::sdk::Directory;
use dagger_module::{Group, Held};
use serde::{Deserialize, Serialize};

/// Which database.
#[derive(Clone, Group, Serialize, Deserialize)]
pub struct Target {
    /// Environment of drydock.toml; `demo` needs none
    #[argument(default = "demo")]
    pub env: String,
    /// Size of the demo's production when it is made
    pub scale: Option<f64>,
}

/// A run that is there.
#[derive(Group)]
pub struct Known {
    /// Environment of drydock.toml; `demo` needs none
    #[argument(default = "demo")]
    pub env: String,
    /// Run that is meant, where it is not the latest
    pub run: Option<String>,
}

/// A run that has to be named.
#[derive(Group)]
pub struct Named {
    /// Environment of drydock.toml; `demo` needs none
    #[argument(default = "demo")]
    pub env: String,
    /// Run that is meant
    pub run: String,
}

/// Which run, and how it goes.
#[derive(Clone, Group, Serialize, Deserialize)]
pub struct Begin {
    #[argument(group)]
    pub target: Target,
    /// Run to go on with, where it is not the unfinished one or a new one
    pub run: Option<String>,
    /// Evidence of the stages before, as `evidence` gives it: that run is gone on with
    pub evidence: Option<Held<Directory>>,
    /// Take the catalog as it is although it is not as the last run left it
    #[argument(default = false)]
    pub accept_drift: bool,
    /// What is made to fail in the demo: backup, compat, clone, shadow, rollout-gate, rollout-error, kill
    pub inject: Option<String>,
}

/// Why a run is taken back by hand, and in spite of what.
#[derive(Clone, Group, Serialize, Deserialize)]
pub struct RollbackOptions {
    /// Why, for the record
    #[argument(default = "by hand")]
    pub reason: String,
    /// Go back although production's schema is not as the run left it
    #[argument(default = false)]
    pub accept_drift: bool,
    /// Go back although what services wrote since the run is lost
    #[argument(default = false)]
    pub accept_loss: bool,
}

impl From<Target> for Begin {
    fn from(target: Target) -> Self {
        Self { target, run: None, evidence: None, accept_drift: false, inject: None }
    }
}

impl From<Named> for Begin {
    fn from(Named { env, run }: Named) -> Self {
        Known { env, run: Some(run) }.into()
    }
}

impl From<Known> for Begin {
    fn from(Known { env, run }: Known) -> Self {
        Self { run, ..Target { env, scale: None }.into() }
    }
}
