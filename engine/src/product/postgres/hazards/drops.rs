//! Statements that take objects or all rows away.

use pg_query::NodeEnum;
use pg_query::protobuf::{DropBehavior, DropStmt, ObjectType, TruncateStmt};

use crate::model::changeset::Phase;
use crate::model::schema_action::{ObjectKind, SchemaAction};
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql::{self, Parsed};
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};

pub fn objects(drop: &DropStmt, names: &Names, s: &mut StatementBuilder, rest: &[Parsed]) {
    let kind = drop.remove_type();
    for object in &drop.objects {
        let parts = sql::object_name(object);
        if let Some((kind, name)) = object_kind(kind).zip(dropped(kind, &parts, names)) {
            s.act(SchemaAction::DropObject { kind, name });
        }
        match kind {
            ObjectType::ObjectTable | ObjectType::ObjectForeignTable => {
                if let Some(name) = names.parts(&parts) {
                    table(&name, names, s);
                    if drop.behavior() == DropBehavior::DropCascade {
                        // Their foreign keys go.
                        for other in names.referencing(&name) {
                            s.lock(names, &other, Lock::AccessExclusive);
                        }
                    }
                }
            }
            ObjectType::ObjectView | ObjectType::ObjectMatview => {
                if let Some(name) = names.parts(&parts) {
                    s.act(SchemaAction::DropView { view: name.clone() });
                    s.lock(names, &name, Lock::AccessExclusive);
                    s.contract(names, &name);
                    s.hurt(names, &hazards::DROP_VIEW, &name, "");
                }
            }
            ObjectType::ObjectIndex => {
                if let Some(name) = names.parts(&parts) {
                    index(&name, drop.concurrent, names, s);
                }
            }
            // These are named after their table: schema, table, name.
            ObjectType::ObjectTrigger | ObjectType::ObjectRule | ObjectType::ObjectPolicy => {
                if let Some(name) = parts.split_last().and_then(|(_, table)| names.parts(table)) {
                    s.lock(names, &name, Lock::AccessExclusive);
                    if !made_again(kind, &parts, rest) {
                        s.contract(names, &name);
                    }
                }
            }
            ObjectType::ObjectFunction
            | ObjectType::ObjectProcedure
            | ObjectType::ObjectRoutine
            | ObjectType::ObjectAggregate => {
                if let Some(name) = names.parts(&parts) {
                    s.touch(name);
                }
                if !made_again(kind, &parts, rest) {
                    s.phase(Phase::Contract);
                }
            }
            ObjectType::ObjectType | ObjectType::ObjectDomain | ObjectType::ObjectSequence => {
                if let Some(name) = names.parts(&parts) {
                    for table in names.tables_with_type(&name) {
                        s.touch(table.clone());
                        if drop.behavior() == DropBehavior::DropCascade {
                            s.lock(names, &table, Lock::AccessExclusive);
                            s.hurt(names, &hazards::DROP_COLUMN, &table, &name);
                        }
                    }
                    s.contract(names, &name);
                    s.touch(name);
                }
            }
            ObjectType::ObjectSchema => {
                s.phase(Phase::Contract);
                let prefix = format!("{}.", parts.first().map_or("", String::as_str));
                if drop.behavior() == DropBehavior::DropCascade {
                    let tables = names.catalog.tables.keys().filter(|t| t.starts_with(&prefix));
                    for name in tables.chain(names.catalog.views.keys().filter(|v| v.starts_with(&prefix))) {
                        table(name, names, s);
                    }
                }
            }
            _ => s.phase(Phase::Contract),
        }
        if drop.behavior() == DropBehavior::DropCascade {
            s.warn(names, &hazards::CASCADE, &parts.join("."));
        }
    }
    if drop.concurrent {
        s.waits_without_blocking = true;
        s.warn(names, &hazards::OWN_TRANSACTION, "DROP INDEX CONCURRENTLY");
    }
}

fn object_kind(kind: ObjectType) -> Option<ObjectKind> {
    Some(match kind {
        ObjectType::ObjectAggregate => ObjectKind::Aggregate,
        ObjectType::ObjectDomain => ObjectKind::Domain,
        ObjectType::ObjectExtension => ObjectKind::Extension,
        ObjectType::ObjectFunction => ObjectKind::Function,
        ObjectType::ObjectPolicy => ObjectKind::Policy,
        ObjectType::ObjectProcedure => ObjectKind::Procedure,
        ObjectType::ObjectRoutine => ObjectKind::Routine,
        ObjectType::ObjectRule => ObjectKind::Rule,
        ObjectType::ObjectSchema => ObjectKind::Schema,
        ObjectType::ObjectSequence => ObjectKind::Sequence,
        ObjectType::ObjectTrigger => ObjectKind::Trigger,
        ObjectType::ObjectType => ObjectKind::Type,
        _ => return None,
    })
}

