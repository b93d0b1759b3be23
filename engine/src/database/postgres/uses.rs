//! Everything that running a query comes to use: what it names, what lies behind, what is called on the way.

use std::collections::BTreeSet;

use super::changes::names::words_and_calls;
use super::relations::{expand, relations};
use super::writes::writes;
use crate::database::{Catalog, Events};
use crate::error::Result;

/// Relations and routines, as `schema.name`. What a body names is told by its words, which may be one too many and never one
/// too few, unless it puts names together from strings.
///
/// # Errors
/// `Input` when the grammar does not take the query.
pub fn uses(text: &str, catalog: &Catalog) -> Result<BTreeSet<String>> {
    let named: BTreeSet<String> = words_and_calls(text).collect();
    let mut open: Vec<String> = relations(text, catalog)?;
    open.extend(called(&named, catalog));
    for write in writes(text, catalog)? {
        let on = Events::of(&write);
        for table in expand(catalog, [write.table]) {
            open.extend(set_off(&table, on, catalog));
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
    Ok(all)
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
