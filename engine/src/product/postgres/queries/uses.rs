//! Everything that running a query comes to use: what it names, what lies behind, what is called on the way.

use std::collections::BTreeSet;

use pg_query::NodeEnum;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Events;
use crate::model::query::{ParameterRole, Usage, Write};
use crate::model::relation_name;
use crate::product::postgres::diff::names::{RUNS_STRINGS, draws_by_name, words_and_calls, words_in_strings};
use crate::product::postgres::grammar::relations::{self, expand};
use crate::product::postgres::grammar::sql::{self, highest_parameter};
use crate::product::postgres::queries::read_only::leaves_no_trace;
use crate::product::postgres::queries::{parameters, writes};

/// Relations and routines, as `schema.name`. What a body names is told by its words, those in strings that it runs among them. They may
/// be one too many and never one too few, unless a name is put together from parts. A text that the grammar does not take is told by
/// its words as a body is: the server decides whether it is a query.
///
/// # Errors
/// None; other products have some.
pub fn usage(text: &str, catalog: &Catalog) -> Result<Usage> {
    let Ok(trees) = sql::trees(text) else { return Ok(unread(text, catalog)) };
    let writes = catalog.followed(writes::of_trees(&trees, catalog));
    let roles = parameters::of_trees(&trees, text, catalog);
    let named = relations::of_trees(&trees, catalog);
    let Used { uses, made_of_strings, runs_opaque } = uses(text, named, &writes, catalog);
    let run_only = made_of_strings || !trees.iter().all(is_planned);
    let only_reads = writes.is_empty() && leaves_no_trace(text);
    let ordered = text.to_lowercase().contains("order by");
    Ok(Usage { uses, writes, roles, only_reads, ordered, run_only, runs_opaque })
}

/// What the words of a text say, where nothing else says more.
fn unread(text: &str, catalog: &Catalog) -> Usage {
    let words = words_in_strings(text).into_iter().collect();
    let Used { uses, runs_opaque, .. } = uses(text, relations_named(&words, catalog), &[], catalog);
    let roles = vec![ParameterRole::Free; highest_parameter(text)];
    Usage { uses, roles, only_reads: leaves_no_trace(text), run_only: true, runs_opaque, ..Usage::default() }
}

fn is_planned(tree: &NodeEnum) -> bool {
    use NodeEnum::{CopyStmt, DeleteStmt, InsertStmt, MergeStmt, SelectStmt, UpdateStmt};
    matches!(tree, SelectStmt(_) | InsertStmt(_) | UpdateStmt(_) | DeleteStmt(_) | MergeStmt(_) | CopyStmt(_))
}

#[derive(Default)]
struct Used {
    uses: BTreeSet<String>,
    made_of_strings: bool,
    runs_opaque: bool,
}

/// Relations whose name is among the words, with what lies behind them.
pub(in crate::product::postgres) fn relations_named(
    words: &BTreeSet<String>,
    catalog: &Catalog,
) -> BTreeSet<String> {
    let relations = catalog.tables.keys().chain(catalog.views.keys()).filter(|r| words.contains(&bare(r)));
    expand(catalog, relations.cloned())
}

fn uses(text: &str, named: BTreeSet<String>, writes: &[Write], catalog: &Catalog) -> Used {
    let mut found = Used::default();
    let mut open: Vec<String> = named.into_iter().collect();
    let words: BTreeSet<String> = words_and_calls(text).collect();
    let defaults = words.contains("default");
    open.extend(called(&words, catalog));
    let draws = draws_by_name(&words);
    if draws || !catalog.text_search.is_empty() {
        let words = words_in_strings(text).into_iter().collect();
        open.extend(sequences_named(&words, catalog).filter(|_| draws));
        open.extend(catalog.text_search.iter().filter(|name| words.contains(&bare(name))).cloned());
    }
    let operators = catalog.operators.iter().filter(|(sign, _)| text.contains(sign.as_str()));
    open.extend(operators.flat_map(|(_, routines)| routines.iter().cloned()));
    for write in writes {
        let on = Events::of(write);
        let drawn = catalog.draws.get(&write.table).into_iter().flatten().filter(|_| write.inserts);
        // Who gives a column its value may write that it is the default.
        let left_out = |column: &String| !write.columns.contains(column) || defaults;
        open.extend(drawn.filter(|(column, _)| left_out(column)).map(|(_, sequence)| sequence.clone()));
        for table in expand(catalog, [write.table.clone()]) {
            open.extend(set_off(&table, on, catalog));
            open.extend(catalog.expressions.get(&table).into_iter().flatten().cloned());
            open.push(table);
        }
    }
    while let Some(name) = open.pop() {
        if !found.uses.insert(name.clone()) {
            continue;
        }
        open.extend(catalog.policies.get(&name).into_iter().flatten().cloned());
        if let Some(words) = catalog.routines.get(&name) {
            open.extend(called(words, catalog));
            open.extend(sequences_named(words, catalog).filter(|_| draws_by_name(words)));
            let relations = relations_named(words, catalog);
            if words.contains(RUNS_STRINGS) {
                found.made_of_strings = true;
                found.runs_opaque |= relations.is_empty();
            }
            let word = |w: &str| words.contains(w);
            // To which of them it does so is not looked at.
            let on = Events { insert: word("insert"), update: word("update"), delete: word("delete") };
            for relation in relations {
                let drawn = catalog.draws.get(&relation).into_iter().flatten().filter(|_| on.insert);
                open.extend(drawn.map(|(_, sequence)| sequence.clone()));
                open.extend(set_off(&relation, on, catalog));
                open.push(relation);
            }
        }
    }
    found
}

/// Routines of triggers that something done to a table sets off, and what its rules come to.
fn set_off<'c>(table: &str, on: Events, catalog: &'c Catalog) -> impl Iterator<Item = String> + 'c {
    let triggers = catalog.triggers.get(table).into_iter().flatten();
    let rules = catalog.rules.get(table).into_iter().flatten();
    triggers.chain(rules).filter(move |(_, when)| when.meet(on)).map(|(routine, _)| routine.clone())
}

fn called<'c>(words: &'c BTreeSet<String>, catalog: &'c Catalog) -> impl Iterator<Item = String> + 'c {
    catalog.routines.keys().filter(|r| words.contains(&format!("{}(", bare(r)))).cloned()
}

/// Sequences whose name is among the words.
fn sequences_named<'c>(
    words: &'c BTreeSet<String>,
    catalog: &'c Catalog,
) -> impl Iterator<Item = String> + 'c {
    catalog.sequences.iter().filter(|sequence| words.contains(&bare(sequence))).cloned()
}

fn bare(name: &str) -> String {
    relation_name::bare(name).to_lowercase()
}
