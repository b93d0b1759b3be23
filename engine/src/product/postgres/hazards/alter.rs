//! ALTER and RENAME of everything but a table's columns and constraints, which are in `columns` and `constraints`.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterDomainStmt, AlterEnumStmt, AlterObjectSchemaStmt, AlterOwnerStmt, AlterTableCmd, AlterTableStmt,
    AlterTableType as At, CommentStmt, Node, ObjectType, PartitionCmd, RenameStmt,
};

use crate::model::changeset::Phase;
use crate::model::relation_name::{qualified, sibling};
use crate::model::schema_action::SchemaAction;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};
use crate::product::postgres::hazards::{columns, constraints, create, settings};

pub fn table(alter: &AlterTableStmt, names: &mut Names, s: &mut StatementBuilder) {
    let Some(range) = &alter.relation else { return };
    let name = names.range(range);
    let commands: Vec<&AlterTableCmd> = alter
        .cmds
        .iter()
        .filter_map(|n| match n.node.as_ref() {
            Some(NodeEnum::AlterTableCmd(c)) => Some(c.as_ref()),
            _ => None,
        })
        .collect();
    match alter.objtype() {
        ObjectType::ObjectIndex => {
            s.touch(name.clone());
            if let Some(table) = names.index_table(&name) {
                s.touch(table);
            }
        }
        ObjectType::ObjectType => {
            composite(&name, &commands, names, s);
        }
        ObjectType::ObjectSequence => s.touch(name),
        _ => {
            // The strongest lock of all its commands is taken at the start.
            for command in &commands {
                s.lock_only(names, &name, lock_of(command));
            }
            if range.inh && commands.iter().any(|c| recurses(c.subtype())) {
                s.lock(names, &name, Lock::None);
            }
            for command in &commands {
                apply(command, &name, names, s);
            }
        }
    }
}

/// From `AlterTableGetLockLevel`, as the manual's ALTER TABLE says it.
fn lock_of(command: &AlterTableCmd) -> Lock {
    match command.subtype() {
        At::AtSetStatistics
        | At::AtClusterOn
        | At::AtDropCluster
        | At::AtSetOptions
        | At::AtResetOptions
        | At::AtValidateConstraint
        | At::AtAttachPartition
        | At::AtDetachPartitionFinalize => Lock::ShareUpdateExclusive,
        At::AtSetRelOptions | At::AtResetRelOptions | At::AtReplaceRelOptions => {
            settings::lock(options(command))
        }
        At::AtDetachPartition => match definition(command) {
            Some(NodeEnum::PartitionCmd(p)) if p.concurrent => Lock::ShareUpdateExclusive,
            _ => Lock::AccessExclusive,
        },
        At::AtEnableTrig
        | At::AtEnableAlwaysTrig
        | At::AtEnableReplicaTrig
        | At::AtEnableTrigAll
        | At::AtEnableTrigUser
        | At::AtDisableTrig
        | At::AtDisableTrigAll
        | At::AtDisableTrigUser => Lock::ShareRowExclusive,
        At::AtAddConstraint => constraints::lock(command),
        _ => Lock::AccessExclusive,
    }
}

/// The storage parameters that a command sets or resets.
fn options(command: &AlterTableCmd) -> &[Node] {
    match definition(command) {
        Some(NodeEnum::List(list)) => &list.items,
        _ => &[],
    }
}

fn definition(command: &AlterTableCmd) -> Option<&NodeEnum> {
    command.def.as_deref().and_then(|d| d.node.as_ref())
}

/// Commands that go down to partitions and children.
fn recurses(kind: At) -> bool {
    !matches!(
        kind,
        At::AtAttachPartition
            | At::AtDetachPartition
            | At::AtDetachPartitionFinalize
            | At::AtSetRelOptions
            | At::AtResetRelOptions
            | At::AtChangeOwner
            | At::AtSetTableSpace
            | At::AtReplicaIdentity
            | At::AtClusterOn
            | At::AtDropCluster
            | At::AtEnableRowSecurity
            | At::AtDisableRowSecurity
            | At::AtForceRowSecurity
            | At::AtNoForceRowSecurity
    )
}

