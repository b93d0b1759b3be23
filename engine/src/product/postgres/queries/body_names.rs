//! The names that the body of a routine says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::product::postgres::diff::names::identifiers;
use crate::product::postgres::grammar::sql;

/// Names in the body of a routine, as schema (where it says one) and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyNames {
    pub relations: BTreeSet<(Option<String>, String)>,
    /// What it calls.
    pub routines: BTreeSet<(Option<String>, String)>,
    /// What may be a column's name, without what stands before it.
    pub columns: BTreeSet<String>,
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
        // A statement, an expression, or an assignment.
        if names.read(&text) || names.read(&format!("SELECT {text}")) {
            continue;
        }
        if let Some((to, value)) = text.split_once(":=") {
            names.read(&format!("SELECT {to}"));
            names.read(&format!("SELECT {value}"));
        }
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
                self.routines.extend(match parts(map.get("funcname")).as_slice() {
                    [name] => Some((None, (*name).to_owned())),
                    [schema, name] => Some((Some((*schema).to_owned()), (*name).to_owned())),
                    _ => None,
                });
                found.extend(sequence(map));
                self.columns.extend(parts(map.get("fields")).last().map(|name| (*name).to_owned()));
                // Columns that are written; the name of one that is given is what the answer calls it.
                let lists = [
                    map.get("InsertStmt").and_then(|insert| insert.get("cols")),
                    map.get("on_conflict_clause").and_then(|conflict| conflict.get("target_list")),
                    map.get("UpdateStmt").and_then(|update| update.get("target_list")),
                ];
                let targets = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
                let name =
                    |target: &Value| target.pointer("/node/ResTarget/name")?.as_str().map(str::to_owned);
                self.columns.extend(targets.filter_map(name));
            });
            self.relations
                .extend(found.into_iter().filter(|(schema, name)| schema.is_some() || !own.contains(name)));
        }
        true
    }
}

/// The sequence that a call draws from, by the string that it is named with.
fn sequence(call: &Map<String, Value>) -> Option<(Option<String>, String)> {
    let drawing = ["nextval", "currval", "setval"];
    parts(call.get("funcname")).last().filter(|name| drawing.contains(name))?;
    let argument = call.get("args")?.as_array()?.first()?;
    let text = |constant: &Value| constant.pointer("/val/Sval/sval")?.as_str().map(str::to_owned);
    let constant = argument.pointer("/node/AConst").or(argument.pointer("/node/TypeCast/arg/node/AConst"))?;
    match identifiers(&text(constant)?).as_slice() {
        [name] => Some((None, name.clone())),
        [schema, name] => Some((Some(schema.clone()), name.clone())),
        _ => None,
    }
}

/// The parts of a name with dots.
fn parts(name: Option<&Value>) -> Vec<&str> {
    let parts = name.and_then(Value::as_array).into_iter().flatten();
    parts.filter_map(|part| part.pointer("/node/String/sval").and_then(Value::as_str)).collect()
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
        let columns = |names: &BodyNames| names.columns.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(columns(&names), "c customer_id id n");
        let written = "insert into a (b, c) values (1, 2) on conflict (b) do update set d = a.e; update f set g = 1 returning h as i";
        assert_eq!(columns(&of_sql(written)), "b c d e g h");
        let drawn = "select nextval('app.\"My Seq\"'::regclass), setval('ids', 1), lower('x')";
        assert_eq!(told(&of_sql(drawn).relations), ".ids app.My Seq");
        let trigger = "create function t() returns trigger language plpgsql as $$ begin new.\"Total\" := 1; return new; end $$";
        assert_eq!(columns(&of_plpgsql(trigger)), "Total new");
    }
}
