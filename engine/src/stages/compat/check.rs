//! Holds queries and API fields against a scratch database after each changeset.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::changeset::Changeset;
use crate::contract::{Contract, Query};
use crate::database::{Catalog, Client, Column, Database, Look, QueryError, QueryShape, Write};
use crate::error::{Context, Error, Result};
use crate::evidence::{Verdict, VerdictKind};

use super::api::Fields;
use super::felt::{Use, felt};

/// One query of one version, with what is known of it as of the changesets accepted so far.
struct Watched<'a> {
    service: &'a str,
    version: &'a str,
    query: &'a Query,
    shape: QueryShape,
    /// The shape after the changeset under check.
    next: Option<(QueryShape, BTreeSet<String>)>,
    /// Everything it comes to use, as of `catalog`.
    uses: BTreeSet<String>,
    /// What it writes, through views too.
    writes: Vec<Write>,
    role: Option<&'a str>,
}

pub struct Checker<'a> {
    database: Arc<dyn Database>,
    client: Box<dyn Client>,
    application: String,
    catalog: Catalog,
    next_catalog: Option<Catalog>,
    schema: Look,
    next_schema: Option<Look>,
    watched: Vec<Watched<'a>>,
    fields: Fields<'a>,
    versions: u64,
    checks: u64,
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
        let catalog = database.catalog().await?;
        let schema = database.look().await?;
        let mut watched = Vec::new();
        let mut wrong = Vec::new();
        let mut versions = 0;
        for contract in contracts {
            for version in &contract.versions {
                versions += 1;
                for query in &version.queries {
                    match client.describe(&query.sql).await {
                        Ok(shape) => {
                            let uses = database.uses(&query.sql, &catalog)?;
                            let writes = behind_views(database.writes(&query.sql, &catalog)?, &catalog);
                            let (service, version) = (contract.service.as_str(), version.version.as_str());
                            watched.push(Watched {
                                service,
                                version,
                                query,
                                shape,
                                next: None,
                                uses,
                                writes,
                                role: contract.role.as_deref(),
                            });
                        }
                        Err(e) => wrong.push(format!(
                            "{}:{}: {}: {e}",
                            query.file.display(),
                            query.line,
                            query.name
                        )),
                    }
                }
            }
        }
        let fields = Fields::new(contracts, client.as_mut(), &catalog, &mut wrong).await;
        if let Some(first) = wrong.first() {
            let more = if wrong.len() > 1 {
                format!("\n  {}", wrong.get(1..).unwrap_or_default().join("\n  "))
            } else {
                String::new()
            };
            return Err(Error::input(format!("{first}{more}"))
                .hint("it does not work before any change: correct the contract, or check that this is the right database"));
        }
        let checks = u64::try_from(watched.len()).unwrap_or(u64::MAX);
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
            fields,
            versions,
            checks,
        })
    }

    pub fn service_versions(&self) -> u64 {
        self.versions
    }
    pub fn queries(&self) -> u64 {
        u64::try_from(self.watched.len()).unwrap_or(u64::MAX)
    }
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// What the changeset that was just applied means for everybody.
    ///
    /// # Errors
    /// `Failed` when the scratch database cannot be asked.
    pub async fn verdicts(&mut self, changeset: &Changeset) -> Result<Vec<Verdict>> {
        let after = self.database.catalog().await?;
        let schema = self.database.look().await?;
        let changes = self.database.changes(&self.schema, &schema);
        let mut touched: BTreeSet<String> = changeset.touches().into_iter().collect();
        touched.extend(changes.iter().map(|c| c.subject.clone()));
        // What touches no table we know of (types, functions, schemas) may reach any query.
        let everything = touched.is_empty() || changeset.statements.iter().any(|s| s.touches.is_empty());
        let tightened = tightened(&self.catalog, &after);
        let mut verdicts = Vec::new();
        for watched in &mut self.watched {
            if !everything && watched.uses.is_disjoint(&touched) {
                continue;
            }
            self.checks += 1;
            match self.client.describe(&watched.query.sql).await {
                Err(error) if error.code == "connection" => {
                    return Err(error).context("the scratch database broke the connection");
                }
                Err(error) => verdicts.push(does_not_plan(changeset, watched, &error)),
                Ok(shape) => {
                    if let Some((kind, class, reason, column)) = compare(&watched.shape, &shape) {
                        verdicts.push(verdict(changeset, watched, kind, class, reason, column));
                    }
                    for (kind, reason, column) in refused_writes(&watched.writes, &tightened) {
                        verdicts.push(verdict(
                            changeset,
                            watched,
                            kind,
                            "fails-when-run",
                            reason,
                            Some(column),
                        ));
                    }
                    if !watched.writes.is_empty()
                        && let Err(error) = self.client.plan(&watched.query.sql, &shape).await
                    {
                        verdicts.push(does_not_plan(changeset, watched, &error));
                    }
                    let still = self.database.uses(&watched.query.sql, &after)?;
                    let roles = self.database.parameter_roles(&watched.query.sql, &self.catalog)?;
                    let reads = self.database.reads(&watched.query.sql)?;
                    let by = Use {
                        reads: &reads,
                        roles: &roles,
                        query: watched.query,
                        role: watched.role,
                        uses: &watched.uses,
                        still: &still,
                        writes: &watched.writes,
                    };
                    for change in &changes {
                        if let Some((kind, class, reason, column)) = felt(change, &by, &after) {
                            verdicts.push(verdict(changeset, watched, kind, class, reason, column));
                        }
                    }
                    watched.next = Some((shape, still));
                }
            }
        }
        let client = self.client.as_mut();
        let found = self.fields.verdicts(changeset, client, &self.database, &self.catalog, &after);
        verdicts.extend(found.await?);
        self.next_catalog = Some(after);
        self.next_schema = Some(schema);
        Ok(verdicts)
    }

    /// The changeset stays: what is true after it is what the next one is held against.
    pub fn accept(&mut self) {
        for watched in &mut self.watched {
            if let Some((shape, uses)) = watched.next.take() {
                watched.shape = shape;
                watched.uses = uses;
            }
        }
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
        self.schema = self.database.look().await?;
        self.fields.forget();
        for watched in &mut self.watched {
            watched.next = None;
        }
        Ok(())
    }

    /// Plans every query once more with everything accepted: nothing may have slipped by the narrowing to what changed.
    ///
    /// # Errors
    /// `Refused` when something had.
    pub async fn last_look(&mut self) -> Result<()> {
        for watched in &self.watched {
            self.checks += 1;
            if let Err(error) = self.client.describe(&watched.query.sql).await {
                return Err(Error::refused(format!(
                    "{}:{}: {} of {} {} does not plan with all changesets applied: {error}",
                    watched.query.file.display(),
                    watched.query.line,
                    watched.query.name,
                    watched.service,
                    watched.version
                ))
                .hint("no single changeset could be named for it; leave the last ones out and try again"));
            }
        }
        Ok(())
    }
}

