//! Which relations a query reads and writes, through views and partitions; the shape of COPY and of INSERT.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::{self, ColumnRef, Node, ResTarget, SelectStmt};
use serde_json::{Map, Value};

use crate::model::catalog::Catalog;
use crate::model::relation_name::qualified;
use crate::product::postgres::grammar::names::{self, Names};
use crate::product::postgres::grammar::sql;

/// Relations named in a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    pub read: BTreeSet<String>,
    pub written: BTreeSet<String>,
}

/// What a COPY stands for: it cannot be prepared, so it is checked by other means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyShape {
    /// `COPY table (columns) FROM`: the name as written (`schema.name` or `name`); no columns mean all.
    In { table: String, columns: Vec<String> },
    /// `COPY … TO`: a query with the same rows.
    Out { query: String },
}

/// Relations that queries read or write, with those behind their views and the partitions above and below, as `schema.name`.
pub fn of_trees(trees: &[NodeEnum], catalog: &Catalog) -> BTreeSet<String> {
    let names = Names::new(catalog);
    let all: BTreeSet<String> = trees.iter().flat_map(|tree| of_tree(tree, &names)).collect();
    expand(catalog, all)
}

pub(in crate::product::postgres) fn insert_columns(
    insert: &protobuf::InsertStmt,
    table: &str,
    names: &Names,
) -> Vec<String> {
    if insert.cols.is_empty() {
        return names
            .table(table)
            .map(|t| t.columns.iter().map(|c| c.name.clone()).collect())
            .unwrap_or_default();
    }
    insert.cols.iter().filter_map(target_name).collect()
}

pub(in crate::product::postgres) fn target_name(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::ResTarget(target) => Some(target.name.clone()),
        _ => None,
    }
}

/// What a COPY stands for; `None` when it is none, or copies from or to a program or a file of the server.
pub fn copy_shape(sql: &str) -> Option<CopyShape> {
    let Some(NodeEnum::CopyStmt(copy)) = sql::parse_one(sql).ok()? else { return None };
    if copy.is_program || !copy.filename.is_empty() {
        return None;
    }
    let columns = sql::texts(&copy.attlist);
    if copy.is_from {
        let table = sql::written(copy.relation.as_ref()?);
        return Some(CopyShape::In { table, columns });
    }
    if let Some(query) = copy.query.as_deref() {
        return sql::unparse(query.node.clone()?).map(|query| CopyShape::Out { query });
    }
    let node = |n: NodeEnum| Node { node: Some(n) };
    let word = |w: &str| node(NodeEnum::String(protobuf::String { sval: w.to_string() }));
    let target = |field: Node| {
        let column = node(NodeEnum::ColumnRef(ColumnRef { fields: vec![field], location: 0 }));
        node(NodeEnum::ResTarget(Box::new(ResTarget { val: Some(Box::new(column)), ..ResTarget::default() })))
    };
    let target_list = match columns.is_empty() {
        true => vec![target(node(NodeEnum::AStar(protobuf::AStar {})))],
        false => columns.iter().map(|c| target(word(c))).collect(),
    };
    // COPY of a partitioned or parent table gives its own rows only.
    let select = SelectStmt {
        target_list,
        from_clause: vec![node(NodeEnum::RangeVar(copy.relation.clone()?))],
        limit_option: protobuf::LimitOption::Default as i32,
        op: protobuf::SetOperation::SetopNone as i32,
        ..SelectStmt::default()
    };
    sql::unparse(NodeEnum::SelectStmt(Box::new(select))).map(|query| CopyShape::Out { query })
}

/// Adds what lies behind views, and the partitions above and below.
pub fn expand(catalog: &Catalog, start: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = start.into_iter().collect();
    while let Some(name) = open.pop() {
        if let Some(behind) = catalog.views.get(&name) {
            open.extend(behind.iter().filter(|b| !all.contains(*b)).cloned());
        }
        let heirs = catalog.inherits.iter().filter(|(_, parents)| parents.contains(&name));
        open.extend(heirs.map(|(heir, _)| heir).filter(|heir| !all.contains(*heir)).cloned());
        if let Some(table) = catalog.tables.get(&name) {
            if table.partitioned {
                all.extend(names::partitions(catalog, &name));
            }
            // Those above, but not what else is below them: a sibling is not read.
            let mut parent = table.parent.as_ref();
            while let Some(above) = parent.filter(|p| !all.contains(*p)) {
                all.insert(above.clone());
                parent = catalog.tables.get(above).and_then(|t| t.parent.as_ref());
            }
        }
        all.insert(name);
    }
    all
}

