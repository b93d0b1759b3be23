//! What a changeset's SQL is: its statements with kind, phase, hazards and the relations they touch.

use std::collections::BTreeMap;

use super::builder::{Around, Builder};
use super::{COMMITS, DATA_LOSS, INDEX_OFFLINE};
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::changeset::{Phase, Statement};
use crate::model::schema_action::SchemaAction;
use crate::product::oracle::dictionary::Version;
use crate::product::oracle::grammar::facts::Piece;
use crate::product::oracle::grammar::{self, Context};

/// Reads the texts of a changeset in order, each one or more statements; later ones see what earlier ones made.
///
/// # Errors
/// `Input` with line and column when the grammar does not take it.
pub fn analyse(sql: &[String], catalog: &Catalog, version: Version) -> Result<Vec<Statement>> {
    let context = Context::new(version.name(), catalog);
    let texts: Vec<&str> = sql.iter().map(String::as_str).collect();
    let read = grammar::read(&texts, &context)?;
    let mut around = Around::new(catalog, version);
    let mut statements = Vec::new();
    for (text, pieces) in sql.iter().zip(read) {
        for piece in &pieces.statements {
            statements.push(statement(text, piece, &mut around)?);
        }
    }
    if statements.iter().filter(|s| s.commits).count() > 1
        && let Some(first) = statements.first_mut()
    {
        first.hazards.push(COMMITS.on(&around, None, ""));
    }
    Ok(statements)
}

fn statement(text: &str, piece: &Piece, around: &mut Around<'_>) -> Result<Statement> {
    if let Some(complaint) = &piece.error {
        return Err(complaint.error());
    }
    let sql = text.get(piece.start..piece.end).unwrap_or(text);
    let Some(read) = &piece.read else {
        return Err(crate::error::Error::failed("the reader of Oracle's SQL says nothing of a statement"));
    };
    let mut builder = Builder::new(read);
    for action in &read.actions {
        touched(action, around, &mut builder);
        phase(action, around, &mut builder);
        hurts(action, around, &mut builder);
    }
    for relation in &read.relations {
        if around.catalog.tables.contains_key(relation) && !read.kind.starts_with("select") {
            builder.touch(relation.clone());
        }
    }
    for action in &read.actions {
        around.done(action);
    }
    Ok(builder.finish(sql))
}

fn touched(action: &SchemaAction, around: &Around<'_>, builder: &mut Builder<'_>) {
    use SchemaAction as A;
    match action {
        A::CreateTable { table }
        | A::DropTable { table }
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
        | A::MoveRows { table, .. } => builder.touch(table.clone()),
        A::RenameTable { table, to } => {
            builder.touch(table.clone());
            builder.touch(to.clone());
        }
        A::DropIndex { index, table } => {
            let of = table.clone().or_else(|| around.catalog.indexes.get(index).cloned());
            of.into_iter().for_each(|table| builder.touch(table));
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
    }
    let facts = &builder.read.facts;
    let named = [
        facts.routine.as_ref().map(|r| r.name.clone()),
        facts.object_type.clone(),
        facts.sequence.as_ref().map(|s| s.name.clone()),
        facts.synonym.as_ref().map(|s| s.name.clone()),
        facts.trigger.as_ref().and_then(|t| t.table.clone()),
        facts.trigger.as_ref().map(|t| t.name.clone()),
        facts.index.as_ref().and_then(|index| around.catalog.indexes.get(index).cloned()),
    ];
    named.into_iter().flatten().for_each(|name| builder.touch(name));
}

fn phase(action: &SchemaAction, around: &Around<'_>, builder: &mut Builder<'_>) {
    use SchemaAction as A;
    match action {
        A::MoveRows { table, .. } if !around.is_fresh(table) => builder.phase(Phase::Migrate),
        A::RunsCode => builder.phase(Phase::Migrate),
        A::DropTable { table }
        | A::TruncateTable { table }
        | A::RenameTable { table, .. }
        | A::DropColumn { table, .. }
        | A::RenameColumn { table, .. }
        | A::ChangeColumnType { table, .. }
        | A::SetNotNull { table, .. }
        | A::DropDefault { table, .. }
        | A::DropConstraint { table, .. }
        | A::DetachPartition { table, .. } => builder.contract(around, table),
        A::DropIndex { table, index } => {
            let of = table.clone().or_else(|| around.catalog.indexes.get(index).cloned());
            builder.contract(around, &of.unwrap_or_default());
        }
        A::DropView { view } => builder.contract(around, view),
        A::DropObject { .. } | A::Revoke { .. } => builder.phase(Phase::Contract),
        _ => {}
    }
}

fn hurts(action: &SchemaAction, around: &Around<'_>, builder: &mut Builder<'_>) {
    use SchemaAction as A;
    let read = builder.read;
    match action {
        A::CreateIndex { table, .. } if !read.facts.online => builder.hurt(around, &INDEX_OFFLINE, table, ""),
        A::CreateIndex { index, .. } if read.facts.online => {
            builder.waits_without_blocking = true;
            builder.builds_index.clone_from(index);
        }
        A::DropTable { table } | A::TruncateTable { table } | A::DropColumn { table, .. } => {
            let what = read.kind.replace('_', " ").to_uppercase();
            builder.hurt(around, &DATA_LOSS, table, &what);
        }
        _ => {}
    }
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
