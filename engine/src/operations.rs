//! The use cases: what the command line calls, and whatever else drives Drydock. Nothing here prints or ends the process.

pub mod contracts;
mod doctor;
pub mod interrupt;
pub mod kept;
pub mod restore_production;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Environment, Target};
use crate::demo;
use crate::error::{Error, Result};
use crate::liquibase::Liquibase;
use crate::model::changeset::Changeset;
use crate::model::endpoint::Endpoint;
use crate::model::event::EventKind;
use crate::model::evidence::{Compat, Drift, Outcome, Plan, RollbackPreview, RunRecord, RunSummary};
use crate::model::preflight::Weight;
use crate::product::{Database, Products};
use crate::run::drive::StageWork;
use crate::run::drive::{self, Until};
use crate::run::saga::{self, Decision};
use crate::run::select::{self, RunSelector};
use crate::run::storage::Storage;
use crate::run::target::Opened;
use crate::run::wait_watch::WaitWatch;
use crate::run::{Run, RunOptions, files, handover, preflight, record, target};
use crate::stages::{Stages, compat, plan, rollback};
use crate::watcher::Watcher;
use interrupt::Interrupt;

/// Application name of a Liquibase that only looks.
const PLAN: &str = "drydock plan";

/// Who carries out a use case: the products it knows, and who hears of its progress.
#[derive(Clone)]
pub struct Operations {
    pub products: Products,
    pub watcher: Arc<dyn Watcher>,
    pub interrupt: Interrupt,
}

/// A run as it is now.
pub struct Driven {
    pub record: RunRecord,
    /// `None`: it was driven to a stage, and is not over.
    pub ended: Option<Outcome>,
}

/// Evidence and a journal that are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub run: String,
    pub events: u64,
}

impl Operations {
    /// With the products that come with the engine.
    pub fn new(watcher: Arc<dyn Watcher>) -> Self {
        Self { products: Products::default(), watcher, interrupt: Interrupt::default() }
    }

    /// Begins a run or takes up the unfinished one, and drives it. `evidence`: a folder with a run's record to go on with.
    ///
    /// # Errors
    /// `Input` for what is wrong with the environment, `Refused` when somebody else is at work, `Stuck` when production is
    /// between two changesets and the run cannot go on. A run that ends is no error, however it ends.
    pub async fn migrate(
        &self,
        environment: &Environment,
        options: RunOptions,
        evidence: Option<&Path>,
        until: Until,
    ) -> Result<Driven> {
        let run = self.open_run(environment, options, evidence, false).await?;
        self.drive(run, until).await
    }

    /// Takes a run back: the named one, or the latest that changed production. Before anything is done, production is looked at.
    /// `ask` answers whether to go back although that loses something.
    ///
    /// # Errors
    /// See `migrate`. `Refused` when production has changed since the run, or would lose something, and nobody accepts it.
    pub async fn roll_back(
        &self,
        environment: &Environment,
        options: RunOptions,
        evidence: Option<&Path>,
        reason: String,
        ask: &dyn Fn(&RollbackPreview) -> bool,
    ) -> Result<Driven> {
        let accepted = (options.accept_drift, options.accept_loss);
        let mut run = self.open_run(environment, options, evidence, true).await?;
        let unwound = saga::is_unwinding(run.journal.events());
        let begun = saga::has_gone_back(run.journal.events());
        if !begun && let Err(refused) = consent(&mut run, accepted, ask).await {
            run.close(false).await;
            return Err(refused);
        }
        // One that got stuck on the way back is tried again.
        if !unwound || run.decision() == Decision::Over(Outcome::Stuck) {
            run.journal.append(EventKind::Unwinding { reason, automatic: false }).await?;
        }
        self.drive(run, Until::End).await
    }

    /// `evidence`: a folder with the record of the run that is meant. `reopen`: one that is over is meant too.
    async fn open_run(
        &self,
        environment: &Environment,
        mut options: RunOptions,
        evidence: Option<&Path>,
        reopen: bool,
    ) -> Result<Run> {
        if let Some(folder) = evidence {
            options.run = Some(handover::take(environment, folder)?);
        }
        let watcher = Arc::clone(&self.watcher);
        Run::open(environment.clone(), options, &self.products, watcher, reopen).await
    }

    async fn drive(&self, mut run: Run, until: Until) -> Result<Driven> {
        let (id, environment) = (run.id.clone(), run.environment.clone());
        let mut stages = Stages::default();
        let mut stop = self.interrupt.listen();
        let ended = tokio::select! {
            biased;
            ended = drive::drive(&mut run, &mut stages, until) => Some(ended),
            () = stop.asked() => None,
        };
        let Some(ended) = ended else {
            stages.close(&mut run).await;
            run.leave().await;
            return Err(Error::interrupted());
        };
        let ended = ended.map_err(|e| in_between(&run, e));
        run.close(matches!(ended, Ok(None))).await;
        Ok(Driven { ended: ended?, record: record::load(&environment, &id)? })
    }

