//! Queries are run before and after a changeset on a scratch database that holds some of production's rows.
//!
//! What planning cannot tell is seen here: a value that was taken and is refused, an answer that is another. A set of values
//! that production's rows hold is what a service may well send again; if that fails, the changeset breaks the service. One
//! that was made up, at the edge of what a column takes, shows what a risk consists of, and no more.

mod values;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::changeset::{Changeset, Phase};
use crate::database::{Answer, Catalog, Circumstances, Client, Database, Endpoint, QueryError, ROW_STAYS};
use crate::error::{Context, Result};
use crate::provider::{Lent, Provider};
use crate::traffic::like::Form;
use crate::traffic::values::Samples;
pub use values::Asked;
use values::Set;

/// A query that takes longer on a handful of rows waits for somebody.
const STATEMENT: &str =
    "-c statement_timeout=2000 -c lock_timeout=1000 -c idle_in_transaction_session_timeout=60000";
/// Answers with something in them that are enough for a query that reads.
const ENOUGH: usize = 12;
/// Sets that a query is run with twice, to see whether it answers the same.
const LOOKED_AT_TWICE: usize = 3;
/// Values of a view's column.
const SAMPLES: u32 = 50;
/// For all queries of one changeset, before and after it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where queries are run.
pub struct Trial {
    provider: Arc<dyn Provider>,
    production: Arc<dyn Database>,
    lent: Lent,
    samples: Samples,
    application: String,
    place: Option<Place>,
    left_out: Option<String>,
    generation: u32,
    /// What has been applied and stays, to make the place anew after one that does not.
    applied: Vec<Changeset>,
}

/// The database as its owner, and a connection of whoever may only read and write rows.
struct Place {
    owner: Arc<dyn Database>,
    client: Box<dyn Client>,
}

/// One query to run.
pub struct Subject<'a> {
    pub asked: Asked<'a>,
    /// The service's own role, where it is known.
    pub role: Option<&'a str>,
}

/// What running it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does not work with any values that we have.
    Untried,
    /// As before, each time.
    Same { times: usize },
    /// It worked and does not any more.
    Fails { error: QueryError, with: With },
    /// It answers otherwise.
    Differs { what: String },
    /// The same rows come in another order, though it asks for one: rows that are equal in it may.
    Reordered,
}

/// Which values show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// Those that a row of production has: a service may well send them again.
    Production,
    /// Whatever it is given.
    Anything,
    /// Only such as no row of production has, or that depend on other rows.
    MadeUp(String),
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
        provider: Arc<dyn Provider>,
        production: Arc<dyn Database>,
        lent: Lent,
        application: &str,
    ) -> Result<Self> {
        let samples = values::samples(&lent.tables);
        let application = application.to_owned();
        let mut trial = Self {
            provider,
            production,
            lent,
            samples,
            application,
            place: None,
            left_out: None,
            generation: 0,
            applied: Vec::new(),
        };
        trial.renew().await?;
        Ok(trial)
    }

    /// A place with what stays.
    async fn renew(&mut self) -> Result<()> {
        self.place = None;
        self.generation += 1;
        let name = format!("trial_{}", self.generation);
        let endpoint = self.provider.fresh_scratch(&self.lent.template, &name).await?;
        let owner = self.production.at(endpoint.clone());
        let path = owner.catalog().await?.search_path.join(",");
        let mut options = endpoint.options.clone();
        options.insert("options".to_owned(), format!("{STATEMENT} -c search_path={path}"));
        let trier = Endpoint {
            user: self.lent.user.clone(),
            password: Some(self.lent.password.clone()),
            options,
            ..endpoint
        };
        let client = self.production.at(trier).client(&self.application).await?;
        let place = Place { owner, client };
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
            let why = || format!("{} does not apply to the rows lent: {}", changeset.key.id, error.chain());
            self.left_out.get_or_insert_with(why);
            self.applied.push(Changeset { statements: Vec::new(), ..changeset.clone() });
            return Ok(vec![Outcome::Untried; subjects.len()]);
        }
        self.applied.push(changeset.clone());
        let moves = moves_rows(changeset);
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
            self.applied.pop();
            self.renew().await?;
        }
        Ok(())
    }
}

