//! Which columns the answer of a query depends on, by their names.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::Result;
use crate::model::query::Reads;
use crate::product::postgres::grammar::sql;

/// Columns that stand in an expression, and not only where a value is put.
///
/// # Errors
/// `Input` when the grammar does not take the query.
pub fn reads(text: &str) -> Result<Reads> {
    let mut found = Reads::default();
    let mut relations = BTreeSet::new();
    for parsed in sql::parse(text)? {
        let Some(tree) = &parsed.tree else { continue };
        sql::visit(&sql::value(tree), &mut |map| {
            let string = |key: &str| map.get(key).and_then(Value::as_str).filter(|s| !s.is_empty());
            // A relation's name alone means its whole row.
            relations.extend(string("relname").map(str::to_owned));
            relations.extend(string("aliasname").map(str::to_owned));
            found.all |= map.get("is_natural") == Some(&Value::Bool(true)) || map.contains_key("CopyStmt");
            if let Some(fields) = map.get("fields").and_then(Value::as_array) {
                found.all |= fields.iter().any(|f| f.pointer("/node/AStar").is_some());
                let name =
                    |f: &Value| f.pointer("/node/String/sval").and_then(Value::as_str).map(str::to_owned);
                found.names.extend(fields.iter().filter_map(name));
            }
            for item in map.get("using_clause").and_then(Value::as_array).into_iter().flatten() {
                found
                    .names
                    .extend(item.pointer("/node/String/sval").and_then(Value::as_str).map(str::to_owned));
            }
            // What a conflict is told by.
            if let Some(name) = map.get("IndexElem").and_then(|e| e.get("name")).and_then(Value::as_str) {
                found.names.insert(name.to_owned());
            }
            found.all |= map.get("conname").and_then(Value::as_str).is_some_and(|c| !c.is_empty());
        });
    }
    let last_only = found.names.iter().any(|n| relations.contains(n));
    found.all |= last_only && whole_row(text, &relations)?;
    Ok(found)
}

/// Whether a relation's name stands alone, as a column would.
fn whole_row(text: &str, relations: &BTreeSet<String>) -> Result<bool> {
    let mut found = false;
    for parsed in sql::parse(text)? {
        let Some(tree) = &parsed.tree else { continue };
        sql::visit(&sql::value(tree), &mut |map| {
            let Some([only]) = map.get("fields").and_then(Value::as_array).map(Vec::as_slice) else { return };
            let name = only.pointer("/node/String/sval").and_then(Value::as_str);
            found |= name.is_some_and(|n| relations.contains(n));
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_shown_or_compared_is_read_and_what_is_only_written_is_not() {
        for (sql, names, all) in [
            ("select a, count(*) from t where b = 1 group by a", "a b", false),
            ("select * from t", "", true),
            ("select t.* from t", "t", true),
            ("select to_json(x) from t x", "x", true),
            ("select x.a from t x", "a x", false),
            ("select 1 from t natural join u", "", true),
            ("select 1 from t join u using (k)", "k", false),
            ("insert into t (a, b) values ($1, $2) returning id", "id", false),
            ("insert into t (a) values ($1) on conflict (a) do nothing", "a", false),
            ("update t set a = $1, b = c where d = $2", "c d", false),
            ("update t set a = a + 1", "a", false),
            ("copy t to stdout", "", true),
        ] {
            let found = reads(sql).unwrap();
            let said = found.names.into_iter().collect::<Vec<_>>().join(" ");
            assert_eq!((said.as_str(), found.all), (names, all), "{sql}");
        }
    }
}