    /// What the use cases that only look need. Liquibase is connected and has read the changelog.
    async fn open(&self, environment: &Environment) -> Result<(Opened, Liquibase)> {
        let opened = self.reach(environment).await?;
        let liquibase = reading(environment, opened.database.as_ref(), PLAN).await?;
        Ok((opened, liquibase))
    }

    /// The database alone, once it is known that it can be looked at.
    async fn reach(&self, environment: &Environment) -> Result<Opened> {
        if let Some(storage) = Storage::of(environment)? {
            storage.bring_schema(&environment.home).await?;
        }
        let opened = self.opened(environment).await?;
        target::tell_settings(environment, &self.watcher);
        Ok(opened)
    }

    /// A script of what an administrator has to grant to the user of an environment. Nothing is connected to.
    ///
    /// # Errors
    /// `Input` when the environment names no database of its own, or the product has no such script.
    pub fn grants(&self, environment: &Environment) -> Result<String> {
        let (Target::Url(url) | Target::Served(url)) = &environment.target else {
            return Err(Error::input(
                "the demo's database is Drydock's own: nothing has to be granted there",
            ));
        };
        let database = self.products.open(url.expose())?;
        let product = database.product();
        product.grants(database.endpoint()).ok_or_else(|| {
            Error::input(format!("there is no script of grants for {}", product.name()))
                .hint("docs/ says what its user needs")
        })
    }

    /// The database, unless it is one that nothing can be done with.
    async fn opened(&self, environment: &Environment) -> Result<Opened> {
        let opened = target::open(environment, &self.products, &self.watcher).await?;
        preflight::refuse(&opened.facts, Weight::StopsPlans)?;
        Ok(opened)
    }

    /// The database of an environment, reached.
    ///
    /// # Errors
    /// `Input` when it cannot be named or reached.
    pub async fn target(&self, environment: &Environment) -> Result<Arc<dyn Database>> {
        target::open(environment, &self.products, &self.watcher).await.map(|opened| opened.database)
    }

    /// What is pending, with hazards, reverses, waves and drift.
    ///
    /// # Errors
    /// `Input` for a changelog that does not parse; as the database gives them.
    pub async fn plan(&self, environment: &Environment) -> Result<Plan> {
        let (Opened { database, facts }, mut liquibase) = self.open(environment).await?;
        let waits = WaitWatch::start(Arc::clone(&database), Arc::clone(&self.watcher));
        self.watcher.progress("asking Liquibase what is pending", None);
        let plan = plan::make(environment, database.as_ref(), facts, &mut liquibase).await;
        liquibase.close().await;
        plan.map_err(|e| waits.explain(e))
    }

    /// What does not agree between changelog, history and catalog.
    ///
    /// # Errors
    /// See `plan`.
    pub async fn drift(&self, environment: &Environment) -> Result<Vec<Drift>> {
        let (Opened { database, .. }, mut liquibase) = self.open(environment).await?;
        let status = liquibase.status().await?;
        let drift = plan::differences(environment, database.as_ref(), &status).await?;
        liquibase.close().await;
        Ok(drift)
    }

    /// Holds what is pending against all contracts; the changesets are those of the plan.
    ///
    /// # Errors
    /// See `plan` and `compat::stage`.
    pub async fn compat(&self, environment: &Environment) -> Result<(Compat, Vec<Changeset>)> {
        let contracts = self.contracts(environment)?;
        let Opened { database, facts } = self.reach(environment).await?;
        let waits = WaitWatch::start(Arc::clone(&database), Arc::clone(&self.watcher));
        let folder = environment.home.join("scratch");
        let bench = compat::Bench {
            provider: database.product().provider().await?,
            production: database,
            watcher: Arc::clone(&self.watcher),
            application: "drydock compat".to_owned(),
            rows: environment.compat.rows,
            without_contracts: environment.compat.without_contracts,
        };
        let check = async {
            let plan = async {
                let production = bench.production.as_ref();
                let mut liquibase = reading(environment, production, PLAN).await?;
                let plan = plan::make(environment, production, facts, &mut liquibase).await?;
                plan::refuse_unrehearsable(&plan.changesets, environment.shadow.run_code)?;
                plan::refuse_other_history(&plan.drift)?;
                Ok((plan, liquibase))
            };
            // Liquibase starts and reads while the scratch server starts and plans the queries.
            let ((plan, mut liquibase), prepared) =
                tokio::try_join!(plan, bench.prepare(&folder, &contracts))?;
            let compat = bench.check(&plan, &contracts, &mut liquibase, prepared).await;
            liquibase.close().await;
            Ok((compat?, plan.changesets))
        };
        let mut stop = self.interrupt.listen();
        let checked = tokio::select! {
            checked = check => checked,
            () = stop.asked() => Err(Error::interrupted().hint("nothing is left of it; run it again")),
        };
        let _ = bench.provider.discard(&folder).await;
        checked.map_err(|e| waits.explain(e))
    }

