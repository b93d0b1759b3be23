//! Holds queries and API fields against a scratch database after each changeset.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::contract::{Contract, Query};
use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::change::{Change, Effect};
use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::error_class::ErrorClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::model::query::{ParameterRole, QueryError, Reads, Usage};
use crate::model::relation_name;
use crate::model::schema::{ObjectIdentity, SchemaSnapshot};
use crate::model::schema_action::SchemaAction;
use crate::product::{Database, Dialect};

use crate::stages::compat::api::Fields;
use crate::stages::compat::constraint_diff::{refused_writes, tightened};
use crate::stages::compat::impact::{Use, impact, may_affect};
use crate::stages::compat::meanings;
use crate::stages::compat::query_cache::{Known, Text, Texts};
use crate::stages::compat::query_replay::{Asked, Outcome, Subject, Trial};
use crate::stages::compat::replay_verdicts::{condense, settle};
use crate::stages::compat::routine_bodies::Bodies;
use crate::stages::compat::signature_diff::compare;
use crate::stages::compat::unreached::UsedNames;
use crate::stages::compat::unresolved_column::missing;
use crate::stages::contract_queries::{Watched, watched};
use crate::stages::sessions::{NewStart, Sessions};
use crate::stages::view_lineage;

pub struct Checker<'a> {
    database: Arc<dyn Database>,
    sessions: Sessions,
    bodies: Bodies,
    catalog: Catalog,
    next_catalog: Option<Catalog>,
    schema: SchemaSnapshot,
    next_schema: Option<SchemaSnapshot>,
    watched: Vec<Watched<'a>>,
    texts: Texts<'a>,
    fields: Fields<'a>,
    versions: u64,
    tried: u64,
    trial: Option<Trial>,
    /// Changesets that reach nobody have been applied since the schema was looked at.
    stale: bool,
}

/// A query that a changeset may reach, and what is said of it.
struct Reached {
    /// Its place among the watched.
    at: usize,
    verdicts: Vec<Verdict>,
    /// Running the query could show the change.
    may_affect: bool,
    /// All that is said is that a row taken as one value has more columns: another answer is no news then.
    only_grows: bool,
}

impl<'a> Checker<'a> {
    /// Plans every query before any change.
    ///
    /// # Errors
    /// `Input`, naming every query that does not plan now: its contract is wrong, or the database is another one.
    pub async fn new(
        database: Arc<dyn Database>,
        contracts: &'a [Contract],
        application: &str,
    ) -> Result<Self> {
        let mut sessions = Sessions::begin(&database, contracts, application).await?;
        let (catalog, schema) = look(database.as_ref()).await?;
        let (watched, distinct) = watched(contracts);
        let (texts, refused) = Texts::begin(distinct, &mut sessions, &database, &catalog).await?;
        let bodies = Bodies::begin(&texts, &sessions, &database, &catalog).await?;
        let mut wrong = Vec::new();
        for watched in &watched {
            if let Some(e) = refused.get(&watched.text) {
                let Query { file, line, name, .. } = watched.query;
                wrong.push(format!("{}:{line}: {name}: {e}", file.display()));
            }
        }
        let fields = Fields::new(contracts, &mut sessions, &database, &catalog, &mut wrong).await?;
        if !wrong.is_empty() {
            return Err(Error::input(wrong.join("\n  "))
                .hint("the query fails before any change: correct the contract, or check that this is the right database"));
        }
        Ok(Self {
            database,
            sessions,
            bodies,
            catalog,
            next_catalog: None,
            schema,
            next_schema: None,
            watched,
            texts,
            fields,
            versions: u64::try_from(contracts.iter().map(|c| c.versions.len()).sum::<usize>())
                .unwrap_or(u64::MAX),
            tried: 0,
            trial: None,
            stale: false,
        })
    }

    /// Also runs queries, on rows that production lends.
    #[must_use]
    pub fn with(mut self, trial: Option<Trial>) -> Self {
        self.trial = trial;
        self
    }

