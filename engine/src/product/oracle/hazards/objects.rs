//! Sequences, synonyms, names of tables, rights, sessions, and what lies beyond the schema.
//!
//! Sources: SQL Language Reference, "CREATE SEQUENCE", "ALTER SEQUENCE", "CREATE SYNONYM", "RENAME", "GRANT", "REVOKE", "ALTER SESSION",
//! "CREATE DIRECTORY", "CREATE DATABASE LINK", "ALTER USER"; Database Concepts, "Concurrent Access to Sequences".

use super::around::Around;
use super::builder::Builder;
use super::{columns, rules};
use crate::model::schema_action::SchemaAction as A;
use crate::product::oracle::grammar::facts::{Sequence, Synonym};

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    for action in &read.actions {
        match action {
            A::RenameTable { table, .. } => {
                builder.hurt(around, &rules::RENAME, table, table);
                columns::dependents(around, builder, table);
            }
            A::Revoke { .. } => builder.warn(around, &rules::RIGHTS, ""),
            A::Grant { relations } if facts.to.iter().any(|to| to == "PUBLIC") => {
                let on = relations.first().map_or(String::new(), |name| format!(" on {name}"));
                builder.warn(around, &rules::PUBLIC_RIGHTS, &format!("{}{on}", facts.privileges.join(", ")));
            }
            A::Server => server(around, builder),
            _ => {}
        }
    }
    if let Some(sequence) = &facts.sequence {
        numbers(around, builder, sequence);
    }
    for column in &facts.columns {
        if column.identity_options.iter().any(|option| ["NOCACHE", "ORDER"].contains(&option.as_str())) {
            builder.warn(around, &rules::SLOW_SEQUENCE, &format!("the numbers of {}", column.name));
        }
    }
    if let Some(synonym) = &facts.synonym {
        named(around, builder, synonym);
    }
    if let Some(setting) = &facts.session {
        builder.warn(around, &rules::SESSION, setting);
    }
}

fn server(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let words = read.kind.replace('_', " ").to_uppercase();
    match read.kind.as_str() {
        "create_directory" => {
            builder.warn(around, &rules::REACHES_OUT, "the directory is a folder on the server's machine");
        }
        "create_database_link" => {
            let link = read.facts.link.as_deref().unwrap_or("the link");
            builder.warn(around, &rules::REACHES_OUT, &format!("{link} leads to another database"));
        }
        "alter_user" if builder.sql.to_uppercase().split_whitespace().any(|word| word == "EDITIONS") => {
            builder.warn(around, &rules::ENABLE_EDITIONS, "");
        }
        // It makes a place for objects, and no session is in it yet.
        "create_edition" => {}
        _ => builder.warn(around, &rules::INSTANCE_WIDE, &words),
    }
}

fn numbers(around: &Around<'_>, builder: &mut Builder<'_>, sequence: &Sequence) {
    let is = |option: &str| sequence.options.get(option).and_then(serde_json::Value::as_bool) == Some(true);
    if is("nocache") || is("order") {
        builder.warn(around, &rules::SLOW_SEQUENCE, &sequence.name);
    }
    let altered = builder.read.kind == "alter_sequence";
    let moved = sequence.increment.is_some() || sequence.maxvalue.is_some() || sequence.minvalue.is_some();
    if altered && (moved || builder.read.actions.contains(&A::RestartSequence)) || is("cycle") {
        builder.warn(around, &rules::NUMBERS_CHANGE, &sequence.name);
    }
}

/// A name that stands for another object.
fn named(around: &Around<'_>, builder: &mut Builder<'_>, synonym: &Synonym) {
    let known = around.catalog.synonyms.get(&synonym.name);
    match &synonym.target {
        None => builder.warn(around, &rules::SYNONYM_DROPPED, &synonym.name),
        Some(target) if known.is_some_and(|before| before != target) => {
            builder.warn(around, &rules::REDIRECTED, &synonym.name);
            columns::dependents(around, builder, &synonym.name);
        }
        Some(_) => {}
    }
    if let Some(link) = &synonym.link {
        builder.warn(
            around,
            &rules::REACHES_OUT,
            &format!("{} leads over {link} to another database", synonym.name),
        );
    }
}
