//! The rows that an UPDATE or DELETE finds, as a query.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RangeVar, UpdateStmt};

use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards::dml;

/// A query over the rows that an UPDATE or DELETE finds. `list` gives what it selects, from what the table is called there and the
/// columns that are assigned, each with its new value. `schema`: of the table, where the statement names none.
pub fn moved_query(
    text: &str,
    schema: Option<&str>,
    list: impl FnOnce(&str, &[(String, Option<String>)]) -> String,
) -> Option<String> {
    let (mut relation, more, predicate, columns) = match sql::parse_one(text).ok()?? {
        NodeEnum::UpdateStmt(update) => {
            let columns = assigned(&update);
            (update.relation?, update.from_clause, update.where_clause, columns)
        }
        NodeEnum::DeleteStmt(delete) => {
            (delete.relation?, delete.using_clause, delete.where_clause, Vec::new())
        }
        _ => return None,
    };
    let list = list(&sql::quote(called(&relation)), &columns);
    if let (true, Some(schema)) = (relation.schemaname.is_empty(), schema) {
        schema.clone_into(&mut relation.schemaname);
    }
    let NodeEnum::SelectStmt(mut select) = sql::parse_one(&format!("SELECT {list} FROM x")).ok()?? else {
        return None;
    };
    select.from_clause = vec![Node { node: Some(NodeEnum::RangeVar(relation)) }];
    select.from_clause.extend(more);
    select.where_clause = predicate;
    sql::unparse(NodeEnum::SelectStmt(select))
}

/// Functions that a query calls and that are not known to change nothing.
pub fn unknown_functions(query: &str) -> Vec<String> {
    let Ok(Some(tree)) = sql::parse_one(query) else { return Vec::new() };
    sql::functions(&tree).into_iter().filter(|function| !dml::is_harmless(function)).collect()
}

/// The columns that an UPDATE sets to constants, and these.
pub fn constants(text: &str) -> Vec<(String, String)> {
    let Ok(Some(NodeEnum::UpdateStmt(update))) = sql::parse_one(text) else { return Vec::new() };
    let targets = update.target_list.iter().filter_map(|target| match target.node.as_ref()? {
        NodeEnum::ResTarget(target) if target.indirection.is_empty() => {
            let value = target.val.as_deref().filter(|value| sql::literal(value).is_some())?;
            Some((target.name.clone(), expression(value)?))
        }
        _ => None,
    });
    targets.collect()
}

/// The columns that an UPDATE sets, and to what, where that is an expression for the column alone that can be asked for without
/// changing anything.
pub fn assigned(update: &UpdateStmt) -> Vec<(String, Option<String>)> {
    let targets = update.target_list.iter().filter_map(|target| match target.node.as_ref()? {
        NodeEnum::ResTarget(target) => {
            let value = target.val.as_deref().filter(|_| target.indirection.is_empty());
            Some((target.name.clone(), value.and_then(expression)))
        }
        _ => None,
    });
    targets.collect()
}

/// The text of an expression that changes nothing.
pub fn expression(value: &Node) -> Option<String> {
    if matches!(value.node, Some(NodeEnum::SetToDefault(_) | NodeEnum::MultiAssignRef(_))) {
        return None;
    }
    let NodeEnum::SelectStmt(mut select) = sql::parse_one("SELECT 1").ok()?? else { return None };
    for target in &mut select.target_list {
        if let Some(NodeEnum::ResTarget(target)) = &mut target.node {
            target.val = Some(Box::new(value.clone()));
        }
    }
    let text =
        sql::unparse(NodeEnum::SelectStmt(select)).filter(|text| unknown_functions(text).is_empty())?;
    text.strip_prefix("SELECT ").map(str::to_owned)
}

fn called(range: &RangeVar) -> &str {
    range.alias.as_ref().map_or(&range.relname, |alias| &alias.aliasname)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_update_would_write_can_be_read_beforehand() {
        let read = |statement: &str| {
            moved_query(statement, Some("shop"), |name, assigned| {
                let all = assigned
                    .iter()
                    .map(|(column, value)| format!("{name}.{column}, {}", value.as_deref().unwrap_or("'?'")));
                all.collect::<Vec<_>>().join(", ")
            })
        };
        assert_eq!(
            read("UPDATE jobs j SET region = upper(region) || 'x', tags[1] = 'a', at = DEFAULT, no = nextval('n') WHERE id > 5")
                .as_deref(),
            Some("SELECT j.region, upper(region) || 'x', j.tags, '?', j.at, '?', j.no, '?' FROM shop.jobs j WHERE id > 5")
        );
        let set = "UPDATE jobs SET region = 'eu', total = 5::numeric, at = now(), tags[1] = 'a', name = upper(name)";
        let constants = constants(set).into_iter().map(|(column, value)| format!("{column} {value}"));
        assert_eq!(constants.collect::<Vec<_>>(), ["region 'eu'", "total 5::numeric"]);
    }
}
