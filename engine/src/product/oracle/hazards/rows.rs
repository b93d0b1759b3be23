//! Statements that change or lock rows.
//!
//! Sources: SQL Language Reference, "UPDATE", "DELETE", "INSERT", "MERGE", "LOCK TABLE", "SELECT" (for_update_clause); Database
//! Administrator's Guide, "Managing Undo"; PL/SQL Packages and Types Reference, "DBMS_PARALLEL_EXECUTE".

use super::around::Around;
use super::builder::Builder;
use super::{drops, rules};
use crate::model::changeset::Hazard;
use crate::model::schema_action::{RowChange, SchemaAction as A};
use crate::product::oracle::grammar::facts::Query;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    if let Some(mode) = &facts.lock_mode {
        for table in &read.relations {
            let mode = mode.to_uppercase();
            if !around.is_fresh(table) {
                let hazard = rules::LOCK_TABLE.on(around, Some(table), &mode);
                builder.found(Hazard { lock: Some(mode), ..hazard });
            }
        }
    }
    if facts.for_update.as_deref() == Some("wait") {
        for table in read.query.iter().flat_map(|query| &query.reads) {
            builder.hurt(around, &rules::FOR_UPDATE, &table.relation, "");
        }
    }
    // In code, each write stands with its own condition.
    if read.actions.contains(&A::RunsCode) {
        in_code(around, builder);
        return;
    }
    if drops::writes_back(facts) {
        return;
    }
    for action in &read.actions {
        let A::MoveRows { table, kind } = action else { continue };
        match kind {
            RowChange::Update if !facts.has_where => {
                builder.hurt(around, &rules::UPDATE_ALL, table, "UPDATE")
            }
            RowChange::Update | RowChange::Merge => builder.hurt(around, &rules::BULK, table, ""),
            RowChange::Delete => delete(around, builder, table, facts.has_where),
            RowChange::Insert | RowChange::Copy if facts.as_select => copied(around, builder, table),
            RowChange::Insert | RowChange::Copy => {}
        }
        if let Some(hint) = direct_path(builder.sql, *kind, facts.as_select) {
            builder.hurt(around, &rules::DIRECT_PATH, table, &format!("the hint {hint}"));
        }
    }
}

fn delete(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, has_where: bool) {
    if has_where {
        builder.hurt(around, &rules::DELETE_ROWS, table, "");
        builder.hurt(around, &rules::BULK, table, "");
    } else {
        builder.hurt(around, &rules::DELETE_ALL, table, "");
        builder.hurt(around, &rules::UPDATE_ALL, table, "DELETE");
    }
}

/// What an INSERT costs is the size of what it reads, also where its own table is new.
fn copied(around: &Around<'_>, builder: &mut Builder<'_>, table: &str) {
    let sources = builder.read.query.iter().flat_map(|query| &query.reads);
    let largest = sources
        .filter_map(|source| Some((around.size(&source.relation)?, &source.relation)))
        .filter(|(size, _)| size.0 >= LARGE)
        .max();
    if let Some((size, source)) = largest {
        builder.found(rules::INSERT_ROWS.sized(Some(table), Some(size), source));
    }
}

/// From here on a copy is worth a word.
const LARGE: u64 = 10_000;

/// The hint that makes a statement write past the buffer cache: APPEND to what a query gives, PARALLEL to any write.
fn direct_path(sql: &str, kind: RowChange, as_select: bool) -> Option<&'static str> {
    let hints = sql.split("/*+").skip(1).filter_map(|rest| rest.split("*/").next());
    let words: Vec<String> = hints
        .flat_map(|hint| hint.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .map(str::to_uppercase)
        .collect();
    let says = |hint: &str| words.iter().any(|word| word == hint);
    let inserts = matches!(kind, RowChange::Insert);
    match () {
        () if inserts && !as_select => says("APPEND_VALUES").then_some("APPEND_VALUES"),
        () if inserts && says("APPEND") => Some("APPEND"),
        () if says("ENABLE_PARALLEL_DML") => Some("ENABLE_PARALLEL_DML"),
        () => None,
    }
}

/// The writes of a block.
fn in_code(around: &Around<'_>, builder: &mut Builder<'_>) {
    let none = Query::default();
    let query = builder.read.query.as_ref().unwrap_or(&none);
    for write in &query.writes {
        let table = &write.table;
        match write.kind.as_str() {
            "update" if write.has_where => builder.hurt(around, &rules::BULK, table, ""),
            "update" => builder.hurt(around, &rules::UPDATE_ALL, table, "UPDATE"),
            "delete" => delete(around, builder, table, write.has_where),
            _ => {}
        }
    }
}
