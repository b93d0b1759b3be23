//! Indexes: made, rebuilt, hidden, dropped.
//!
//! Sources: SQL Language Reference, "CREATE INDEX", "ALTER INDEX", "DROP INDEX", "List of Nonblocking DDLs".

use super::around::Around;
use super::builder::Builder;
use super::{phase, rules};
use crate::model::schema_action::SchemaAction as A;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    for action in &read.actions {
        match action {
            A::CreateIndex { table, index, unique } if read.kind == "create_index" => {
                created(around, builder, table, index.as_deref(), *unique);
            }
            A::DropIndex { index, table } => {
                let table = table.as_ref().or_else(|| around.catalog.indexes.get(index));
                dropped(around, builder, table.unwrap_or(index));
            }
            A::DropConstraint { table, name }
                if !read.facts.keep_index && phase::is_key(around, table, name) =>
            {
                builder.hurt(around, &rules::KEY_INDEX, table, name);
            }
            _ => {}
        }
    }
    if read.kind == "alter_index" {
        altered(around, builder);
    }
}

fn created(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, index: Option<&str>, unique: bool) {
    let facts = &builder.read.facts;
    let columns = facts.index_columns.join(", ");
    if facts.unusable {
        // Nothing is built until somebody asks for it.
    } else if facts.online {
        builder.waits(true);
        builder.builds_index = index.map(str::to_owned);
        builder.hurt(around, &rules::INDEX_ONLINE, table, "");
    } else {
        builder.hurt(around, &rules::INDEX_OFFLINE, table, "");
    }
    if unique && !around.is_fresh(table) {
        builder.remark(around, &rules::DUPLICATES, table, &columns);
    }
    if around.is_indexed(table, &facts.index_columns) && !facts.bitmap && !facts.local && !facts.global {
        builder.remark(around, &rules::ALREADY_INDEXED, table, &columns);
    }
    if facts.bitmap {
        builder.remark(around, &rules::BITMAP, table, "");
    }
    if let Some(expression) = facts.index_columns.iter().find(|column| column.contains('(')) {
        builder.remark(
            around,
            &rules::FUNCTION_INDEX,
            table,
            &expression.replace("( ", "(").replace(" )", ")"),
        );
    }
}

fn dropped(around: &Around<'_>, builder: &mut Builder<'_>, table: &str) {
    if builder.read.facts.online {
        builder.waits(true);
        builder.hurt(around, &rules::DROP_INDEX_ONLINE, table, "");
    } else {
        builder.hurt(around, &rules::DROP_INDEX, table, "");
    }
}

fn altered(around: &Around<'_>, builder: &mut Builder<'_>) {
    let facts = &builder.read.facts;
    let Some(index) = facts.index.as_deref() else { return };
    let table = around.catalog.indexes.get(index).map_or(index, String::as_str);
    if facts.rebuild {
        builder.waits(facts.online);
        let rule = if facts.online { &rules::REBUILD_ONLINE } else { &rules::REBUILD_OFFLINE };
        builder.hurt(around, rule, table, index);
    } else if facts.unusable {
        builder.waits(facts.online);
        builder.hurt(around, &rules::INDEX_UNUSABLE, table, index);
    } else if facts.invisible {
        builder.waits(true);
        builder.hurt(around, &rules::INDEX_HIDDEN, table, index);
    } else if facts.visible {
        builder.waits(true);
    }
}