/// Everything a tree names, read or written.
pub(in crate::product::postgres) fn of_tree(tree: &NodeEnum, names: &Names) -> BTreeSet<String> {
    let Used { mut read, mut written } = used(tree, names);
    read.append(&mut written);
    read
}

/// Relations in a tree, CTE names left out where they are in scope.
pub(in crate::product::postgres) fn used(tree: &NodeEnum, names: &Names) -> Used {
    let mut used = Used::default();
    walk(&sql::value(tree), &[], names, &mut used);
    used
}

const WRITERS: &[&str] = &["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt"];

fn walk(value: &Value, ctes: &[String], names: &Names, used: &mut Used) {
    match value {
        Value::Array(items) => items.iter().for_each(|v| walk(v, ctes, names, used)),
        Value::Object(map) => {
            if let Some(name) = range(map, ctes, names) {
                used.read.insert(name);
                return;
            }
            used.read.extend(row_type(map, names));
            for (key, inner) in map {
                match inner {
                    Value::Object(inner) if WRITERS.contains(&key.as_str()) => {
                        writer(key, inner, ctes, names, used)
                    }
                    _ => {}
                }
            }
            let scope = with(map, ctes, names, used);
            for (key, inner) in map {
                let done = key == "with_clause" || inner.is_object() && WRITERS.contains(&key.as_str());
                if !done {
                    walk(inner, &scope, names, used);
                }
            }
        }
        _ => {}
    }
}

/// INSERT, UPDATE, DELETE, MERGE and COPY: their target is a table, whatever CTEs are called.
fn writer(kind: &str, map: &Map<String, Value>, ctes: &[String], names: &Names, used: &mut Used) {
    let reads = kind == "CopyStmt" && map.get("is_from") == Some(&Value::Bool(false));
    if let Some(Value::Object(target)) = map.get("relation")
        && let Some(name) = range(target, &[], names)
    {
        if reads {
            used.read.insert(name)
        } else {
            used.written.insert(name)
        };
    }
    let scope = with(map, ctes, names, used);
    for (key, inner) in map {
        if key != "relation" && key != "with_clause" {
            walk(inner, &scope, names, used);
        }
    }
}

/// Walks the CTEs of a statement and gives the names its body sees. A CTE sees those before it, and itself only when
/// the clause is recursive.
fn with(map: &Map<String, Value>, ctes: &[String], names: &Names, used: &mut Used) -> Vec<String> {
    let mut scope = ctes.to_vec();
    let Some(clause) = map.get("with_clause").filter(|c| c.is_object()) else { return scope };
    let list = clause.get("ctes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name_of = |cte: &Value| {
        cte.pointer("/node/CommonTableExpr/ctename").and_then(Value::as_str).map(str::to_string)
    };
    if clause.get("recursive") == Some(&Value::Bool(true)) {
        scope.extend(list.iter().filter_map(name_of));
    }
    for cte in list {
        walk(cte, &scope, names, used);
        scope.extend(name_of(cte));
    }
    scope
}

/// The relation or type of users that the name of a type is: a row of a relation is of a type that is called as the relation is.
fn row_type(map: &Map<String, Value>, names: &Names) -> Option<String> {
    map.get("typmods")?;
    let parts = map.get("names")?.as_array()?.iter();
    let parts: Option<Vec<String>> =
        parts.map(|part| Some(part.pointer("/node/String/sval")?.as_str()?.to_owned())).collect();
    let name = names.parts(&parts?)?;
    let catalog = names.catalog;
    let known = catalog.tables.contains_key(&name)
        || catalog.views.contains_key(&name)
        || catalog.enums.contains_key(&name)
        || catalog.domains.contains_key(&name);
    known.then_some(name)
}

fn range(map: &Map<String, Value>, ctes: &[String], names: &Names) -> Option<String> {
    let name = map.get("relname")?.as_str()?;
    let schema = map.get("schemaname")?.as_str()?;
    map.get("relpersistence")?;
    match schema {
        "" if ctes.iter().any(|c| c == name) => None,
        "" => Some(names.resolve(None, name)),
        schema => Some(qualified(schema, name)),
    }
}
