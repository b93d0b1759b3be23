//! What a changeset's SQL is: its statements with kind, phase, hazards and the relations they touch.

use std::collections::BTreeMap;

use super::around::Around;
use super::builder::Builder;
use super::{
    code, column_types, columns, constraints, cross_statement, drops, indexes, names, objects, partitions,
    phase, rows, storage, views,
};
use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::changeset::Statement;
use crate::model::schema_action::SchemaAction;
use crate::product::oracle::dictionary::Version;
use crate::product::oracle::grammar::facts::{Facts, Piece};
use crate::product::oracle::grammar::{self, Context, Read};

/// Reads the texts of a changeset in order, each one or more statements; later ones see what earlier ones made.
///
/// # Errors
/// `Input` with line and column when the grammar does not take it.
pub fn analyse(sql: &[String], catalog: &Catalog, version: Version) -> Result<Vec<Statement>> {
    let context = Context::new(version.name(), catalog);
    let texts: Vec<&str> = sql.iter().map(String::as_str).collect();
    let read = grammar::read(&texts, &context)?;
    let mut parsed: Vec<(&str, &Read)> = Vec::new();
    for (text, pieces) in sql.iter().zip(&read) {
        for piece in &pieces.statements {
            parsed.push(one(text, piece)?);
        }
    }
    let mut around = Around::new(catalog, version, parsed.iter().map(|(_, read)| *read));
    let mut statements: Vec<Statement> = Vec::new();
    for (sql, read) in &parsed {
        let mut statement = statement(sql, read, &mut around);
        in_strings(read, &context, &mut around, &mut statement)?;
        statements.push(statement);
    }
    let read: Vec<&Read> = parsed.iter().map(|(_, read)| *read).collect();
    cross_statement::look(&mut statements, &read, &around);
    Ok(statements)
}

/// The text of a statement, and what was read of it.
fn one<'t>(text: &'t str, piece: &'t Piece) -> Result<(&'t str, &'t Read)> {
    if let Some(complaint) = &piece.error {
        return Err(complaint.error());
    }
    let Some(read) = &piece.read else {
        return Err(Error::failed("the reader of Oracle's SQL says nothing of a statement"));
    };
    Ok((text.get(piece.start..piece.end).unwrap_or(text), read))
}

/// SQL that stands in a string as a whole hurts as if it stood by itself, where code runs it. What of it is not read stays unknown, as the
/// hazard of the code says.
fn in_strings(read: &Read, context: &Context, around: &mut Around<'_>, outer: &mut Statement) -> Result<()> {
    let runs = read.actions.contains(&SchemaAction::RunsCode);
    let strings: Vec<&str> =
        read.facts.dynamic.iter().flatten().map(String::as_str).filter(|_| runs).collect();
    for (text, pieces) in strings.iter().zip(grammar::read(&strings, context)?) {
        for inner in pieces.statements.iter().filter_map(|piece| piece.read.as_ref()) {
            let inner = statement(text, inner, around);
            outer.hazards.extend(inner.hazards);
            outer.touches.extend(inner.touches);
        }
    }
    outer.touches.sort();
    outer.touches.dedup();
    Ok(())
}

/// Each looks for what is its own.
const READERS: &[fn(&Around<'_>, &mut Builder<'_>)] = &[
    indexes::read,
    columns::read,
    column_types::read,
    constraints::read,
    drops::read,
    partitions::read,
    storage::read,
    rows::read,
    code::read,
    views::read,
    objects::read,
    names::read,
];

fn statement(sql: &str, read: &Read, around: &mut Around<'_>) -> Statement {
    let mut builder = Builder::new(read, sql);
    for action in &read.actions {
        touched(action, around, &mut builder);
        phase::of_action(action, around, &mut builder);
    }
    named(&read.facts, around, &mut builder);
    phase::of_facts(around, &mut builder);
    let reads_only = read.query.as_ref().is_some_and(|query| query.only_reads);
    for relation in &read.relations {
        if around.catalog.tables.contains_key(relation) && !(read.kind.starts_with("select") && reads_only) {
            builder.touch(relation.clone());
        }
    }
    READERS.iter().for_each(|reader| reader(around, &mut builder));
    if let Some(table) = table(read)
        && matches!(read.kind.as_str(), "alter_table" | "truncate_table" | "drop_table")
    {
        builder.brief_lock(around, &table);
    }
    around.done(read);
    builder.finish()
}

