//! When a query counts as slow, by its plan before and after, and whose doing it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::ShadowSettings;
use crate::model::catalog::Catalog;
use crate::model::changeset::ChangesetId;
use crate::model::evidence::VerdictKind;
use crate::model::query::PlanShape;
use crate::report::text::count;

/// What one query's plan has become.
#[derive(Debug, Clone, PartialEq)]
pub struct Slower {
    pub kind: VerdictKind,
    /// What it reads whole now and did not before, and its rows where they are known.
    pub table: Option<(String, Option<u64>)>,
    pub before: f64,
    pub after: f64,
}

impl Slower {
    pub fn reason(&self, until: Option<&ChangesetId>) -> String {
        let (before, after) = (cost(self.before), cost(self.after));
        let until = until.map(|c| format!(", until {} has run", c.id)).unwrap_or_default();
        match &self.table {
            Some((table, rows)) => {
                let rows = rows.map(|rows| format!(" ({} rows)", count(rows))).unwrap_or_default();
                format!("it reads all of {table} now{rows}, cost {before} -> {after}{until}")
            }
            None => format!("its plan has cost {before} -> {after}{until}"),
        }
    }
}

fn cost(cost: f64) -> String {
    if cost < 10.0 { format!("{cost:.1}") } else { count(cost.round() as u64) }
}

/// Holds a plan against the one before; `None` when it is about as good. `uses`: what the query comes to use.
pub fn slower(
    before: &PlanShape,
    after: &PlanShape,
    uses: &BTreeSet<String>,
    catalog: &Catalog,
    limits: &ShadowSettings,
) -> Option<Slower> {
    // Below one unit a difference does not matter.
    let times = after.cost.max(1.0) / before.cost.max(1.0);
    let rows = |table: &str| catalog.tables.get(table).map(|t| t.rows);
    // Of a materialised view the size is not known: that is told, and refuses nothing.
    let mut whole: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    for table in after.whole.difference(&before.whole) {
        let root = root(table, catalog);
        if !before.whole.contains(root) {
            let sum = whole.entry(root).or_default();
            *sum = rows(table).map(|rows| rows + sum.unwrap_or(0));
        }
    }
    let large = |rows: Option<u64>| rows.is_none_or(|rows| rows >= limits.slow_rows);
    let table = whole.into_iter().max_by_key(|(_, rows)| *rows).filter(|(_, rows)| large(*rows));
    let kind = match table {
        Some((_, Some(rows))) if times >= limits.refuse_times && rows >= limits.refuse_rows => {
            VerdictKind::Breaking
        }
        Some(_) if times >= limits.slow_times => VerdictKind::Risky,
        _ if times >= limits.refuse_times && uses.iter().any(|t| rows(t) >= Some(limits.slow_rows)) => {
            VerdictKind::Risky
        }
        _ => return None,
    };
    let table = table.map(|(table, rows)| (table.to_owned(), rows));
    Some(Slower { kind, table, before: before.cost, after: after.cost })
}

/// The table that this is a partition of, or else itself.
fn root<'a>(table: &'a str, catalog: &'a Catalog) -> &'a str {
    let mut at = table;
    while let Some(parent) = catalog.tables.get(at).and_then(|t| t.parent.as_deref()) {
        at = parent;
    }
    at
}

/// A query that is slower from a changeset on.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub changeset: ChangesetId,
    pub slower: Slower,
    /// The changeset after which it is not any more.
    pub until: Option<ChangesetId>,
}

/// What became of one query so far.
#[derive(Debug, Default)]
pub struct Story {
    over: Vec<Found>,
    open: Option<Found>,
}

impl Story {
    pub fn goes_on(&mut self, changeset: &ChangesetId, slower: Option<Slower>) {
        let found = |slower| Found { changeset: changeset.clone(), slower, until: None };
        self.open = match (self.open.take(), slower) {
            (Some(open), None) => {
                self.over.push(Found { until: Some(changeset.clone()), ..open });
                None
            }
            // Who makes it worse is to blame; what is so in the end counts.
            (Some(open), Some(slower)) if slower.kind <= open.slower.kind => Some(Found { slower, ..open }),
            (_, slower) => slower.map(found),
        };
    }

    /// Rows came or went, and the query has more to do: told, and what is to come is held against how it is now.
    pub fn has_more_to_do(&mut self, changeset: &ChangesetId, slower: Slower) {
        let slower = Slower { kind: VerdictKind::Risky, ..slower };
        self.over.push(Found { changeset: changeset.clone(), slower, until: None });
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn all(&self) -> impl Iterator<Item = &Found> {
        self.over.iter().chain(&self.open)
    }
}

#[cfg(test)]
mod tests;
