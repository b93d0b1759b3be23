//! Constraints: added, enabled, validated, disabled, dropped.
//!
//! Sources: SQL Language Reference, "constraint", "ALTER TABLE" (constraint_clauses, enable_disable_clause), "List of Nonblocking DDLs";
//! Database Concepts, "Locks and Foreign Keys".

use super::around::Around;
use super::builder::Builder;
use super::{phase, rules};
use crate::model::schema_action::SchemaAction as A;
use crate::product::oracle::grammar::facts::{Constraint, ConstraintState};

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    for action in &read.actions {
        match action {
            A::AddConstraint { table, name, .. } if read.kind == "alter_table" => {
                let own = read.facts.constraints.iter().find(|c| c.name == *name);
                if let Some(constraint) = own {
                    added(around, builder, table, constraint);
                }
            }
            A::DropConstraint { table, name } => dropped(around, builder, table, name),
            _ => {}
        }
    }
    if let Some(table) = super::analyse::table(read) {
        for state in &read.facts.constraint_states {
            changed(around, builder, &table, state);
        }
        for constraint in &read.facts.constraints {
            lasting(around, builder, &table, constraint);
        }
    }
}

/// What it is called, or what it is.
fn what(constraint: &Constraint) -> String {
    let kind = match constraint.kind.as_str() {
        "primary_key" => "the primary key",
        "foreign_key" => "the foreign key",
        "unique" => "the unique constraint",
        _ => "the check",
    };
    constraint.name.clone().map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"))
}

fn added(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, constraint: &Constraint) {
    if constraint.disabled {
        return;
    }
    let what = what(constraint);
    let columns = &constraint.columns;
    match constraint.kind.as_str() {
        "primary_key" | "unique" => key(around, builder, table, constraint, &what),
        kind => {
            if constraint.novalidate {
                builder.waits(around.is_nonblocking(table));
            } else {
                builder.waits(false);
                builder.hurt(around, &rules::ADD_VALID, table, &what);
            }
            // Rows of the other table may not go while they are looked up.
            if let Some(parent) = constraint.references.as_deref().filter(|parent| *parent != table)
                && kind == "foreign_key"
            {
                builder.touch(parent);
                if !constraint.novalidate {
                    builder.hurt(around, &rules::BRIEF, parent, "");
                }
            }
        }
    }
    if matches!(constraint.kind.as_str(), "primary_key" | "unique") && !around.is_fresh(table) {
        let unique = around.table(table).is_some_and(|t| t.unique.iter().any(|key| key == columns));
        if !unique {
            builder.remark(around, &rules::DUPLICATES, table, &columns.join(", "));
        }
    }
}

/// A key needs an index, also where the rows that are there are not looked at.
fn key(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, constraint: &Constraint, what: &str) {
    let read = builder.read;
    let makes = read.actions.iter().any(|action| matches!(action, A::CreateIndex { .. }));
    let names = read.facts.using_index.is_some() && !makes;
    let there = names || !makes && around.has_index_for(table, &constraint.columns);
    let may_be_null = constraint.kind == "primary_key"
        && !constraint.columns.iter().all(|c| around.column(table, c).is_some_and(|c| c.not_null));
    if !there {
        builder.waits(false);
        builder.hurt(around, &rules::ADD_KEY, table, "");
    } else if constraint.novalidate {
        builder.waits(around.is_nonblocking(table));
    } else {
        builder.waits(false);
        if may_be_null {
            builder.hurt(around, &rules::ADD_VALID, table, what);
        }
    }
}

/// What a constraint means for as long as it is there.
fn lasting(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, constraint: &Constraint) {
    let unproven = constraint.disabled || constraint.novalidate;
    if constraint.rely && unproven && !around.catalog.views.contains_key(table) {
        builder.remark(around, &rules::RELY, table, &what(constraint));
    }
    if constraint.kind == "foreign_key"
        && !constraint.disabled
        && !constraint.columns.is_empty()
        && !around.will_have_index(table, &constraint.columns)
    {
        builder.remark(around, &rules::INDEX_MISSING, table, &constraint.columns.join(", "));
    }
}

/// A constraint gets another state.
fn changed(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, state: &ConstraintState) {
    let kind = || match state.kind.as_deref() {
        Some("primary_key") => "the primary key".to_owned(),
        _ => "a unique constraint".to_owned(),
    };
    let what = state.name.clone().unwrap_or_else(kind);
    match (state.enabled, state.validated) {
        (Some(false), Some(true)) => {
            builder.waits(false);
            builder.hurt(around, &rules::WRITES_REFUSED, table, &format!("{what} becomes DISABLE VALIDATE"));
        }
        (Some(false), _) => {
            builder.waits(false);
            builder.hurt(around, &rules::CONSTRAINT_DROPPED, table, &what);
            if !builder.read.facts.keep_index && is_key(around, table, state) {
                builder.hurt(around, &rules::KEY_INDEX, table, &what);
            }
            if builder.read.facts.cascade {
                builder.warn(around, &rules::CASCADE, &what);
            }
        }
        (Some(true), Some(true)) => {
            builder.waits(false);
            builder.hurt(around, &rules::ENABLE, table, &what);
        }
        (Some(true), _) => builder.waits(around.is_nonblocking(table)),
        (None, Some(true)) => {
            // It is not among those that 23.3 has freed of the exception.
            builder.waits(!around.logs_changes(table));
            builder.hurt(around, &rules::VALIDATE, table, "");
        }
        _ => {}
    }
    if state.rely == Some(true) && state.validated != Some(true) {
        builder.hurt(around, &rules::RELY, table, &what);
    }
}

fn is_key(around: &Around<'_>, table: &str, state: &ConstraintState) -> bool {
    state.kind.is_some() || state.name.as_deref().is_some_and(|name| phase::is_key(around, table, name))
}

fn dropped(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, name: &str) {
    let facts = &builder.read.facts;
    builder.waits((facts.online || around.version >= super::V23) && around.is_nonblocking(table));
    builder.hurt(around, &rules::CONSTRAINT_DROPPED, table, name);
    if facts.cascade {
        builder.warn(around, &rules::CASCADE, name);
    }
}