/// The table that a statement about one table is about.
pub fn table(read: &Read) -> Option<String> {
    use SchemaAction as A;
    let of_action = read.actions.iter().find_map(|action| match action {
        A::CreateTable { table }
        | A::DropTable { table }
        | A::RenameTable { table, .. }
        | A::TruncateTable { table }
        | A::AddColumn { table, .. }
        | A::DropColumn { table, .. }
        | A::RenameColumn { table, .. }
        | A::ChangeColumnType { table, .. }
        | A::SetNotNull { table, .. }
        | A::DropNotNull { table, .. }
        | A::SetDefault { table, .. }
        | A::DropDefault { table, .. }
        | A::AddConstraint { table, .. }
        | A::DropConstraint { table, .. }
        | A::ValidateConstraint { table, .. }
        | A::CreateIndex { table, .. }
        | A::AttachPartition { table, .. }
        | A::DetachPartition { table, .. }
        | A::MoveRows { table, .. } => Some(table.clone()),
        A::DropIndex { table, .. } => table.clone(),
        _ => None,
    });
    let alone = || match read.relations.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    of_action.or_else(alone)
}

fn touched(action: &SchemaAction, around: &Around<'_>, builder: &mut Builder<'_>) {
    use SchemaAction as A;
    match action {
        A::RenameTable { table, to } => {
            builder.touch(table.clone());
            builder.touch(to.clone());
        }
        A::CreateIndex { table, index, .. } => {
            builder.touch(table.clone());
            builder.touch(index.clone().unwrap_or_default());
        }
        A::DropIndex { index, .. } => {
            builder.touch(index.clone());
            around.catalog.indexes.get(index).into_iter().for_each(|table| builder.touch(table.clone()));
        }
        A::CreateView { view } | A::DropView { view } => builder.touch(view.clone()),
        A::DropObject { name, .. } => builder.touch(name.clone()),
        A::Grant { relations } | A::Revoke { relations } => {
            relations.iter().for_each(|name| builder.touch(name.clone()));
        }
        A::RestartSequence
        | A::AddEnumLabel { .. }
        | A::RenameEnumLabel { .. }
        | A::RunsCode
        | A::ReachesOut { .. }
        | A::Server
        | A::Other => {}
        _ => builder.touch(table(builder.read).unwrap_or_default()),
    }
    if let A::MoveRows { table, .. } = action {
        builder.touch(table.clone());
    }
}

/// Objects that only the facts name.
fn named(facts: &Facts, around: &Around<'_>, builder: &mut Builder<'_>) {
    let index = facts.index.as_ref();
    let named = [
        facts.routine.as_ref().map(|r| r.name.clone()),
        facts.object_type.clone(),
        facts.sequence.as_ref().map(|s| s.name.clone()),
        facts.synonym.as_ref().map(|s| s.name.clone()),
        facts.trigger.as_ref().and_then(|t| t.table.clone()),
        facts.trigger.as_ref().map(|t| t.name.clone()),
        facts.view.clone(),
        index.cloned(),
        index.and_then(|index| around.catalog.indexes.get(index).cloned()),
    ];
    named.into_iter().flatten().for_each(|name| builder.touch(name));
}

/// The indexes that these texts make; one that cannot be read is reported where it is analysed.
pub fn pending_indexes(
    sql: &[String],
    catalog: &Catalog,
    version: Version,
) -> BTreeMap<String, Vec<Vec<String>>> {
    let texts: Vec<&str> = sql.iter().map(String::as_str).collect();
    let read = grammar::read(&texts, &Context::new(version.name(), catalog)).unwrap_or_default();
    let mut indexes: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for read in read.iter().flat_map(|text| &text.statements).filter_map(|piece| piece.read.as_ref()) {
        for action in &read.actions {
            if let SchemaAction::CreateIndex { table, .. } = action {
                indexes.entry(table.clone()).or_default().push(read.facts.index_columns.clone());
            }
        }
    }
    indexes
}
