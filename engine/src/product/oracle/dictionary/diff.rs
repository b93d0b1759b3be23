//! What the difference of two schemas means for those who use them. It reads what `fingerprint.rs` writes.

use std::collections::BTreeSet;

use super::fingerprint::{BETWEEN, ORDER};
use super::types;
use crate::model::change::{Change, Effect, Events, Reason, Revoked, Right};
use crate::model::column_type::ColumnType;
use crate::model::difference::DefinitionChange;
use crate::model::schema::{ObjectChange, SchemaSnapshot};

/// What differs, as far as it may affect somebody whose queries still plan.
pub fn between(before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
    let changes = before.schema.changes(&after.schema);
    changes.flat_map(|change| told(&change).unwrap_or_default()).collect()
}

/// What it comes to that an object has another definition.
pub fn definition_change(object: &str, before: &str, after: &str) -> DefinitionChange {
    if object.starts_with(ORDER) {
        let columns =
            |definition: &str| -> BTreeSet<String> { definition.split(", ").map(str::to_owned).collect() };
        let same = columns(before) == columns(after);
        return if same { DefinitionChange::ColumnsReordered } else { DefinitionChange::Implied };
    }
    let unvalidated: Vec<&str> = before.split(BETWEEN).filter(|a| *a != "not validated").collect();
    match object.strip_prefix("constraint ").and_then(|rest| rest.split_once(' ')) {
        Some((table, constraint)) if before != after && unvalidated.join(BETWEEN) == after => {
            DefinitionChange::Validated { table: table.to_owned(), constraint: constraint.to_owned() }
        }
        _ => DefinitionChange::Other,
    }
}

/// `None`: nothing that a query could notice by this alone.
fn told(change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let (kind, rest) = change.object.split_once(' ')?;
    match kind {
        "table" | "view" => relation(rest, change),
        "materialized" => relation(rest.strip_prefix("view ")?, change),
        "column" => column(rest, change),
        "constraint" => constraint(rest, change),
        "index" => index(rest, change),
        "code" | "body" => Some(routine(kind, rest, change)),
        "trigger" => trigger(rest, change),
        "synonym" => synonym(rest, change),
        "grant" => grant(rest, change),
        _ => None,
    }
}

fn of(subject: &str, columns: Vec<String>, effect: Effect, predicate: impl Into<String>) -> Change {
    Change {
        subject: subject.to_owned(),
        columns,
        on: Events::ALL,
        effect,
        reason: Reason::Predicate(predicate.into()),
    }
}

fn has(definition: Option<&str>, attribute: &str) -> bool {
    definition.is_some_and(|d| d.split(BETWEEN).any(|a| a == attribute))
}

fn relation(name: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let all = Vec::new;
    match (change.before, change.after) {
        (Some(_), None) => Some(vec![of(name, all(), Effect::Gone, "is gone")]),
        (Some(was), Some(is)) if change.object.starts_with("table") => (has(Some(is), "read only")
            && !has(Some(was), "read only"))
        .then(|| vec![of(name, all(), Effect::Refuses, "is read only now")]),
        (Some(_), Some(_)) => Some(vec![of(name, all(), Effect::Reads, "is another view now")]),
        (None, _) => None,
    }
}

