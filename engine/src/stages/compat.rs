//! `compat`: changeset by changeset on a scratch database with production's schema, every query of every deployed version.
//!
//! A changeset that breaks somebody is held, with the names of those it waits for; the scratch database is made anew without
//! it, and everything that does not build on it goes on.

mod api;
mod api_schema;
mod apply;
mod check;
mod constraint_diff;
mod impact;
mod meanings;
mod query_cache;
mod query_replay;
mod replay_verdicts;
mod routine_bodies;
mod signature_diff;
mod unreached;
mod unresolved_column;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::liquibase::{Failure, Liquibase};
use crate::model::catalog::Catalog;
use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::endpoint::Endpoint;
use crate::model::event::ActOutcome;
use crate::model::evidence::{
    Checked, Compat, Held, NotTried, NotTriedWhy, Plan, Verdict, VerdictClass, VerdictKind, WaitsFor,
};
use crate::model::isolation::Network;
use crate::product::{Database, Provider, Scratch, ScratchKind};
use crate::run::Run;
use crate::run::drive::StageDone;
use crate::stages::suppressions;
use crate::watcher::{Watcher, as_progress};
use apply::{Applier, Arrival};
pub use check::Checker;
pub use query_replay::Trial;

/// The stage of a run.
///
/// # Errors
/// `Input` for a query that does not plan before any change, `Refused` for a changeset that does not apply to production's
/// schema.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    let plan: Plan = run.evidence("plan")?;
    let application = format!("{} compat", run.application());
    let folder = run.scratch_folder();
    let bench = Bench {
        production: Arc::clone(&run.database),
        provider: Arc::clone(&run.provider),
        watcher: Arc::clone(&run.watcher),
        application,
        rows: run.environment.compat.rows,
        without_contracts: run.environment.compat.without_contracts,
    };
    let checked = async {
        let prepared = bench.prepare(&folder, &run.contracts).await?;
        bench.check(&plan, &run.contracts, &mut run.liquibase, prepared).await
    };
    let checked = checked.await;
    let production = Arc::clone(&run.database);
    let back = run.liquibase.connect(production.as_ref(), &run.application()).await;
    let _ = run.provider.discard(&folder).await;
    let compat = checked?;
    back?;
    let evidence = run.keep("compat", &compat).await?;
    let waves = plan
        .waves
        .iter()
        .map(|w| {
            (
                w.number,
                w.changesets.iter().filter(|c| compat.accepted.contains(c)).cloned().collect::<Vec<_>>(),
            )
        })
        .filter(|(_, changesets)| !changesets.is_empty())
        .collect();
    let held = u64::try_from(compat.held.len()).unwrap_or(u64::MAX);
    Ok((ActOutcome::Accepted { waves, held }, evidence, describe(&compat)))
}

fn describe(compat: &Compat) -> String {
    let count = |kind| compat.verdicts.iter().filter(|v| v.verdict == kind).count();
    let untried = compat.checked.untried.as_ref().map(|why| format!("; planned and not run: {why}"));
    format!(
        "{} queries of {} service versions against {} changesets: {} breaking, {} risky; {} held, {} go on{}",
        compat.checked.queries,
        compat.checked.services,
        compat.checked.changesets,
        count(VerdictKind::Breaking),
        count(VerdictKind::Risky),
        compat.held.len(),
        compat.accepted.len(),
        untried.unwrap_or_default(),
    )
}

/// Changesets that it is cheaper to copy than to apply again.
const WORTH_A_COPY: usize = 5;

/// Unknown roles that get a line each.
const ROLES_NAMED: usize = 3;

/// What a check needs, whether a run does it or `drydock compat` alone.
pub struct Bench {
    pub production: Arc<dyn Database>,
    pub provider: Arc<dyn Provider>,
    pub watcher: Arc<dyn Watcher>,
    pub application: String,
    /// Whether queries are also run, on rows that production lends.
    pub rows: bool,
    /// Whether it is right that no service is known.
    pub without_contracts: bool,
}

/// What is there before the plan is known.
pub struct Prepared<'a> {
    state: State,
    /// The first copy.
    scratch: Arc<dyn Database>,
    /// Contracts may be wrong, and the plan, which is told first, too.
    checker: Result<Checker<'a>>,
    took: Duration,
}