fn apply(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    match command.subtype() {
        At::AtAddColumn => columns::add(command, table, names, s),
        At::AtDropColumn => columns::drop(command, table, names, s),
        At::AtAlterColumnType => columns::change_type(command, table, names, s),
        At::AtSetNotNull => columns::set_not_null(command, table, names, s),
        At::AtDropNotNull => {
            s.act(SchemaAction::DropNotNull { table: table.to_owned(), column: command.name.clone() });
        }
        At::AtColumnDefault if command.def.is_none() => {
            s.act(SchemaAction::DropDefault { table: table.to_owned(), column: command.name.clone() });
            s.contract(names, table);
        }
        At::AtColumnDefault => {
            s.act(SchemaAction::SetDefault { table: table.to_owned(), column: command.name.clone() });
        }
        At::AtDropIdentity | At::AtDropExpression => s.contract(names, table),
        At::AtAddIdentity | At::AtSetIdentity => columns::identity(command, table, names, s),
        At::AtSetExpression => {
            s.contract(names, table);
            let what = format!("a new expression for {}", command.name);
            s.hurt(names, &hazards::STORAGE_REWRITE, table, &what);
        }
        At::AtAddConstraint => constraints::add(command, table, names, s),
        At::AtValidateConstraint => constraints::validate(command, table, names, s),
        At::AtDropConstraint => constraints::drop(command, table, names, s),
        At::AtSetLogged => s.hurt(names, &hazards::STORAGE_REWRITE, table, "SET LOGGED"),
        At::AtSetUnLogged => {
            s.hurt(names, &hazards::STORAGE_REWRITE, table, "SET UNLOGGED");
            s.remark(names, &hazards::UNLOGGED, table, "");
        }
        At::AtSetRelOptions => settings::look(options(command), table, names, s),
        At::AtReplicaIdentity => s.hurt(names, &hazards::REPLICA_IDENTITY, table, ""),
        At::AtSetTableSpace => s.hurt(names, &hazards::STORAGE_REWRITE, table, "SET TABLESPACE"),
        At::AtSetAccessMethod => s.hurt(names, &hazards::STORAGE_REWRITE, table, "SET ACCESS METHOD"),
        At::AtAttachPartition => attach(command, table, names, s),
        At::AtDetachPartition => detach(command, table, names, s),
        At::AtDisableTrig | At::AtDisableTrigAll | At::AtDisableTrigUser => {
            s.contract(names, table);
            s.hurt(names, &hazards::TRIGGERS_OFF, table, "");
        }
        At::AtDisableRule => s.contract(names, table),
        At::AtEnableRowSecurity | At::AtForceRowSecurity => {
            s.contract(names, table);
            s.hurt(names, &hazards::ROW_SECURITY, table, "");
        }
        At::AtDropInherit | At::AtDropOf => s.contract(names, table),
        At::AtChangeOwner => rights(table, names, s),
        _ => {}
    }
}

/// The old owner may lose what it could do.
fn rights(name: &str, names: &Names, s: &mut StatementBuilder) {
    s.contract(names, name);
    if !names.is_fresh(name) {
        s.warn(names, &hazards::RIGHTS, name);
    }
}

fn partition(command: &AlterTableCmd, names: &Names) -> Option<(PartitionCmd, String)> {
    match definition(command)? {
        NodeEnum::PartitionCmd(p) => Some((p.clone(), names.range(p.name.as_ref()?))),
        _ => None,
    }
}

fn attach(command: &AlterTableCmd, parent: &str, names: &Names, s: &mut StatementBuilder) {
    let Some((definition, child)) = partition(command, names) else { return };
    s.act(SchemaAction::AttachPartition { table: parent.to_owned(), partition: child.clone() });
    s.lock(names, &child, Lock::AccessExclusive);
    s.hurt(names, &hazards::ATTACH_SCAN, &child, "");
    if definition.bound.as_ref().is_some_and(|b| b.is_default) {
        return;
    }
    for default in create::default_partitions(names, parent) {
        s.lock(names, &default, Lock::AccessExclusive);
        s.hurt(names, &hazards::DEFAULT_PARTITION, &default, "");
    }
}

