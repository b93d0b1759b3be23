//! The names that the body of a routine says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::product::postgres::grammar::sql;

/// Names in the body of a routine, as schema (where it says one) and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyNames {
    pub relations: BTreeSet<(Option<String>, String)>,
    /// What it calls.
    pub routines: BTreeSet<(Option<String>, String)>,
}

/// Of a routine in SQL, by its body.
pub fn of_sql(body: &str) -> BodyNames {
    let mut names = BodyNames::default();
    names.read(body);
    names
}

/// Of a routine in PL/pgSQL, by the statement that makes it. What it puts together as it runs does not show.
pub fn of_plpgsql(definition: &str) -> BodyNames {
    let mut names = BodyNames::default();
    let Ok(functions) = pg_query::parse_plpgsql(definition) else { return names };
    let mut texts: Vec<String> = Vec::new();
    sql::visit(&functions, &mut |map| {
        let query = map.get("PLpgSQL_expr").and_then(|e| e.get("query")).and_then(Value::as_str);
        texts.extend(query.map(str::to_owned));
    });
    for text in texts {
        // A statement, an expression, or what is assigned.
        let assigned = text.split_once(":=").map_or("", |(_, value)| value);
        let _ = names.read(&text)
            || names.read(&format!("SELECT {text}"))
            || names.read(&format!("SELECT {assigned}"));
    }
    names
}

impl BodyNames {
    fn read(&mut self, text: &str) -> bool {
        let Ok(statements) = sql::parse(text) else { return false };
        for parsed in statements {
            let Some(tree) = &parsed.tree else { continue };
            let mut own: BTreeSet<String> = BTreeSet::new();
            let mut found: BTreeSet<(Option<String>, String)> = BTreeSet::new();
            sql::visit(&sql::value(tree), &mut |map| {
                let string = |key: &str| {
                    map.get(key).and_then(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned)
                };
                own.extend(string("ctename"));
                found.extend(string("relname").map(|name| (string("schemaname"), name)));
                let called = map.get("funcname").and_then(Value::as_array);
                let parts: Vec<&str> = called
                    .into_iter()
                    .flatten()
                    .filter_map(|part| part.pointer("/node/String/sval").and_then(Value::as_str))
                    .collect();
                self.routines.extend(match parts.as_slice() {
                    [name] => Some((None, (*name).to_owned())),
                    [schema, name] => Some((Some((*schema).to_owned()), (*name).to_owned())),
                    _ => None,
                });
            });
            self.relations
                .extend(found.into_iter().filter(|(schema, name)| schema.is_some() || !own.contains(name)));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_expressions_and_assignments_say_names() {
        let body = "create function f(c bigint) returns bigint language plpgsql as $$
            declare n bigint; r record;
            begin
              n := (select count(*) from orders where customer_id = c);
              with recent as (select * from app.visits) insert into log select id from recent;
              for r in select * from queue loop perform notify_one(r.id); end loop;
              if exists (select from blocklist) then return app.score(c); end if;
              return n;
            end $$";
        let names = of_plpgsql(body);
        let told = |all: &BTreeSet<(Option<String>, String)>| {
            let name = |(schema, name): &(Option<String>, String)| {
                format!("{}.{name}", schema.clone().unwrap_or_default())
            };
            all.iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&names.relations), ".blocklist .log .orders .queue app.visits");
        assert_eq!(told(&names.routines), ".count .notify_one app.score");
        assert_eq!(told(&of_sql("select id from orders; delete from log").relations), ".log .orders");
    }
}
