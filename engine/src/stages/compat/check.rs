//! Holds queries and API fields against a scratch database after each changeset.

mod of_query;
mod reach;
mod try_out;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::contract::{Contract, Query};
use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::change::Change;
use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::evidence::Verdict;
use crate::model::query::Reads;
use crate::model::schema::{ObjectIdentity, SchemaSnapshot};
use crate::product::{Database, ScratchKind};
use crate::stages::compat::api::Fields;
use crate::stages::compat::constraint_diff::tightened;
use crate::stages::compat::query_cache::{Text, Texts};
use crate::stages::compat::query_replay::Trial;
use crate::stages::compat::routine_bodies::Bodies;
use crate::stages::contract_queries::{Watched, watched};
use crate::stages::sessions::Sessions;
use of_query::Applied;
use reach::names_may_differ;

pub struct Checker<'a> {
    database: Arc<dyn Database>,
    sessions: Sessions,
    bodies: Bodies,
    catalog: Arc<Catalog>,
    next_catalog: Option<Arc<Catalog>>,
    schema: Arc<SchemaSnapshot>,
    next_schema: Option<Arc<SchemaSnapshot>>,
    /// A changeset was accepted.
    changed: bool,
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
        let (catalog, schema) = database.catalog_and_snapshot().await?;
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
            changed: false,
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

    /// Looks at what a changeset is to be held against, where that is not known any more. It is applied after this.
    ///
    /// # Errors
    /// `Failed` when the scratch database cannot be asked.
    pub async fn before(&mut self, changeset: &Changeset) -> Result<()> {
        if self.stale && self.is_reached_by(changeset) {
            (self.catalog, self.schema) = self.database.catalog_and_snapshot().await?;
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
        let (after, schema) = self.database.catalog_and_snapshot().await?;
        let looked = begun.elapsed();
        let changes = self.database.diff(&self.schema, &schema);
        let mut touched: BTreeSet<String> = changeset.touches().into_iter().collect();
        touched.extend(changes.iter().map(|c| c.subject.clone()));
        // What touches no table we know of (types, functions, schemas) may reach any query.
        let everything = changeset.statements.iter().any(|s| s.touches.is_empty());
        self.sessions.renew(&self.database).await?;
        let renamed = names_may_differ(&self.schema, &schema);
        let surely = self.surely_reached(&touched, renamed);
        let may_reach = |place: usize| everything || surely.get(place) == Some(&true);
        let (sessions, database) = (&mut self.sessions, &self.database);
        let restarted = self.watched.iter().any(|w| sessions.new_start(w.role).is_some());
        let refused = self.texts.renew(may_reach, renamed || restarted, sessions, database, &after).await?;
        if restarted || self.schema.schema.digest != schema.schema.digest {
            self.bodies.renew(&self.texts, may_reach, &*sessions, database, &after).await?;
        }
        let applied = Applied {
            changeset,
            changes: &changes,
            tightened: &tightened(&self.catalog, &after),
            after: &after,
            schema: &schema,
            refused: &refused,
            reads: &self.reads(&changes, may_reach, &after).await?,
            prepared: self.database.product().capabilities().prepared_results,
        };
        let mut reached = Vec::new();
        for (at, watched) in self.watched.iter().enumerate() {
            let Some(text) = self.texts.get(watched.text).filter(|_| may_reach(watched.text)) else {
                continue;
            };
            reached.push(self.of_query(at, watched, text, &applied));
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

    /// The changeset stays: what is true after it is what the next one is held against.
    pub fn accept(&mut self) {
        self.changed = true;
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
        // What changesets have made has another number there; what was copied with the database has not.
        let copied = self.database.product().capabilities().scratch == ScratchKind::Copies;
        let moved: BTreeSet<String> = if self.changed || !copied {
            let (_, schema) = self.database.catalog_and_snapshot().await?;
            let old = std::mem::replace(&mut self.schema, schema);
            let moved = |(identity, o): (&String, &ObjectIdentity)| {
                let now = self.schema.objects.get(identity).map(|now| &now.number);
                (now != Some(&o.number)).then(|| o.number.clone())
            };
            old.objects.iter().filter_map(moved).collect()
        } else {
            BTreeSet::new()
        };
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
