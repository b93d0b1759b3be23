//! What queries read and write, as SQLite's own authorizer is asked when it prepares them, and what stands behind their
//! parameters, as the grammar has it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use drydock::error::{Error, Result};
use drydock::model::catalog::Catalog;
use drydock::model::query::{ParameterRole, Reads, ResultFacts, Usage, Write};
use drydock::product::Analyze;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use sqlparser::ast::{
    AssignmentTarget, Expr, InTarget, Insert, LimitClause, Query, SetExpr, Statement, TableFactor,
    TableObject, Value, Visit, Visitor,
};

use super::dialect::{name_of, parse};
use super::inspect::is_history;
use super::sessions::locked;
use super::{SqliteFile, code, qualified};

/// A column of a result: its name, and the table and column that it is of.
type ResultColumn = (String, Option<(String, String)>);

/// What SQLite asks leave for while it prepares a statement.
#[derive(Default)]
struct Asked {
    reads: BTreeSet<(String, String)>,
    /// Views and triggers on whose behalf something is read or written.
    through: BTreeSet<String>,
    inserts: BTreeSet<String>,
    updates: BTreeMap<String, BTreeSet<String>>,
    deletes: BTreeSet<String>,
}

impl Asked {
    fn note(&mut self, context: &AuthContext<'_>) {
        let of_users = |table: &str| !table.starts_with("sqlite_") && !is_history(table);
        self.through.extend(context.accessor.map(str::to_owned));
        match context.action {
            AuthAction::Read { table_name, column_name } if of_users(table_name) => {
                self.reads.insert((table_name.to_owned(), column_name.to_owned()));
            }
            AuthAction::Insert { table_name } if of_users(table_name) => {
                self.inserts.insert(table_name.to_owned());
            }
            AuthAction::Update { table_name, column_name } if of_users(table_name) => {
                self.updates.entry(table_name.to_owned()).or_default().insert(column_name.to_owned());
            }
            AuthAction::Delete { table_name } if of_users(table_name) => {
                self.deletes.insert(table_name.to_owned());
            }
            _ => {}
        }
    }
}

/// Prepares a query and gives what SQLite asked for, whether it only reads, and the origin of its columns.
fn ask(connection: &mut Connection, sql: &str) -> Result<(Asked, bool, Vec<ResultColumn>)> {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let notes = Arc::clone(&asked);
    let hook = move |context: AuthContext<'_>| {
        locked(&notes).note(&context);
        Authorization::Allow
    };
    let not_taken = |e: rusqlite::Error| {
        let code = code(&e);
        let error = Error::input("SQLite does not take the query").because(e);
        if let Some(code) = code { error.code(code) } else { error }
    };
    connection.authorizer(Some(hook)).map_err(not_taken)?;
    let prepared = connection.prepare(sql).map(|statement| {
        let origin =
            |table: Option<&str>, column: Option<&str>| Some((qualified(table?), column?.to_owned()));
        let columns = statement
            .columns_with_metadata()
            .map(|c| (c.name().to_owned(), origin(c.table_name(), c.origin_name())))
            .collect();
        (statement.readonly(), columns)
    });
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).map_err(not_taken)?;
    let (reads_only, columns) = prepared.map_err(not_taken)?;
    let asked = std::mem::take(&mut *locked(&asked));
    Ok((asked, reads_only, columns))
}

