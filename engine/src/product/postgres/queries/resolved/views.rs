//! What a view shows, by the rule that the server keeps of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::product::postgres::queries::node_tree::Tree;
use crate::product::postgres::queries::resolved::{is_relation, visit};

/// What a view shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Relations that its query names.
    pub relations: BTreeSet<u32>,
    /// The one relation whose rows it passes on, each once and all of them.
    pub passes_on: Option<u32>,
    /// Its columns that are columns of that relation: number -> number there.
    pub columns: BTreeMap<i32, i32>,
}

impl View {
    /// `rule`: the list of queries that the server keeps; `own`: the view's number, which stands in its rule for old and new rows.
    pub fn read(rule: &str, own: u32) -> Option<Self> {
        let tree = Tree::read(rule)?;
        let [query] = tree.items() else { return None };
        let mut view = Self::default();
        visit(query, &mut |node| {
            if node.tag() == "RANGETBLENTRY" && is_relation(node) {
                view.relations.insert(node.number("relid"));
            }
        });
        view.relations.remove(&own);
        if let Some((place, relation)) = passed_on(query) {
            view.passes_on = Some(relation);
            for target in query.field("targetList").items().iter().filter(|t| !t.is("resjunk")) {
                let from = target.field("expr");
                if from.tag() == "VAR"
                    && from.number::<usize>("varno") == place
                    && from.number::<u32>("varlevelsup") == 0
                {
                    view.columns.insert(target.number("resno"), from.number("varattno"));
                }
            }
        }
        Some(view)
    }
}

/// The place and number of the one relation that a query gives every row of.
fn passed_on(query: &Tree) -> Option<(usize, u32)> {
    let without = [
        "cteList",
        "groupClause",
        "groupingSets",
        "havingQual",
        "distinctClause",
        "limitCount",
        "limitOffset",
        "setOperations",
        "rowMarks",
    ];
    let simple = without.iter().all(|field| query.lacks(field))
        && ["hasAggs", "hasWindowFuncs", "hasTargetSRFs"].iter().all(|field| !query.is(field));
    let from = query.field("jointree");
    let [only] = from.field("fromlist").items() else { return None };
    if !simple || !from.lacks("quals") || only.tag() != "RANGETBLREF" {
        return None;
    }
    let place: usize = only.number("rtindex");
    let entry = query.field("rtable").items().get(place.checked_sub(1)?)?;
    // Not ONLY, and no sample of it.
    let whole = is_relation(entry) && entry.is("inh") && entry.lacks("tablesample");
    whole.then(|| (place, entry.number("relid")))
}