fn detach(command: &AlterTableCmd, parent: &str, names: &Names, s: &mut StatementBuilder) {
    let Some((definition, child)) = partition(command, names) else { return };
    s.act(SchemaAction::DetachPartition { table: parent.to_owned(), partition: child.clone() });
    s.contract(names, parent);
    s.lock(names, &child, Lock::AccessExclusive);
    if definition.concurrent {
        s.waits_without_blocking = true;
        s.hurt(names, &hazards::DETACH_CONCURRENTLY, parent, &child);
        s.warn(names, &hazards::OWN_TRANSACTION, "DETACH PARTITION … CONCURRENTLY");
    } else {
        s.hurt(names, &hazards::DETACH, parent, &child);
        for default in create::default_partitions(names, parent).into_iter().filter(|d| *d != child) {
            s.lock(names, &default, Lock::AccessExclusive);
        }
    }
}

/// ALTER TYPE of a composite type: tables that use it must allow it.
fn composite(name: &str, commands: &[&AlterTableCmd], names: &Names, s: &mut StatementBuilder) {
    s.touch(name);
    for table in names.tables_with_type(name) {
        s.touch(table);
    }
    if commands.iter().any(|c| c.subtype() != At::AtAddColumn) {
        s.contract(names, name);
    }
}

pub fn rename(rename: &RenameStmt, names: &mut Names, s: &mut StatementBuilder) {
    let new = &rename.newname;
    if let Some(range) = &rename.relation {
        let name = names.range(range);
        let what =
            if rename.subname.is_empty() { name.clone() } else { format!("{name}.{}", rename.subname) };
        match rename.rename_type() {
            ObjectType::ObjectIndex => {
                let table = names.index_table(&name);
                s.touch(name.clone());
                if let Some(table) = table {
                    s.touch(table.clone());
                    names.make_index(&sibling(&name, new), &table);
                }
            }
            // Nobody asks for these by name.
            ObjectType::ObjectTabconstraint
            | ObjectType::ObjectTrigger
            | ObjectType::ObjectRule
            | ObjectType::ObjectPolicy => {
                s.lock(names, &name, Lock::AccessExclusive);
            }
            kind => {
                match kind {
                    ObjectType::ObjectColumn => s.act(SchemaAction::RenameColumn {
                        table: name.clone(),
                        column: rename.subname.clone(),
                        to: new.clone(),
                    }),
                    kind if has_columns(kind) => {
                        s.act(SchemaAction::RenameTable { table: name.clone(), to: sibling(&name, new) });
                    }
                    _ => {}
                }
                s.lock(names, &name, Lock::AccessExclusive);
                s.contract(names, &name);
                s.hurt(names, &hazards::RENAME, &name, &what);
                if kind == ObjectType::ObjectAttribute {
                    for table in names.tables_with_type(&name) {
                        s.touch(table);
                    }
                }
                if kind != ObjectType::ObjectColumn && kind != ObjectType::ObjectAttribute {
                    let renamed = sibling(&name, new);
                    s.touch(renamed.clone());
                    names.rename(&name, &renamed);
                }
            }
        }
        return;
    }
    let parts = rename.object.as_deref().map(sql::object_name).unwrap_or_default();
    match rename.rename_type() {
        ObjectType::ObjectSchema => {
            let prefix = format!("{}.", rename.subname);
            let inside: Vec<String> =
                names.catalog.tables.keys().filter(|t| t.starts_with(&prefix)).cloned().collect();
            for table in inside {
                s.touch(table);
            }
            s.phase(Phase::Contract);
            s.warn(names, &hazards::RENAME, &rename.subname);
        }
        ObjectType::ObjectDomconstraint | ObjectType::ObjectRole => {}
        _ => {
            if let Some(name) = names.parts(&parts) {
                for table in names.tables_with_type(&name) {
                    s.touch(table);
                }
                s.contract(names, &name);
                s.touch(name);
            } else {
                s.phase(Phase::Contract);
            }
            s.warn(names, &hazards::RENAME, &parts.join("."));
        }
    }
}

/// Tables and views of every kind.
fn has_columns(kind: ObjectType) -> bool {
    matches!(
        kind,
        ObjectType::ObjectTable
            | ObjectType::ObjectForeignTable
            | ObjectType::ObjectView
            | ObjectType::ObjectMatview
    )
}

