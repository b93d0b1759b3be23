//! Queries are run before and after a changeset on a scratch database that holds some of production's rows.
//!
//! What planning cannot tell is seen here: a value that was taken and is refused, an answer that is another. A set of values
//! that production's rows hold is what a service may well send again; if that fails, the changeset breaks the service. One
//! that was made up, at the edge of what a column takes, shows what a risk consists of, and no more.

mod answers;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Context, Result};
use crate::load::value_pattern::Form;
use crate::load::values::Samples;
use crate::model::catalog::Catalog;
use crate::model::changeset::{Changeset, ChangesetId, Phase, Statement};
use crate::model::endpoint::{ClientSettings, Endpoint};
use crate::model::query::{Answer, Asker, Call, QueryError};
use crate::model::sample::{Rows, SampleData};
use crate::model::session_defaults::SessionDefaults;
use crate::product::{Client, Database, Scratch};
use answers::{Cause, Difference, Failure, Seen, differs};
pub use answers::{Outcome, With};
pub use values::Asked;
use values::Set;

/// The database that queries are run in.
const NAME: &str = "drydock_trial";
/// A query that takes longer on a handful of rows waits for somebody.
const STATEMENT: Duration = Duration::from_secs(2);
const LOCK_WAIT: Duration = Duration::from_secs(1);
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(60);
/// Answers with something in them that are enough for a query that reads.
const ENOUGH: usize = 12;
/// Sets that a query is run with twice, to see whether it answers the same.
const LOOKED_AT_TWICE: usize = 3;
/// Rows of a table in the scratch database.
const MOST_ROWS: u32 = 1000;
/// Values of a view's column.
const SAMPLES: u32 = 50;
/// For all queries of one changeset, before and after it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where queries are run.
pub struct Trial {
    scratch: Arc<dyn Scratch>,
    production: Arc<dyn Database>,
    lent: SampleData,
    samples: Samples,
    application: String,
    /// Where bare names are looked for in a copy of the template.
    search_path: Option<Vec<String>>,
    place: Option<Place>,
    left_out: Option<String>,
    /// Changesets that the sample rows did not take.
    refused: BTreeSet<ChangesetId>,
    /// Tables that changesets have touched since their rows were read.
    outdated: BTreeSet<String>,
    /// What has been applied and stays, to make the place anew after one that does not.
    applied: Vec<Changeset>,
}

/// The database as its owner, and a connection of whoever may only read and write rows.
struct Place {
    owner: Arc<dyn Database>,
    trier: Arc<dyn Database>,
    settings: ClientSettings,
    client: Box<dyn Client>,
    /// Of the owner, for what only an owner may do.
    owners: Box<dyn Client>,
}

/// One query to run.
pub struct Subject<'a> {
    pub asked: Asked<'a>,
    /// The service's own role, where it is known.
    pub role: Option<&'a str>,
    /// What sessions of the role begin with before the changeset, and after it; `None`: nobody knows.
    pub session_before: Option<&'a SessionDefaults>,
    pub session_after: Option<&'a SessionDefaults>,
    /// It comes to call routines: a session that has called them before the changeset goes on with what it found then.
    pub calls: bool,
}

/// A set of values and what came of it.
struct Ran {
    set: Set,
    answer: Answer,
    /// The same each time: what is drawn from a clock or a sequence says nothing.
    steady: bool,
}

impl Trial {
    /// # Errors
    /// `Failed` when the scratch database cannot be had.
    pub async fn begin(
        scratch: Arc<dyn Scratch>,
        production: Arc<dyn Database>,
        lent: SampleData,
        application: &str,
    ) -> Result<Self> {
        let samples = values::samples(&lent.tables);
        let application = application.to_owned();
        let mut trial = Self {
            scratch,
            production,
            lent,
            samples,
            application,
            search_path: None,
            place: None,
            left_out: None,
            refused: BTreeSet::new(),
            outdated: BTreeSet::new(),
            applied: Vec::new(),
        };
        trial.renew().await?;
        Ok(trial)
    }

    /// A place with what stays.
    async fn renew(&mut self) -> Result<()> {
        self.place = None;
        let endpoint = self.scratch.copy(&self.lent.template, NAME).await?;
        let owner = self.production.at(endpoint.clone());
        if self.search_path.is_none() {
            self.search_path = Some(owner.catalog().await?.search_path);
        }
        let settings = ClientSettings {
            statement: Some(STATEMENT),
            lock_wait: Some(LOCK_WAIT),
            idle_in_transaction: Some(IDLE_IN_TRANSACTION),
            search_path: self.search_path.clone(),
            ..ClientSettings::default()
        };
        let (user, password) = (self.lent.user.clone(), Some(self.lent.password.clone()));
        let trier = self.production.at(Endpoint { user, password, ..endpoint });
        let client = trier.client_with(&self.application, &settings).await?;
        let owners = owner.client_with(&self.application, &settings).await?;
        let place = Place { owner, trier, settings, client, owners };
        for changeset in &self.applied {
            apply(place.owner.as_ref(), changeset).await?;
        }
        self.place = Some(place);
        Ok(())
    }

