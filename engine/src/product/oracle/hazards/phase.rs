//! What a statement does to its readers: whether it adds, moves or takes away. It is what PostgreSQL's statements of the same meaning do.

use super::around::Around;
use super::builder::Builder;
use super::drops;
use crate::model::changeset::Phase;
use crate::model::relation_name;
use crate::model::schema_action::{ConstraintKind, SchemaAction};

pub fn of_action(action: &SchemaAction, around: &Around<'_>, builder: &mut Builder<'_>) {
    use SchemaAction as A;
    match action {
        A::MoveRows { table, .. } if !around.is_fresh(table) => builder.phase(Phase::Migrate),
        A::RunsCode => runs_code(builder),
        A::DropTable { table }
        | A::TruncateTable { table }
        | A::RenameTable { table, .. }
        | A::DropColumn { table, .. }
        | A::RenameColumn { table, .. }
        | A::DropDefault { table, .. }
        | A::DetachPartition { table, .. }
        | A::AddColumn { table, required: true, .. }
        | A::CreateIndex { table, unique: true, .. } => builder.contract(around, table),
        A::SetNotNull { table, column } if !around.column(table, column).is_some_and(|c| c.not_null) => {
            builder.contract(around, table);
        }
        A::AddConstraint { table, name, kind, .. } if !is_disabled(builder, name.as_deref(), *kind) => {
            builder.contract(around, table);
        }
        A::DropConstraint { table, name } if takes_key(around, table, name) => {
            builder.contract(around, table);
        }
        // Rows that bring their own number are refused.
        A::SetDefault { table, column } if becomes_always(builder, column) => builder.contract(around, table),
        A::DropIndex { table, index } => {
            let of = table.as_ref().or_else(|| around.catalog.indexes.get(index));
            builder.contract(around, of.unwrap_or(index));
        }
        A::DropView { view } => builder.contract(around, view),
        A::DropObject { .. } | A::Revoke { .. } => builder.phase(Phase::Contract),
        A::Server if builder.read.kind.starts_with("drop") => builder.phase(Phase::Contract),
        _ => {}
    }
}

/// What SQL that is made of strings takes away, nobody can see.
fn runs_code(builder: &mut Builder<'_>) {
    let opaque = builder.read.query.as_ref().is_some_and(|query| query.opaque);
    builder.phase(if opaque { Phase::Contract } else { Phase::Migrate });
}

fn is_disabled(builder: &Builder<'_>, name: Option<&str>, kind: ConstraintKind) -> bool {
    let kind = match kind {
        ConstraintKind::Check => "check",
        ConstraintKind::ForeignKey => "foreign_key",
        ConstraintKind::Unique => "unique",
        ConstraintKind::PrimaryKey => "primary_key",
        ConstraintKind::Exclude => return false,
    };
    let mut own = builder.read.facts.constraints.iter();
    own.any(|c| c.kind == kind && c.name.as_deref() == name && c.disabled)
}

/// Whether a constraint may be a key, which upserts and other tables rely on. The catalog has no names of constraints, but their
/// indexes have the same.
pub fn takes_key(around: &Around<'_>, table: &str, name: &str) -> bool {
    is_key(around, table, name)
        || around.table(table).is_none() && !around.is_fresh(table) && !sounds_like_rule(name)
}

/// Whether a constraint is known to be a key.
pub fn is_key(around: &Around<'_>, table: &str, name: &str) -> bool {
    let unnamed = name == "PRIMARY KEY" || name.starts_with("UNIQUE (");
    let index = relation_name::sibling(table, name);
    unnamed || around.catalog.indexes.get(&index).is_some_and(|of| of == table)
}

fn sounds_like_rule(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split('_').any(|part| ["fk", "ck", "chk", "check", "fkey"].contains(&part))
}

fn becomes_always(builder: &Builder<'_>, column: &str) -> bool {
    use crate::product::oracle::grammar::facts::Identity;
    let mut changed = builder.read.facts.columns.iter().filter(|c| c.name == column);
    changed.any(|c| matches!(&c.identity, Some(Identity::Way(way)) if way == "always"))
}

/// What only the facts tell.
pub fn of_facts(around: &Around<'_>, builder: &mut Builder<'_>) {
    let facts = &builder.read.facts;
    let table = super::analyse::table(builder.read).unwrap_or_default();
    let lost = facts.partition.as_ref().is_some_and(|partition| partition.loses_rows);
    let hidden = builder.read.kind == "alter_table" && facts.columns.iter().any(|column| column.invisible);
    let hidden = hidden && !builder.read.actions.iter().any(|a| matches!(a, SchemaAction::AddColumn { .. }));
    let off = facts.disable || facts.all_triggers.as_deref() == Some("disable");
    let states = facts.constraint_states.iter().any(|state| match (state.enabled, state.validated) {
        (Some(true), _) | (Some(false), Some(true)) => true,
        (Some(false), _) => {
            state.kind.is_some() || state.name.as_deref().is_some_and(|name| takes_key(around, &table, name))
        }
        _ => false,
    });
    let refused = facts.read_only == Some(true) && builder.read.kind == "alter_table";
    if lost || hidden || off || states || refused || facts.drop_unused_columns || drops::writes_back(facts) {
        builder.contract(around, &table);
    }
    // A synonym that is there means another object, or none.
    if let Some(synonym) = &facts.synonym
        && around.catalog.synonyms.contains_key(&synonym.name)
    {
        builder.phase(Phase::Contract);
    }
    if let Some(view) = facts.view.as_ref().filter(|view| loses_columns(around, builder, view)) {
        builder.contract(around, view);
    }
}

/// Whether a view that is replaced no longer has a column that it had.
fn loses_columns(around: &Around<'_>, builder: &Builder<'_>, view: &str) -> bool {
    let Some(before) = around.catalog.view_columns.get(view) else { return false };
    let Some(query) = builder.read.query.as_ref().filter(|_| builder.read.kind == "create_view") else {
        return false;
    };
    !query.result.iter().any(|column| column.0 == "*")
        && !before.iter().all(|old| query.result.iter().any(|new| new.0 == old.name))
}
