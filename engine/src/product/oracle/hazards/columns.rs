//! Columns: added, dropped, renamed, and what MODIFY says of them beside the type.
//!
//! Sources: SQL Language Reference, "ALTER TABLE" (column_definition, drop_column_clause), "List of Nonblocking DDLs".

use super::around::Around;
use super::builder::Builder;
use super::rules;
use crate::model::schema_action::SchemaAction as A;
use crate::product::oracle::grammar::facts::{Column, Constraint, DefaultKind};

/// They have one value for a whole statement, but are no constants.
const TIMES: &[&str] =
    &["SYSDATE", "SYSTIMESTAMP", "CURRENT_DATE", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "USER", "UID"];

const LOBS: &[&str] =
    &["CLOB", "NCLOB", "BLOB", "BFILE", "LONG", "LONG RAW", "XMLTYPE", "SYS.XMLTYPE", "JSON"];

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    for action in &read.actions {
        match action {
            A::AddColumn { table, column, required } => added(around, builder, table, column, *required),
            A::DropColumn { table, column } => dropped(around, builder, table, column),
            A::RenameColumn { table, column, .. } => {
                builder.waits(false);
                builder.hurt(around, &rules::RENAME, table, &format!("{table}.{column}"));
                dependents(around, builder, table);
            }
            A::SetNotNull { table, column } => not_null(around, builder, table, column),
            A::SetDefault { table, column } => {
                let moves = |c: &Column| {
                    // It begins above the greatest number that is there.
                    c.identity.is_some()
                        && !c.identity_options.iter().any(|option| option.ends_with("LIMIT VALUE"))
                };
                if changed(builder, column).is_some_and(moves) {
                    builder.hurt(around, &rules::IDENTITY_CHANGES, table, column);
                }
            }
            A::DropDefault { table, column }
                if changed(builder, column).is_some_and(|c| c.default.is_none()) =>
            {
                builder.hurt(around, &rules::IDENTITY_GOES, table, column);
            }
            A::Other if read.kind == "alter_table" => other(around, builder),
            _ => {}
        }
    }
    if facts.cascade_constraints
        && let Some(A::DropColumn { column, .. }) = read.actions.first()
    {
        builder.warn(around, &rules::CASCADE, column);
    }
}

fn changed<'r>(builder: &Builder<'r>, name: &str) -> Option<&'r Column> {
    builder.read.facts.columns.iter().find(|column| column.name == name)
}

fn added(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, name: &str, required: bool) {
    let Some(column) = changed(builder, name) else { return };
    let identity = column.identity.is_some();
    let rule = match column.default {
        _ if identity => Some((&rules::ADD_IDENTITY, name.to_owned())),
        Some(kind) if !is_null(column) => writes_rows(around, table, column, kind),
        _ => None,
    };
    if required {
        builder.hurt(around, &rules::ADD_NOT_NULL, table, name);
    }
    if let Some((rule, what)) = &rule {
        builder.hurt(around, rule, table, what);
    }
    let constraint = inline_constraint(builder, name);
    if let Some(constraint) = constraint
        && !constraint.disabled
        && !constraint.novalidate
    {
        builder.hurt(around, &rules::ADD_COLUMN_CHECK, table, name);
    }
    let free = rule.is_none() && constraint.is_none() && !required && around.is_nonblocking(table);
    builder.waits(free);
}

/// A default of NULL is none.
fn is_null(column: &Column) -> bool {
    column.default_text.as_deref().is_some_and(|text| text.trim().eq_ignore_ascii_case("null"))
}

