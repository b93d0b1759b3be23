//! Holds the fields of an API against the columns and queries behind them.
//!
//! What the document promises is compared with what the column gives and takes before the changeset and after it. Told is only
//! what the changeset newly breaks: a document that was wrong before is not its doing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::contract::{ApiField, Contract, Query};
use crate::error::{Context, Result};
use crate::model::catalog::{Catalog, Column};
use crate::model::changeset::Changeset;
use crate::model::column_type::ColumnType;
use crate::model::error_class::ErrorClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::model::query::{QueryShape, ResultSources};
use crate::product::{Database, Dialect};
use crate::stages::compat::api_schema::{Given, newly_broken};
use crate::stages::sessions::{Asked, Sessions};

/// A query that fields of its version show.
struct Feed<'a> {
    service: &'a str,
    version: &'a str,
    query: &'a Query,
    role: Option<&'a str>,
    /// As of the changesets accepted so far.
    now: Gives,
    /// After the changeset under check.
    next: Option<Gives>,
}

/// What a query gives, and where its columns come from.
struct Gives {
    shape: QueryShape,
    sources: ResultSources,
}

struct Field<'a> {
    service: &'a str,
    version: &'a str,
    role: Option<&'a str>,
    field: &'a ApiField,
}

/// All fields of all versions.
pub struct Fields<'a> {
    fields: Vec<Field<'a>>,
    feeds: Vec<Feed<'a>>,
}

impl<'a> Fields<'a> {
    /// `wrong` is told of each that has nothing behind it before any change.
    pub async fn new(
        contracts: &'a [Contract],
        sessions: &mut Sessions,
        database: &Arc<dyn Database>,
        catalog: &Catalog,
        wrong: &mut Vec<String>,
    ) -> Result<Self> {
        let mut all = Self { fields: Vec::new(), feeds: Vec::new() };
        for contract in contracts {
            for version in &contract.versions {
                let (service, version_name) = (contract.service.as_str(), version.version.as_str());
                for query in
                    version.queries.iter().filter(|q| version.api.iter().any(|f| f.is_fed_by(&q.name)))
                {
                    // One that does not plan is told by whoever checks the queries.
                    let role = contract.role.as_deref();
                    let own = sessions.catalog(role, catalog);
                    let facts = database.results(&[query.sql.as_str()], &own).await.pop();
                    let shape = sessions.describe(database, (&query.sql, role)).await?;
                    if let (Ok(shape), Some(Ok(facts))) = (shape, facts) {
                        let now = Gives { shape, sources: facts.sources };
                        all.feeds.push(Feed { service, version: version_name, query, role, now, next: None });
                    }
                }
                for field in &version.api {
                    let field =
                        Field { service, version: version_name, role: contract.role.as_deref(), field };
                    let own = sessions.catalog(contract.role.as_deref(), catalog);
                    wrong.extend(all.nothing_behind(&field, &own));
                    all.fields.push(field);
                }
            }
        }
        Ok(all)
    }

