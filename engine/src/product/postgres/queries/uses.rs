//! Everything that running a query comes to use: what it names, what lies behind, what is called on the way.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Events;
use crate::model::query::{Usage, Write};
use crate::product::postgres::diff::names::words_and_calls;
use crate::product::postgres::grammar::relations::{self, expand};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::queries::read_only::leaves_no_trace;
use crate::product::postgres::queries::{parameters, writes};

/// Relations and routines, as `schema.name`. What a body names is told by its words, which may be one too many and never one
/// too few, unless it puts names together from strings.
///
/// # Errors
/// `Input` when the grammar does not take the query.
pub fn usage(text: &str, catalog: &Catalog) -> Result<Usage> {
    let trees = sql::trees(text)?;
    let writes = followed(writes::of_trees(&trees, catalog), catalog);
    let roles = parameters::of_trees(&trees, text, catalog);
    let uses = uses(text, relations::of_trees(&trees, catalog), &writes, catalog);
    let only_reads = writes.is_empty() && leaves_no_trace(text);
    let ordered = text.to_lowercase().contains("order by");
    Ok(Usage { uses, writes, roles, only_reads, ordered })
}

fn uses(text: &str, named: BTreeSet<String>, writes: &[Write], catalog: &Catalog) -> BTreeSet<String> {
    let mut open: Vec<String> = named.into_iter().collect();
    open.extend(called(&words_and_calls(text).collect(), catalog));
    for write in writes {
        let on = Events::of(write);
        for table in expand(catalog, [write.table.clone()]) {
            open.extend(set_off(&table, on, catalog));
            open.push(table);
        }
    }
    let mut all = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !all.insert(name.clone()) {
            continue;
        }
        if let Some(words) = catalog.routines.get(&name) {
            open.extend(called(words, catalog));
            let relations =
                catalog.tables.keys().chain(catalog.views.keys()).filter(|r| words.contains(&bare(r)));
            let word = |w: &str| words.contains(w);
            // To which of them it does so is not looked at.
            let on = Events { insert: word("insert"), update: word("update"), delete: word("delete") };
            for relation in expand(catalog, relations.cloned()) {
                open.extend(set_off(&relation, on, catalog));
                open.push(relation);
            }
        }
    }
    all
}

/// What is deleted takes rows of other tables with it, or sets them free.
fn followed(mut writes: Vec<Write>, catalog: &Catalog) -> Vec<Write> {
    let mut at = 0;
    while let Some(write) = writes.get(at) {
        at += 1;
        if !Events::of(write).delete {
            continue;
        }
        let children = catalog.follow.get(&write.table).into_iter().flatten();
        let children = children.map(|(table, columns)| Write {
            table: table.clone(),
            columns: columns.clone(),
            inserts: false,
            handles_conflicts: false,
        });
        let new: Vec<Write> = children.filter(|child| !writes.contains(child)).collect();
        writes.extend(new);
    }
    writes
}

/// Routines of triggers that something done to a table sets off.
fn set_off<'c>(table: &str, on: Events, catalog: &'c Catalog) -> impl Iterator<Item = String> + 'c {
    let triggers = catalog.triggers.get(table).into_iter().flatten();
    triggers.filter(move |(_, when)| when.meet(on)).map(|(routine, _)| routine.clone())
}

fn called<'c>(words: &'c BTreeSet<String>, catalog: &'c Catalog) -> impl Iterator<Item = String> + 'c {
    catalog.routines.keys().filter(|r| words.contains(&format!("{}(", bare(r)))).cloned()
}

fn bare(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_lowercase()
}
