//! Statements that change rows, and maintenance of tables.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    ClusterStmt, LockStmt, Node, RangeVar, RefreshMatViewStmt, ReindexObjectType, ReindexStmt, SelectStmt,
    VacuumStmt,
};

use crate::model::changeset::Phase;
use crate::model::schema_action::{RowChange, SchemaAction};
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::{relations, sql};
use crate::product::postgres::hazards::columns;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};

/// Whether a list of options has this one switched on.
pub fn option(options: &[Node], name: &str) -> bool {
    options.iter().any(|n| match n.node.as_ref() {
        Some(NodeEnum::DefElem(d)) if d.defname == name => match d.arg.as_deref() {
            Some(arg) => !matches!(value(arg).as_deref(), Some("false" | "off" | "0")),
            None => true,
        },
        _ => false,
    })
}

/// Whether a list of options says anything of this one.
pub fn named(options: &[Node], name: &str) -> bool {
    options.iter().any(|n| matches!(n.node.as_ref(), Some(NodeEnum::DefElem(d)) if d.defname == name))
}

fn value(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(s) => Some(s.sval.to_lowercase()),
        NodeEnum::Integer(i) => Some(i.ival.to_string()),
        NodeEnum::Boolean(b) => Some(b.boolval.to_string()),
        // A bare word of a storage parameter is read as a type.
        NodeEnum::TypeName(t) => sql::texts(&t.names).pop().map(|word| word.to_lowercase()),
        _ => None,
    }
}

/// Functions that a SELECT may call in a changelog without changing anything.
const HARMLESS: &[&str] =
    &["set_config", "count", "min", "max", "sum", "avg", "version", "exists", "to_regclass"];

/// Whether a function changes nothing, whatever it is called with.
pub fn is_harmless(function: &str) -> bool {
    HARMLESS.contains(&function) || columns::is_steady(function)
}

pub fn data(tree: &NodeEnum, text: &str, names: &mut Names, s: &mut StatementBuilder) {
    let found = relations::used(tree, names);
    for name in &found.read {
        s.touch(name.clone());
    }
    let written: Vec<String> = found.written.iter().cloned().collect();
    for name in &written {
        if let Some(kind) = row_change(tree) {
            s.act(SchemaAction::MoveRows { table: name.clone(), kind });
        }
        s.lock(names, name, Lock::RowExclusive);
        if !names.is_fresh(name) {
            s.phase(Phase::Migrate);
        }
    }
    match tree {
        NodeEnum::SelectStmt(select) => {
            s.act(SchemaAction::RunsCode);
            if let Some(range) = select.into_clause.as_ref().and_then(|i| i.rel.as_ref()) {
                let name = names.new_range(range);
                s.act(SchemaAction::CreateTable { table: name.clone() });
                s.touch(name.clone());
                names.make(&name);
            }
            if sets_sequence(select) {
                s.act(SchemaAction::RestartSequence);
            }
            let called = sql::functions(tree);
            let steady = |f: &String| is_harmless(f);
            if called.iter().any(|f| f == "set_config") && text.contains("search_path") {
                names.set_path(Vec::new());
            }
            if let Some(function) = called.iter().find(|f| !steady(f)) {
                s.phase(Phase::Migrate);
                s.warn(names, &hazards::OPAQUE, &format!("what {function}() does"));
            }
        }
        NodeEnum::DoStmt(_) => {
            s.act(SchemaAction::RunsCode);
            s.warn(names, &hazards::OPAQUE, "what a DO block does");
            inside(text, names, s);
        }
        NodeEnum::CallStmt(_) | NodeEnum::ExecuteStmt(_) => {
            s.act(SchemaAction::RunsCode);
            s.phase(Phase::Migrate);
            s.warn(names, &hazards::OPAQUE, "what the procedure does");
        }
        _ => {}
    }
}

