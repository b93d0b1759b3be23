//! SQL that a function or DO block puts together as it runs: whether values get into it as they come.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, a_const::Val};

use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;

/// Functions that make a value safe to stand in a statement.
const QUOTING: &[&str] = &["quote_ident", "quote_literal", "quote_nullable"];

/// Looks into a CREATE FUNCTION or DO block in PL/pgSQL; what is in another language does not show.
pub fn look(text: &str, names: &Names, s: &mut StatementBuilder) {
    let Ok(functions) = pg_query::parse_plpgsql(text) else { return };
    let mut expressions: Vec<String> = Vec::new();
    sql::visit(&functions, &mut |map| {
        let places = [
            ("PLpgSQL_stmt_dynexecute", "/query/PLpgSQL_expr/query"),
            ("PLpgSQL_stmt_dynfors", "/query/PLpgSQL_expr/query"),
            ("PLpgSQL_stmt_return_query", "/dynquery/PLpgSQL_expr/query"),
            ("PLpgSQL_stmt_open", "/dynquery/PLpgSQL_expr/query"),
        ];
        for (kind, place) in places {
            let query = map.get(kind).and_then(|s| s.pointer(place)).and_then(serde_json::Value::as_str);
            expressions.extend(query.map(str::to_string));
        }
    });
    if let Some(raw) = expressions.iter().find(|e| expression(e).is_some_and(|node| is_raw(&node, false))) {
        s.warn(names, &hazards::INJECTION, &format!("EXECUTE {}", shortened(raw)));
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn expression(text: &str) -> Option<Node> {
    let Some(NodeEnum::SelectStmt(select)) = sql::parse_one(&format!("SELECT {text}")).ok()? else {
        return None;
    };
    match select.target_list.into_iter().next()?.node? {
        NodeEnum::ResTarget(target) => target.val.map(|v| *v),
        _ => None,
    }
}

/// Whether a value gets into the text as it is. A variable alone may hold anything, also a whole statement that somebody
/// has put together with care, so it counts only as a part (`part`).
fn is_raw(node: &Node, part: bool) -> bool {
    match node.node.as_ref() {
        Some(NodeEnum::AConst(_)) | None => false,
        Some(NodeEnum::TypeCast(cast)) => {
            // A regclass prints as a name that is safe.
            let to = cast.type_name.as_ref().map(|t| sql::texts(&t.names)).unwrap_or_default();
            !to.iter().any(|t| t.starts_with("reg")) && cast.arg.as_deref().is_some_and(|a| is_raw(a, part))
        }
        Some(NodeEnum::AExpr(e)) if sql::texts(&e.name) == ["||"] => {
            [&e.lexpr, &e.rexpr].into_iter().flatten().any(|side| is_raw(side, true))
        }
        Some(NodeEnum::FuncCall(call)) => {
            let name = sql::texts(&call.funcname).pop().unwrap_or_default();
            match name.as_str() {
                "format" => call.args.first().is_none_or(format_is_raw),
                "concat" | "concat_ws" => call.args.iter().any(|a| is_raw(a, true)),
                name => part && !QUOTING.contains(&name),
            }
        }
        Some(_) => part,
    }
}

/// `%s` takes a value as it is.
fn format_is_raw(pattern: &Node) -> bool {
    match pattern.node.as_ref() {
        Some(NodeEnum::AConst(c)) => match &c.val {
            Some(Val::Sval(s)) => s.sval.replace("%%", "").split('%').skip(1).any(|after| {
                after
                    .trim_start_matches(|c: char| c.is_ascii_digit() || c == '$' || c == '-')
                    .starts_with('s')
            }),
            _ => false,
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_in_as_they_come_or_quoted() {
        let raw = |text: &str| expression(text).is_some_and(|node| is_raw(&node, false));
        for text in [
            "'DROP TABLE ' || name",
            "'SELECT * FROM t WHERE a = ''' || value || ''''",
            "format('DROP TABLE %s', name)",
            "format('%I.%2$s', a, b)",
            "format(pattern, name)",
            "concat('DROP TABLE ', name)",
            "'DROP TABLE ' || lower(name)",
        ] {
            assert!(raw(text), "{text}");
        }
        for text in [
            "'DROP TABLE x'",
            "'DROP TABLE ' || quote_ident(name)",
            "format('DROP TABLE %I', name)",
            "format('%%s %L', name)",
            "statement",
            "'DROP TABLE ' || name::regclass",
            "'a' || 'b'",
        ] {
            assert!(!raw(text), "{text}");
        }
    }
}