pub fn usage(connection: &mut Connection, sql: &str, catalog: &Catalog) -> Result<Usage> {
    let (asked, only_reads, _) = ask(connection, sql)?;
    let named = insert(sql);
    let write = |table: &String, columns: &BTreeSet<String>| Write {
        table: qualified(table),
        columns: columns.iter().cloned().collect(),
        inserts: false,
        handles_conflicts: false,
    };
    let none = BTreeSet::new();
    let mut writes: Vec<Write> = Vec::new();
    for table in &asked.inserts {
        let written = named.as_ref().filter(|named| named.table == qualified(table));
        writes.push(Write {
            columns: written.map(|named| named.columns.clone()).unwrap_or_default(),
            inserts: true,
            handles_conflicts: written.is_some_and(|named| named.handles_conflicts),
            ..write(table, &none)
        });
    }
    writes.extend(asked.updates.iter().map(|(table, columns)| write(table, columns)));
    writes.extend(asked.deletes.iter().map(|table| write(table, &none)));
    let mut uses: BTreeSet<String> = asked.reads.iter().map(|(table, _)| qualified(table)).collect();
    uses.extend(writes.iter().map(|w| w.table.clone()));
    uses.extend(asked.through.iter().map(|name| qualified(name)));
    let (roles, ordered) = (roles(sql, catalog), ordered(sql));
    Ok(Usage { uses, writes, roles, only_reads, ordered, ..Usage::default() })
}

fn result(connection: &mut Connection, sql: &str) -> Result<ResultFacts> {
    let (asked, _, columns) = ask(connection, sql)?;
    // A `*` is asked for column by column.
    let reads = Reads { names: asked.reads.into_iter().map(|(_, column)| column).collect(), all: false };
    let sources = columns.into_iter().map(|(name, origin)| (name, origin.into_iter().collect())).collect();
    Ok(ResultFacts { reads, sources })
}

/// What an INSERT says of itself.
struct Named {
    table: String,
    columns: Vec<String>,
    handles_conflicts: bool,
}

fn insert(sql: &str) -> Option<Named> {
    match parse(sql).ok()?.into_iter().next()? {
        Statement::Insert(Insert { table: TableObject::TableName(name), columns, on, or, .. }) => {
            Some(Named {
                table: qualified(&name_of(&name)),
                columns: columns.iter().map(name_of).collect(),
                handles_conflicts: on.is_some() || or.is_some(),
            })
        }
        _ => None,
    }
}

/// Whether any part of it asks for an order of rows.
fn ordered(sql: &str) -> bool {
    struct Orders;
    impl Visitor for Orders {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if query.order_by.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    parse(sql).is_ok_and(|statements| statements.visit(&mut Orders).is_break())
}

/// What stands behind the parameters, `?1` first.
pub fn roles(sql: &str, catalog: &Catalog) -> Vec<ParameterRole> {
    let Ok(statements) = parse(sql) else { return Vec::new() };
    let mut found = Roles { catalog, tables: Vec::new(), roles: BTreeMap::new() };
    // Names first: an expression may stand before the table that it is about.
    let _ = statements.visit(&mut Tables(&mut found.tables));
    for statement in &statements {
        found.statement(statement);
    }
    let _ = statements.visit(&mut found);
    let count = found.roles.keys().max().copied().unwrap_or(0);
    (1..=count).map(|n| found.roles.remove(&n).unwrap_or(ParameterRole::Free)).collect()
}

/// Tables of a statement with what they are called in it.
struct Tables<'a>(&'a mut Vec<(String, String)>);

impl Visitor for Tables<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = factor {
            let table = name_of(name);
            let called = alias.as_ref().map_or_else(|| table.clone(), |alias| alias.name.value.clone());
            self.0.push((called, qualified(&table)));
        }
        ControlFlow::Continue(())
    }
}

struct Roles<'a> {
    catalog: &'a Catalog,
    tables: Vec<(String, String)>,
    roles: BTreeMap<usize, ParameterRole>,
}

fn parameter(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('?')?.parse().ok(),
            _ => None,
        },
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => parameter(inner),
        _ => None,
    }
}

