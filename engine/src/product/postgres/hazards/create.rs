//! Statements that make something: tables, views, indexes, triggers and the rest.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    self, ConstrType, Constraint, CreatePolicyStmt, CreateStmt, CreateTableAsStmt, CreateTrigStmt, IndexStmt,
    ObjectType, RuleStmt, ViewStmt,
};

use crate::model::changeset::Phase;
use crate::model::relation_name;
use crate::model::schema_action::SchemaAction;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::{relations, sql};
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};
use crate::product::postgres::hazards::{columns, settings};

pub fn table(create: &CreateStmt, names: &mut Names, s: &mut StatementBuilder) {
    let Some(range) = &create.relation else { return };
    let name = names.new_range(range);
    s.act(SchemaAction::CreateTable { table: name.clone() });
    // Names it refers to are looked up before it exists.
    for parent in create.inh_relations.iter().filter_map(|n| match n.node.as_ref() {
        Some(NodeEnum::RangeVar(r)) => Some(names.range(r)),
        _ => None,
    }) {
        if create.partbound.is_some() {
            s.act(SchemaAction::AttachPartition { table: parent.clone(), partition: name.clone() });
            s.lock_only(names, &parent, Lock::AccessExclusive);
            s.hurt(names, &hazards::CREATE_PARTITION, &parent, "");
            for default in default_partitions(names, &parent) {
                s.lock(names, &default, Lock::AccessExclusive);
                s.hurt(names, &hazards::DEFAULT_PARTITION, &default, "");
            }
        } else {
            s.lock_only(names, &parent, Lock::ShareUpdateExclusive);
        }
    }
    let columns = create.table_elts.iter().chain(&create.constraints).filter_map(|n| n.node.as_ref());
    for element in columns {
        let mut own: &[String] = &[];
        let constraints: Vec<&Constraint> = match element {
            NodeEnum::Constraint(c) => vec![c],
            NodeEnum::ColumnDef(c) => {
                columns::json(&name, c, names, s);
                own = std::slice::from_ref(&c.colname);
                c.constraints.iter().filter_map(as_constraint).collect()
            }
            NodeEnum::TableLikeClause(like) => {
                if let Some(source) = &like.relation {
                    s.touch(names.range(source));
                }
                continue;
            }
            _ => continue,
        };
        for constraint in constraints.into_iter().filter(|c| c.contype() == ConstrType::ConstrForeign) {
            referenced(constraint, &name, own, names, s);
        }
    }
    if range.relpersistence == "u" {
        s.remark(names, &hazards::UNLOGGED, &name, "");
    }
    settings::look(&create.options, &name, names, s);
    s.touch(name.clone());
    names.make(&name);
}

/// A default partition goes by its name here: the catalog does not tell bounds.
pub fn default_partitions(names: &Names, parent: &str) -> Vec<String> {
    names.partitions(parent).into_iter().filter(|p| p.ends_with("_default") || p.ends_with("_def")).collect()
}

pub fn as_constraint(node: &protobuf::Node) -> Option<&Constraint> {
    match node.node.as_ref()? {
        NodeEnum::Constraint(c) => Some(c),
        _ => None,
    }
}

/// The lock that a foreign key takes on the table it points to. `own`: the column it is written behind.
pub fn referenced(
    constraint: &Constraint,
    owner: &str,
    own: &[String],
    names: &Names,
    s: &mut StatementBuilder,
) -> Option<String> {
    let target = names.range(constraint.pktable.as_ref()?);
    let listed = sql::texts(&constraint.fk_attrs);
    let columns = if listed.is_empty() { own } else { &listed };
    if !owner.starts_with("pg_temp.") && !names.indexed(owner, columns) {
        let what = format!("{owner} ({})", columns.join(", "));
        s.remark(names, &hazards::INDEX_MISSING, owner, &what);
    }
    if target != owner {
        s.lock(names, &target, Lock::ShareRowExclusive);
        s.hurt(names, &hazards::FOREIGN_KEY_LOCK, &target, "");
    }
    Some(target)
}

pub fn table_as(create: &CreateTableAsStmt, names: &mut Names, s: &mut StatementBuilder) {
    if let Some(query) = create.query.as_deref().and_then(|q| q.node.as_ref()) {
        for name in relations::of_tree(query, names) {
            s.touch(name);
        }
    }
    if let Some(range) = create.into.as_ref().and_then(|i| i.rel.as_ref()) {
        let name = names.new_range(range);
        s.act(match create.objtype() {
            ObjectType::ObjectMatview => SchemaAction::CreateView { view: name.clone() },
            _ => SchemaAction::CreateTable { table: name.clone() },
        });
        s.touch(name.clone());
        names.make(&name);
    }
}

pub fn view(view: &ViewStmt, names: &mut Names, s: &mut StatementBuilder) {
    if let Some(query) = view.query.as_deref().and_then(|q| q.node.as_ref()) {
        for name in relations::of_tree(query, names) {
            s.touch(name);
        }
    }
    let Some(range) = &view.view else { return };
    let name = names.new_range(range);
    s.act(SchemaAction::CreateView { view: name.clone() });
    s.touch(name.clone());
    if names.catalog.views.contains_key(names.origin(&name)) {
        s.lock(names, &name, Lock::AccessExclusive);
        s.hurt(names, &hazards::REPLACED_VIEW, &name, "");
    } else {
        names.make(&name);
    }
}

/// More columns than this seldom help.
const WIDE: usize = 3;

