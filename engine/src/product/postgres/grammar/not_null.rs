//! Which columns a check keeps from being NULL. The server takes a valid one as the proof for SET NOT NULL, and scans no row
//! (<https://www.postgresql.org/docs/current/sql-altertable.html>, SET NOT NULL).

use pg_query::NodeEnum;
use pg_query::protobuf::{BoolExprType, Node, NullTestType};

use crate::product::postgres::grammar::sql;

/// Columns that the check says are not NULL, whatever else it asks.
pub fn kept(check: &Node) -> Vec<String> {
    match check.node.as_ref() {
        Some(NodeEnum::BoolExpr(all)) if all.boolop() == BoolExprType::AndExpr => {
            all.args.iter().flat_map(kept).collect()
        }
        Some(NodeEnum::NullTest(test)) if test.nulltesttype() == NullTestType::IsNotNull => {
            test.arg.as_deref().and_then(sql::column).map(|(_, name)| name).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The same for a check as the catalog writes it.
pub fn kept_by_text(check: &str) -> Vec<String> {
    let Ok(Some(NodeEnum::SelectStmt(select))) = sql::parse_one(&format!("SELECT {check}")) else {
        return Vec::new();
    };
    let target = select.target_list.first().and_then(|t| t.node.as_ref());
    match target {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref().map(kept).unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::kept_by_text;

    #[test]
    fn what_is_said_without_condition_counts() {
        for (check, expected) in [
            ("(k IS NOT NULL)", &["k"][..]),
            ("((k IS NOT NULL) AND (\"Big\" IS NOT NULL) AND (k > 0))", &["k", "Big"]),
            ("((k IS NOT NULL) OR (n > 0))", &[]),
            ("(k > 0)", &[]),
            ("(NOT (k IS NULL))", &[]),
            ("(k IS NULL)", &[]),
        ] {
            assert_eq!(kept_by_text(check), expected, "{check}");
        }
    }
}
