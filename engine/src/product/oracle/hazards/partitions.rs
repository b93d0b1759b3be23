//! Maintenance of partitions, and what becomes of indexes by it.
//!
//! Sources: VLDB and Partitioning Guide, "Maintenance Operations for Partitioned Tables and Indexes"; SQL Language Reference, "ALTER TABLE"
//! (alter_table_partitioning), "List of Nonblocking DDLs": MOVE PARTITION ONLINE is of 12.1, SPLIT of 12.2, MERGE and MODIFY PARTITION BY of
//! 18c, so that all versions that are supported have them.

use super::around::Around;
use super::builder::Builder;
use super::rules;
use crate::product::oracle::grammar::facts::Partition;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let Some(partition) = read.facts.partition.as_ref().filter(|_| read.kind == "alter_table") else {
        return;
    };
    let Some(table) = super::analyse::table(read) else { return };
    let online = read.facts.online;
    builder.waits(online);
    match partition.kind.as_str() {
        "drop" | "truncate" => {
            builder.hurt(around, &rules::PARTITION_LOSS, &table, &which(partition));
            unusable(around, builder, &table, partition);
            if read.facts.cascade {
                builder.warn(around, &rules::CASCADE, &format!("rows of {}", which(partition)));
            }
        }
        "move" | "split" | "merge" | "coalesce" | "repartition" => {
            let what = match partition.kind.as_str() {
                "repartition" => "MODIFY PARTITION BY".to_owned(),
                kind => format!("{} PARTITION", kind.to_uppercase()),
            };
            let rule = if online { &rules::PARTITION_ONLINE } else { &rules::PARTITION_REWRITE };
            builder.hurt(around, rule, &table, &what);
            if partition.kind == "repartition" {
                builder.rewrites(around, &table);
            } else if !online {
                unusable(around, builder, &table, partition);
            }
        }
        "exchange" => exchange(around, builder, &table, partition),
        _ => {}
    }
}

fn exchange(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, partition: &Partition) {
    let which = which(partition);
    builder.hurt(around, &rules::EXCHANGE, table, &which);
    unusable(around, builder, table, partition);
    let Some(with) = &partition.with else { return };
    builder.touch(with.clone());
    if partition.validates {
        builder.hurt(around, &rules::EXCHANGE_SCAN, with, &format!("{which} of {table}"));
    } else {
        builder.remark(around, &rules::EXCHANGE_UNCHECKED, with, &format!("{which} of {table}"));
    }
}

/// Global indexes go bad unless they are kept up; local ones do where rows get another place.
fn unusable(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, partition: &Partition) {
    if partition.updates_indexes {
        return;
    }
    let emptied = matches!(partition.kind.as_str(), "drop" | "truncate");
    let with_local = partition.kind == "exchange" && partition.including_indexes;
    let spared = around.table(table).is_some_and(|known| {
        let none = known.indexed.is_empty();
        none || (emptied || with_local) && !known.storage.global_index
    });
    if !spared {
        let what = format!("{} PARTITION", partition.kind.to_uppercase());
        builder.hurt(around, &rules::PARTITION_INDEXES, table, &what);
    }
}

fn which(partition: &Partition) -> String {
    let kind = if partition.subpartition { "subpartition" } else { "partition" };
    match partition.names.as_slice() {
        [] => format!("a {kind}"),
        [one] => format!("{kind} {one}"),
        many => format!("{kind}s {}", many.join(", ")),
    }
}