fn column(name: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let (table, column) = name.rsplit_once('.')?;
    let one = || vec![column.to_owned()];
    let (was, is) = match (change.before, change.after) {
        (Some(was), Some(is)) => (was, is),
        (Some(_), None) => {
            return Some(vec![of(table, one(), Effect::Column, format!("has no column {column} any more"))]);
        }
        (None, _) => {
            return Some(vec![of(table, one(), Effect::Column, format!("has a new column {column}"))]);
        }
    };
    let mut changes = Vec::new();
    let default = |definition: &str| {
        let attribute = definition.split(BETWEEN).find(|a| a.starts_with("default"));
        attribute
            .and_then(|_| definition.find("default"))
            .and_then(|at| definition.get(at..))
            .map(str::to_owned)
    };
    let counted = |definition: &str| definition.split(BETWEEN).any(|a| a.starts_with("identity"));
    if default(was) != default(is) || counted(was) != counted(is) {
        let what = match (default(is), counted(is)) {
            (Some(now), _) => format!("gives {column} the {now} now"),
            (None, true) => format!("numbers {column} now"),
            (None, false) => format!("has no default for {column} any more"),
        };
        changes.push(of(table, one(), Effect::Default, what));
    }
    for attribute in ["identity always", "virtual"] {
        if has(Some(is), attribute) && !has(Some(was), attribute) {
            changes.push(of(table, one(), Effect::Generated, format!("sets {column} itself now")));
        }
    }
    if has(Some(is), "invisible") != has(Some(was), "invisible") {
        changes.push(of(table, one(), Effect::Column, format!("shows {column} otherwise to a *")));
    }
    let sql_type = |definition: &str| definition.split(BETWEEN).next().unwrap_or_default().to_owned();
    let (old, new) = (sql_type(was), sql_type(is));
    let (before, after) = (types::column_type(&old), types::column_type(&new));
    if old != new {
        let what = format!("has {new} for {column} instead of {old}");
        if !before.reads_as(&after) {
            changes.push(of(table, one(), Effect::Shows, what.clone()));
        }
        // How long a text may be is told by the catalog.
        if !before.differs_in_length_only(&after) && !takes_all(&before, &after) {
            changes.push(of(table, one(), Effect::Refuses, what));
        }
    }
    Some(changes)
}

/// Whether a type takes every value of another, as it is.
fn takes_all(of: &ColumnType, by: &ColumnType) -> bool {
    match (of, by) {
        (ColumnType::Decimal { .. }, ColumnType::Decimal { digits: None }) => true,
        (ColumnType::Decimal { digits: Some(was) }, ColumnType::Decimal { digits: Some(is) }) => {
            is.whole() >= was.whole() && is.scale >= was.scale
        }
        (was, is) => was == is,
    }
}

/// The columns that stand in brackets first.
fn columns(definition: &str) -> Vec<String> {
    let inside =
        definition.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    inside.unwrap_or_default().split(", ").map(str::to_owned).collect()
}

fn constraint(name: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let (table, constraint) = name.split_once(' ')?;
    let enabled = |definition: Option<&str>| definition.is_some() && !has(definition, "disabled");
    let definition = change.after.or(change.before)?;
    let rule = definition
        .split(BETWEEN)
        .find(|a| ["primary key", "unique", "foreign key", "check"].iter().any(|kind| a.starts_with(kind)))?;
    let (was, is) = (enabled(change.before), enabled(change.after));
    let checked = || {
        let told = definition.split(BETWEEN).find_map(|a| a.strip_prefix("of columns "));
        told.map(|list| list.split(", ").map(str::to_owned).collect()).unwrap_or_default()
    };
    let on: Vec<String> = if rule.starts_with("check") { checked() } else { columns(rule) };
    if is && !was {
        let mut changes =
            vec![of(table, on.clone(), Effect::Refuses, format!("has a new constraint: {rule}"))];
        if let Some((parent, theirs)) = referred(rule) {
            changes.push(of(&parent, theirs, Effect::Keeps, format!("is referred to by {table} now")));
        }
        return Some(changes);
    }
    if was && !is {
        let what = format!("has no {} {constraint} any more", rule.split(" (").next().unwrap_or(rule));
        let effect =
            if rule.starts_with("foreign") || rule.starts_with("check") { return None } else { Effect::Key };
        return Some(vec![of(table, on, effect, what)]);
    }
    None
}

/// What a foreign key refers to, by its rule.
fn referred(rule: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = rule.split_once(" references ")?;
    let (parent, _) = rest.split_once(" (")?;
    Some((parent.to_owned(), columns(rest)))
}

fn index(name: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let usable = |d: Option<&str>| d.is_some() && !has(d, "invisible") && !has(d, "unusable");
    let definition = change.after.or(change.before)?;
    let on = definition.split(BETWEEN).find_map(|a| a.strip_prefix("on "))?;
    let (table, _) = on.split_once(" (")?;
    let name = name.strip_prefix("of ").unwrap_or(name);
    if has(change.after, "unique") && !has(change.before, "unique") {
        return Some(vec![of(table, columns(on), Effect::Refuses, format!("has a new unique index {name}"))]);
    }
    let mut changes = Vec::new();
    if usable(change.before) && !usable(change.after) {
        let what = if change.after.is_some() { "cannot use" } else { "has no" };
        let what = format!("{what} index {name} any more");
        changes.push(of(table, columns(on), Effect::Slower, what));
    }
    if has(change.before, "unique") && change.after.is_none() {
        changes.push(of(table, columns(on), Effect::Key, format!("has no unique index {name} any more")));
    }
    Some(changes)
}