impl Place {
    /// What works now.
    async fn before(&mut self, subject: &Subject<'_>, sets: Vec<Set>) -> Result<Vec<Ran>> {
        let reads = subject.asked.writes.is_empty();
        let mut found: Vec<Ran> = Vec::new();
        for set in sets {
            let finds = |r: &&Ran| (r.answer.count > 0) && r.set.made_up.is_none();
            if reads && set.made_up.is_none() && found.iter().filter(finds).count() >= ENOUGH {
                continue;
            }
            let answer = match self.run(subject, &set).await? {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::trace!(sql = subject.asked.sql, %error, "does not work with these values");
                    continue;
                }
            };
            // That nothing is found is worth knowing once or twice.
            if reads && answer.count == 0 && found.iter().filter(|r| r.answer.count == 0).count() >= 2 {
                continue;
            }
            // What a clock or a sequence has a part in shows at once.
            let steady = match found.len() < LOOKED_AT_TWICE {
                true => self.run(subject, &set).await?.is_ok_and(|again| again == answer),
                false => found.iter().all(|r| r.steady),
            };
            found.push(Ran { set, answer, steady });
        }
        Ok(found)
    }

    async fn after(&mut self, subject: &Subject<'_>, ran: &[Ran], moves: bool) -> Result<Outcome> {
        let mut seen = Seen::default();
        for before in ran {
            let made_up = before.set.made_up.clone();
            match self.run(subject, &before.set).await? {
                // Rights are looked at by themselves where nobody knows as whom a service comes.
                Err(error) if error.code == "42501" && subject.role.is_none() => {}
                Err(error) if error.code == ROW_STAYS => {}
                Err(error) => {
                    let error = without_values(error, &before.set);
                    // What another row stands in the way of, or does not stand behind, depends on which rows are lent.
                    let others = by_others(&error.code).then(|| "the rows that are there".to_owned());
                    seen.fails.push((error, made_up.or(others)));
                }
                Ok(answer) if before.steady && !moves => {
                    seen.said += usize::from(answer.count > 0 && made_up.is_none());
                    let what = differs(subject, &before.answer, &answer);
                    seen.answers.push((what, made_up));
                }
                Ok(_) => seen.answers.push((None, made_up)),
            }
        }
        Ok(seen.outcome())
    }

    async fn run(
        &mut self,
        subject: &Subject<'_>,
        set: &Set,
    ) -> Result<std::result::Result<Answer, QueryError>> {
        let Asked { sql, shape, .. } = &subject.asked;
        let without = set.again.as_ref().map(|(table, key)| (table.as_str(), key.as_slice()));
        let circumstances = Circumstances { role: subject.role, without };
        let answer = self.client.answer(sql, shape, &set.values, &circumstances).await;
        if !self.client.alive() {
            let error = answer.err();
            let lost = crate::error::Error::failed("the connection broke while queries were tried");
            return Err(match error {
                Some(error) => lost.because(error),
                None => lost,
            });
        }
        Ok(answer)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Difference {
    Rows(String),
    Order,
}

/// How the sets did that worked before.
#[derive(Default)]
struct Seen {
    /// With what was made up about the set.
    fails: Vec<(QueryError, Option<String>)>,
    /// What is another about the answer.
    answers: Vec<(Option<Difference>, Option<String>)>,
    /// Answers that were not empty, to values that production holds.
    said: usize,
}

impl Seen {
    fn outcome(self) -> Outcome {
        if let Some((error, None)) = self.fails.iter().find(|(_, made_up)| made_up.is_none()) {
            return Outcome::Fails { error: error.clone(), with: With::Production };
        }
        let any = self.fails.first().filter(|_| self.answers.is_empty());
        if let Some((error, _)) = any.filter(|_| self.fails.iter().all(|(e, _)| !by_others(&e.code))) {
            return Outcome::Fails { error: error.clone(), with: With::Anything };
        }
        // An answer that is another for all values is so for those of production.
        let all = self.answers.iter().all(|(what, _)| what.is_some());
        let told = self.answers.iter().filter(|(_, made_up)| made_up.is_none() || all);
        let told: Vec<&Difference> = told.filter_map(|(what, _)| what.as_ref()).collect();
        if let Some(Difference::Rows(what)) = told.iter().find(|d| ***d != Difference::Order) {
            return Outcome::Differs { what: what.clone() };
        }
        if !told.is_empty() {
            return Outcome::Reordered;
        }
        if let Some((error, made_up)) = self.fails.into_iter().next() {
            return Outcome::Fails { error, with: With::MadeUp(made_up.unwrap_or_default()) };
        }
        match self.answers.len() {
            0 => Outcome::Untried,
            _ => {
                Outcome::Same { times: self.answers.iter().filter(|(_, made_up)| made_up.is_none()).count() }
            }
        }
    }
}

async fn apply(owner: &dyn Database, changeset: &Changeset) -> Result<()> {
    let statements = changeset.statements.iter().map(|s| s.sql.trim_end().trim_end_matches(';'));
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
    const MOVES: [&str; 8] = ["INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "DO", "SELECT", "CALL"];
    changeset.phase == Phase::Migrate
        || changeset.statements.iter().any(|s| MOVES.iter().any(|m| s.kind.starts_with(m)))
}

/// Duplicates, rows referred to, and those who wait.
fn by_others(code: &str) -> bool {
    ["23505", "23P01", "23503", "57014", "55P03", "40001", "40P01"].contains(&code) || code.starts_with("53")
}

/// Messages repeat values; those are production's.
fn without_values(mut error: QueryError, set: &Set) -> QueryError {
    if set.made_up.is_none() {
        for value in set.values.iter().flatten().filter(|v| !v.is_empty()) {
            error.message = error.message.replace(&format!("\"{value}\""), "\"…\"");
        }
    }
    error
}

/// `1.50` and `1.5` are the same number.
fn plain(rows: &[Vec<Option<String>>]) -> Vec<Vec<Option<String>>> {
    let number = |text: &String| {
        let decimal = text.contains('.') && text.parse::<f64>().is_ok();
        if decimal { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.clone() }
    };
    rows.iter().map(|row| row.iter().map(|cell| cell.as_ref().map(number)).collect()).collect()
}

/// What is another about an answer, in names only.
fn differs(subject: &Subject<'_>, before: &Answer, after: &Answer) -> Option<Difference> {
    if before == after {
        return None;
    }
    if before.count != after.count {
        return Some(Difference::Rows(format!("{} rows instead of {}", after.count, before.count)));
    }
    let widths = |answer: &Answer| answer.rows.first().map(Vec::len);
    if widths(before) != widths(after) {
        // Other columns are told as such.
        return None;
    }
    let ordered = subject.asked.sql.to_lowercase().contains("order by");
    let (mut was, mut is) = (plain(&before.rows), plain(&after.rows));
    if was == is {
        return None;
    }
    was.sort();
    is.sort();
    if was == is {
        return ordered.then_some(Difference::Order);
    }
    let columns = &subject.asked.shape.columns;
    let column = was.iter().zip(&is).find_map(|(a, b)| a.iter().zip(b).position(|(a, b)| a != b));
    let name = column.and_then(|n| columns.get(n)).map(|(name, _)| name.as_str());
    let said = name.map_or_else(|| "other values".to_owned(), |name| format!("other values of {name}"));
    Some(Difference::Rows(said))
}