fn verdict(
    changeset: &Changeset,
    watched: &Watched<'_>,
    verdict: VerdictKind,
    class: &str,
    reason: String,
    column: Option<String>,
) -> Verdict {
    Verdict {
        changeset: changeset.key.clone(),
        service: watched.service.to_owned(),
        version: watched.version.to_owned(),
        query: watched.query.name.clone(),
        verdict,
        class: class.to_owned(),
        reason,
        column,
        file: watched.query.file.display().to_string(),
        line: watched.query.line,
    }
}

fn does_not_plan(changeset: &Changeset, watched: &Watched<'_>, error: &QueryError) -> Verdict {
    verdict(
        changeset,
        watched,
        VerdictKind::Breaking,
        "does-not-plan",
        error.to_string(),
        error.column.clone(),
    )
}

type Difference = (VerdictKind, &'static str, String, Option<String>);

/// Which columns came, went or moved.
fn columns_differ(old: &[String], new: &[String]) -> String {
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        from.iter().filter(|c| !of.contains(c)).cloned().collect()
    };
    let (gone, come) = (missing(old, new), missing(new, old));
    let mut said = Vec::new();
    if !gone.is_empty() {
        said.push(format!("no longer gives {}", gone.join(", ")));
    }
    if !come.is_empty() {
        said.push(format!("also gives {}", come.join(", ")));
    }
    if said.is_empty() || !new.starts_with(old) && gone.is_empty() {
        said.push("gives its columns in another order".to_owned());
    }
    said.join("; ")
}

