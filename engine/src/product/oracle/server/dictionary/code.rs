//! Routines, packages, types and triggers, as the server keeps their texts.

use std::collections::BTreeMap;

use super::rows::Table as Rows;
use crate::error::Result;
use crate::model::change::Events;
use crate::product::oracle::dictionary::{Code, CodeKind, Dictionary, Trigger, Uses, split};

/// Name and type (`PACKAGE BODY`) -> text, from the word that says what it is.
pub type Sources = BTreeMap<(String, String), String>;

/// The server has a row for each line.
pub fn sources(rows: &Rows) -> Result<Sources> {
    let mut sources = Sources::new();
    for row in rows.rows() {
        let name = row.name("OWNER", "NAME")?;
        // Types that the server makes for code, and what is in the recycle bin.
        let bare = split(&name).1;
        if ["BIN$", "SYS_PLSQL_", "SYSTP"].iter().any(|own| bare.starts_with(own)) {
            continue;
        }
        let text = sources.entry((name, row.text("TYPE")?.to_owned())).or_default();
        text.push_str(row.maybe("TEXT")?.unwrap_or_default());
    }
    Ok(sources)
}

/// What these make of it is told from their texts later.
pub fn read(sources: &Sources, dictionary: &mut Dictionary) {
    for ((name, written), text) in sources {
        let kind = match written.as_str() {
            "PROCEDURE" => CodeKind::Procedure,
            "FUNCTION" => CodeKind::Function,
            "PACKAGE" => CodeKind::Package,
            "TYPE" => CodeKind::Type,
            _ => continue,
        };
        // A body without what it is of is invalid and called by nobody.
        let body = sources.get(&(name.clone(), format!("{written} BODY")));
        let code = Code {
            number: 0,
            kind,
            text: text.trim().to_owned(),
            body: body.map(|body| body.trim().to_owned()),
            signatures: Vec::new(),
            body_signatures: Vec::new(),
            uses: Uses::default(),
        };
        dictionary.code.insert(name.clone(), code);
    }
}

/// Those of tables and views; what watches a schema or the database is none of them.
pub fn triggers(rows: &Rows, sources: &Sources, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let name = row.name("OWNER", "TRIGGER_NAME")?;
        let table = row.name("TABLE_OWNER", "TABLE_NAME")?;
        if dictionary.columns(&table).is_none() {
            continue;
        }
        let events = row.text("TRIGGERING_EVENT")?;
        let text = sources.get(&(name.clone(), "TRIGGER".to_owned()));
        let trigger = Trigger {
            number: 0,
            table,
            events: Events {
                insert: events.contains("INSERT"),
                update: events.contains("UPDATE"),
                delete: events.contains("DELETE"),
            },
            columns: Vec::new(),
            enabled: row.is("STATUS", "ENABLED")?,
            instead: row.is("TRIGGER_TYPE", "INSTEAD OF")?,
            text: text.map(|text| text.trim().to_owned()).unwrap_or_default(),
            uses: Uses::default(),
        };
        dictionary.triggers.insert(name, trigger);
    }
    Ok(())
}

pub fn trigger_columns(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        if let Some(trigger) = dictionary.triggers.get_mut(&row.name("TRIGGER_OWNER", "TRIGGER_NAME")?) {
            trigger.columns.push(row.text("COLUMN_NAME")?.to_owned());
        }
    }
    Ok(())
}
