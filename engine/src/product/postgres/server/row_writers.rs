//! Triggers and event triggers, and what the code of their functions is seen to write: tables by INSERT, and columns of the row that
//! is being written. What code puts together as it runs is not seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio_postgres::Client;

use crate::error::Result;
use crate::model::row_writer::{Occasion, RowWriter, WriterId};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::server::connect::ServerContext;

const READ: &str = "cannot read the triggers";
/// Functions in C that set the column which the trigger's first argument names: modules of contrib, and two of the server's own.
const SETTERS: &[&str] = &[
    "moddatetime",
    "insert_username",
    "autoinc",
    "tsvector_update_trigger",
    "tsvector_update_trigger_column",
];

/// Triggers that fire, with the column that their first argument names.
const TRIGGERS: &str = concat!(
    "SELECT t.tgname::text, ",
    qualified_sql!("n.nspname", "c.relname"),
    ", t.tgfoid,
      CASE WHEN t.tgnargs > 0 THEN split_part(encode(t.tgargs, 'escape'), '\\000', 1) END, t.tgtype & 3 = 3
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') ORDER BY 2, 1"
);
const EVENT_TRIGGERS: &str = "SELECT evtname::text, evtfoid FROM pg_event_trigger WHERE evtenabled IN ('O', 'A') AND evtname <> 'drydock_disarm' ORDER BY 1";
/// Functions that triggers call.
const OF_TRIGGERS: &str = "p.oid IN (SELECT tgfoid FROM pg_trigger WHERE NOT tgisinternal)";
/// Functions of users.
const OF_USERS: &str = concat!("l.lanname IN ('plpgsql', 'sql') AND ", users_sql!("n.nspname"));
const TABLES: &str = concat!(
    "SELECT ",
    qualified_sql!("n.nspname", "c.relname"),
    ", n.nspname::text, c.relname::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND ",
    users_sql!("n.nspname")
);

/// What a function does in plain sight.
#[derive(Debug, Default, PartialEq, Eq)]
struct Code {
    /// Schema, where it is written, and name.
    inserts: BTreeSet<(Option<String>, String)>,
    sets: BTreeSet<String>,
    /// Bare names.
    calls: BTreeSet<String>,
}

struct Function {
    name: String,
    language: String,
    code: Code,
}

struct Functions(BTreeMap<u32, Function>);

impl Functions {
    /// `which`: a condition on pg_proc p, pg_language l and pg_namespace n.
    async fn read(client: &Client, which: &str) -> Result<Self> {
        let sql = format!(
            "SELECT p.oid, p.proname::text, l.lanname::text,
               CASE WHEN l.lanname = 'plpgsql' THEN pg_get_functiondef(p.oid) ELSE p.prosrc END
             FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE p.prokind IN ('f', 'p') AND ({which})"
        );
        let mut all = BTreeMap::new();
        for row in client.query_typed(&sql, &[]).await.server_context(READ)? {
            let language: String = row.try_get(2).server_context(READ)?;
            let text: String = row.try_get(3).server_context(READ)?;
            let code = match language.as_str() {
                "plpgsql" => of_plpgsql(&text),
                "sql" => of_sql([text.as_str()]),
                _ => Code::default(),
            };
            let name = row.try_get(1).server_context(READ)?;
            all.insert(row.try_get(0).server_context(READ)?, Function { name, language, code });
        }
        Ok(Self(all))
    }

    /// What a function inserts into, itself or by those it calls.
    fn inserts(&self, oid: u32) -> BTreeSet<&(Option<String>, String)> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![oid]);
        let mut found = BTreeSet::new();
        while let Some(function) = open.pop().filter(|oid| seen.insert(*oid)).and_then(|oid| self.0.get(&oid))
        {
            found.extend(&function.code.inserts);
            let called = self.0.iter().filter(|(_, f)| function.code.calls.contains(&f.name.to_lowercase()));
            open.extend(called.map(|(oid, _)| *oid).filter(|oid| !seen.contains(oid)));
        }
        found
    }

    fn sets(&self, oid: u32, argument: Option<String>) -> BTreeSet<String> {
        let Some(function) = self.0.get(&oid) else { return BTreeSet::new() };
        match function.language.as_str() {
            "c" | "internal" if SETTERS.contains(&function.name.as_str()) => argument.into_iter().collect(),
            _ => function.code.sets.clone(),
        }
    }
}

struct Trigger {
    id: WriterId,
    function: u32,
    sets: BTreeSet<String>,
}

async fn triggers(client: &Client, functions: &Functions) -> Result<Vec<Trigger>> {
    let mut all = Vec::new();
    for row in client.query_typed(TRIGGERS, &[]).await.server_context(READ)? {
        let function: u32 = row.try_get(2).server_context(READ)?;
        let argument: Option<String> = row.try_get(3).server_context(READ)?;
        let before_row: bool = row.try_get(4).server_context(READ)?;
        let occasion = Occasion::Rows { table: row.try_get(1).server_context(READ)? };
        all.push(Trigger {
            id: WriterId { name: row.try_get(0).server_context(READ)?, occasion },
            function,
            sets: if before_row { functions.sets(function, argument) } else { BTreeSet::new() },
        });
    }
    Ok(all)
}

