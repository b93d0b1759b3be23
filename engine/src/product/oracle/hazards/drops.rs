//! Tables that go or are emptied, and what comes back from where they went.
//!
//! Sources: SQL Language Reference, "DROP TABLE", "TRUNCATE TABLE", "FLASHBACK TABLE", "PURGE", "DROP USER", "DROP TYPE".

use super::around::Around;
use super::builder::Builder;
use super::{code, columns, phase, rules};
use crate::model::schema_action::{ObjectKind, SchemaAction as A};
use crate::product::oracle::grammar::facts::Facts;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    for action in &read.actions {
        match action {
            A::DropTable { table } => {
                let rule = if facts.purge { &rules::DROP_TABLE_PURGE } else { &rules::DROP_TABLE };
                builder.hurt(around, rule, table, "");
                columns::dependents(around, builder, table);
                if facts.cascade_constraints {
                    builder.warn(around, &rules::CASCADE, table);
                } else {
                    referenced(around, builder, table, "ORA-02449");
                }
            }
            A::TruncateTable { table } => {
                builder.hurt(around, &rules::TRUNCATE, table, "");
                if facts.cascade {
                    builder.warn(around, &rules::CASCADE, &format!("rows of {table}"));
                } else {
                    referenced(around, builder, table, "ORA-02266");
                }
            }
            A::DropConstraint { table, name } if phase::is_key(around, table, name) && !facts.cascade => {
                referenced(around, builder, table, "ORA-02273");
            }
            A::MoveRows { table, .. } if writes_back(facts) => {
                builder.hurt(around, &rules::FLASHBACK, table, "");
            }
            A::DropObject { kind: ObjectKind::Schema, name } if facts.cascade => {
                builder.warn(around, &rules::DROP_USER, name);
            }
            A::DropObject { kind, name } => {
                if *kind == ObjectKind::Type && facts.force {
                    builder.warn(around, &rules::CASCADE, name);
                }
                if !matches!(kind, ObjectKind::Schema | ObjectKind::Role | ObjectKind::Trigger) {
                    code::dependents(around, builder, name);
                }
            }
            _ => {}
        }
    }
    if read.kind == "purge" {
        let what = read.relations.first().map_or("what was dropped", String::as_str);
        builder.warn(around, &rules::PURGE, what);
    }
}

/// Foreign keys that an earlier changeset has not dropped keep a table from going.
fn referenced(around: &Around<'_>, builder: &mut Builder<'_>, table: &str, code: &str) {
    for child in around.referring(table) {
        builder.hurt(around, &rules::REFERENCED, child, code);
    }
}

/// Rows of a table become what they were, over what was written since.
pub fn writes_back(facts: &Facts) -> bool {
    facts.flashback.as_deref().is_some_and(|to| to != "before_drop")
}