    /// Runs everything, applies the changeset, and runs everything again.
    ///
    /// # Errors
    /// `Failed` when the scratch database is lost.
    pub async fn around(
        &mut self,
        changeset: &Changeset,
        subjects: Vec<Subject<'_>>,
        catalog: &Catalog,
    ) -> Result<Vec<Outcome>> {
        self.read_again().await;
        let Some(place) = self.place.as_mut() else { return Ok(vec![Outcome::Untried; subjects.len()]) };
        let begun = Instant::now();
        let known = |role: &&str| self.lent.roles.contains(*role);
        let subjects: Vec<Subject<'_>> =
            subjects.into_iter().map(|s| Subject { role: s.role.filter(known), ..s }).collect();
        // Versions of a service have most queries in common, and services some.
        let mut ran: BTreeMap<(&str, Option<&str>), Vec<Ran>> = BTreeMap::new();
        for subject in &subjects {
            let key = (subject.asked.sql, subject.role);
            if ran.contains_key(&key) || begun.elapsed() > PATIENCE / 2 {
                continue;
            }
            for (view, column) in values::of_views(subject.asked.roles, catalog, &self.samples) {
                let values = place.owner.samples(&view, &column, SAMPLES).await.unwrap_or_default();
                self.samples.insert((view, column), Arc::new(values));
            }
            let mut found = Vec::new();
            for form in Form::ALL {
                let sets = values::sets(&subject.asked, catalog, &self.lent.tables, &self.samples, form);
                found = place.before(subject, sets).await?;
                if found.iter().any(|r: &Ran| r.set.made_up.is_none()) {
                    break;
                }
            }
            ran.insert(key, found);
        }
        let before = begun.elapsed();
        if let Err(error) = apply(place.owner.as_ref(), changeset).await {
            // Later ones may do without it; who needs it fails before and after, and is left out.
            let why = || format!("{} does not apply to the sample rows: {}", changeset.key.id, error.chain());
            self.left_out.get_or_insert_with(why);
            self.refused.insert(changeset.key.clone());
            self.applied.push(Changeset { statements: Vec::new(), ..changeset.clone() });
            return Ok(vec![Outcome::Untried; subjects.len()]);
        }
        self.applied.push(changeset.clone());
        if subjects.iter().any(|s| s.calls) {
            place.client = place.trier.client_with(&self.application, &place.settings).await?;
        }
        let moves = moves_rows(changeset);
        self.outdated.extend(changeset.touches());
        let mut known: BTreeMap<(&str, Option<&str>), Outcome> = BTreeMap::new();
        for subject in &subjects {
            let key = (subject.asked.sql, subject.role);
            if known.contains_key(&key) || begun.elapsed() > PATIENCE {
                continue;
            }
            let ran = ran.get(&key).map_or(&[][..], Vec::as_slice);
            known.insert(key, place.after(subject, ran, moves).await?);
        }
        let sets: usize = ran.values().map(Vec::len).sum();
        tracing::debug!(changeset = %changeset.key, queries = ran.len(), sets, ?before, all = ?begun.elapsed(), "tried");
        let outcome =
            |s: &Subject<'_>| known.get(&(s.asked.sql, s.role)).cloned().unwrap_or(Outcome::Untried);
        Ok(subjects.iter().map(outcome).collect())
    }

    /// What earlier changesets have made of the rows is what production will hold then: a NULL that was filled is no value of
    /// production any more.
    async fn read_again(&mut self) {
        let Some(place) = self.place.as_ref() else { return };
        for table in std::mem::take(&mut self.outdated) {
            self.samples.retain(|key, _| key.0 != table);
            self.lent.tables.remove(&table);
            if let Ok((columns, rows)) = place.owner.rows(&table, MOST_ROWS).await {
                let rows = BTreeMap::from([(table, Rows { columns, rows })]);
                self.samples.extend(values::samples(&rows));
                self.lent.tables.extend(rows);
            }
        }
    }

    /// Whether it was applied to the sample rows.
    pub fn took(&self, changeset: &ChangesetId) -> bool {
        self.place.is_some() && !self.refused.contains(changeset)
    }

    /// The first changeset that could not be tried, and why.
    pub fn left_out(&self) -> Option<String> {
        self.left_out.clone()
    }

    /// The changeset that was applied last does not stay.
    ///
    /// # Errors
    /// `Failed` when the scratch database is lost.
    pub async fn take_back(&mut self) -> Result<()> {
        if self.place.is_some() {
            let gone = self.applied.pop();
            self.outdated.extend(gone.iter().flat_map(Changeset::touches));
            self.renew().await?;
        }
        Ok(())
    }
}

