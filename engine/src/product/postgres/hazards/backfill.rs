//! Data changes that can go in key ranges before Liquibase runs them: found here, run elsewhere.
//!
//! A change qualifies when doing it twice is the same as once: the predicate of an UPDATE turns false for rows that are
//! done, or an INSERT … SELECT meets a unique key and does nothing. Then Liquibase, which runs the statement as it is
//! written, finds (nearly) nothing left.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    self, BoolExprType, InsertStmt, Node, OnConflictAction, RangeVar, SelectStmt, UpdateStmt,
};
use serde_json::Value;

use crate::model::catalog::Table;
use crate::model::changeset::{Backfill, KeyColumn};
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::{relations, sql};
use crate::product::postgres::hazards::columns;
use crate::product::postgres::hazards::self_limiting_predicate;
use crate::product::postgres::hazards::type_change::Type;

/// Below this a table is changed in one go.
const LEAST_ROWS: u64 = 10_000;

/// Types with an order that text can carry over: the text form of a key must give the same key again.
const KEY_TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "uuid",
    "text",
    "character varying",
    "character",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "boolean",
    "bytea",
    "oid",
    "inet",
    "macaddr",
];

/// The columns of the key that is walked, the leading one first.
fn columns_of(b: &Backfill) -> Vec<KeyColumn> {
    let leading = KeyColumn { name: b.key.clone(), sql_type: b.key_type.clone() };
    [leading].into_iter().chain(b.more_key.iter().cloned()).collect()
}