/// Why a default is written to every row, where otherwise the dictionary keeps it once for all of them.
fn writes_rows(
    around: &Around<'_>,
    table: &str,
    column: &Column,
    kind: DefaultKind,
) -> Option<(&'static super::Rule, String)> {
    let rewrite = |why: String| Some((&rules::ADD_COLUMN_REWRITE, why));
    let known = around.table(table);
    let storage = known.map(|table| table.storage).unwrap_or_default();
    let name = &column.name;
    let text = column.default_text.as_deref().unwrap_or_default();
    let lob = |sql_type: &str| LOBS.contains(&sql_type.to_uppercase().as_str());
    if column.lob {
        return rewrite(format!("{name} is a LOB with a default"));
    }
    if column.encrypted {
        return rewrite(format!("{name} is encrypted and has a default"));
    }
    if let Some(lob) = known.and_then(|t| t.columns.iter().find(|c| lob(&c.sql_type))) {
        return rewrite(format!(
            "{name} has a default, which is kept with the rows in a table with a LOB ({})",
            lob.name
        ));
    }
    if storage.index_organized {
        return rewrite(format!(
            "{name} has a default, which is kept with the rows in an index-organized table"
        ));
    }
    if storage.temporary {
        return rewrite(format!("{name} has a default, which is kept with the rows in a temporary table"));
    }
    match kind {
        DefaultKind::Constant => None,
        DefaultKind::Expression if TIMES.contains(&text.trim().to_uppercase().as_str()) => {
            Some((&rules::ADD_COLUMN_TIME, format!("the default of {name} ({text})")))
        }
        DefaultKind::Expression => {
            rewrite(format!("the default of {name} ({text}) has another value for each"))
        }
    }
}

/// A constraint that a new column brings with it.
fn inline_constraint<'r>(builder: &Builder<'r>, column: &str) -> Option<&'r Constraint> {
    let named = |constraint: &&Constraint| {
        let apart = builder
            .read
            .actions
            .iter()
            .any(|action| matches!(action, A::AddConstraint { name, .. } if *name == constraint.name));
        constraint.columns.len() == 1 && constraint.columns.iter().all(|c| c == column) && !apart
    };
    builder.read.facts.constraints.iter().find(named)
}

fn dropped(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, column: &str) {
    let facts = &builder.read.facts;
    if facts.set_unused {
        builder.waits((facts.online || around.version >= super::V23) && around.is_nonblocking(table));
        builder.hurt(around, &rules::SET_UNUSED, table, column);
        builder.hurt(around, &rules::SET_UNUSED_FINAL, table, column);
    } else {
        builder.waits(false);
        builder.hurt(around, &rules::DROP_COLUMN, table, column);
        builder.hurt(around, &rules::DROP_COLUMN_REWRITE, table, column);
        if facts.checkpoint.is_none() {
            builder.hurt(around, &rules::UNDO, table, "DROP COLUMN");
        }
    }
    dependents(around, builder, table);
}

/// Views and code on a table whose columns are others.
pub fn dependents(around: &Around<'_>, builder: &mut Builder<'_>, table: &str) {
    let many = around.dependents(table);
    if many > 0 {
        let objects = if many == 1 { "object that uses" } else { "objects that use" };
        builder.hurt(around, &rules::INVALIDATES, table, &format!("{many} {objects} {table}"));
    }
}

fn not_null(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, name: &str) {
    if around.column(table, name).is_some_and(|column| column.not_null) {
        return;
    }
    if changed(builder, name).is_some_and(|column| column.novalidate) {
        builder.waits(around.is_nonblocking(table));
    } else {
        builder.waits(false);
        builder.hurt(around, &rules::SET_NOT_NULL, table, name);
    }
}

/// Visibility, encryption, and columns that are gone already.
fn other(around: &Around<'_>, builder: &mut Builder<'_>) {
    let facts = &builder.read.facts;
    let Some(table) = super::analyse::table(builder.read) else { return };
    for column in &facts.columns {
        if column.invisible || column.visible {
            let state = if column.invisible { "invisible" } else { "visible" };
            builder.waits(!around.logs_changes(&table));
            builder.hurt(around, &rules::STAR, &table, &format!("{} becomes {state}", column.name));
        }
        if column.encrypted || column.decrypted {
            let what = if column.encrypted { "encryption" } else { "decryption" };
            builder.hurt(around, &rules::REWRITE, &table, &format!("{what} of {}", column.name));
        }
    }
    if facts.drop_unused_columns {
        builder.hurt(around, &rules::DROP_UNUSED, &table, "");
        if facts.checkpoint.is_none() {
            builder.hurt(around, &rules::UNDO, &table, "DROP UNUSED COLUMNS");
        }
    }
}
