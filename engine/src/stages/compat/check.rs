//! Holds queries and API fields against a scratch database after each changeset.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::contract::{Contract, Query};
use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::change::Change;
use crate::model::changeset::Changeset;
use crate::model::error_class::ErrorClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::model::query::{ParameterRole, QueryError, Reads};
use crate::model::schema::SchemaSnapshot;
use crate::product::{Client, Database, Dialect};

use crate::stages::compat::api::Fields;
use crate::stages::compat::constraint_diff::{refused_writes, tightened};
use crate::stages::compat::impact::{Use, impact, may_affect};
use crate::stages::compat::query_cache::{Known, Text, Texts};
use crate::stages::compat::query_replay::{Asked, Subject, Trial};
use crate::stages::compat::replay_verdicts::{condense, settle};
use crate::stages::compat::signature_diff::compare;
use crate::stages::compat::unresolved_column::missing;
use crate::stages::contract_queries::{Watched, watched};
use crate::stages::view_lineage;

pub struct Checker<'a> {
    database: Arc<dyn Database>,
    client: Box<dyn Client>,
    application: String,
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
}

/// A query that a changeset may reach, and what is said of it.
struct Reached {
    /// Its place among the watched.
    at: usize,
    verdicts: Vec<Verdict>,
    /// Running the query could show the change.
    may_affect: bool,
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
        let mut client = database.client(application).await?;
        let (catalog, schema) = look(database.as_ref()).await?;
        let (watched, distinct) = watched(contracts);
        let (texts, refused) = Texts::begin(distinct, client.as_mut(), &database, &catalog).await?;
        let mut wrong = Vec::new();
        for watched in &watched {
            if let Some(e) = refused.get(&watched.text) {
                let Query { file, line, name, .. } = watched.query;
                wrong.push(format!("{}:{line}: {name}: {e}", file.display()));
            }
        }
        let fields = Fields::new(contracts, client.as_mut(), &database, &catalog, &mut wrong).await;
        if !wrong.is_empty() {
            return Err(Error::input(wrong.join("\n  "))
                .hint("the query fails before any change: correct the contract, or check that this is the right database"));
        }
        let application = application.to_owned();
        Ok(Self {
            database,
            client,
            application,
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
        })
    }

    /// Also runs queries, on rows that production lends.
    #[must_use]
    pub fn with(mut self, trial: Option<Trial>) -> Self {
        self.trial = trial;
        self
    }

    /// Tables of the queries that these changesets may reach.
    pub fn reachable(&self, changesets: &[Changeset]) -> BTreeSet<String> {
        let touched: BTreeSet<String> = changesets.iter().flat_map(Changeset::touches).collect();
        let reached = self.texts.iter().map(|t| &t.now.usage.uses).filter(|u| !u.is_disjoint(&touched));
        let used: BTreeSet<&String> = reached.flatten().collect();
        // What is in a partition is in its root; of one that goes or changes, some is to be there for certain.
        let told = |name: &&String| {
            self.catalog.tables.get(*name).is_some_and(|t| t.parent.is_none() || touched.contains(*name))
        };
        used.into_iter().filter(told).cloned().collect()
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

    /// What the changeset that was just applied means for everybody.
    ///
    /// # Errors
    /// `Failed` when the scratch database cannot be asked.
    pub async fn verdicts(&mut self, changeset: &Changeset) -> Result<Vec<Verdict>> {
        let begun = std::time::Instant::now();
        let (after, schema) = look(self.database.as_ref()).await?;
        let looked = begun.elapsed();
        let changes = self.database.diff(&self.schema, &schema);
        let mut touched: BTreeSet<String> = changeset.touches().into_iter().collect();
        touched.extend(changes.iter().map(|c| c.subject.clone()));
        // What touches no table we know of (types, functions, schemas) may reach any query.
        let everything = changeset.statements.iter().any(|s| s.touches.is_empty());
        let tightened = tightened(&self.catalog, &after);
        let surely: Vec<bool> = self.texts.iter().map(|t| !t.now.usage.uses.is_disjoint(&touched)).collect();
        let may_reach = |place: usize| everything || surely.get(place) == Some(&true);
        let client = self.client.as_mut();
        let refused = self.texts.renew(may_reach, client, &self.database, &after).await?;
        let dialect = self.database.as_ref();
        let mut reached = Vec::new();
        let reads = self.reads(&changes, may_reach, &after).await?;
        let nothing = Reads::default();
        for (at, watched) in self.watched.iter().enumerate() {
            let Some(text) = self.texts.get(watched.text).filter(|_| may_reach(watched.text)) else {
                continue;
            };
            let mut verdicts = Vec::new();
            if let Some(error) = refused.get(&watched.text) {
                let uses = &text.now.usage.uses;
                let column = missing(error, text.sql, uses, &self.catalog, &after);
                verdicts.push(does_not_plan(changeset, watched, error, column));
            }
            if let Some(next) = &text.next {
                let mut say = |kind, class, reason, column| {
                    verdicts.push(watched.verdict(&changeset.key, kind, class, reason, column));
                };
                if let Some((kind, class, reason, column)) = compare(&text.now.shape, &next.shape, dialect) {
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
                    uses: &usage.uses,
                    still: &next.usage.uses,
                    writes: &usage.writes,
                };
                for change in &changes {
                    if let Some((kind, class, reason, column)) = impact(change, &by, &after) {
                        say(kind, class, reason, column);
                    }
                }
            }
            condense(&mut verdicts);
            let may_affect = changes.iter().any(|change| may_affect(change, &text.now.usage, &self.catalog));
            reached.push(Reached { at, verdicts, may_affect });
        }
        tracing::debug!(changeset = %changeset.key, reached = reached.len(), ?looked, all = ?begun.elapsed(), "planned");
        self.try_out(changeset, &changes, &mut reached).await?;
        let mut verdicts: Vec<Verdict> = reached.into_iter().flat_map(|r| r.verdicts).collect();
        let client = self.client.as_mut();
        let found = self.fields.verdicts(changeset, client, &self.database, &self.catalog, &after);
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
                let Known { shape, usage } = &text.now;
                let roles = roles.get(&watched.text).map_or(&[][..], Vec::as_slice);
                let sql = &watched.query.sql;
                let asked = Asked {
                    sql,
                    shape,
                    roles,
                    writes: &usage.writes,
                    changed: &changed,
                    ordered: usage.ordered,
                    dialect: &dialect,
                };
                Subject { asked, role: watched.role }
            })
            .collect();
        self.tried += u64::try_from(subjects.len()).unwrap_or(0);
        let outcomes = trial.around(changeset, subjects, &self.catalog).await?;
        for (reached, outcome) in reached.into_iter().zip(outcomes) {
            let Some(watched) = self.watched.get(reached.at) else { continue };
            let new = |kind, class, reason| watched.verdict(&changeset.key, kind, class, reason, None);
            reached.verdicts = settle(std::mem::take(&mut reached.verdicts), outcome, new);
        }
        Ok(())
    }

    /// The changeset stays: what is true after it is what the next one is held against.
    pub fn accept(&mut self) {
        self.texts.accept();
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
        self.client = database.client(&self.application).await?;
        self.database = database;
        self.next_catalog = None;
        self.next_schema = None;
        // Objects have numbers of their own there.
        self.schema = self.database.snapshot().await?;
        self.fields.forget();
        self.texts.forget();
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
        let refused = self.texts.look(self.client.as_mut()).await;
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