impl Bench {
    /// Makes a scratch database in `folder`, and plans every query there. The changesets need not be known for it.
    ///
    /// # Errors
    /// `Refused` where the product has none, `Failed` when it cannot be made.
    pub async fn prepare<'a>(&self, folder: &Path, contracts: &'a [Contract]) -> Result<Prepared<'a>> {
        self.watcher.progress("making a scratch database with production's schema", None);
        let places =
            self.provider.scratch(self.production.as_ref(), folder, as_progress(&self.watcher)).await?;
        let places = places.ok_or_else(|| {
            Error::refused(format!(
                "compatibility cannot be checked: {} has no scratch databases",
                self.production.product().name()
            ))
        })?;
        if let Some(warning) = places.isolation().network.and_then(Network::warning) {
            self.watcher.note(&format!("on scratch databases, {warning}"));
        }
        let mut state = State::new(places);
        let scratch = self.copy(&mut state).await?;
        let begun = Instant::now();
        let checker = Checker::new(Arc::clone(&scratch), contracts, &self.application).await;
        Ok(Prepared { state, scratch, checker, took: begun.elapsed() })
    }

    /// Checks the plan against the contracts there, which are those of `prepare`. Leaves `liquibase` connected to the scratch database.
    ///
    /// # Errors
    /// See `stage`.
    pub async fn check(
        &self,
        plan: &Plan,
        contracts: &[Contract],
        liquibase: &mut Liquibase,
        Prepared { mut state, mut scratch, checker, took }: Prepared<'_>,
    ) -> Result<Compat> {
        let checker = checker?;
        let unknown_roles = self.unknown_roles(contracts).await?;
        let judged = Applier::begin(self.production.as_ref(), liquibase, &plan.changesets, &self.application);
        let mut applier = judged.await?;
        let begun = Instant::now();
        applier.connect(liquibase, scratch.as_ref(), &self.application).await?;
        let (trial, untried) = match self.trial(&checker, &plan.changesets, &state.places).await {
            Ok(trial) => (trial, None),
            Err(error) => (None, Some(error.chain())),
        };
        let mut checker = checker.with(trial);
        let total = u64::try_from(plan.changesets.len()).unwrap_or(u64::MAX);
        for (n, changeset) in (0_u64..).zip(&plan.changesets) {
            self.watcher.progress(&format!("checking {}", changeset.key.id), Some((n, total)));
            let mut done = Cow::Borrowed(changeset);
            let mut doubt = None;
            checker.before(changeset).await?;
            match applier.apply(liquibase, scratch.as_ref(), changeset).await {
                Ok(Arrival::Whole) => {}
                // A precondition kept it from running, and nothing is another.
                Ok(Arrival::Skipped) => done.to_mut().statements.clear(),
                Ok(Arrival::Presumed { why }) => doubt = Some((NotTriedWhy::PreconditionUnknown, why)),
                Ok(Arrival::WithoutCode { code }) => doubt = Some((NotTriedWhy::RunsCode, code)),
                Ok(Arrival::InPart { error, opaque: false }) => {
                    doubt = Some((NotTriedWhy::NeedsRows, error.chain()));
                }
                Ok(Arrival::InPart { error, opaque: true }) => {
                    doubt = Some((NotTriedWhy::NeedsRowsOpaque, error.chain()));
                }
                Err(failure) => match state.builds_on(changeset, plan)? {
                    Some(held) => {
                        let tried =
                            self.with_held(liquibase, &mut state, &mut applier, plan, changeset).await?;
                        applier.connect(liquibase, scratch.as_ref(), &self.application).await?;
                        if let Some(failure) = tried {
                            let catalog = scratch.catalog().await?;
                            return Err(apply::refusal(changeset, failure, &catalog));
                        }
                        let waits_for = held.waits_for.clone();
                        let because_of = Some(held.key.clone());
                        state.held.push(Held { key: changeset.key.clone(), waits_for, because_of });
                        continue;
                    }
                    None => {
                        let catalog = scratch.catalog().await?;
                        return Err(apply::refusal(changeset, failure, &catalog));
                    }
                },
            }
            let mut verdicts = checker.verdicts(&done).await?;
            // Sample rows are rows.
            let told = |why: &NotTriedWhy| {
                *why != NotTriedWhy::NeedsRows || !checker.tried_with_rows(&changeset.key)
            };
            if let Some((why, message)) = doubt.filter(|(why, _)| told(why)) {
                state.not_tried.push(NotTried { key: changeset.key.clone(), why, message });
            }
            let unused = suppressions::verdicts(&changeset.suppressions, &mut verdicts).into_iter();
            // What gets slow is told on the clone.
            for line in unused.filter(|a| a.class() != Some(VerdictClass::GetsSlow)) {
                self.watcher.note(&format!("{}: {}", changeset.place(), suppressions::nothing_to_pass(line)));
            }
            let waits_for = waiting(&verdicts);
            state.verdicts.extend(verdicts);
            if waits_for.is_empty() {
                state.accepted.push(changeset.key.clone());
                checker.accept();
            } else {
                state.held.push(Held { key: changeset.key.clone(), waits_for, because_of: None });
                scratch = self.rebuild(liquibase, &mut state, &applier, &plan.changesets).await?;
                checker.move_to(Arc::clone(&scratch)).await?;
            }
        }
        checker.last_look().await?;
        Ok(Compat {
            verdicts: state.verdicts,
            held: state.held,
            accepted: state.accepted,
            not_tried: state.not_tried,
            without_contracts: self.without_contracts && contracts.iter().all(|c| c.versions.is_empty()),
            checked: Checked {
                services: checker.service_versions(),
                queries: checker.queries(),
                changesets: total,
                checks: checker.checks(),
                seconds: (took + begun.elapsed()).as_secs_f64(),
                untried: untried.or_else(|| checker.untried()),
                unknown_roles,
            },
            scratch: Some(state.places.isolation().clone()),
            services: contracts
                .iter()
                .flat_map(|c| c.versions.iter().map(|v| (c.service.clone(), v.version.clone())))
                .collect(),
        })
    }

    /// Roles that contracts name and production does not have: nobody comes as one, and what one may do cannot be checked.
    async fn unknown_roles(&self, contracts: &[Contract]) -> Result<Vec<String>> {
        let named: BTreeMap<&str, &Contract> =
            contracts.iter().filter_map(|c| Some((c.role.as_deref()?, c))).collect();
        let Some(resolve) = self.production.resolve().filter(|_| !named.is_empty()) else {
            return Ok(Vec::new());
        };
        let roles: Vec<&str> = named.keys().copied().collect();
        let known = resolve.session_defaults(&roles).await?;
        let unknown: Vec<_> = named.into_iter().filter(|(role, _)| !known.contains_key(*role)).collect();
        if unknown.len() <= ROLES_NAMED {
            for (role, contract) in &unknown {
                self.watcher.note(&format!(
                    "{}: {} comes as the role {role}, which the database does not have: its rights and settings are not checked",
                    contract.file.display(),
                    contract.service
                ));
            }
        } else {
            let some: Vec<&str> = unknown.iter().take(ROLES_NAMED).map(|(role, _)| *role).collect();
            self.watcher.note(&format!(
                "services come as {} roles that the database does not have ({} and {} more): their rights and settings are not checked",
                unknown.len(),
                some.join(", "),
                unknown.len() - some.len()
            ));
        }
        Ok(unknown.into_iter().map(|(role, _)| role.to_owned()).collect())
    }

    /// Rows of what queries that may be reached use.
    async fn trial(
        &self,
        checker: &Checker<'_>,
        changesets: &[Changeset],
        places: &Arc<dyn Scratch>,
    ) -> Result<Option<Trial>> {
        let Some(mut wanted) = checker.reachable(changesets).filter(|_| self.rows) else { return Ok(None) };
        let product = self.production.product();
        if !product.capabilities().sample_rows {
            return Err(Error::failed(format!("{} cannot copy sample rows from production", product.name())));
        }
        let mut catalog = self.production.catalog().await?;
        wanted.extend(moved_rows(self.production.as_ref(), changesets, &catalog).await);
        // What is about to point somewhere needs what it points to.
        for statement in changesets.iter().flat_map(|c| &c.statements) {
            for key in self.production.foreign_keys(&statement.sql, &catalog).unwrap_or_default() {
                if let Some(table) = catalog.tables.get_mut(&key.table) {
                    table.foreign_keys.push((key.columns, key.parent, key.theirs));
                }
            }
        }
        let progress = as_progress(&self.watcher);
        let production = Arc::clone(&self.production);
        let Some(rows) = places.sample_rows(production.as_ref(), &catalog, &wanted, progress).await? else {
            return Ok(None);
        };
        Ok(Some(Trial::begin(Arc::clone(places), production, rows, &self.application).await?))
    }

    /// Whether a changeset fails too where all that are held before it have run: then it builds on none of them. Leaves `liquibase` connected
    /// to another scratch database.
    async fn with_held<'p>(
        &self,
        liquibase: &mut Liquibase,
        state: &mut State,
        applier: &mut Applier<'p>,
        plan: &'p Plan,
        changeset: &'p Changeset,
    ) -> Result<Option<Failure>> {
        let before = plan.changesets.iter().take_while(|c| c.key != changeset.key);
        let before: Vec<ChangesetId> = before.map(|c| c.key.clone()).collect();
        state.generation += 1;
        let name = format!("check_{}", state.generation);
        let all = self.production.at(state.places.copy(state.places.template(), &name).await?);
        applier.connect(liquibase, all.as_ref(), &self.application).await?;
        // Where those before it do not apply either, nothing is known of this one.
        if applier.again(liquibase, all.as_ref(), &before, &plan.changesets).await.is_err() {
            return Ok(None);
        }
        Ok(applier.apply(liquibase, all.as_ref(), changeset).await.err())
    }

    /// A scratch database with what has been accepted so far, and Liquibase connected to it.
    async fn rebuild(
        &self,
        liquibase: &mut Liquibase,
        state: &mut State,
        applier: &Applier<'_>,
        changesets: &[Changeset],
    ) -> Result<Arc<dyn Database>> {
        if state.places.clear().await? {
            state.base = state.places.template().clone();
            state.in_base = 0;
        }
        let scratch = self.copy(state).await?;
        applier.connect(liquibase, scratch.as_ref(), &self.application).await?;
        let missing = state.accepted.get(state.in_base..).unwrap_or_default();
        if missing.is_empty() {
            return Ok(scratch);
        }
        applier.again(liquibase, scratch.as_ref(), missing, changesets).await?;
        let copies = match self.production.product().capabilities().scratch {
            ScratchKind::Copies | ScratchKind::Dictionary => true,
            ScratchKind::SchemaOnly | ScratchKind::None => false,
        };
        if missing.len() < WORTH_A_COPY || !copies {
            return Ok(scratch);
        }
        // The next one begins here.
        applier.disconnect(liquibase).await?;
        state.base = scratch.endpoint().clone();
        state.in_base = state.accepted.len();
        let scratch = self.copy(state).await?;
        applier.connect(liquibase, scratch.as_ref(), &self.application).await?;
        Ok(scratch)
    }

    /// One more copy of the base.
    async fn copy(&self, state: &mut State) -> Result<Arc<dyn Database>> {
        state.generation += 1;
        let name = format!("check_{}", state.generation);
        Ok(self.production.at(state.places.copy(&state.base, &name).await?))
    }
}

