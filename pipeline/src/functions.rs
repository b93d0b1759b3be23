//! What the module offers: the commands of `drydock`, each in its container. No SQL and no decision is made here.

use dagger_module::sdk::{Container, Directory, File, Query};
use dagger_module::{Result, object};
use serde::{Deserialize, Serialize};

use crate::begin::{Begin, Known, Named, RollbackOptions, Target};
use crate::run::Run;
use crate::settings::Settings;

#[derive(Serialize, Deserialize)]
pub struct Drydock {
    settings: Settings,
}

/// Changes the schema of a database that many services share, and takes it back when something is wrong
#[object]
impl Drydock {
    /// Names what is changed and what it is checked against
    pub async fn new(#[argument(group)] settings: Settings) -> Result<Self> {
        Ok(Self { settings })
    }

    /// Begins a run, or takes one up, to chain stages on: on --env demo backup shadow rollout text
    #[function(cache = "never")]
    pub fn on(&self, #[argument(group)] begin: Begin) -> Run {
        Run::new(&self.settings, begin)
    }

    /// Does everything: plan, backup, compat, clone, shadow, rollout; goes back by itself if anything fails
    #[function(cache = "never")]
    pub async fn migrate(&self, dag: &Query, #[argument(group)] begin: Begin) -> Result<String> {
        self.on(begin).migrate(dag).await?.text()
    }

    /// Shows what Liquibase has pending: phases, hazards, waves, inverses, drift
    #[function(cache = "never", check)]
    pub async fn plan(&self, dag: &Query, #[argument(group)] target: Target) -> Result<String> {
        self.on(target.into()).plan(dag).await?.text()
    }

    /// Compares changelog, history and catalog: what was edited, is unknown, or changed behind Liquibase's back
    #[function(cache = "never", check)]
    pub async fn drift(&self, dag: &Query, #[argument(group)] target: Target) -> Result<String> {
        self.on(target.into()).drift(dag).await?.text()
    }

    /// Holds what is pending against every query of every deployed service version
    #[function(cache = "never", check)]
    pub async fn compat_check(&self, dag: &Query, #[argument(group)] target: Target) -> Result<String> {
        self.on(target.into()).compat_check(dag).await?.text()
    }

    /// Takes and verifies a backup, and what comes before it
    #[function(cache = "never")]
    pub async fn backup(&self, dag: &Query, #[argument(group)] begin: Begin) -> Result<String> {
        self.on(begin).backup(dag).await?.text()
    }

    /// Restores the backup and proves it equal, and what comes before it
    #[function(cache = "never")]
    pub async fn clone(&self, dag: &Query, #[argument(group)] begin: Begin) -> Result<String> {
        self.on(begin).clone(dag).await?.text()
    }

    /// Rehearses on the clone: forward, every inverse, forward again; and what comes before it
    #[function(cache = "never")]
    pub async fn shadow(&self, dag: &Query, #[argument(group)] begin: Begin) -> Result<String> {
        self.on(begin).shadow(dag).await?.text()
    }

    /// Changes production, wave by wave, and what comes before it
    #[function(cache = "never")]
    pub async fn rollout(&self, dag: &Query, #[argument(group)] begin: Begin) -> Result<String> {
        self.on(begin).rollout(dag).await?.text()
    }

    /// Takes the latest run back by hand
    #[function(cache = "never")]
    pub async fn rollback(
        &self,
        dag: &Query,
        #[argument(group)] run: Known,
        #[argument(group)] options: RollbackOptions,
    ) -> Result<String> {
        self.on(run.into()).rollback(dag, options).await?.text()
    }

    /// Puts back what the rollback of a run took and kept aside; what was written since stays
    #[function(cache = "never")]
    pub async fn restore_data(&self, dag: &Query, #[argument(group)] run: Named) -> Result<String> {
        self.on(run.into()).tend(dag, &["restore-data"]).await
    }

    /// Last resort: restores production from the backup of a run; services can only read meanwhile
    #[function(cache = "never")]
    pub async fn restore_production(
        &self,
        dag: &Query,
        #[argument(group)] run: Named,
        /// Later moment to restore, from the archived log: a date and time with its zone, or before-rollout
        to: Option<String>,
        /// Do it although production loses what is not restored; it is kept as a database of its own
        #[argument(default = false)]
        accept_loss: bool,
    ) -> Result<String> {
        let to: Vec<&str> = to.iter().flat_map(|to| ["--to", to]).collect();
        let accept: &[&str] = if accept_loss { &["--accept-loss"] } else { &[] };
        self.on(run.into()).tend(dag, &[&["restore-production"], &to[..], accept].concat()).await
    }

    /// Drops what rollbacks have kept aside and whose window is over; with --run all that is kept of that run
    #[function(cache = "never")]
    pub async fn clean(&self, dag: &Query, #[argument(group)] run: Known) -> Result<String> {
        self.on(run.into()).tend(dag, &["clean"]).await
    }

    /// Shows where the latest run is
    #[function(cache = "never")]
    pub async fn status(
        &self,
        dag: &Query,
        #[argument(group)] run: Known,
        /// text, or json: one document
        #[argument(default = "text")]
        format: String,
    ) -> Result<String> {
        self.on(run.into()).status(dag, format).await
    }

    /// Lists the runs
    #[function(cache = "never")]
    pub async fn history(&self, dag: &Query, #[argument(group)] target: Target) -> Result<String> {
        self.on(target.into()).history(dag).await
    }

    /// Checks journals and evidence: nothing changed, nothing missing
    #[function(cache = "never")]
    pub async fn verify(&self, dag: &Query, #[argument(group)] run: Known) -> Result<String> {
        self.on(run.into()).verify(dag).await
    }

    /// One self-contained HTML file about a run
    #[function(cache = "never")]
    pub async fn report(&self, dag: &Query, #[argument(group)] run: Known) -> Result<File> {
        self.on(run.into()).report(dag).await
    }

    /// Journal and evidence of a run, for a stage elsewhere to go on with
    #[function(cache = "never")]
    pub async fn evidence(&self, dag: &Query, #[argument(group)] run: Known) -> Result<Directory> {
        self.on(run.into()).evidence(dag).await
    }

    /// The image that stages run in, e.g. to publish it and to name it by --base
    #[function(cache = "never")]
    pub async fn image(&self, dag: &Query) -> Result<Container> {
        self.settings.image(dag).await
    }
}