/// Whether all that it does is to set a sequence to a number that it says.
fn sets_sequence(select: &SelectStmt) -> bool {
    let constant = |node: &Node| matches!(node.node.as_ref(), Some(NodeEnum::AConst(_)));
    let sets = |target: &Node| {
        let Some(NodeEnum::ResTarget(target)) = target.node.as_ref() else { return false };
        let value = target.val.as_deref().and_then(|v| v.node.as_ref());
        let Some(NodeEnum::FuncCall(call)) = value else { return false };
        let setval = sql::texts(&call.funcname).pop().is_some_and(|name| name == "setval");
        setval && call.args.iter().skip(1).all(constant)
    };
    !select.target_list.is_empty() && select.target_list.iter().all(sets)
}

fn row_change(tree: &NodeEnum) -> Option<RowChange> {
    Some(match tree {
        NodeEnum::InsertStmt(_) => RowChange::Insert,
        NodeEnum::UpdateStmt(_) => RowChange::Update,
        NodeEnum::DeleteStmt(_) => RowChange::Delete,
        NodeEnum::MergeStmt(_) => RowChange::Merge,
        NodeEnum::CopyStmt(_) => RowChange::Copy,
        _ => return None,
    })
}

/// The statements that a DO block has in plain sight count as its own; those it puts together do not show.
fn inside(text: &str, names: &mut Names, s: &mut StatementBuilder) {
    let Ok(functions) = pg_query::parse_plpgsql(text) else {
        s.phase(Phase::Contract);
        return;
    };
    let mut queries: Vec<String> = Vec::new();
    let mut dynamic = false;
    sql::visit(&functions, &mut |map| {
        dynamic |= map.contains_key("PLpgSQL_stmt_dynexecute") || map.contains_key("PLpgSQL_stmt_dynfors");
        let statement =
            map.get("PLpgSQL_stmt_execsql").and_then(|e| e.pointer("/sqlstmt/PLpgSQL_expr/query"));
        if let Some(query) = statement.and_then(serde_json::Value::as_str) {
            queries.push(query.to_string());
        }
    });
    // Nothing but its own logic in sight: calls, loops.
    if queries.is_empty() {
        s.phase(Phase::Migrate);
    }
    for query in queries {
        for parsed in sql::parse(&query).unwrap_or_default() {
            if let Some(tree) = &parsed.tree {
                let mut builder =
                    crate::product::postgres::hazards::analyse::statement(tree, &parsed.text, names, &[]);
                weigh(tree, names, &mut builder);
                s.absorb(builder);
            }
        }
    }
    if dynamic {
        s.phase(Phase::Contract);
    }
}

/// Hazards of bulk changes, once it is known whether they can go in batches.
pub fn weigh(tree: &NodeEnum, names: &Names, s: &mut StatementBuilder) {
    let (relation, filtered) = match tree {
        NodeEnum::UpdateStmt(u) => (u.relation.as_ref(), u.where_clause.is_some()),
        NodeEnum::DeleteStmt(d) => (d.relation.as_ref(), d.where_clause.is_some()),
        NodeEnum::MergeStmt(m) => (m.relation.as_ref(), true),
        NodeEnum::InsertStmt(i) => {
            // What an INSERT costs others is the size of what it reads.
            if i.select_stmt.as_deref().is_some_and(|q| !is_values(q)) {
                let target = i.relation.as_ref().map(|r| names.range(r)).unwrap_or_default();
                for source in relations::used(tree, names).read {
                    if source != target && names.size(&source).is_some_and(|size| size.0 >= 10_000) {
                        let rule = if s.backfill.is_some() { &hazards::IN_BATCHES } else { &hazards::BULK };
                        s.hurt(names, rule, &source, "");
                    }
                }
            }
            return;
        }
        _ => return,
    };
    let Some(table) = relation.map(|r| names.range(r)) else { return };
    let rule = match tree {
        NodeEnum::DeleteStmt(_) if !filtered => &hazards::DELETE_ALL,
        NodeEnum::UpdateStmt(_) if !filtered => &hazards::UPDATE_ALL,
        _ if s.backfill.is_some() => &hazards::IN_BATCHES,
        _ => &hazards::BULK,
    };
    s.hurt(names, rule, &table, "");
    if filtered && matches!(tree, NodeEnum::DeleteStmt(_)) {
        s.hurt(names, &hazards::DELETE_ROWS, &table, "");
    }
}

