//! Whether an UPDATE's own SET makes one of its conditions false: then a row that is done is not done again.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, BoolExprType, BoolTestType, Node, NullTestType, RangeVar};

use crate::product::postgres::grammar::sql;

/// Looks at the conditions joined by AND; one that turns false is enough.
pub fn by_itself(predicate: &Node, targets: &[Node], range: &RangeVar) -> bool {
    let assigned: Vec<(&str, &Node)> = targets
        .iter()
        .filter_map(|t| match t.node.as_ref() {
            Some(NodeEnum::ResTarget(t)) if t.indirection.is_empty() => {
                Some((t.name.as_str(), t.val.as_deref()?))
            }
            _ => None,
        })
        .collect();
    terms(predicate).into_iter().any(|term| turns_false(term, &assigned, range))
}

fn terms(predicate: &Node) -> Vec<&Node> {
    match predicate.node.as_ref() {
        Some(NodeEnum::BoolExpr(b)) if b.boolop() == BoolExprType::AndExpr => {
            b.args.iter().flat_map(terms).collect()
        }
        _ => vec![predicate],
    }
}

/// The value that SET gives the column this node names, if the column is the target's own.
fn set<'a>(node: &Node, assigned: &[(&str, &'a Node)], range: &RangeVar) -> Option<&'a Node> {
    let (qualifiers, name) = sql::column(node)?;
    let own = range.alias.as_ref().map_or(range.relname.as_str(), |a| a.aliasname.as_str());
    let ours = qualifiers.last().is_none_or(|q| q == own);
    ours.then(|| assigned.iter().find(|(column, _)| *column == name).map(|(_, value)| *value)).flatten()
}

fn turns_false(term: &Node, assigned: &[(&str, &Node)], range: &RangeVar) -> bool {
    match term.node.as_ref() {
        // col IS NULL, col := something; col IS NOT NULL, col := NULL
        Some(NodeEnum::NullTest(test)) => {
            let value = test.arg.as_deref().and_then(|arg| set(arg, assigned, range));
            value.is_some_and(|v| match test.nulltesttype() {
                NullTestType::IsNull => !sql::is_null(v),
                NullTestType::IsNotNull => sql::is_null(v),
                NullTestType::Undefined => false,
            })
        }
        // col IS NOT TRUE, col := true, and the like
        Some(NodeEnum::BooleanTest(test)) => {
            let value = test.arg.as_deref().and_then(|arg| set(arg, assigned, range)).and_then(sql::literal);
            let wanted = match test.booltesttype() {
                BoolTestType::IsNotTrue | BoolTestType::IsFalse => "true",
                BoolTestType::IsNotFalse | BoolTestType::IsTrue => "false",
                BoolTestType::IsUnknown => return value.is_some(),
                _ => return false,
            };
            value.as_deref() == Some(wanted)
        }
        // NOT col, col := true
        Some(NodeEnum::BoolExpr(b)) if b.boolop() == BoolExprType::NotExpr => {
            let value = b.args.first().and_then(|arg| set(arg, assigned, range)).and_then(sql::literal);
            value.as_deref() == Some("true")
        }
        // col, col := false
        Some(NodeEnum::ColumnRef(_)) => {
            set(term, assigned, range).and_then(sql::literal).as_deref() == Some("false")
        }
        Some(NodeEnum::AExpr(e)) => {
            let (Some(left), Some(right)) = (e.lexpr.as_deref(), e.rexpr.as_deref()) else { return false };
            let operator = sql::texts(&e.name).pop().unwrap_or_default();
            compared(e.kind(), &operator, left, right, assigned, range)
                || e.kind() != AExprKind::AexprIn
                    && compared(e.kind(), &operator, right, left, assigned, range)
        }
        _ => false,
    }
}

fn compared(
    kind: AExprKind,
    operator: &str,
    left: &Node,
    right: &Node,
    assigned: &[(&str, &Node)],
    range: &RangeVar,
) -> bool {
    let Some(value) = set(left, assigned, range) else { return false };
    let same = || sql::value(value) == sql::value(right) && sql::functions(value).is_empty();
    // Two literals that read differently; equal ones in disguise ('1', '01') only change nothing once more.
    let other =
        |node: &Node| matches!((sql::literal(value), sql::literal(node)), (Some(a), Some(b)) if a != b);
    match (kind, operator) {
        (AExprKind::AexprDistinct, _) => same() || steady(value, right),
        (AExprKind::AexprOp, "<>" | "!=") => {
            same() || sql::literal(value).is_some() && sql::literal(value) == sql::literal(right)
        }
        (AExprKind::AexprOp, "=") => other(right),
        (AExprKind::AexprIn, "=") => match right.node.as_ref() {
            Some(NodeEnum::List(list)) => !list.items.is_empty() && list.items.iter().all(other),
            _ => false,
        },
        _ => false,
    }
}

/// The same expression, functions and all: what is called must not give another value each time.
fn steady(value: &Node, right: &Node) -> bool {
    sql::value(value) == sql::value(right)
        && crate::product::postgres::hazards::columns::volatile(value).is_none()
}