impl Place {
    /// What works now.
    async fn before(&mut self, subject: &Subject<'_>, sets: Vec<Set>) -> Result<Vec<Ran>> {
        let session = subject.session_before;
        let reads = subject.asked.writes.is_empty();
        let mut found: Vec<Ran> = Vec::new();
        let finds = |r: &&Ran| r.answer.count > 0 && r.set.made_up.is_none();
        let enough = |found: &[Ran], set: &Set| {
            reads && set.made_up.is_none() && found.iter().filter(finds).count() >= ENOUGH
        };
        let mut sets = sets.into_iter().peekable();
        while sets.peek().is_some() {
            let some: Vec<Set> = sets.by_ref().filter(|set| !enough(&found, set)).take(ENOUGH).collect();
            let answers = self.run(subject, session, &some.iter().collect::<Vec<_>>()).await?;
            for (set, answer) in some.into_iter().zip(answers) {
                let answer = match answer {
                    Ok(answer) => answer,
                    Err(error) => {
                        tracing::trace!(sql = subject.asked.sql, %error, "does not work with these values");
                        continue;
                    }
                };
                // That nothing is found is worth knowing once or twice.
                let nothing = || found.iter().filter(|r| r.answer.count == 0).count();
                if enough(&found, &set) || reads && answer.count == 0 && nothing() >= 2 {
                    continue;
                }
                found.push(Ran { set, answer, steady: true });
            }
        }
        // What a clock or a sequence has a part in shows at once.
        let twice: Vec<&Set> = found.iter().take(LOOKED_AT_TWICE).map(|r| &r.set).collect();
        let again = self.run(subject, session, &twice).await?;
        for (ran, again) in found.iter_mut().zip(again) {
            ran.steady = again.is_ok_and(|again| again == ran.answer);
        }
        let all = found.iter().all(|r| r.steady);
        found.iter_mut().skip(LOOKED_AT_TWICE).for_each(|r| r.steady = all);
        Ok(found)
    }

    async fn after(&mut self, subject: &Subject<'_>, ran: &[Ran], moves: bool) -> Result<Outcome> {
        let mut seen = Seen::default();
        let sets: Vec<&Set> = ran.iter().map(|r| &r.set).collect();
        for (before, answer) in ran.iter().zip(self.run(subject, subject.session_after, &sets).await?) {
            let made_up = before.set.made_up.clone();
            match answer {
                Err(error) => {
                    let doubt = match Cause::of(error.class) {
                        // Rights are looked at by themselves where nobody knows as whom a service comes.
                        Cause::Rights if subject.role.is_none() => continue,
                        Cause::Preparation => continue,
                        // What another row stands in the way of, or does not stand behind, depends on which rows are lent.
                        Cause::Others => Some("the rows that are there".to_owned()),
                        // What is no interval or out of range was perhaps not looked at before.
                        Cause::Value => before.set.free.clone(),
                        Cause::Rights | Cause::Change => None,
                    };
                    let doubtful = doubt.is_some();
                    seen.fails.push(Failure { error, made_up: made_up.or(doubt), doubtful });
                }
                Ok(answer) if before.steady && !moves => {
                    seen.said += usize::from(answer.count > 0 && made_up.is_none());
                    let mut what = differs(&subject.asked, &before.answer, &answer);
                    if let Some(Difference::Rows(said)) = what.as_mut().filter(|_| before.set.other_case) {
                        said.push_str(" for a value in the other case");
                    }
                    seen.answers.push((what, made_up));
                }
                Ok(_) => seen.answers.push((None, made_up)),
            }
        }
        Ok(seen.outcome())
    }

    /// `session`: what sessions of the subject's role begin with.
    async fn run(
        &mut self,
        subject: &Subject<'_>,
        session: Option<&SessionDefaults>,
        sets: &[&Set],
    ) -> Result<Vec<std::result::Result<Answer, QueryError>>> {
        let Asked { sql, shape, .. } = &subject.asked;
        let calls: Vec<Call<'_>> = sets.iter().map(|set| called(set)).collect();
        // What a service does to a relation as a whole, it does as its owner, whoever that is.
        let as_owner = subject.asked.run_only && subject.role.is_none();
        let client = if as_owner { &mut self.owners } else { &mut self.client };
        let asker = subject.role.map(|role| Asker { role, session });
        let answers = client.answers(sql, shape, asker, &calls).await;
        if client.alive() {
            return Ok(answers);
        }
        let lost = crate::error::Error::failed("the connection broke while queries ran");
        Err(match answers.into_iter().find_map(std::result::Result::err) {
            Some(error) => lost.because(error),
            None => lost,
        })
    }
}

fn called(set: &Set) -> Call<'_> {
    let without = set.again.as_ref().map(|(table, key)| (table.as_str(), key.as_slice()));
    Call { values: &set.values, without }
}

async fn apply(owner: &dyn Database, changeset: &Changeset) -> Result<()> {
    // What belongs to the server was done when Liquibase applied it beside this database.
    let own = changeset.statements.iter().filter(|s| !s.is_instance_wide());
    let statements = own.map(|s| s.sql.trim_end().trim_end_matches(';'));
    if changeset.in_transaction {
        let script: Vec<&str> = statements.collect();
        return owner.execute_script(&script.join(";\n")).await.context("it does not apply");
    }
    for statement in statements {
        owner.execute_script(statement).await.context("it does not apply")?;
    }
    Ok(())
}

/// Whether other answers are what the changeset is there for.
fn moves_rows(changeset: &Changeset) -> bool {
    changeset.phase == Phase::Migrate || changeset.statements.iter().any(Statement::moves_rows)
}