fn is_values(query: &Node) -> bool {
    matches!(query.node.as_ref(), Some(NodeEnum::SelectStmt(s)) if !s.values_lists.is_empty())
}

pub fn refresh(refresh: &RefreshMatViewStmt, names: &Names, s: &mut StatementBuilder) {
    let Some(name) = refresh.relation.as_ref().map(|r| names.range(r)) else { return };
    let (lock, rule) = match refresh.concurrent {
        true => (Lock::Exclusive, &hazards::MATVIEW_REFRESH_CONCURRENTLY),
        false => (Lock::AccessExclusive, &hazards::MATVIEW_REFRESH),
    };
    s.lock(names, &name, lock);
    if !names.is_fresh(&name) {
        s.phase(Phase::Migrate);
    }
    s.hurt(names, rule, &name, "");
    for source in relations::expand(names.catalog, [name]) {
        s.touch(source);
    }
}

pub fn vacuum(vacuum: &VacuumStmt, names: &Names, s: &mut StatementBuilder) {
    let full = option(&vacuum.options, "full");
    let ranges = vacuum.rels.iter().filter_map(|n| match n.node.as_ref() {
        Some(NodeEnum::VacuumRelation(v)) => v.relation.as_ref(),
        _ => None,
    });
    for table in ranges.map(|r: &RangeVar| names.range(r)) {
        s.lock(names, &table, if full { Lock::AccessExclusive } else { Lock::ShareUpdateExclusive });
        if full {
            s.hurt(names, &hazards::VACUUM_FULL, &table, "VACUUM FULL");
        }
    }
    if vacuum.is_vacuumcmd {
        s.warn(names, &hazards::OWN_TRANSACTION, "VACUUM");
    }
}

pub fn cluster(cluster: &ClusterStmt, names: &Names, s: &mut StatementBuilder) {
    if let Some(table) = cluster.relation.as_ref().map(|r| names.range(r)) {
        s.lock(names, &table, Lock::AccessExclusive);
        s.hurt(names, &hazards::VACUUM_FULL, &table, "CLUSTER");
    }
}

pub fn reindex(reindex: &ReindexStmt, names: &Names, s: &mut StatementBuilder) {
    let concurrent = option(&reindex.params, "concurrently");
    let kind = reindex.kind();
    let name = reindex.relation.as_ref().map(|r| names.range(r));
    let tables: Vec<String> = match (kind, &name) {
        (ReindexObjectType::ReindexObjectIndex, Some(name)) => {
            vec![names.index_table(name).unwrap_or_else(|| name.clone())]
        }
        (_, Some(name)) => vec![name.clone()],
        (ReindexObjectType::ReindexObjectSchema, None) => {
            let prefix = format!("{}.", reindex.name);
            names.catalog.tables.keys().filter(|t| t.starts_with(&prefix)).cloned().collect()
        }
        _ => names.catalog.tables.keys().cloned().collect(),
    };
    let (lock, rule) = match concurrent {
        true => (Lock::ShareUpdateExclusive, &hazards::REINDEX_CONCURRENTLY),
        false => (Lock::Share, &hazards::REINDEX),
    };
    for table in tables {
        s.lock(names, &table, lock);
        s.hurt(names, rule, &table, "");
    }
    if kind == ReindexObjectType::ReindexObjectIndex
        && let Some(name) = name
    {
        if concurrent {
            s.builds_index = Some(format!("{name}_ccnew"));
        }
        s.touch(name);
    }
    s.waits_without_blocking = concurrent;
    if concurrent
        || matches!(kind, ReindexObjectType::ReindexObjectSchema | ReindexObjectType::ReindexObjectDatabase)
    {
        s.warn(names, &hazards::OWN_TRANSACTION, "REINDEX in this form");
    }
}

pub fn lock(lock: &LockStmt, names: &Names, s: &mut StatementBuilder) {
    let mode = Lock::from_number(lock.mode);
    for range in lock.relations.iter().filter_map(|n| n.node.as_ref()) {
        if let NodeEnum::RangeVar(range) = range {
            let table = names.range(range);
            s.lock(names, &table, mode);
            s.hurt(names, &hazards::LOCK_TABLE, &table, "");
        }
    }
}
