//! Everything that running a query comes to use.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use crate::model::catalog::Catalog;
use crate::model::change::Events;
use crate::model::query::{ParameterRole, Usage, Write};
use crate::model::relation_name;
use crate::product::oracle::grammar::Read;
use crate::product::oracle::grammar::facts::{Bind, BindRole, Query};

/// What a statement that was read comes to use: what it names, what lies behind views, what its triggers and routines name. What a
/// routine names is told by the words of its body: they may be one too many and never one too few, unless a name is put together.
pub fn usage(sql: &str, read: &Read, catalog: &Catalog) -> Usage {
    let empty = Query::default();
    let query = read.query.as_ref().unwrap_or(&empty);
    let mut writes = catalog.followed(query.writes.iter().map(write).collect());
    let mut open: Vec<String> = read.relations.clone();
    open.extend(query.calls.iter().filter_map(|call| called(call, catalog)));
    open.extend(query.sequences.iter().cloned());
    open.extend(synonyms(sql, catalog));
    for write in &writes {
        open.extend(set_off(&write.table, Events::of(write), catalog));
        open.push(write.table.clone());
    }
    let mut uses = BTreeSet::new();
    let mut opaque = query.opaque;
    while let Some(name) = open.pop() {
        if !uses.insert(name.clone()) {
            continue;
        }
        open.extend(catalog.views.get(&name).into_iter().flatten().cloned());
        if let Some(words) = catalog.routines.get(&name) {
            opaque |= words.contains("immediate");
            open.extend(named(words, catalog));
        }
        if let Some(own) = catalog.routine_writes.get(&name) {
            for write in own {
                open.extend(set_off(&write.table, Events::of(write), catalog));
                if !writes.contains(write) {
                    writes.push(write.clone());
                }
            }
        } else if let Some(words) = catalog.routines.get(&name) {
            let word = |w: &str| words.contains(w);
            let on = Events { insert: word("insert"), update: word("update"), delete: word("delete") };
            let written: Vec<String> = named(words, catalog).collect();
            open.extend(written.iter().flat_map(|table| set_off(table, on, catalog)));
        }
    }
    let planned = ["select", "insert", "update", "delete", "merge"].contains(&read.kind.as_str());
    Usage {
        uses,
        writes,
        roles: roles(&query.binds),
        only_reads: query.only_reads && planned,
        ordered: query.ordered,
        run_only: !planned || query.opaque,
        runs_opaque: opaque,
    }
}

fn write(write: &crate::product::oracle::grammar::facts::Write) -> Write {
    Write {
        table: write.table.clone(),
        columns: write.columns.clone(),
        inserts: write.inserts,
        handles_conflicts: write.handles_conflicts,
    }
}

/// The routine or package of the catalog that a call names.
fn called(call: &str, catalog: &Catalog) -> Option<String> {
    let schema = catalog.search_path.first().map_or("", String::as_str);
    let mut parts = call.split('.');
    let (first, second) = (parts.next()?, parts.next());
    let bare = format!("{schema}.{first}");
    let full = second.map(|second| format!("{first}.{second}"));
    let everybody = format!("PUBLIC.{first}");
    [Some(bare), full, Some(everybody)]
        .into_iter()
        .flatten()
        .map(|name| catalog.synonyms.get(&name).cloned().unwrap_or(name))
        .find(|name| catalog.routines.contains_key(name))
}

/// Synonyms whose names are among the words of the query: what they stand for may be another.
fn synonyms(sql: &str, catalog: &Catalog) -> Vec<String> {
    if catalog.synonyms.is_empty() {
        return Vec::new();
    }
    let words = words::small(sql);
    let named = catalog.synonyms.iter().filter(|(name, _)| words.contains(&bare(name)));
    named.map(|(_, target)| target.clone()).collect()
}

/// Relations, routines and sequences whose names are among the words of a body.
fn named<'c>(words: &'c BTreeSet<String>, catalog: &'c Catalog) -> impl Iterator<Item = String> + 'c {
    let relations = catalog.tables.keys().chain(catalog.views.keys());
    let all = relations.chain(catalog.routines.keys()).chain(&catalog.sequences);
    all.filter(|name| words.contains(&bare(name))).cloned()
}

fn bare(name: &str) -> String {
    relation_name::bare(name).to_lowercase()
}

/// Triggers that something done to a relation sets off.
fn set_off(table: &str, on: Events, catalog: &Catalog) -> Vec<String> {
    let triggers = catalog.triggers.get(table).into_iter().flatten();
    triggers.filter(|(_, when)| when.meet(on)).map(|(name, _)| name.clone()).collect()
}

/// The number of a parameter: `:1`.
pub fn number(bind: &Bind) -> Option<usize> {
    bind.name.strip_prefix(':')?.parse().ok().filter(|n| *n > 0 && *n < 10_000)
}

/// What stands behind the parameters, `:1` first. One that is written several times has the strongest of its roles.
fn roles(binds: &[Bind]) -> Vec<ParameterRole> {
    let mut by_number: BTreeMap<usize, ParameterRole> = BTreeMap::new();
    let strength = |role: &ParameterRole| match role {
        ParameterRole::Free => 0,
        ParameterRole::Count => 1,
        ParameterRole::Column { .. } => 2,
        ParameterRole::Insert { .. } => 3,
    };
    for bind in binds {
        let Some(number) = number(bind) else { continue };
        let role = match (bind.role, bind.table.clone(), bind.column.clone()) {
            (BindRole::Column, Some(table), Some(column)) => ParameterRole::Column { table, column },
            (BindRole::Insert, Some(table), Some(column)) => ParameterRole::Insert { table, column },
            (BindRole::Count, ..) => ParameterRole::Count,
            _ => ParameterRole::Free,
        };
        let known = by_number.entry(number).or_insert(ParameterRole::Free);
        if strength(&role) > strength(known) {
            *known = role;
        }
    }
    let count = by_number.keys().max().copied().unwrap_or(0);
    (1..=count).map(|n| by_number.remove(&n).unwrap_or(ParameterRole::Free)).collect()
}