pub fn set_schema(alter: &AlterObjectSchemaStmt, names: &mut Names, s: &mut StatementBuilder) {
    if let Some(range) = &alter.relation {
        let name = names.range(range);
        s.lock(names, &name, Lock::AccessExclusive);
        s.contract(names, &name);
        s.hurt(names, &hazards::RENAME, &name, &name);
        let moved = qualified(&alter.newschema, &range.relname);
        if has_columns(alter.object_type()) {
            s.act(SchemaAction::RenameTable { table: name.clone(), to: moved.clone() });
        }
        s.touch(moved.clone());
        names.rename(&name, &moved);
    } else {
        s.phase(Phase::Contract);
        let parts = alter.object.as_deref().map(sql::object_name).unwrap_or_default();
        s.warn(names, &hazards::RENAME, &parts.join("."));
    }
}

pub fn owner(alter: &AlterOwnerStmt, names: &Names, s: &mut StatementBuilder) {
    match (&alter.relation, alter.object_type()) {
        (Some(range), _) => {
            let name = names.range(range);
            s.lock(names, &name, Lock::AccessExclusive);
            rights(&name, names, s);
        }
        // Execution and use stay granted; only who may alter them changes.
        _ => {
            if let Some(name) = alter.object.as_deref().and_then(|o| names.parts(&sql::object_name(o))) {
                s.touch(name);
            }
        }
    }
}

pub fn enumeration(change: &AlterEnumStmt, names: &Names, s: &mut StatementBuilder) {
    let Some(name) = names.parts(&sql::texts(&change.type_name)) else { return };
    for table in names.tables_with_type(&name) {
        s.touch(table);
    }
    s.touch(name.clone());
    let (enumeration, label) = (name.clone(), change.new_val.clone());
    s.act(if change.old_val.is_empty() {
        SchemaAction::AddEnumLabel { enumeration, label }
    } else {
        SchemaAction::RenameEnumLabel { enumeration, label: change.old_val.clone(), to: label }
    });
    if names.is_fresh(&name) {
        return;
    }
    if change.old_val.is_empty() {
        s.warn(names, &hazards::NO_INVERSE, &name);
        if change.new_val_neighbor.is_empty() {
            s.warn(names, &hazards::LABEL_AT_END, &name);
        }
        s.warn(names, &hazards::ENUM_IN_TRANSACTION, &name);
    } else {
        s.phase(Phase::Contract);
        s.warn(names, &hazards::RENAME, &format!("label {} of {name}", change.old_val));
    }
}

/// Subtypes are letters here: T default, N drop not null, O set not null, C add constraint, X drop one, V validate.
pub fn domain(change: &AlterDomainStmt, names: &Names, s: &mut StatementBuilder) {
    let Some(name) = names.parts(&sql::texts(&change.type_name)) else { return };
    s.touch(name.clone());
    let skips = change.def.as_deref().and_then(create::as_constraint).is_some_and(|c| c.skip_validation);
    let scans = matches!(change.subtype.as_str(), "O" | "V") || change.subtype == "C" && !skips;
    for table in names.tables_with_type(&name) {
        s.touch(table.clone());
        if scans {
            s.lock(names, &table, Lock::Share);
            s.hurt(names, &hazards::DOMAIN_CHECK, &table, &name);
        }
    }
    if matches!(change.subtype.as_str(), "O" | "C") || change.subtype == "T" && change.def.is_none() {
        s.contract(names, &name);
    }
}

pub fn comment(comment: &CommentStmt, names: &Names, s: &mut StatementBuilder) {
    let parts = comment.object.as_deref().map(sql::object_name).unwrap_or_default();
    match comment.objtype() {
        ObjectType::ObjectTable
        | ObjectType::ObjectView
        | ObjectType::ObjectMatview
        | ObjectType::ObjectForeignTable => {
            if let Some(name) = names.parts(&parts) {
                s.lock_only(names, &name, Lock::ShareUpdateExclusive);
            }
        }
        ObjectType::ObjectColumn | ObjectType::ObjectTabconstraint | ObjectType::ObjectTrigger => {
            if let Some(name) = parts.split_last().and_then(|(_, table)| names.parts(table)) {
                s.lock_only(names, &name, Lock::ShareUpdateExclusive);
            }
        }
        ObjectType::ObjectIndex => {
            if let Some(name) = names.parts(&parts) {
                s.touch(names.index_table(&name).unwrap_or_else(|| name.clone()));
                s.touch(name);
            }
        }
        _ => {}
    }
}