    /// Tables of the queries that these changesets may reach; `None`: they reach no query.
    pub fn reachable(&self, changesets: &[Changeset]) -> Option<BTreeSet<String>> {
        let touched: BTreeSet<String> = changesets.iter().flat_map(Changeset::touches).collect();
        let everything = changesets.iter().flat_map(|c| &c.statements).any(|s| s.touches.is_empty());
        let reached = self.texts.iter().map(|t| &t.now.usage);
        let reached: Vec<_> = reached.filter(|u| u.runs_opaque || !u.uses.is_disjoint(&touched)).collect();
        if reached.is_empty() && !everything {
            return None;
        }
        let used: BTreeSet<&String> = reached.iter().flat_map(|u| &u.uses).collect();
        // What is in a partition is in its root; of one that goes or changes, some is to be there for certain.
        let told = |name: &&String| {
            self.catalog.tables.get(*name).is_some_and(|t| t.parent.is_none() || touched.contains(*name))
        };
        Some(used.into_iter().filter(told).cloned().collect())
    }
    /// Whether a changeset was applied to sample rows of production.
    pub fn tried_with_rows(&self, changeset: &ChangesetId) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.took(changeset))
    }

    pub fn untried(&self) -> Option<String> {
        self.trial.as_ref().and_then(Trial::left_out)
    }

    pub fn service_versions(&self) -> u64 {
        self.versions
    }
    pub fn queries(&self) -> u64 {
        u64::try_from(self.watched.len()).unwrap_or(u64::MAX)
    }
    pub fn checks(&self) -> u64 {
        self.texts.asked.saturating_add(self.tried)
    }

    /// What the answers of texts depend on that use what has changed and that still plan.
    async fn reads(
        &self,
        changes: &[Change],
        may_reach: impl Fn(usize) -> bool,
        catalog: &Catalog,
    ) -> Result<HashMap<usize, Reads>> {
        let of_own = |text: &Text<'_>| changes.iter().any(|c| text.now.usage.uses.contains(&c.subject));
        let (places, texts): (Vec<usize>, Vec<&str>) = self
            .texts
            .iter()
            .enumerate()
            .filter(|(place, text)| may_reach(*place) && text.next.is_some() && of_own(text))
            .map(|(place, text)| (place, text.sql))
            .unzip();
        let facts = self.database.results(&texts, catalog).await;
        places.into_iter().zip(facts).map(|(place, facts)| Ok((place, facts?.reads))).collect()
    }

    fn is_reached_by(&self, changeset: &Changeset) -> bool {
        let usages = self.texts.iter().map(|text| &text.now.usage);
        UsedNames::of(usages, self.fields.tables()).are_reached_by(changeset)
    }

    /// Looks at what a changeset is to be held against, where that is not known any more. It is applied after this.
    ///
    /// # Errors
    /// `Failed` when the scratch database cannot be asked.
    pub async fn before(&mut self, changeset: &Changeset) -> Result<()> {
        if self.stale && self.is_reached_by(changeset) {
            (self.catalog, self.schema) = look(self.database.as_ref()).await?;
            self.stale = false;
        }
        Ok(())
    }

    /// What the changeset that was just applied means for everybody.
    ///
    /// # Errors
    /// `Failed` when the scratch database cannot be asked.
    pub async fn verdicts(&mut self, changeset: &Changeset) -> Result<Vec<Verdict>> {
        if !self.is_reached_by(changeset) {
            self.stale = true;
            self.try_out(changeset, &[], &mut []).await?;
            return Ok(Vec::new());
        }
        let begun = std::time::Instant::now();
        let (after, schema) = look(self.database.as_ref()).await?;
        let looked = begun.elapsed();
        let changes = self.database.diff(&self.schema, &schema);
        let mut touched: BTreeSet<String> = changeset.touches().into_iter().collect();
        touched.extend(changes.iter().map(|c| c.subject.clone()));
        // What touches no table we know of (types, functions, schemas) may reach any query.
        let everything = changeset.statements.iter().any(|s| s.touches.is_empty());
        let tightened = tightened(&self.catalog, &after);
        self.sessions.renew(&self.database).await?;
        let renamed = names_may_differ(&self.schema, &schema);
        // What a bare name means may be another object of that name now.
        let shadowing = bare_names(touched.iter().filter(|_| renamed));
        let surely: Vec<bool> = self
            .texts
            .iter()
            .map(|t| {
                let Usage { uses, runs_opaque, .. } = &t.now.usage;
                *runs_opaque
                    || !uses.is_disjoint(&touched)
                    || !shadowing.is_disjoint(&bare_names(uses.iter()))
                    || self.sessions.new_start(t.role).is_some()
            })
            .collect();
        let may_reach = |place: usize| everything || surely.get(place) == Some(&true);
        let (sessions, database) = (&mut self.sessions, &self.database);
        let restarted = self.watched.iter().any(|w| sessions.new_start(w.role).is_some());
        let refused = self.texts.renew(may_reach, renamed || restarted, sessions, database, &after).await?;
        if restarted || self.schema.schema.digest != schema.schema.digest {
            self.bodies.renew(&self.texts, may_reach, &*sessions, database, &after).await?;
        }
        let dialect = self.database.as_ref();
        let prepared = self.database.product().capabilities().prepared_results;
        let mut reached = Vec::new();
        let reads = self.reads(&changes, may_reach, &after).await?;
        let nothing = Reads::default();
        for (at, watched) in self.watched.iter().enumerate() {
            let Some(text) = self.texts.get(watched.text).filter(|_| may_reach(watched.text)) else {
                continue;
            };
            let mut verdicts = Vec::new();
            let mut only_grows = false;
            let start = self.sessions.new_start(watched.role);
            if let Some(error) = refused.get(&watched.text) {
                let uses = &text.now.usage.uses;
                let column = missing(error, text.sql, uses, &self.catalog, &after);
                let mut verdict = does_not_plan(changeset, watched, error, column);
                if let Some(NewStart::Other { was, is, .. }) = start.as_ref().filter(|_| is_path(&start)) {
                    let (was, is) = (path(was), path(is));
                    let whose = sessions_of(watched.role);
                    verdict.reason = format!("{}; {whose} search {is} and not {was} now", verdict.reason);
                }
                verdicts.push(verdict);
            }
            if let Some(start) = &start {
                verdicts.extend(begins_otherwise(changeset, watched, start));
            }
            if let Some(next) = &text.next {
                let mut say = |kind, class, reason, column| {
                    verdicts.push(watched.verdict(&changeset.key, kind, class, reason, column));
                };
                let told = compare(&text.now.shape, &next.shape, dialect, prepared);
                if let Some((kind, class, reason, column)) = told {
                    say(kind, class, reason, column);
                }
                let usage = &text.now.usage;
                for (kind, reason, column) in refused_writes(&usage.writes, &tightened) {
                    say(kind, VerdictClass::FailsWhenRun, reason, Some(column));
                }
                let reads = reads.get(&watched.text).unwrap_or(&nothing);
                let by = Use {
                    reads,
                    roles: &usage.roles,
                    query: watched.query,
                    role: watched.role,
                    names_told: next.names.is_some(),
                    uses: &usage.uses,
                    still: &next.usage.uses,
                    writes: &usage.writes,
                };
                for change in &changes {
                    if let Some((kind, class, reason, column)) = impact(change, &by, &after)
                        && let Some(kind) = weighed(kind, change, changeset)
                    {
                        say(kind, class, reason, column);
                    }
                }
                for (kind, class, reason, column) in self.bodies.changed(text, changeset, &schema) {
                    say(kind, class, reason, column);
                }
                if let (Some(was), Some(is)) = (&text.now.names, &next.names)
                    && !Arc::ptr_eq(was, is)
                {
                    for (kind, class, reason, column) in meanings::changed(was, is, changeset, &schema) {
                        say(kind, class, reason, column);
                    }
                    let before = verdicts.len();
                    for (kind, class, reason, column) in meanings::grown_rows(was, is) {
                        verdicts.push(watched.verdict(&changeset.key, kind, class, reason, column));
                    }
                    only_grows = before == 0 && !verdicts.is_empty();
                }
            }
            if !matches!(start, Some(NewStart::Gone)) && !revokes(changeset) {
                for verdict in verdicts.iter_mut().filter(|v| v.class == VerdictClass::LostPrivilege) {
                    verdict.grant_to = watched.role.map(str::to_owned);
                }
            }
            condense(&mut verdicts);
            let may_affect = changes.iter().any(|change| may_affect(change, &text.now.usage, &self.catalog));
            reached.push(Reached { at, verdicts, may_affect, only_grows });
        }
        tracing::debug!(changeset = %changeset.key, reached = reached.len(), ?looked, all = ?begun.elapsed(), "planned");
        self.try_out(changeset, &changes, &mut reached).await?;
        let mut verdicts: Vec<Verdict> = reached.into_iter().flat_map(|r| r.verdicts).collect();
        let (sessions, database) = (&mut self.sessions, &self.database);
        let found = self.fields.verdicts(changeset, sessions, database, &self.catalog, &after);
        verdicts.extend(found.await?);
        self.next_catalog = Some(after);
        self.next_schema = Some(schema);
        Ok(verdicts)
    }

    /// Runs what still plans, before and after the changeset.
    async fn try_out(
        &mut self,
        changeset: &Changeset,
        changes: &[Change],
        reached: &mut [Reached],
    ) -> Result<()> {
        let Some(trial) = self.trial.as_mut() else { return Ok(()) };
        let mut changed: Vec<_> = changes.iter().map(|c| (c.subject.clone(), c.columns.clone())).collect();
        // A partition that goes is a change of its root; its rows are those to try.
        let parts = changeset.touches().into_iter();
        let parts = parts.filter(|name| self.catalog.root(name).is_some_and(|root| root != name));
        changed.extend(parts.map(|name| (name, Vec::new())));
        let open = |r: &&mut Reached| {
            (r.may_affect || !r.verdicts.is_empty())
                && !r.only_grows
                && r.verdicts.iter().all(|v| v.verdict != VerdictKind::Breaking)
        };
        let mut reached: Vec<&mut Reached> = reached.iter_mut().filter(open).collect();
        // What is doubted comes first, as long as there is time.
        reached.sort_by_key(|r| r.verdicts.is_empty());
        let (texts, catalog) = (&self.texts, &self.catalog);
        let dialect: Arc<dyn Dialect> = Arc::<dyn Database>::clone(&self.database);
        // What is written to a view is written to what is behind it.
        let mut roles: HashMap<usize, Vec<ParameterRole>> = HashMap::new();
        let mut places = Vec::new();
        for reached in &reached {
            let Some(watched) = self.watched.get(reached.at) else { continue };
            let Some(text) = texts.get(watched.text) else { continue };
            roles.entry(watched.text).or_insert_with(|| {
                let mut roles = text.now.usage.roles.clone();
                if !text.now.usage.writes.is_empty() {
                    view_lineage::parameters(&mut roles, catalog);
                }
                roles
            });
            places.push((watched, text));
        }
        let subjects: Vec<Subject<'_>> = places
            .iter()
            .map(|(watched, text)| {
                let Known { shape, usage, .. } = &text.now;
                let roles = roles.get(&watched.text).map_or(&[][..], Vec::as_slice);
                let sql = &watched.query.sql;
                let asked = Asked {
                    sql,
                    shape,
                    roles,
                    writes: &usage.writes,
                    changed: &changed,
                    ordered: usage.ordered,
                    run_only: usage.run_only,
                    dialect: &dialect,
                };
                let calls = usage.uses.iter().any(|name| catalog.routines.contains_key(name));
                Subject { asked, role: watched.role, calls }
            })
            .collect();
        let takes_names = changeset.statements.iter().flat_map(|s| &s.actions).any(SchemaAction::takes_name);
        self.tried += u64::try_from(subjects.len()).unwrap_or(0);
        let outcomes = trial.around(changeset, subjects, &self.catalog).await?;
        for (reached, outcome) in reached.into_iter().zip(outcomes) {
            let Some(watched) = self.watched.get(reached.at) else { continue };
            let denied = matches!(&outcome, Outcome::Fails { error, .. } if error.class == ErrorClass::PermissionDenied);
            let grant_to = watched.role.filter(|_| denied && !revokes(changeset));
            let new = |kind, class, reason| Verdict {
                grant_to: grant_to.filter(|_| class == VerdictClass::FailsWhenRun).map(str::to_owned),
                ..watched.verdict(&changeset.key, kind, class, reason, None)
            };
            reached.verdicts = settle(std::mem::take(&mut reached.verdicts), outcome, takes_names, new);
        }
        Ok(())
    }

    /// The changeset stays: what is true after it is what the next one is held against.
    pub fn accept(&mut self) {
        self.texts.accept();
        self.sessions.accept();
        self.bodies.accept();
        self.fields.accept();
        if let Some(catalog) = self.next_catalog.take() {
            self.catalog = catalog;
        }
        if let Some(schema) = self.next_schema.take() {
            self.schema = schema;
        }
    }

    /// Goes on with a scratch database that has the accepted changesets only.
    ///
    /// # Errors
    /// `Failed` when it cannot be reached.
    pub async fn move_to(&mut self, database: Arc<dyn Database>) -> Result<()> {
        self.sessions.move_to(&database).await?;
        self.database = database;
        self.next_catalog = None;
        self.next_schema = None;
        // Objects have numbers of their own there, unless they are copied with the database.
        let schema = self.database.snapshot().await?;
        let old = std::mem::replace(&mut self.schema, schema);
        let moved = |(identity, o): (&String, &ObjectIdentity)| {
            let now = self.schema.objects.get(identity).map(|now| &now.number);
            (now != Some(&o.number)).then(|| o.number.clone())
        };
        let moved: BTreeSet<String> = old.objects.iter().filter_map(moved).collect();
        self.fields.forget();
        self.texts.forget();
        self.bodies.forget();
        if !moved.is_empty() {
            self.texts.name_again(&moved, &self.sessions, &self.database).await?;
            self.bodies = Bodies::begin(&self.texts, &self.sessions, &self.database, &self.catalog).await?;
        }
        match self.trial.as_mut() {
            Some(trial) => trial.take_back().await,
            None => Ok(()),
        }
    }

    /// Plans every query once more with everything accepted: nothing may have slipped by the narrowing to what changed.
    ///
    /// # Errors
    /// `Refused` when something had.
    pub async fn last_look(&mut self) -> Result<()> {
        let refused = self.texts.look(&mut self.sessions, &self.database).await?;
        for Watched { service, version, query, text, .. } in &self.watched {
            if let Some(error) = refused.get(text) {
                let Query { file, line, name, .. } = query;
                let place = format!("{}:{line}: {name} of {service} {version}", file.display());
                return Err(Error::refused(format!(
                    "{place} does not plan with all changesets applied: {error}"
                ))
                .hint("no single changeset could be named for it; leave the last ones out and try again"));
            }
        }
        Ok(())
    }
}

