//! The indexes that statements are about to make, so that a foreign key is not told off for one that comes with it or in
//! another pending changeset: an index that is built concurrently needs a changeset of its own.

use std::collections::BTreeMap;

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableStmt, ConstrType, Constraint, CreateStmt, Node};

use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::grammar::sql::Parsed;
use crate::product::postgres::hazards::create;

/// Table -> the columns of each index, in order.
pub type Indexes = BTreeMap<String, Vec<Vec<String>>>;

pub fn indexes(parsed: &[Parsed], names: &Names) -> Indexes {
    let mut found = Indexes::new();
    for tree in parsed.iter().filter_map(|p| p.tree.as_ref()) {
        match tree {
            NodeEnum::IndexStmt(index) if index.where_clause.is_none() => {
                if let Some(range) = &index.relation {
                    found.entry(names.range(range)).or_default().push(create::index_columns(index));
                }
            }
            NodeEnum::CreateStmt(table) => {
                if let Some(range) = &table.relation {
                    found.entry(names.new_range(range)).or_default().extend(keys(table));
                }
            }
            NodeEnum::AlterTableStmt(alter) => {
                if let Some(range) = &alter.relation {
                    found.entry(names.range(range)).or_default().extend(added(alter));
                }
            }
            _ => {}
        }
    }
    found
}

fn keys(table: &CreateStmt) -> Vec<Vec<String>> {
    table.table_elts.iter().chain(&table.constraints).filter_map(|n| n.node.as_ref()).flat_map(key).collect()
}

fn added(alter: &AlterTableStmt) -> Vec<Vec<String>> {
    let commands = alter.cmds.iter().filter_map(|n| match n.node.as_ref() {
        Some(NodeEnum::AlterTableCmd(c)) => c.def.as_deref()?.node.as_ref(),
        _ => None,
    });
    commands.flat_map(key).collect()
}

/// The keys that a column or constraint brings an index for.
fn key(element: &NodeEnum) -> Vec<Vec<String>> {
    let indexed =
        |c: &Constraint| matches!(c.contype(), ConstrType::ConstrPrimary | ConstrType::ConstrUnique);
    match element {
        NodeEnum::Constraint(c) if indexed(c) => vec![sql::texts(&c.keys)],
        NodeEnum::ColumnDef(column) => {
            let is = |n: &Node| create::as_constraint(n).is_some_and(indexed);
            if column.constraints.iter().any(is) { vec![vec![column.colname.clone()]] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::product::postgres::hazards::analyse::analyse;
    use crate::product::postgres::hazards::analyse::tests::catalog;

    fn missing(script: &str, pending_indexes: &[&str]) -> bool {
        let mut catalog = catalog();
        let texts: Vec<String> = pending_indexes.iter().map(|s| (*s).to_string()).collect();
        catalog.pending_indexes =
            crate::product::postgres::hazards::analyse::pending_indexes(&texts, &catalog);
        let all = analyse(&[script.to_string()], &catalog).unwrap();
        all.iter().flat_map(|s| &s.hazards).any(|h| h.name == "index-missing")
    }

    #[test]
    fn a_foreign_key_wants_an_index_from_anywhere() {
        let key = "ALTER TABLE big ADD FOREIGN KEY (qty) REFERENCES small (id) NOT VALID";
        assert!(missing(key, &[]));
        assert!(!missing(key, &["CREATE INDEX CONCURRENTLY ON big (qty, note)"]));
        assert!(missing(key, &["CREATE INDEX CONCURRENTLY ON big (note, qty)"]));
        assert!(missing(key, &["CREATE INDEX ON big (qty) WHERE done"]));
        assert!(missing(key, &["CREATE INDEX ON mid (qty)"]));
        assert!(!missing(&format!("{key}; CREATE INDEX ON app.big (qty)"), &[]));
        // The catalog has one for this column.
        assert!(!missing("ALTER TABLE big ADD FOREIGN KEY (carrier_id) REFERENCES small (id)", &[]));
        let two = "ALTER TABLE big ADD FOREIGN KEY (qty, note) REFERENCES small (id, name)";
        assert!(!missing(two, &["CREATE INDEX ON big (note, qty, id)"]));
        assert!(missing(two, &["CREATE INDEX ON big (note, id, qty)"]));
        assert!(missing("CREATE TABLE y (a bigint REFERENCES small, b int)", &[]));
        assert!(!missing("CREATE TABLE y (a bigint REFERENCES small, b int, UNIQUE (a, b))", &[]));
        assert!(!missing("CREATE TABLE y (a bigint PRIMARY KEY REFERENCES small)", &[]));
        assert!(!missing("CREATE TEMP TABLE y (a bigint REFERENCES small)", &[]));
    }
}