struct State {
    held: Vec<Held>,
    accepted: Vec<ChangesetId>,
    not_tried: Vec<NotTried>,
    verdicts: Vec<Verdict>,
    places: Arc<dyn Scratch>,
    /// What copies are made of.
    base: Endpoint,
    /// How many of the accepted are in the base.
    in_base: usize,
    generation: u32,
}

impl State {
    fn new(places: Arc<dyn Scratch>) -> Self {
        let base = places.template().clone();
        Self {
            held: Vec::new(),
            accepted: Vec::new(),
            not_tried: Vec::new(),
            verdicts: Vec::new(),
            places,
            base,
            in_base: 0,
            generation: 0,
        }
    }

    /// The held changeset that this one most likely builds on: the latest that touches the same, or else the latest.
    fn builds_on(&self, changeset: &Changeset, plan: &Plan) -> Result<Option<Held>> {
        let touched = changeset.touches();
        for held in self.held.iter().rev() {
            if super::planned(plan, &held.key)?.touches().iter().any(|t| touched.contains(t)) {
                return Ok(Some(held.clone()));
            }
        }
        Ok(self.held.last().cloned())
    }
}

/// Tables whose rows changesets move or read for that, and those that they refer to.
async fn moved_rows(
    production: &dyn Database,
    changesets: &[Changeset],
    catalog: &Catalog,
) -> BTreeSet<String> {
    let statements = changesets.iter().flat_map(|c| &c.statements).filter(|s| s.moves_rows());
    let statements: Vec<_> = statements.collect();
    let texts: Vec<&str> = statements.iter().map(|s| s.sql.as_str()).collect();
    let read = production.queries(&texts, catalog).await.into_iter().filter_map(Result::ok);
    let mut open: Vec<String> = read.flat_map(|usage| usage.uses).collect();
    open.extend(statements.iter().flat_map(|s| s.touches.iter().cloned()));
    let mut all = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(table) = catalog.tables.get(&name) else { continue };
        if all.insert(name) {
            open.extend(table.foreign_keys.iter().map(|(_, parent, _)| parent.clone()));
        }
    }
    all
}

fn waiting(verdicts: &[Verdict]) -> Vec<WaitsFor> {
    let mut waits: Vec<WaitsFor> = verdicts
        .iter()
        .filter(|v| v.verdict == VerdictKind::Breaking)
        .map(|v| WaitsFor { service: v.service.clone(), version: v.version.clone(), query: v.query.clone() })
        .collect();
    waits.sort();
    waits.dedup();
    waits
}