    /// The tables behind the fields that no query feeds.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.field.table.as_str())
    }

    fn feeds<'s>(&'s self, field: &'s Field<'a>) -> impl Iterator<Item = &'s Feed<'a>> {
        self.feeds.iter().filter(|feed| {
            (feed.service, feed.version) == (field.service, field.version)
                && field.field.is_fed_by(&feed.query.name)
        })
    }

    fn nothing_behind(&self, field: &Field<'_>, catalog: &Catalog) -> Option<String> {
        let own = field.field;
        let place = format!("{}:{}: {}", own.file.display(), own.line, own.field);
        if own.query.is_none() {
            let missing = column(catalog, &own.table, &own.column).is_none();
            return missing
                .then(|| format!("{place} shows {}.{}, which does not exist", own.table, own.column));
        }
        let without = self.feeds(field).find(|f| type_of(&f.now.shape, &own.column).is_none())?;
        Some(format!("{place} shows {} of {}, which gives no such column", own.column, without.query.name))
    }

    /// What the changeset that was just applied means for the fields.
    ///
    /// # Errors
    /// `Failed` when the scratch database cannot be asked.
    pub async fn verdicts(
        &mut self,
        changeset: &Changeset,
        sessions: &mut Sessions,
        database: &Arc<dyn Database>,
        before: &Catalog,
        after: &Catalog,
    ) -> Result<Vec<Verdict>> {
        let queries: Vec<Asked<'_>> = self.feeds.iter().map(|f| (f.query.sql.as_str(), f.role)).collect();
        let facts = sessions.results(database, &queries, after).await;
        for (feed, facts) in self.feeds.iter_mut().zip(facts) {
            feed.next = match sessions.describe(database, (&feed.query.sql, feed.role)).await? {
                Ok(shape) => Some(Gives { shape, sources: facts?.sources }),
                Err(error) if error.class == ErrorClass::ConnectionLost => {
                    return Err(error).context("the scratch database broke the connection");
                }
                Err(_) => None,
            };
        }
        let mut verdicts = Vec::new();
        let mut catalogs = BTreeMap::new();
        for field in &self.fields {
            let own = field.field;
            let (before, after) = catalogs.entry(field.role).or_insert_with(|| {
                (sessions.catalog(field.role, before), sessions.catalog(field.role, after))
            });
            let mut told: BTreeSet<(VerdictKind, String)> = BTreeSet::new();
            if own.query.is_none() {
                let state = |catalog| {
                    column(catalog, &own.table, &own.column).map(|c| of_column(c, catalog, database.as_ref()))
                };
                told.extend(newly_broken(own, state(before).as_ref(), state(after).as_ref()));
            }
            for feed in self.feeds(field) {
                let Some(next) = &feed.next else {
                    let reason =
                        format!("{}, which feeds the field, does not plan any more", feed.query.name);
                    told.insert((VerdictKind::Breaking, reason));
                    continue;
                };
                let state = |gives: &Gives, catalog: &Catalog| {
                    let sql_type = type_of(&gives.shape, &own.column)?;
                    let sources = gives.sources.iter().find(|(name, _)| *name == own.column);
                    let sources = sources.map(|(_, s)| s.as_slice()).unwrap_or_default();
                    Some(of_result(sql_type, sources, catalog, database.as_ref()))
                };
                let (was, is) = (state(&feed.now, before), state(next, after));
                let found = newly_broken(own, was.as_ref(), is.as_ref());
                told.extend(
                    found
                        .into_iter()
                        .map(|(kind, reason)| (kind, format!("{reason}, by {}", feed.query.name))),
                );
            }
            verdicts.extend(told.into_iter().map(|(kind, reason)| Verdict {
                changeset: changeset.key.clone(),
                service: field.service.to_owned(),
                version: field.version.to_owned(),
                query: own.field.clone(),
                verdict: kind,
                class: VerdictClass::ApiField,
                reason,
                column: own.query.is_none().then(|| format!("{}.{}", own.table, own.column)),
                unique_key_gone: false,
                grant_to: None,
                rows_kept: false,
                file: own.file.display().to_string(),
                line: own.line,
                allowed: None,
            }));
        }
        Ok(verdicts)
    }

    /// The changeset stays.
    pub fn accept(&mut self) {
        for feed in &mut self.feeds {
            if let Some(next) = feed.next.take() {
                feed.now = next;
            }
        }
    }

    /// The changeset does not stay.
    pub fn forget(&mut self) {
        self.feeds.iter_mut().for_each(|feed| feed.next = None);
    }
}

fn type_of<'s>(shape: &'s QueryShape, column: &str) -> Option<&'s str> {
    shape.columns.iter().find(|(name, _)| name == column).map(|(_, sql_type)| sql_type.as_str())
}

fn column<'c>(catalog: &'c Catalog, relation: &str, column: &str) -> Option<&'c Column> {
    let there = |name: &String| catalog.tables.contains_key(name) || catalog.views.contains_key(name);
    let in_path = || catalog.search_path.iter().map(|s| format!("{s}.{relation}")).find(|n| there(n));
    let name = if relation.contains('.') { relation.to_owned() } else { in_path()? };
    let own = |name: &String| catalog.tables.get(name)?.columns.iter().find(|c| c.name == column);
    if let Some(table) = catalog.tables.get(&name) {
        return table.columns.iter().find(|c| c.name == column);
    }
    // Behind a view it is the only one of its name.
    let mut open = vec![name];
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(name) = open.pop() {
        found.extend(own(&name));
        open.extend(
            catalog.views.get(&name).into_iter().flatten().filter(|b| seen.insert((*b).clone())).cloned(),
        );
    }
    match found.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// What a type alone says, and the labels of an enum.
fn of_type(sql_type: &str, catalog: &Catalog, dialect: &dyn Dialect) -> Given {
    let given = Given::of_type(sql_type, dialect);
    let labels = match &given.column_type {
        ColumnType::Other { name, .. } => catalog.labels(name).cloned(),
        _ => None,
    };
    Given { labels, ..given }
}

fn of_column(column: &Column, catalog: &Catalog, dialect: &dyn Dialect) -> Given {
    Given {
        nullable: !column.not_null,
        given_for_it: column.has_default || column.generated,
        length: column.max_length.map(u64::from),
        ..of_type(&column.sql_type, catalog, dialect)
    }
}

/// A result is of its own type; what it may be besides it has from the columns it is made of. An outer join may add NULLs, and
/// did so before.
fn of_result(
    sql_type: &str,
    sources: &[(String, String)],
    catalog: &Catalog,
    dialect: &dyn Dialect,
) -> Given {
    let own = of_type(sql_type, catalog, dialect);
    let columns = sources.iter().filter_map(|(t, c)| column(catalog, t, c));
    let columns: Vec<Given> = columns.map(|c| of_column(c, catalog, dialect)).collect();
    if columns.is_empty() {
        return own;
    }
    let longest =
        columns.iter().map(|c| c.length).collect::<Option<Vec<_>>>().and_then(|l| l.into_iter().max());
    let known = columns.iter().map(|c| c.labels.clone()).collect::<Option<Vec<_>>>().map(|l| l.concat());
    Given {
        nullable: columns.iter().any(|c| c.nullable),
        length: own.length.or(longest),
        labels: own.labels.clone().or(known),
        ..own
    }
}
