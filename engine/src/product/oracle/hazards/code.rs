//! PL/SQL: what is made of it, what depends on it, and what it does that nobody can see.
//!
//! Sources: PL/SQL Language Reference, "CREATE PACKAGE", "CREATE TRIGGER", "AUTONOMOUS_TRANSACTION Pragma"; Development Guide,
//! "Understanding Schema Object Dependency"; Development Guide, "Using Edition-Based Redefinition".

use super::around::Around;
use super::builder::Builder;
use super::rules;
use crate::model::relation_name;
use crate::model::schema_action::SchemaAction as A;
use crate::product::oracle::grammar::facts::Trigger;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    if let Some(routine) = &facts.routine {
        made(around, builder, &routine.kind, &routine.name);
    }
    if let Some(name) = &facts.object_type {
        type_changed(around, builder, name);
    }
    if read.kind == "create_java" {
        builder.warn(around, &rules::COMPILES, "the Java class");
    }
    if let Some(trigger) = &facts.trigger {
        match read.kind.as_str() {
            "create_trigger" => trigger_made(around, builder, trigger),
            "alter_trigger" => trigger_state(around, builder, trigger),
            _ => {}
        }
    }
    if let Some(table) = super::analyse::table(read)
        && let Some(state) = facts.all_triggers.as_deref()
    {
        let rule = if state == "disable" { &rules::TRIGGERS_OFF } else { &rules::TRIGGER_ON };
        builder.hurt(around, rule, &table, "");
    }
    running(around, builder);
}

fn made(around: &Around<'_>, builder: &mut Builder<'_>, kind: &str, name: &str) {
    let words = format!("{} {name}", kind.replace('_', " "));
    builder.warn(around, &rules::COMPILES, &words);
    if !around.catalog.routines.contains_key(name) || around.is_fresh(name) {
        return;
    }
    match kind {
        "package_body" => builder.warn(around, &rules::BODY_STATE, name),
        "package" => {
            builder.warn(around, &rules::PACKAGE_STATE, name);
            dependents(around, builder, name);
        }
        _ => dependents(around, builder, name),
    }
}

/// Views and code that use something.
pub fn dependents(around: &Around<'_>, builder: &mut Builder<'_>, name: &str) {
    let many = around.dependents(name);
    if many > 0 {
        let objects = if many == 1 { "object that uses" } else { "objects that use" };
        builder.warn(around, &rules::INVALIDATES, &format!("{many} {objects} {name}"));
    }
}

fn type_changed(around: &Around<'_>, builder: &mut Builder<'_>, name: &str) {
    let facts = &builder.read.facts;
    match builder.read.kind.as_str() {
        "create_type" => {
            builder.warn(around, &rules::COMPILES, &format!("type {name}"));
            if !facts.body && around.catalog.routines.contains_key(name) {
                dependents(around, builder, name);
            }
        }
        // The rows that are there are written as the new type has them, unless they are to wait for their next change.
        "alter_type" if !facts.compile && !says_not_including(builder.sql) => {
            let word = relation_name::bare(name);
            let tables =
                around.catalog.tables.iter().filter(|(_, table)| {
                    table.columns.iter().any(|c| relation_name::bare(&c.sql_type) == word)
                });
            let used: Vec<String> = tables.map(|(table, _)| table.clone()).collect();
            for table in used {
                builder.touch(table.clone());
                builder.hurt(around, &rules::REWRITE, &table, &format!("another {name}"));
            }
            dependents(around, builder, name);
        }
        _ => {}
    }
}

fn says_not_including(sql: &str) -> bool {
    let words: Vec<String> = sql.split_whitespace().map(str::to_uppercase).collect();
    words.windows(2).any(|pair| pair == ["NOT", "INCLUDING"])
}

fn trigger_made(around: &Around<'_>, builder: &mut Builder<'_>, trigger: &Trigger) {
    builder.warn(around, &rules::COMPILES, &format!("trigger {}", trigger.name));
    let Some(table) = &trigger.table else { return };
    if !trigger.enabled || trigger.instead {
        return;
    }
    let rule = match builder.read.facts.crossedition {
        Some(_) => &rules::CROSSEDITION,
        None => &rules::TRIGGER,
    };
    builder.hurt(around, rule, table, &trigger.name);
}

/// The table of a trigger that is there is told by the catalog.
fn trigger_state(around: &Around<'_>, builder: &mut Builder<'_>, trigger: &Trigger) {
    let facts = &builder.read.facts;
    let mut tables = around.catalog.triggers.iter();
    let of = tables
        .find(|(_, own)| own.iter().any(|(name, _)| *name == trigger.name))
        .map(|(table, _)| table.clone());
    if let Some(table) = &of {
        builder.touch(table.clone());
    }
    let table = of.unwrap_or_else(|| "its table".to_owned());
    if facts.disable {
        builder.hurt(around, &rules::TRIGGERS_OFF, &table, "");
    } else if facts.enable {
        builder.hurt(around, &rules::TRIGGER_ON, &table, "");
    }
}

/// What a block, a call or a query runs.
fn running(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let runs = read.actions.contains(&A::RunsCode);
    // ROLLBACK TO a savepoint stays in the transaction.
    let to_savepoint = || builder.sql.split_whitespace().any(|word| word.eq_ignore_ascii_case("to"));
    if read.kind == "commit" || read.kind == "rollback" && !to_savepoint() {
        builder.warn(around, &rules::TRANSACTION_CONTROL, &read.kind.to_uppercase());
    }
    let Some(query) = &read.query else { return };
    let what = || match read.kind.as_str() {
        "anonymous_block" => "the block".to_owned(),
        "call" => "the call".to_owned(),
        _ => "the statement".to_owned(),
    };
    let makes = read.facts.routine.as_ref().map(|routine| routine.name.clone());
    if runs && query.opaque {
        builder.warn(around, &rules::DYNAMIC, &what());
    } else if runs && let Some(call) = query.calls.first() {
        builder.warn(around, &rules::OPAQUE, &format!("what {call} does"));
    }
    if runs && query.commits {
        builder.warn(around, &rules::TRANSACTION_CONTROL, &format!("a COMMIT or ROLLBACK in {}", what()));
    }
    if query.autonomous {
        builder.warn(around, &rules::AUTONOMOUS, &makes.unwrap_or_else(what));
    }
}
