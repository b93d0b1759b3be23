//! How tables and indexes are stored, logged and worked on in parallel.
//!
//! Sources: SQL Language Reference, "ALTER TABLE" (move_table_clause, shrink_clause, row_movement_clause, supplemental_table_logging),
//! "parallel_clause", "logging_clause"; Database Administrator's Guide, "Managing Tables".

use super::around::Around;
use super::builder::Builder;
use super::rules;
use crate::model::schema_action::SchemaAction as A;
use crate::product::oracle::grammar::Read;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    if matches!(read.kind.as_str(), "create_index" | "alter_index" | "create_table" | "alter_table") {
        lasting(around, builder);
    }
    let Some(table) = super::analyse::table(read).filter(|_| read.kind == "alter_table") else { return };
    if facts.moves {
        builder.waits(facts.online);
        builder.hurt(around, if facts.online { &rules::MOVE_ONLINE } else { &rules::MOVE }, &table, "");
        builder.rewrites(around, &table);
        let indexed = around.table(&table).is_none_or(|known| !known.indexed.is_empty());
        if !facts.updates_indexes && indexed {
            builder.hurt(around, &rules::MOVE_INDEXES, &table, "");
        }
    }
    refused(around, builder, &table);
    if facts.shrink {
        builder.waits(facts.compact);
        builder.hurt(around, &rules::SHRINK, &table, "");
    }
    if facts.row_movement == Some(true) {
        builder.hurt(around, &rules::ROW_MOVEMENT, &table, "");
    }
    let words: Vec<String> = builder.sql.split_whitespace().map(str::to_uppercase).collect();
    if facts.supplemental_logging && !words.iter().any(|word| word == "DROP") {
        builder.hurt(around, &rules::SUPPLEMENTAL, &table, "");
    }
    if facts.read_only == Some(true) {
        builder.hurt(around, &rules::WRITES_REFUSED, &table, "it becomes READ ONLY");
    }
}

/// ONLINE forms that tables of some kinds do not take: ORA-14416 for index-organized and temporary ones, ORA-14808 for a MOVE of a
/// partitioned one.
fn refused(around: &Around<'_>, builder: &mut Builder<'_>, table: &str) {
    let facts = &builder.read.facts;
    let Some(known) = around.table(table).filter(|_| facts.online) else { return };
    let drops = builder.read.actions.iter().any(|action| matches!(action, A::DropConstraint { .. }));
    let kind = match known.storage {
        storage if storage.index_organized => "an index-organized",
        storage if storage.temporary => "a temporary",
        _ => "",
    };
    if (facts.set_unused || drops) && !kind.is_empty() {
        builder.hurt(
            around,
            &rules::ONLINE_REFUSED,
            table,
            &format!("ORA-14416, because it is {kind} table"),
        );
    }
    if facts.moves && known.partitioned {
        builder.hurt(around, &rules::ONLINE_REFUSED, table, "ORA-14808, because it is partitioned");
    }
}

/// What stays with an object.
fn lasting(around: &Around<'_>, builder: &mut Builder<'_>) {
    let Some(object) = object(builder.read) else { return };
    let facts = &builder.read.facts;
    // Of a move or a partition, the clause is about that one act.
    let once = facts.moves || facts.partition.is_some();
    if !once && facts.parallel.as_deref().is_some_and(|degree| degree != "1") {
        builder.warn(around, &rules::PARALLEL, &object);
    }
    if facts.nologging && !facts.temporary {
        builder.warn(around, &rules::UNLOGGED, &object);
    }
}

/// The index or table that a statement makes or changes.
pub fn object(read: &Read) -> Option<String> {
    let made = read.actions.iter().find_map(|action| match action {
        A::CreateIndex { index, .. } if read.kind == "create_index" => index.clone(),
        _ => None,
    });
    made.or_else(|| read.facts.index.clone()).or_else(|| super::analyse::table(read))
}