fn routine(kind: &str, name: &str, change: &ObjectChange<'_>) -> Vec<Change> {
    match (change.before, change.after) {
        (Some(_), None) if kind == "code" => vec![of(name, Vec::new(), Effect::Gone, "is gone")],
        (Some(_), _) => vec![of(name, Vec::new(), Effect::Routine, "does something else now")],
        (None, _) => Vec::new(),
    }
}

fn trigger(name: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let definition = change.after.or(change.before)?;
    let table = definition.split(BETWEEN).find_map(|a| a.strip_prefix("on "))?;
    let on = |d: Option<&str>| d.is_some() && !has(d, "disabled");
    let what = match (on(change.before), on(change.after)) {
        (false, true) => format!("sets off the trigger {name} now"),
        (true, false) => format!("does not set off the trigger {name} any more"),
        (true, true) => format!("sets off another trigger {name}"),
        (false, false) => return None,
    };
    let fires = |event: &str| {
        let attribute = format!("before or after {event}");
        has(change.before, &attribute) || has(change.after, &attribute)
    };
    let events = Events { insert: fires("insert"), update: fires("update"), delete: fires("delete") };
    // Where it goes off for certain columns only, before and after.
    let own = |d: Option<&str>| d.and_then(|d| d.split(BETWEEN).find(|a| a.starts_with("of ("))).map(columns);
    let named = match (own(change.before), own(change.after)) {
        (Some(was), Some(is)) => [was, is].concat(),
        (Some(only), None) if change.after.is_none() => only,
        (None, Some(only)) if change.before.is_none() => only,
        _ => Vec::new(),
    };
    Some(vec![Change { on: events, ..of(table, named, Effect::Writes, what) }])
}

/// Who names it means something else, or nothing.
fn synonym(name: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let target = change.before?.strip_prefix("for ")?;
    let what = match change.after {
        Some(is) => format!("is not what the synonym {name} means any more: it is {is}"),
        None => format!("has no synonym {name} any more"),
    };
    Some(vec![of(target, Vec::new(), Effect::Reads, what)])
}

fn grant(rest: &str, change: &ObjectChange<'_>) -> Option<Vec<Change>> {
    let (object, role) = rest.strip_prefix("on ")?.split_once(" to ")?;
    let rights = |d: Option<&str>| -> BTreeSet<String> {
        d.unwrap_or_default().split(", ").filter(|r| !r.is_empty()).map(str::to_owned).collect()
    };
    let (was, is) = (rights(change.before), rights(change.after));
    let lost: Vec<&String> = was.difference(&is).collect();
    if lost.is_empty() || is.iter().any(|r| r.starts_with("ALL")) {
        return None;
    }
    let everything = lost.iter().any(|r| r.starts_with("ALL"));
    let right = |name: &&String| match name.as_str() {
        "SELECT" | "READ" => Right::Read,
        "INSERT" => Right::Insert,
        "UPDATE" => Right::Update,
        "DELETE" => Right::Delete,
        _ => Right::Use,
    };
    let lost_rights: BTreeSet<Right> = match everything {
        true => [Right::Read, Right::Insert, Right::Update, Right::Delete].into(),
        false => lost.iter().map(right).collect(),
    };
    let names = lost.iter().map(|r| r.to_lowercase()).collect::<Vec<_>>().join(", ");
    let revoked = Revoked {
        role: (role != "PUBLIC").then(|| role.to_owned()),
        kept_by: BTreeSet::new(),
        rights: lost_rights,
        columns_left: false,
    };
    let reason = format!("{role} may not {names} on {object} any more");
    Some(vec![Change {
        subject: object.to_owned(),
        columns: Vec::new(),
        on: Events::ALL,
        effect: Effect::Privilege(revoked),
        reason: Reason::Sentence(reason),
    }])
}
