//! What a query is planned as, with nothing run: the plan for any values, as EXPLAIN gives it.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use serde::Deserialize;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::model::error_class::ErrorClass;
use crate::model::query::{PlanShape, QueryError, QueryShape};
use crate::model::relation_name::qualified;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::server::client::query_error;
use crate::product::postgres::server::text::builtin;

/// Plans one query under a name of its own: many may be on their way over one connection. `None` for what has no plan (COPY,
/// CALL), where no value will do and where the plan cannot be read.
pub async fn plan(
    client: &Client,
    name: &str,
    sql: &str,
    shape: &QueryShape,
) -> Result<Option<PlanShape>, QueryError> {
    if !has_plan(sql) {
        return Ok(None);
    }
    let top = match explain(client, name, sql, shape, "").await {
        Ok(Some(top)) => top,
        Ok(None) => return Ok(None),
        // A parameter of a domain that takes no NULL: that is of our values, not of the query.
        Err(QueryError {
            table: None,
            class: ErrorClass::NotNullViolation | ErrorClass::CheckViolation,
            ..
        }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut whole = BTreeSet::new();
    top.scans(false, &mut whole);
    // The values are all NULL, which no partition is for: those that depend on them are left out of what is shown, though
    // not of the cost.
    if top.prunes() {
        let all = explain(client, name, sql, shape, "SET LOCAL enable_partition_pruning = off;").await?;
        all.iter().for_each(|top| top.scans(false, &mut whole));
    }
    Ok(Some(PlanShape { cost: top.cost, whole }))
}

fn has_plan(text: &str) -> bool {
    let planned = |tree: &NodeEnum| {
        use NodeEnum::{DeleteStmt, InsertStmt, MergeStmt, SelectStmt, UpdateStmt};
        matches!(tree, SelectStmt(_) | InsertStmt(_) | UpdateStmt(_) | DeleteStmt(_) | MergeStmt(_))
    };
    sql::trees(text).is_ok_and(|trees| matches!(trees.as_slice(), [tree] if planned(tree)))
}

async fn explain(
    client: &Client,
    name: &str,
    sql: &str,
    shape: &QueryShape,
    setting: &str,
) -> Result<Option<Node>, QueryError> {
    // As the service's driver fixes them; types of users are left to the server.
    let types = shape.parameters.iter().map(|t| if builtin(t).is_some() { t } else { "unknown" });
    let list = |all: Vec<&str>| if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) };
    let values = list(vec!["NULL"; shape.parameters.len()]);
    let types = list(types.collect());
    // One transaction, so that settings end with it. The line ends because the query may end in a comment.
    let script = format!(
        "PREPARE {name}{types} AS {sql}\n; SET LOCAL plan_cache_mode = force_generic_plan; {setting} \
         EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE {name}{values}; DEALLOCATE {name}"
    );
    let said = client.simple_query(&script).await;
    if said.is_err() {
        // It may have been prepared all the same.
        let _ = client.simple_query(&format!("DEALLOCATE {name}")).await;
    }
    let json = said.map_err(query_error)?.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(json.and_then(|json| read(&json)))
}

fn read(json: &str) -> Option<Node> {
    let explained = serde_json::from_str::<Vec<Explained>>(json);
    explained
        .inspect_err(|error| tracing::debug!(%error, "a plan cannot be read"))
        .ok()?
        .pop()
        .map(|e| e.plan)
}

#[derive(Deserialize)]
struct Explained {
    #[serde(rename = "Plan")]
    plan: Node,
}

/// A node of a plan (<https://www.postgresql.org/docs/current/sql-explain.html>).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    #[serde(rename = "Node Type")]
    kind: String,
    #[serde(rename = "Total Cost")]
    cost: f64,
    schema: Option<String>,
    #[serde(rename = "Relation Name")]
    relation: Option<String>,
    #[serde(rename = "Index Cond")]
    condition: Option<String>,
    #[serde(rename = "Order By")]
    nearest: Option<String>,
    filter: Option<String>,
    #[serde(rename = "Subplans Removed", default)]
    removed: u64,
    #[serde(default)]
    plans: Vec<Node>,
}

impl Node {
    /// Tables that are read from end to end. Walking along an index for its order is that too, unless the walk ends with the
    /// first rows.
    fn scans(&self, limited: bool, whole: &mut BTreeSet<String>) {
        let walks =
            || self.condition.is_none() && self.nearest.is_none() && (self.filter.is_some() || !limited);
        let reads_all = match self.kind.as_str() {
            "Seq Scan" => true,
            "Index Scan" | "Index Only Scan" => walks(),
            _ => false,
        };
        if let (true, Some(schema), Some(relation)) = (reads_all, &self.schema, &self.relation) {
            whole.insert(qualified(schema, relation));
        }
        for below in &self.plans {
            below.scans(limited || self.kind == "Limit", whole);
        }
    }

    fn prunes(&self) -> bool {
        self.removed > 0 || self.plans.iter().any(Self::prunes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_has_a_plan() {
        for (sql, expected) in [
            ("select 1", true),
            ("/* service='a' */ select 1", true),
            ("(select 1) union select 2", true),
            ("values (1)", true),
            ("with a as (select 1) delete from t using a", true),
            ("merge into t using s on t.id = s.id when matched then do nothing", true),
            ("copy t from stdin", false),
            ("copy (select 1) to stdout", false),
            ("call p()", false),
            ("set x = 1", false),
        ] {
            assert_eq!(has_plan(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_is_read_whole() {
        let scan = |kind: &str, more: &str| {
            format!(
                r#"{{"Node Type": "{kind}", "Total Cost": 9, "Schema": "s", "Relation Name": "t"{more}}}"#
            )
        };
        let under = |kind: &str, below: &str| {
            format!(r#"{{"Node Type": "{kind}", "Total Cost": 9.5, "Plans": [{below}]}}"#)
        };
        let condition = r#", "Index Cond": "(a = 1)""#;
        let filter = r#", "Filter": "(b = 1)""#;
        for (plan, expected) in [
            (scan("Seq Scan", ""), true),
            (under("Aggregate", &under("Gather", &scan("Seq Scan", filter))), true),
            (scan("Index Scan", condition), false),
            (scan("Index Scan", ""), true),
            (scan("Index Only Scan", ""), true),
            (scan("Bitmap Heap Scan", ""), false),
            (scan("ModifyTable", ""), false),
            // The first rows by an index; the first that fit may be at its end.
            (under("Limit", &scan("Index Scan", "")), false),
            (under("Limit", &scan("Index Scan", filter)), true),
            (under("Limit", &under("Sort", &scan("Seq Scan", ""))), true),
            // The nearest.
            (scan("Index Scan", r#", "Order By": "(a <-> b)""#), false),
        ] {
            let top = read(&format!(r#"[{{"Plan": {plan}}}]"#)).unwrap();
            let mut whole = BTreeSet::new();
            top.scans(false, &mut whole);
            assert_eq!(whole.contains("s.t"), expected, "{plan}");
            assert!(!top.prunes() && top.cost >= 9.0);
        }
        let pruned = under("Limit", r#"{"Node Type": "Append", "Total Cost": 1, "Subplans Removed": 4}"#);
        assert!(read(&format!(r#"[{{"Plan": {pruned}}}]"#)).unwrap().prunes());
        assert!(read("[]").is_none() && read("nonsense").is_none());
    }
}