/// How the answer or the parameters of a query change.
fn compare(before: &QueryShape, after: &QueryShape) -> Option<Difference> {
    let names = |shape: &QueryShape| shape.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (old, new) = (names(before), names(after));
    if old != new {
        let grown = new.starts_with(&old);
        let kind = if grown { VerdictKind::Risky } else { VerdictKind::Breaking };
        return Some((kind, "result-columns", columns_differ(&old, &new), None));
    }
    for ((name, old), (_, new)) in before.columns.iter().zip(&after.columns) {
        if old == new {
            continue;
        }
        let reason = format!("column {name} is {new} instead of {old}");
        let kind = if bare(old) == bare(new) { VerdictKind::Risky } else { VerdictKind::Breaking };
        // How long a text may be is nothing that a reader sees.
        if kind == VerdictKind::Risky && bare(old).starts_with("char") {
            continue;
        }
        return Some((kind, "result-type", reason, Some(name.clone())));
    }
    let changed = before
        .parameters
        .iter()
        .zip(&after.parameters)
        .enumerate()
        .find(|(_, (old, new))| bare(old) != bare(new));
    changed.map(|(n, (old, new))| {
        (
            VerdictKind::Risky,
            "parameter-type",
            format!("parameter ${} is {new} instead of {old}", n + 1),
            None,
        )
    })
}

/// A type without its length or precision: those change what fits, not what a client sees.
fn bare(sql_type: &str) -> String {
    match (sql_type.find('('), sql_type.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!(
                "{}{}",
                sql_type.get(..open).unwrap_or_default(),
                sql_type.get(close + 1..).unwrap_or_default()
            )
        }
        _ => sql_type.to_owned(),
    }
}

/// What is written to a view ends in the tables behind it, under the same names where they have them.
fn behind_views(writes: Vec<Write>, catalog: &Catalog) -> Vec<Write> {
    let mut all = Vec::new();
    let mut open = writes;
    while let Some(write) = open.pop() {
        if let Some(behind) = catalog.views.get(&write.table).filter(|_| all.len() < 100) {
            let tables =
                behind.iter().filter(|b| catalog.tables.contains_key(*b) || catalog.views.contains_key(*b));
            open.extend(tables.map(|table| Write { table: table.clone(), ..write.clone() }));
        }
        all.push(write);
    }
    all
}

/// A column that refuses more than it did.
struct Tightened {
    table: String,
    column: String,
    /// An INSERT that leaves it out fails now.
    must_be_given: bool,
    /// It was not there before.
    new: bool,
    reason: String,
}

fn tightened(before: &Catalog, after: &Catalog) -> Vec<Tightened> {
    let mut found = Vec::new();
    for (name, table) in &after.tables {
        let Some(old_table) = before.tables.get(name) else { continue };
        for (place, column) in table.columns.iter().enumerate() {
            let old = old_table.columns.iter().find(|c| c.name == column.name);
            // One that has another name only is given by whoever gave it; who names it does not plan.
            let renamed = old_table.columns.get(place).is_some_and(|was| {
                was.sql_type == column.sql_type && !table.columns.iter().any(|c| c.name == was.name)
            });
            if old.is_none() && renamed {
                continue;
            }
            let must = |c: &Column| c.not_null && !c.has_default && !c.generated;
            let tight = |must_be_given, reason: String| Tightened {
                table: name.clone(),
                column: column.name.clone(),
                must_be_given,
                new: old.is_none(),
                reason,
            };
            if must(column) && !old.is_some_and(must) {
                found.push(tight(true, format!("{name}.{} must be given now", column.name)));
            }
            if let Some(old) = old {
                if column.not_null && !old.not_null {
                    found.push(tight(false, format!("{name}.{} takes no NULL any more", column.name)));
                }
                if let (Some(now), was) = (column.max_length, old.max_length)
                    && was.is_none_or(|was| now < was)
                {
                    found.push(tight(
                        false,
                        format!("{name}.{} takes at most {now} characters now", column.name),
                    ));
                }
            }
        }
    }
    found
}

fn refused_writes(writes: &[Write], tightened: &[Tightened]) -> Vec<(VerdictKind, String, String)> {
    let mut found = Vec::new();
    for write in writes {
        for tight in tightened.iter().filter(|t| t.table == write.table) {
            // Without a list an INSERT gives values to the columns that there were when it was written.
            let listless = write.inserts && write.columns.is_empty() && !tight.new;
            let gives = write.columns.contains(&tight.column) || listless;
            let column = format!("{}.{}", tight.table, tight.column);
            if tight.must_be_given && write.inserts && !gives {
                found.push((
                    VerdictKind::Breaking,
                    format!("the INSERT leaves it out, and {}", tight.reason),
                    column,
                ));
            } else if !tight.must_be_given && gives {
                found.push((
                    VerdictKind::Risky,
                    format!("it writes the column, and {}", tight.reason),
                    column,
                ));
            }
        }
    }
    found
}