/// All of them.
pub async fn read(client: &Client) -> Result<Vec<RowWriter>> {
    let functions = Functions::read(client, &format!("{OF_TRIGGERS} OR {OF_USERS}")).await?;
    let mut tables: Vec<(String, String, String)> = Vec::new();
    for row in client.query_typed(TABLES, &[]).await.server_context(READ)? {
        let cell = |n: usize| row.try_get(n).server_context(READ);
        tables.push((cell(0)?, cell(1)?, cell(2)?));
    }
    // A name without its schema may mean each table of that name.
    let inserts = |function: u32| {
        let named = functions.inserts(function);
        let is = |schema: &str, name: &str| {
            named.iter().any(|(s, n)| n == name && s.as_deref().is_none_or(|s| s == schema))
        };
        tables.iter().filter(|(_, s, n)| is(s, n)).map(|(full, ..)| full.clone()).collect::<BTreeSet<_>>()
    };
    let mut writers = Vec::new();
    for Trigger { id, function, sets } in triggers(client, &functions).await? {
        writers.push(RowWriter { id, inserts: inserts(function), sets });
    }
    for row in client.query_typed(EVENT_TRIGGERS, &[]).await.server_context(READ)? {
        writers.push(RowWriter {
            id: WriterId { name: row.try_get(0).server_context(READ)?, occasion: Occasion::SchemaChange },
            inserts: inserts(row.try_get(1).server_context(READ)?),
            sets: BTreeSet::new(),
        });
    }
    Ok(writers)
}

/// Table -> columns that its triggers set before a row is written; partitions and their root have them in common.
pub async fn columns(client: &Client) -> Result<BTreeMap<String, BTreeSet<String>>> {
    // Most databases have none, and then nothing more is read.
    let any = "SELECT FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 3 = 3 AND tgenabled IN ('O', 'A') LIMIT 1";
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if client.query_typed_opt(any, &[]).await.server_context(READ)?.is_none() {
        return Ok(all);
    }
    let roots = concat!("SELECT ", qualified_sql!("n.nspname", "c.relname"), ", ", qualified_sql!("rn.nspname", "r.relname"), "
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class r ON r.oid = pg_partition_root(c.oid) JOIN pg_namespace rn ON rn.oid = r.relnamespace WHERE c.relispartition");
    let mut root: BTreeMap<String, String> = BTreeMap::new();
    for row in client.query_typed(roots, &[]).await.server_context(READ)? {
        root.insert(row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?);
    }
    let functions = Functions::read(client, OF_TRIGGERS).await?;
    for Trigger { id, sets, .. } in triggers(client, &functions).await? {
        if let Occasion::Rows { table } = id.occasion
            && !sets.is_empty()
        {
            let table = root.get(&table).cloned().unwrap_or(table);
            all.entry(table).or_default().extend(sets);
        }
    }
    Ok(all)
}

/// `text`: the whole CREATE FUNCTION.
fn of_plpgsql(text: &str) -> Code {
    let Ok(functions) = pg_query::parse_plpgsql(text) else { return Code::default() };
    let (mut queries, mut sets) = (Vec::new(), BTreeSet::new());
    sql::visit(&functions, &mut |map| {
        let query = map.get("PLpgSQL_expr").and_then(|e| e.get("query")).and_then(Value::as_str);
        queries.extend(query.map(str::to_owned));
        let assigned = map.get("PLpgSQL_stmt_assign").and_then(|s| s.pointer("/expr/PLpgSQL_expr/query"));
        sets.extend(assigned.and_then(Value::as_str).and_then(assigned_column));
    });
    Code { sets, ..of_sql(queries.iter().map(String::as_str)) }
}

/// The column of `NEW.column := value`.
fn assigned_column(text: &str) -> Option<String> {
    let tokens: Vec<&str> =
        sql::tokens(text).into_iter().filter_map(|(from, to)| text.get(from..to)).collect();
    let [row, ".", column, ":=" | "=", ..] = tokens.as_slice() else { return None };
    let plain = |name: &str| match name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => name.to_lowercase(),
    };
    (plain(row) == "new").then(|| plain(column))
}

/// Statements and expressions.
fn of_sql<'a>(texts: impl IntoIterator<Item = &'a str>) -> Code {
    let mut code = Code::default();
    for text in texts {
        let trees = sql::trees(text).or_else(|_| sql::trees(&format!("SELECT {text}"))).unwrap_or_default();
        for tree in &trees {
            code.calls.extend(sql::functions(tree));
            sql::visit(&sql::value(tree), &mut |map| {
                let target = map.get("InsertStmt").and_then(|i| i.get("relation"));
                let part = |name: &str| target.and_then(|t| t.get(name)).and_then(Value::as_str);
                if let Some(name) = part("relname") {
                    let schema = part("schemaname").filter(|s| !s.is_empty()).map(str::to_owned);
                    code.inserts.insert((schema, name.to_owned()));
                }
            });
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trigger_does_is_read_from_its_code() {
        let code = of_plpgsql(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
               NEW.updated_at := now(); new.\"By\" = current_user;
               IF NEW.kind = 'x' THEN INSERT INTO audit.\"Log\" (at) VALUES (now()); END IF;
               PERFORM note_it(NEW.id);
               RETURN NEW;
             END $$",
        );
        assert_eq!(code.sets, ["updated_at", "By"].map(str::to_owned).into());
        assert_eq!(code.inserts, [(Some("audit".to_owned()), "Log".to_owned())].into());
        assert!(code.calls.contains("note_it"), "{code:?}");
        let event = of_plpgsql(
            "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
               INSERT INTO ddl_log (tag) SELECT tg_tag FROM pg_event_trigger_ddl_commands();
               WITH gone AS (DELETE FROM old RETURNING id) INSERT INTO kept SELECT id FROM gone;
             END $$",
        );
        assert_eq!(event.inserts, [(None, "ddl_log".to_owned()), (None, "kept".to_owned())].into());
        // What is put together as it runs does not show.
        let hidden = of_plpgsql(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN EXECUTE 'insert into ddl_log values (1)'; RETURN NULL; END $$",
        );
        assert_eq!(hidden.inserts, BTreeSet::new());
    }
}