/// Both looks at once.
async fn look(database: &dyn Database) -> Result<(Catalog, SchemaSnapshot)> {
    futures::try_join!(database.catalog(), database.snapshot())
}

/// Whether names may mean something else: objects came, went or were renamed. Who may look into a schema is part of it.
fn names_may_differ(before: &SchemaSnapshot, after: &SchemaSnapshot) -> bool {
    let numbers = |look: &SchemaSnapshot| -> BTreeSet<(String, String)> {
        look.objects.iter().map(|(identity, o)| (identity.clone(), o.number.clone())).collect()
    };
    before.schema.objects.keys().ne(after.schema.objects.keys()) || numbers(before) != numbers(after)
}

fn bare_names<'n>(names: impl Iterator<Item = &'n String>) -> BTreeSet<Cow<'n, str>> {
    names.map(|name| relation_name::bare(name)).collect()
}

/// Whether it takes rights away as such, and not with what it makes anew.
fn revokes(changeset: &Changeset) -> bool {
    changeset.statements.iter().flat_map(|s| &s.actions).any(|a| matches!(a, SchemaAction::Revoke { .. }))
}

/// Numbers that come again do no harm to a table that is emptied; whether code that ran set them so by the rows that are there
/// does not show where there are none.
fn weighed(kind: VerdictKind, change: &Change, changeset: &Changeset) -> Option<VerdictKind> {
    let Effect::Repeats { same_source } = change.effect else { return Some(kind) };
    let does = |is: fn(&SchemaAction) -> bool| changeset.statements.iter().flat_map(|s| &s.actions).any(is);
    let emptied =
        |a: &SchemaAction| matches!(a, SchemaAction::TruncateTable { table } if *table == change.subject);
    if changeset.statements.iter().flat_map(|s| &s.actions).any(emptied) {
        return None;
    }
    let by_code = same_source
        && does(|a| matches!(a, SchemaAction::RunsCode))
        && !does(|a| matches!(a, SchemaAction::RestartSequence));
    Some(if by_code { kind.min(VerdictKind::Risky) } else { kind })
}