impl Roles<'_> {
    fn has(&self, table: &str, column: &str) -> bool {
        self.catalog
            .tables
            .get(table)
            .is_some_and(|t| t.columns.iter().any(|c| c.name.eq_ignore_ascii_case(column)))
    }

    fn column(&self, expression: &Expr) -> Option<(String, String)> {
        let (called, column) = match expression {
            Expr::Identifier(column) => (None, &column.value),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, column] => (Some(&table.value), &column.value),
                _ => return None,
            },
            Expr::Nested(inner) => return self.column(inner),
            _ => return None,
        };
        let mut tables = self.tables.iter().filter(|(name, _)| called.is_none_or(|called| called == name));
        let (_, table) = tables.find(|(_, table)| self.has(table, column))?;
        Some((table.clone(), column.clone()))
    }

    fn set(&mut self, parameter: usize, role: ParameterRole) {
        self.roles.insert(parameter, role);
    }

    fn compare(&mut self, one: &Expr, other: &Expr) {
        for (own, value) in [(one, other), (other, one)] {
            if let (Some((table, column)), Some(n)) = (self.column(own), parameter(value)) {
                self.set(n, ParameterRole::Column { table, column });
            }
        }
    }

    fn count(&mut self, expression: Option<&Expr>) {
        if let Some(n) = expression.and_then(parameter) {
            self.set(n, ParameterRole::Count);
        }
    }

    /// What is written: the visitor below sees expressions only.
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Insert(Insert {
                table: TableObject::TableName(name),
                columns,
                source: Some(source),
                ..
            }) => {
                let table = qualified(&name_of(name));
                let listed: Vec<String> = match (columns.is_empty(), self.catalog.tables.get(&table)) {
                    (true, Some(known)) => known.columns.iter().map(|c| c.name.clone()).collect(),
                    _ => columns.iter().map(name_of).collect(),
                };
                let SetExpr::Values(values) = source.body.as_ref() else { return };
                for row in &values.rows {
                    for (column, value) in listed.iter().zip(&row.content) {
                        if let Some(n) = parameter(value) {
                            let (table, column) = (table.clone(), column.clone());
                            self.set(n, ParameterRole::Insert { table, column });
                        }
                    }
                }
            }
            Statement::Update(update) => {
                for assignment in &update.assignments {
                    let AssignmentTarget::ColumnName(column) = &assignment.target else { continue };
                    let (Some(n), Some((_, table))) = (parameter(&assignment.value), self.tables.first())
                    else {
                        continue;
                    };
                    let (table, column) = (table.clone(), name_of(column));
                    self.set(n, ParameterRole::Column { table, column });
                }
            }
            _ => {}
        }
    }
}

impl Visitor for Roles<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                self.count(limit.as_ref());
                self.count(offset.as_ref().map(|offset| &offset.value));
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.count(Some(offset));
                self.count(Some(limit));
            }
            None => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::BinaryOp { left, right, .. } => self.compare(left, right),
            Expr::In { expr, target: InTarget::List(list), .. } => {
                list.iter().for_each(|value| self.compare(expr, value))
            }
            Expr::Between { expr, low, high, .. } => {
                self.compare(expr, low);
                self.compare(expr, high);
            }
            Expr::Like { expr, pattern, .. } => self.compare(expr, pattern),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[async_trait]
impl Analyze for SqliteFile {
    async fn queries(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<Usage>> {
        let catalog = catalog.clone();
        self.each(sql, move |connection, sql| usage(connection, sql, &catalog)).await
    }

    async fn results(&self, sql: &[&str], _catalog: &Catalog) -> Vec<Result<ResultFacts>> {
        self.each(sql, result).await
    }
}

impl SqliteFile {
    async fn each<T: Send + 'static>(
        &self,
        sql: &[&str],
        ask: impl Fn(&mut Connection, &str) -> Result<T> + Send + 'static,
    ) -> Vec<Result<T>> {
        let queries: Vec<String> = sql.iter().map(|sql| (*sql).to_owned()).collect();
        let count = queries.len();
        let all = self
            .on_connection(move |connection| {
                Ok(queries.iter().map(|sql| ask(connection, sql)).collect::<Vec<_>>())
            })
            .await;
        match all {
            Ok(all) => all,
            Err(e) => (0..count).map(|_| Err(Error::failed(e.chain()))).collect(),
        }
    }
}