    /// The record of a run, or of the latest.
    ///
    /// # Errors
    /// `Input` when there is none, `Failed` when it cannot be read.
    pub async fn record(&self, environment: &Environment, run: Option<String>) -> Result<RunRecord> {
        let id = self.find(environment, run).await?;
        record::load(environment, &id)
    }

    /// Every run, oldest first.
    ///
    /// # Errors
    /// `Failed` when one cannot be read.
    pub async fn history(&self, environment: &Environment) -> Result<Vec<RunSummary>> {
        select::bring(environment, RunSelector::All).await?;
        files::list(environment)?.iter().map(|id| record::load(environment, id).map(|r| r.summary)).collect()
    }

    /// Writes the record of a run, or of the latest, into a folder; gives the run and where its record lies.
    ///
    /// # Errors
    /// `Input` when there is no such run, `Failed` when it cannot be copied.
    pub async fn hand_over(
        &self,
        environment: &Environment,
        run: Option<String>,
        folder: &Path,
    ) -> Result<(String, PathBuf)> {
        let id = self.find(environment, run).await?;
        handover::give(environment, &id, folder)?;
        let path = folder.join(&id);
        Ok((id, path))
    }

    /// Checks journals and evidence: those of a run, or of all.
    ///
    /// # Errors
    /// `Stuck` when something was changed afterwards.
    pub async fn verify(&self, environment: &Environment, run: Option<String>) -> Result<Vec<Verified>> {
        select::bring(environment, run.as_deref().map_or(RunSelector::All, RunSelector::Since)).await?;
        let ids = match run {
            Some(id) => vec![id],
            None => files::list(environment)?,
        };
        ids.into_iter().map(|run| Ok(Verified { events: record::verify(environment, &run)?, run })).collect()
    }

    /// The run that is meant, the latest where none is named; its record is on this machine then.
    async fn find(&self, environment: &Environment, run: Option<String>) -> Result<String> {
        select::bring(environment, run.as_deref().map_or(RunSelector::Latest, RunSelector::Since)).await?;
        match run {
            Some(run) => Ok(run),
            None => files::list(environment)?.pop().ok_or_else(|| {
                Error::input(format!("environment \"{}\" has no run yet", environment.name))
                    .hint(environment.command("migrate"))
            }),
        }
    }

    /// Makes or starts the demo's production.
    ///
    /// # Errors
    /// `Input` when it cannot be made.
    pub async fn demo_up(&self, environment: &Environment) -> Result<Endpoint> {
        Ok(self.target(environment).await?.endpoint().clone())
    }

    /// Serves the demo's production on an address until `stop` is there.
    ///
    /// # Errors
    /// `Input` when the address is taken or no password is given; `Failed` when the server ends by itself.
    pub async fn demo_serve(
        &self,
        environment: &Environment,
        listen: std::net::SocketAddr,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        demo::serve(environment, listen, &self.watcher, stop).await
    }
}

/// Looks at what going back would meet and take, and asks about the latter.
async fn consent(
    run: &mut Run,
    (accept_drift, accept_loss): (bool, bool),
    ask: &dyn Fn(&RollbackPreview) -> bool,
) -> Result<()> {
    let preview = rollback::preview::look(run).await?;
    if !accept_drift {
        rollback::preview::refuse_drift(&preview)?;
    }
    // Of a run that goes back already, the first inverse may have gone through unseen.
    if !saga::is_unwinding(run.journal.events()) {
        rollback::preview::refuse_failing(&preview)?;
    }
    for line in preview.untried() {
        run.watcher.note(&line);
        run.note(line, None).await?;
    }
    // Nobody is asked where there is nothing to lose.
    if !accept_loss && !preview.losses.is_empty() && !ask(&preview) {
        return rollback::preview::refuse_loss(&preview);
    }
    let begun = rollback::keep::inverses_begun(run.journal.events(), None) > 0;
    let keeping = rollback::keep::aside(run, &preview, begun).await?;
    rollback::keep::refuse_failed(&keeping)
}

/// A run that cannot go on in the middle of production must not end as one that never got there.
fn in_between(run: &Run, error: Error) -> Error {
    let over = matches!(run.decision(), Decision::Over(_));
    if over || !saga::reached_production(run.journal.events()) {
        return error;
    }
    Error::stuck("production is between two changesets, and the run cannot go on")
        .hint(
            error
                .hint_text()
                .unwrap_or("run the same command again: the run goes on where it stopped")
                .to_owned(),
        )
        .because(error)
}

/// A Liquibase that is connected and has read the changelog.
async fn reading(environment: &Environment, database: &dyn Database, application: &str) -> Result<Liquibase> {
    let mut liquibase = Liquibase::start(&environment.home.join("cache")).await?;
    liquibase.changelog(environment, &environment.changelog_file).await?;
    liquibase.connect(database, application).await?;
    Ok(liquibase)
}