/// The columns of an index in order; of an expression only that there is one.
pub fn index_columns(index: &IndexStmt) -> Vec<String> {
    let name = |node: &protobuf::Node| match node.node.as_ref() {
        Some(NodeEnum::IndexElem(e)) if !e.name.is_empty() => e.name.clone(),
        _ => "an expression".to_string(),
    };
    index.index_params.iter().map(name).collect()
}

pub fn index(index: &IndexStmt, names: &mut Names, s: &mut StatementBuilder) {
    let Some(range) = &index.relation else { return };
    let table = names.range(range);
    let full = (!index.idxname.is_empty()).then(|| relation_name::sibling(&table, &index.idxname));
    s.act(SchemaAction::CreateIndex { table: table.clone(), index: full.clone(), unique: index.unique });
    if index.unique {
        s.contract(names, &table);
        if !names.is_fresh(&table) {
            s.remark(names, &hazards::DUPLICATES, &table, &index_columns(index).join(", "));
        }
    } else if index.index_params.len() > WIDE {
        let many = index.index_params.len().to_string();
        s.remark(names, &hazards::WIDE_INDEX, &table, &many);
    }
    if index.concurrent {
        s.lock_only(names, &table, Lock::ShareUpdateExclusive);
        s.hurt(names, &hazards::CREATE_INDEX_CONCURRENTLY, &table, "");
        if index.if_not_exists {
            s.hurt(names, &hazards::INDEX_IF_NOT_EXISTS, &table, "");
        }
        s.warn(names, &hazards::OWN_TRANSACTION, "CREATE INDEX CONCURRENTLY");
        s.waits_without_blocking = true;
        s.builds_index = full.clone();
    } else if range.inh || !names.table(&table).is_some_and(|t| t.partitioned) {
        s.lock(names, &table, Lock::Share);
        let partitioned = names.table(&table).is_some_and(|t| t.partitioned);
        s.hurt(
            names,
            if partitioned { &hazards::CREATE_INDEX_PARTITIONED } else { &hazards::CREATE_INDEX },
            &table,
            "",
        );
    } else {
        s.lock_only(names, &table, Lock::Share);
    }
    if let Some(full) = full {
        s.touch(full.clone());
        names.make_index(&full, &table);
    }
}

pub fn trigger(trigger: &CreateTrigStmt, names: &Names, s: &mut StatementBuilder) {
    for range in trigger.relation.iter().chain(&trigger.constrrel) {
        let table = names.range(range);
        s.lock(names, &table, Lock::ShareRowExclusive);
        s.hurt(names, &hazards::TRIGGER, &table, "");
    }
}

pub fn rule(rule: &RuleStmt, names: &Names, s: &mut StatementBuilder) {
    let Some(range) = &rule.relation else { return };
    let table = names.range(range);
    s.lock(names, &table, Lock::AccessExclusive);
    if rule.instead {
        s.contract(names, &table);
    }
    for name in rule.actions.iter().filter_map(|a| a.node.as_ref()).flat_map(|a| relations::of_tree(a, names))
    {
        // NEW and OLD are the rule's own.
        if !name.ends_with(".new") && !name.ends_with(".old") {
            s.touch(name);
        }
    }
}

pub fn policy(policy: &CreatePolicyStmt, names: &Names, s: &mut StatementBuilder) {
    let Some(range) = &policy.table else { return };
    let table = names.range(range);
    s.lock(names, &table, Lock::AccessExclusive);
    if !policy.permissive {
        s.contract(names, &table);
        s.hurt(names, &hazards::ROW_SECURITY, &table, "");
    }
}

/// Objects without rows: only their names matter.
pub fn other(tree: &NodeEnum, names: &mut Names, s: &mut StatementBuilder) {
    let made = match tree {
        NodeEnum::CreateSeqStmt(c) => c.sequence.as_ref().map(|r| names.new_range(r)),
        NodeEnum::CreateEnumStmt(c) => {
            let name = named(names, &sql::texts(&c.type_name));
            s.warn(names, &hazards::ENUM_MADE, name.as_deref().unwrap_or_default());
            name
        }
        NodeEnum::CreateRangeStmt(c) => named(names, &sql::texts(&c.type_name)),
        NodeEnum::CreateDomainStmt(c) => named(names, &sql::texts(&c.domainname)),
        NodeEnum::CompositeTypeStmt(c) => c.typevar.as_ref().map(|r| names.new_range(r)),
        NodeEnum::CreateFunctionStmt(c) => {
            if let Some(name) = named(names, &sql::texts(&c.funcname)) {
                s.touch(name);
            }
            None
        }
        NodeEnum::CreateStatsStmt(c) => {
            for table in c.relations.iter().filter_map(|n| match n.node.as_ref() {
                Some(NodeEnum::RangeVar(r)) => Some(names.range(r)),
                _ => None,
            }) {
                s.lock(names, &table, Lock::ShareUpdateExclusive);
            }
            None
        }
        NodeEnum::CreateSchemaStmt(c) => {
            let saved = names.clone();
            if !c.schemaname.is_empty() {
                names.set_path(vec![c.schemaname.clone()]);
            }
            for inner in c.schema_elts.iter().filter_map(|n| n.node.as_ref()) {
                let builder = crate::product::postgres::hazards::analyse::statement(inner, "", names, &[]);
                s.absorb(builder);
            }
            names.path_of(&saved);
            None
        }
        _ => None,
    };
    if let Some(made) = made {
        s.touch(made.clone());
        names.make(&made);
    }
    s.phase(Phase::Expand);
}

fn named(names: &Names, parts: &[String]) -> Option<String> {
    sql::dotted(parts).map(|(schema, name)| names.create(schema, name))
}