fn is_path(start: &Option<NewStart>) -> bool {
    matches!(start, Some(NewStart::Other { was, is, .. }) if was != is)
}

fn path(schemas: &[String]) -> String {
    if schemas.is_empty() { "no schema".to_owned() } else { schemas.join(", ") }
}

fn sessions_of(role: Option<&str>) -> String {
    role.map_or_else(|| "sessions".to_owned(), |role| format!("sessions of {role}"))
}

/// What it means for a query that sessions of its role begin otherwise, whatever its names mean then.
fn begins_otherwise(changeset: &Changeset, watched: &Watched<'_>, start: &NewStart) -> Option<Verdict> {
    let role = watched.role.unwrap_or_default();
    let (kind, class, reason) = match start {
        NewStart::Gone => {
            let reason = format!("the role {role} is gone: no session of it can begin");
            (VerdictKind::Breaking, VerdictClass::LostPrivilege, reason)
        }
        NewStart::Other { settings, .. } if settings.is_empty() => return None,
        NewStart::Other { settings, .. } => {
            let whose = sessions_of(watched.role);
            let reason = format!("{whose} begin with {}", settings.join(", "));
            (VerdictKind::Risky, VerdictClass::AnswersDifferently, reason)
        }
    };
    Some(watched.verdict(&changeset.key, kind, class, reason, None))
}

fn does_not_plan(
    changeset: &Changeset,
    watched: &Watched<'_>,
    error: &QueryError,
    column: Option<String>,
) -> Verdict {
    let (kind, class) = (VerdictKind::Breaking, VerdictClass::DoesNotPlan);
    let unique_key_gone = error.class == ErrorClass::UndefinedUniqueKey;
    Verdict { unique_key_gone, ..watched.verdict(&changeset.key, kind, class, error.to_string(), column) }
}
