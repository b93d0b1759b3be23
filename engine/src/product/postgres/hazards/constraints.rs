//! ALTER TABLE on constraints: added, validated, dropped.

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableCmd, ConstrType, Constraint, DropBehavior};

use crate::model::relation_name;
use crate::model::schema_action::{ConstraintKind, SchemaAction};
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::{not_null, sql};
use crate::product::postgres::hazards::create;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};

fn constraint(command: &AlterTableCmd) -> Option<&Constraint> {
    match command.def.as_deref()?.node.as_ref()? {
        NodeEnum::Constraint(c) => Some(c),
        _ => None,
    }
}

/// A foreign key is the only one that needs less than ACCESS EXCLUSIVE.
pub fn lock(command: &AlterTableCmd) -> Lock {
    match constraint(command).map(Constraint::contype) {
        Some(ConstrType::ConstrForeign) => Lock::ShareRowExclusive,
        _ => Lock::AccessExclusive,
    }
}

/// A constraint as a fact; `None` for what only changes how another one works.
fn added(constraint: &Constraint, table: &str) -> Option<SchemaAction> {
    let kind = match constraint.contype() {
        ConstrType::ConstrCheck => ConstraintKind::Check,
        ConstrType::ConstrForeign => ConstraintKind::ForeignKey,
        ConstrType::ConstrUnique => ConstraintKind::Unique,
        ConstrType::ConstrPrimary => ConstraintKind::PrimaryKey,
        ConstrType::ConstrExclusion => ConstraintKind::Exclude,
        ConstrType::ConstrNotnull => {
            let column = sql::texts(&constraint.keys).concat();
            return Some(SchemaAction::SetNotNull { table: table.to_owned(), column });
        }
        _ => return None,
    };
    let name = Some(constraint.conname.clone()).filter(|name| !name.is_empty());
    let valid = !constraint.skip_validation;
    let not_null = match (kind, constraint.raw_expr.as_deref()) {
        (ConstraintKind::Check, Some(check)) => not_null::kept(check),
        _ => Vec::new(),
    };
    Some(SchemaAction::AddConstraint { table: table.to_owned(), name, kind, valid, not_null })
}

/// Any constraint refuses writes that were taken before, valid or not.
pub fn add(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    let Some(constraint) = constraint(command) else { return };
    if let Some(action) = added(constraint, table) {
        s.act(action);
    }
    s.contract(names, table);
    match constraint.contype() {
        ConstrType::ConstrForeign => {
            let target = create::referenced(constraint, table, &[], names, s).unwrap_or_default();
            if !constraint.skip_validation {
                s.hurt(names, &hazards::ADD_FOREIGN_KEY, table, &target);
            }
        }
        ConstrType::ConstrPrimary | ConstrType::ConstrUnique if constraint.indexname.is_empty() => {
            s.hurt(names, &hazards::ADD_UNIQUE, table, "");
            if !names.is_fresh(table) {
                s.remark(names, &hazards::DUPLICATES, table, &sql::texts(&constraint.keys).join(", "));
            }
        }
        ConstrType::ConstrPrimary => s.hurt(names, &hazards::ADD_PRIMARY_USING, table, ""),
        ConstrType::ConstrExclusion => s.hurt(names, &hazards::ADD_EXCLUDE, table, ""),
        ConstrType::ConstrCheck if !constraint.skip_validation => {
            s.hurt(names, &hazards::ADD_CHECK, table, "")
        }
        ConstrType::ConstrNotnull => {
            let column = sql::texts(&constraint.keys).join(", ");
            s.hurt(names, &hazards::SET_NOT_NULL, table, &column);
        }
        _ => {}
    }
}

/// Validating a foreign key reads the other table too, under ROW SHARE, which holds nobody up.
pub fn validate(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    s.act(SchemaAction::ValidateConstraint { table: table.to_owned(), name: command.name.clone() });
    s.hurt(names, &hazards::VALIDATE, table, "");
    for (_, target, _) in keys(names, table, &command.name) {
        s.lock_only(names, &target, Lock::RowShare);
    }
}

/// Foreign keys that a constraint's name may mean, by PostgreSQL's way of naming them or a common one.
fn keys(names: &Names, table: &str, constraint: &str) -> Vec<(Vec<String>, String, Vec<String>)> {
    let own = relation_name::bare(table);
    let all = names.table(table).map(|t| t.foreign_keys.clone()).unwrap_or_default();
    let exact: Vec<_> =
        all.iter().filter(|k| constraint == format!("{own}_{}_fkey", k.0.join("_"))).cloned().collect();
    if !exact.is_empty() {
        return exact;
    }
    if constraint
        .to_lowercase()
        .split('_')
        .any(|part| matches!(part, "fk" | "fkey") || part.starts_with("fk"))
    {
        return all;
    }
    Vec::new()
}

/// Dropping a check or a foreign key loosens; dropping a unique or primary key takes away what ON CONFLICT relies on.
pub fn drop(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    s.act(SchemaAction::DropConstraint { table: table.to_owned(), name: command.name.clone() });
    let index = relation_name::sibling(table, &command.name);
    let unique = names.index_table(&index).is_some();
    let known = names.table(table).is_some() || names.is_fresh(table);
    let name = command.name.to_lowercase();
    let loosens = known && !unique
        || ["_check", "_fkey"].iter().any(|end| name.ends_with(end))
        || ["fk_", "ck_", "chk_", "check_"].iter().any(|start| name.starts_with(start));
    if unique || !loosens {
        s.contract(names, table);
    }
    if !names.is_fresh(table) {
        s.remark(names, &hazards::CONSTRAINT_DROPPED, table, &command.name);
    }
    if unique {
        s.touch(index);
        for other in names.referencing(table) {
            if command.behavior() == DropBehavior::DropCascade {
                s.lock(names, &other, Lock::AccessExclusive);
            }
            s.touch(other);
        }
    }
    for (_, target, _) in keys(names, table, &command.name) {
        s.lock(names, &target, Lock::AccessExclusive);
    }
}