/// The name of an object that is no relation. Triggers, rules and policies have their table's name before their own;
/// schemas and extensions are in no schema.
fn dropped(kind: ObjectType, parts: &[String], names: &Names) -> Option<String> {
    match kind {
        ObjectType::ObjectTrigger
        | ObjectType::ObjectRule
        | ObjectType::ObjectPolicy
        | ObjectType::ObjectSchema
        | ObjectType::ObjectExtension => parts.last().cloned(),
        _ => names.parts(parts),
    }
}

/// Dropping a table also takes the triggers of its foreign keys off the tables they point to.
fn table(name: &str, names: &Names, s: &mut StatementBuilder) {
    s.lock(names, name, Lock::AccessExclusive);
    s.contract(names, name);
    if names.catalog.views.contains_key(names.origin(name)) {
        s.act(SchemaAction::DropView { view: name.to_owned() });
        s.hurt(names, &hazards::DROP_VIEW, name, "");
        return;
    }
    s.act(SchemaAction::DropTable { table: name.to_owned() });
    s.hurt(names, &hazards::DROP_TABLE, name, "");
    if let Some(parent) = names.table(name).and_then(|t| t.parent.clone()) {
        s.lock_only(names, &parent, Lock::AccessExclusive);
    }
    for other in names.referenced(name).into_iter().filter(|o| o != name) {
        s.lock(names, &other, Lock::AccessExclusive);
    }
}

fn index(name: &str, concurrent: bool, names: &Names, s: &mut StatementBuilder) {
    let table = names.index_table(name);
    let lock = if concurrent { Lock::ShareUpdateExclusive } else { Lock::AccessExclusive };
    s.act(SchemaAction::DropIndex { index: name.to_owned(), table: table.clone() });
    s.touch(name);
    match &table {
        Some(table) => {
            s.lock(names, table, lock);
            s.contract(names, table);
            s.hurt(
                names,
                if concurrent { &hazards::DROP_INDEX_CONCURRENTLY } else { &hazards::DROP_INDEX },
                table,
                "",
            );
        }
        None => {
            s.contract(names, name);
            s.lock(names, name, lock);
        }
    }
}

/// Whether a later statement of the script makes the same function, trigger, rule or policy again.
fn made_again(kind: ObjectType, parts: &[String], rest: &[Parsed]) -> bool {
    let Some(name) = parts.last() else { return false };
    rest.iter().filter_map(|p| p.tree.as_ref()).any(|tree| match tree {
        NodeEnum::CreateFunctionStmt(c) => {
            matches!(
                kind,
                ObjectType::ObjectFunction | ObjectType::ObjectProcedure | ObjectType::ObjectRoutine
            ) && sql::texts(&c.funcname).last() == Some(name)
        }
        NodeEnum::CreateTrigStmt(c) => kind == ObjectType::ObjectTrigger && c.trigname == *name,
        NodeEnum::RuleStmt(c) => kind == ObjectType::ObjectRule && c.rulename == *name,
        NodeEnum::CreatePolicyStmt(c) => kind == ObjectType::ObjectPolicy && c.policy_name == *name,
        _ => false,
    })
}

pub fn truncate(truncate: &TruncateStmt, names: &Names, s: &mut StatementBuilder) {
    let mut open: Vec<String> = truncate
        .relations
        .iter()
        .filter_map(|n| match n.node.as_ref() {
            Some(NodeEnum::RangeVar(r)) => Some(names.range(r)),
            _ => None,
        })
        .collect();
    let mut seen: Vec<String> = Vec::new();
    while let Some(table) = open.pop() {
        if seen.contains(&table) {
            continue;
        }
        s.act(SchemaAction::TruncateTable { table: table.clone() });
        s.lock(names, &table, Lock::AccessExclusive);
        s.contract(names, &table);
        s.hurt(names, &hazards::TRUNCATE, &table, "");
        if truncate.behavior() == DropBehavior::DropCascade {
            open.extend(names.referencing(&table));
        }
        seen.push(table);
    }
}
