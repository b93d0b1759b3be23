//! Who waits for a lock that a changeset holds, as measured on the clone.

use std::collections::BTreeSet;

use crate::model::catalog::Catalog;
use crate::model::change::Events;
use crate::model::evidence::LockWait;
use crate::model::query::{Usage, Write};
use crate::model::session::{Blocks, HeldLock};
use crate::stages::contract_queries::Watched;

/// Queries that are named for one lock.
const NAMED: usize = 3;

/// One for each lock that keeps somebody waiting. `usages`: by the place of the text. `budget_ms`: how long one may wait.
pub fn waits(
    locks: &[HeldLock],
    watched: &[Watched<'_>],
    usages: &[&Usage],
    catalog: &Catalog,
    budget_ms: u64,
) -> Vec<LockWait> {
    let mut all = Vec::new();
    for lock in locks.iter().filter(|l| l.blocks != Blocks::Nobody) {
        let held_up: Vec<bool> = usages.iter().map(|usage| waits_for(lock, usage, catalog)).collect();
        let waiting: Vec<&Watched<'_>> =
            watched.iter().filter(|w| held_up.get(w.text) == Some(&true)).collect();
        if waiting.is_empty() {
            continue;
        }
        let services: BTreeSet<&str> = waiting.iter().map(|w| w.service).collect();
        let name = |w: &&Watched<'_>| format!("{} of {} {}", w.query.name, w.service, w.version);
        all.push(LockWait {
            table: lock.relation.clone(),
            mode: lock.mode.clone(),
            held_ms: lock.held_ms,
            queries: u64::try_from(waiting.len()).unwrap_or(u64::MAX),
            services: u64::try_from(services.len()).unwrap_or(u64::MAX),
            first: waiting.iter().take(NAMED).map(name).collect(),
            over_budget: lock.held_ms > budget_ms,
        });
    }
    all
}

fn waits_for(lock: &HeldLock, usage: &Usage, catalog: &Catalog) -> bool {
    match lock.blocks {
        Blocks::Nobody => false,
        Blocks::Writers => usage.writes.iter().any(|w| reaches(&w.table, &lock.relation, catalog)),
        Blocks::Everybody => {
            usage.uses.contains(&lock.relation)
                || usage.writes.iter().any(|w| {
                    reaches(&w.table, &lock.relation, catalog) || looks_up(w, &lock.relation, catalog)
                })
        }
    }
}

/// Whether it is the table written to or a partition of it.
fn reaches(written: &str, locked: &str, catalog: &Catalog) -> bool {
    let mut at = Some(locked);
    while let Some(table) = at {
        if table == written {
            return true;
        }
        at = catalog.tables.get(table).and_then(|t| t.parent.as_deref());
    }
    false
}

/// Whether the write looks there for what a foreign key asks: what a new row refers to, or who refers to one that goes.
fn looks_up(write: &Write, locked: &str, catalog: &Catalog) -> bool {
    let refers = |from: &str, to: &str| {
        catalog.tables.get(from).is_some_and(|t| t.foreign_keys.iter().any(|(_, parent, _)| parent == to))
    };
    if Events::of(write).delete { refers(locked, &write.table) } else { refers(&write.table, locked) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::contract::{Arity, Query};
    use crate::model::catalog::Table;

    fn lock(relation: &str, blocks: Blocks, held_ms: u64) -> HeldLock {
        HeldLock { relation: relation.to_owned(), mode: "A MODE".to_owned(), blocks, held_ms }
    }

    fn usage(uses: &[&str], writes: Option<(&str, bool)>) -> Usage {
        let write = |(table, inserts): (&str, bool)| Write {
            table: table.to_owned(),
            columns: vec![],
            inserts,
            handles_conflicts: false,
        };
        Usage {
            only_reads: false,
            ordered: false,
            run_only: false,
            runs_opaque: false,
            uses: uses.iter().map(|u| (*u).to_owned()).collect(),
            writes: writes.map(write).into_iter().collect(),
            roles: vec![],
        }
    }

    #[test]
    fn who_waits_for_which_lock() {
        let mut catalog = Catalog::default();
        let key = (vec!["b".to_owned()], "s.parent".to_owned(), vec!["id".to_owned()]);
        let child = Table { foreign_keys: vec![key], ..Table::default() };
        let part = Table { parent: Some("s.big".to_owned()), ..Table::default() };
        for (name, table) in [
            ("s.child", child),
            ("s.parent", Table::default()),
            ("s.big", Table::default()),
            ("s.part", part),
        ] {
            catalog.tables.insert(name.to_owned(), table);
        }
        let reader = usage(&["s.parent"], None);
        let inserts = usage(&["s.parent"], Some(("s.parent", true)));
        let child = usage(&["s.child"], Some(("s.child", true)));
        let deletes = usage(&["s.parent"], Some(("s.parent", false)));
        let to_root = usage(&["s.big", "s.part"], Some(("s.big", true)));
        use Blocks::{Everybody, Nobody, Writers};
        for (name, query, relation, blocks, expected) in [
            ("a reader and a strong lock", &reader, "s.parent", Everybody, true),
            ("a reader and one that only blocks writers", &reader, "s.parent", Writers, false),
            ("a writer and that one", &inserts, "s.parent", Writers, true),
            ("a writer and one that blocks nobody", &inserts, "s.parent", Nobody, false),
            ("another table", &reader, "s.child", Everybody, false),
            ("a new row looks for its parent", &child, "s.parent", Everybody, true),
            ("and may while others cannot write there", &child, "s.parent", Writers, false),
            ("a row that goes is looked for by its children", &deletes, "s.child", Everybody, true),
            ("a new row of the parent is not", &inserts, "s.child", Everybody, false),
            ("a partition of what is written", &to_root, "s.part", Writers, true),
        ] {
            assert_eq!(waits_for(&lock(relation, blocks, 1), query, &catalog), expected, "{name}");
        }
    }

    #[test]
    fn one_line_for_each_lock() {
        let query = |name: &str| Query {
            name: name.to_owned(),
            arity: Arity::Many,
            sql: String::new(),
            file: "q.sql".into(),
            line: 1,
            ack: None,
        };
        let queries = ["A", "B", "C", "D"].map(query);
        let watched: Vec<Watched<'_>> = queries
            .iter()
            .zip(["till", "till", "web", "web"])
            .map(|(query, service)| Watched { service, version: "1", query, role: None, text: 0 })
            .collect();
        let usage = usage(&["s.t"], None);
        let locks = [
            lock("s.t", Blocks::Everybody, 300),
            lock("s.t", Blocks::Writers, 900),
            lock("s.other", Blocks::Everybody, 900),
        ];
        let found = waits(&locks, &watched, &[&usage], &Catalog::default(), 300);
        let expected = LockWait {
            table: "s.t".to_owned(),
            mode: "A MODE".to_owned(),
            held_ms: 300,
            queries: 4,
            services: 2,
            first: ["A of till 1", "B of till 1", "C of web 1"].map(str::to_owned).to_vec(),
            over_budget: false,
        };
        assert_eq!(found, [expected]);
        assert!(waits(&locks, &watched, &[&usage], &Catalog::default(), 299).first().unwrap().over_budget);
    }
}