/// The columns as they are compared, and the key that a parameter holds: its text or, of several columns, that of an array.
fn compared(columns: &[KeyColumn], qualifier: &str, parameter: &str) -> (String, String) {
    let name = |c: &KeyColumn| format!("{qualifier}.{}", sql::quote(&c.name));
    let cast = |c: &KeyColumn| Type::from_text(&c.sql_type).cast();
    match columns {
        [one] => (name(one), format!("{parameter}::text::{}", cast(one))),
        all => {
            let names: Vec<String> = all.iter().map(name).collect();
            let values =
                (1..).zip(all).map(|(n, c)| format!("({parameter}::text::text[])[{n}]::{}", cast(c)));
            (format!("({})", names.join(", ")), format!("({})", values.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// SQL for the last key of the next range: `$1` the key to start after (text, NULL: the start), `$2` rows to walk
/// (`int8`). It gives one row with the key as text, or none at the end; it works for a last, shorter range too.
///
/// It and `batch_sql` are run under `plan_cache_mode = force_custom_plan` (`server/batch.rs`).
pub fn bound_sql(b: &Backfill) -> String {
    let columns = columns_of(b);
    let (key, start) = compared(&columns, "source", "$1");
    let names: Vec<String> = columns.iter().map(|c| sql::quote(&c.name)).collect();
    let listed = |before: &str, after: &str| {
        names.iter().map(|n| format!("{before}{n}{after}")).collect::<Vec<_>>().join(", ")
    };
    let given = match names.as_slice() {
        [name] => format!("SELECT walked.{name}::text"),
        all => format!("SELECT ARRAY[walked.{}::text]::text", all.join("::text, walked.")),
    };
    let table = sql::quote_name(&b.table);
    // max() would be shorter, but not every type has it (uuid).
    format!(
        "{given} FROM (SELECT {} FROM {table} AS source WHERE $1::text IS NULL OR {key} > {start} \
         ORDER BY {} LIMIT $2::int8) AS walked ORDER BY {} LIMIT 1",
        listed("source.", ""),
        listed("source.", ""),
        listed("walked.", " DESC"),
    )
}

/// The backfill that a statement is, if it is one. `earlier`: what statements before it in the same script touch; one
/// that builds on them cannot run before the script does.
pub(in crate::product::postgres) fn find(
    tree: &NodeEnum,
    names: &Names,
    earlier: &[&str],
) -> Option<Backfill> {
    let independent = relations::of_tree(tree, names).iter().all(|name| !earlier.contains(&name.as_str()));
    if !independent || has_parameter(tree) {
        return None;
    }
    match tree {
        NodeEnum::UpdateStmt(update) => of_update(update, names),
        NodeEnum::InsertStmt(insert) => of_insert(insert, names),
        _ => None,
    }
}

fn has_parameter(tree: &NodeEnum) -> bool {
    let mut found = false;
    sql::visit(&sql::value(tree), &mut |map| found |= map.contains_key("ParamRef"));
    found
}

fn of_update(update: &UpdateStmt, names: &Names) -> Option<Backfill> {
    if update.with_clause.is_some() || !update.returning_list.is_empty() {
        return None;
    }
    let range = update.relation.as_ref()?;
    let walked = Walked::of(range, names)?;
    let predicate = update.where_clause.as_deref()?;
    if !self_limiting_predicate::by_itself(predicate, &update.target_list, range) {
        return None;
    }
    // Rows that get another key would be walked twice, or never.
    let sets = |node: &Node| match node.node.as_ref() {
        Some(NodeEnum::ResTarget(target)) => walked.key.iter().any(|c| c.name == target.name),
        _ => true,
    };
    if update.target_list.iter().any(sets) {
        return None;
    }
    // A statement that reads the table it changes would see its own earlier batches.
    let mut others = update.clone();
    others.relation = None;
    if relations::of_tree(&NodeEnum::UpdateStmt(Box::new(others)), names).contains(&walked.table) {
        return None;
    }
    let mut batch = update.clone();
    batch.where_clause = Some(Box::new(and(predicate.clone(), walked.condition()?)));
    walked.backfill(NodeEnum::UpdateStmt(Box::new(batch)))
}

fn of_insert(insert: &InsertStmt, names: &Names) -> Option<Backfill> {
    let conflict = insert.on_conflict_clause.as_deref()?;
    if conflict.action() != OnConflictAction::OnconflictNothing
        || insert.with_clause.is_some()
        || !insert.returning_list.is_empty()
    {
        return None;
    }
    let Some(NodeEnum::SelectStmt(select)) = insert.select_stmt.as_deref()?.node.as_ref() else {
        return None;
    };
    let [Node { node: Some(NodeEnum::RangeVar(range)) }] = select.from_clause.as_slice() else { return None };
    let walked = Walked::of(range, names)?;
    let target = names.range(insert.relation.as_ref()?);
    if target == walked.table
        || !row_by_row(select)
        || !meets_a_key(insert, conflict, select, &target, &walked, names)
    {
        return None;
    }
    let mut query = select.as_ref().clone();
    query.where_clause = Some(Box::new(match query.where_clause.take() {
        Some(predicate) => and(*predicate, walked.condition()?),
        None => walked.condition()?,
    }));
    let mut batch = insert.clone();
    batch.select_stmt = Some(Box::new(Node { node: Some(NodeEnum::SelectStmt(Box::new(query))) }));
    walked.backfill(NodeEnum::InsertStmt(Box::new(batch)))
}

const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "bool_and",
    "bool_or",
    "every",
    "bit_and",
    "bit_or",
    "stddev",
    "variance",
    "xmlagg",
    "any_value",
    "range_agg",
    "mode",
];

/// Each row of the result comes from one row of the table.
fn row_by_row(select: &SelectStmt) -> bool {
    let plain = select.distinct_clause.is_empty()
        && select.group_clause.is_empty()
        && select.having_clause.is_none()
        && select.window_clause.is_empty()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
        && select.locking_clause.is_empty()
        && select.with_clause.is_none()
        && select.larg.is_none()
        && select.values_lists.is_empty();
    let mut over = false;
    sql::visit(&sql::value(&select.target_list), &mut |map| {
        over |= map.get("over").is_some_and(Value::is_object);
        // Subqueries may aggregate, but may also read what batches change: leave both to one transaction.
        over |= map.contains_key("SubLink");
    });
    plain && !over && !sql::functions(&select.target_list).iter().any(|f| AGGREGATES.contains(&f.as_str()))
}

/// Whether the same source row always meets the same unique key of the target: the key's columns are inserted, from
/// values that do not change from run to run and are not NULL.
fn meets_a_key(
    insert: &InsertStmt,
    conflict: &protobuf::OnConflictClause,
    select: &SelectStmt,
    target: &str,
    walked: &Walked,
    names: &Names,
) -> bool {
    let inserted = relations::insert_columns(insert, target, names);
    let value_of = |column: &String| {
        let at = inserted.iter().position(|c| c == column)?;
        match select.target_list.get(at)?.node.as_ref()? {
            NodeEnum::ResTarget(target) => target.val.as_deref(),
            _ => None,
        }
    };
    let steady = |column: &String| {
        let Some(value) = value_of(column) else { return false };
        if columns::volatile(value).is_some() || !sql::functions(value).is_empty() {
            return false;
        }
        let filled_there = names.column(target, column).is_some_and(|c| c.not_null);
        let filled_here = sql::column(value).is_some_and(|(_, name)| {
            walked.source.columns.iter().any(|c| c.name == name && c.not_null)
                || walked.source.primary_key.contains(&name)
        });
        let constant = sql::literal(value).is_some() && !sql::is_null(value);
        filled_there || filled_here || constant
    };
    let key_holds = |key: &[String]| !key.is_empty() && key.iter().all(steady);
    let inferred: Vec<String> = match conflict.infer.as_deref() {
        Some(infer) if infer.conname.is_empty() && infer.where_clause.is_none() => infer
            .index_elems
            .iter()
            .filter_map(|n| match n.node.as_ref() {
                Some(NodeEnum::IndexElem(e)) if !e.name.is_empty() => Some(e.name.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    match conflict.infer.as_deref() {
        Some(infer) if infer.conname.is_empty() => {
            inferred.len() == infer.index_elems.len() && key_holds(&inferred)
        }
        // A named constraint: which one it is, only the server knows.
        Some(_) => false,
        None => names
            .table(target)
            .is_some_and(|t| t.unique.iter().chain([&t.primary_key]).any(|key| key_holds(key))),
    }
}

/// The table that is walked, and its key.
struct Walked<'a> {
    table: String,
    source: &'a Table,
    key: Vec<KeyColumn>,
    qualifier: String,
    rows: u64,
}

impl<'a> Walked<'a> {
    fn of(range: &RangeVar, names: &Names<'a>) -> Option<Self> {
        let table = names.range(range);
        let source = names.table(&table)?;
        let (rows, _) = names.size(&table)?;
        if rows < LEAST_ROWS || names.origin(&table) != table {
            return None;
        }
        // Each value once, so that a range has no more rows than it is meant to.
        let keys = [&source.primary_key].into_iter().chain(&source.unique);
        let key = keys.filter(|key| !key.is_empty()).find_map(|key| walkable(key, source, names))?;
        let qualifier = match &range.alias {
            Some(alias) => alias.aliasname.clone(),
            None => range.relname.clone(),
        };
        Some(Self { table, source, key, qualifier, rows })
    }

    /// `$1 < key <= $2`, where a NULL `$1` is the start.
    fn condition(&self) -> Option<Node> {
        let qualifier = sql::quote(&self.qualifier);
        let (key, start) = compared(&self.key, &qualifier, "$1");
        let (_, end) = compared(&self.key, &qualifier, "$2");
        let text = format!("SELECT 1 WHERE ($1::text IS NULL OR {key} > {start}) AND {key} <= {end}");
        match sql::parse_one(&text).ok()?? {
            NodeEnum::SelectStmt(select) => select.where_clause.map(|w| *w),
            _ => None,
        }
    }

    fn backfill(self, batch: NodeEnum) -> Option<Backfill> {
        let batch_sql = sql::unparse(batch)?;
        let mut columns = self.key.into_iter();
        let KeyColumn { name: key, sql_type: key_type } = columns.next()?;
        let more_key = columns.collect();
        Some(Backfill { table: self.table, key, key_type, more_key, batch_sql, rows: self.rows })
    }
}

/// The columns of a unique key, if it has a place for every row and text can carry all of it.
fn walkable(key: &[String], table: &Table, names: &Names) -> Option<Vec<KeyColumn>> {
    let column = |name: &String| {
        let column = table.columns.iter().find(|c| c.name == *name)?;
        let filled = column.not_null || table.primary_key.contains(name);
        let parsed = Type::from_text(&column.sql_type);
        let carried = KEY_TYPES.contains(&parsed.base.as_str())
            || names.catalog.labels(&parsed.base.replace('"', "")).is_some();
        let column = KeyColumn { name: name.clone(), sql_type: column.sql_type.clone() };
        (filled && !parsed.array && carried).then_some(column)
    };
    key.iter().map(column).collect()
}

fn and(left: Node, right: Node) -> Node {
    let both = protobuf::BoolExpr {
        boolop: BoolExprType::AndExpr as i32,
        args: vec![left, right],
        ..Default::default()
    };
    Node { node: Some(NodeEnum::BoolExpr(Box::new(both))) }
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
