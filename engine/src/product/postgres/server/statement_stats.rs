//! What services have asked, from `pg_stat_statements` (<https://www.postgresql.org/docs/current/pgstatstatements.html>).
//!
//! Its texts are those of the first execution, with `$n` for every constant. Some constants stand where the grammar takes
//! no parameter (`interval $1`); they are written so that it does.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;
use tokio_postgres::{Client, Row};

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::session_defaults::SessionDefaults;
use crate::model::statement_stats::{StatementKind, StatementStat, StatementStats};
use crate::product::postgres::grammar::relations::{CopyShape, copy_shape};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::liquibase_tables;
use crate::product::postgres::server::client::settings::search_path;
use crate::product::postgres::server::connect::{ServerContext, quoted};
use crate::product::postgres::server::parameter_inference as types;
use crate::product::postgres::server::session_defaults;

const WHAT: &str = "cannot ask which queries were run";
const NOT_PREPARED: &str = "55000";
/// Instead of the text of a query that the user may not see.
const HIDDEN: &str = "<insufficient privilege>";

/// How statements of our own on users' tables begin; those on catalogs are left out with everybody's.
const OURS: [&str; 8] = [
    "SELECT $1::oid, count(*) FROM ONLY ",
    "SELECT count(*), ARRAY[coalesce(sum(hashtextextended(ROW(",
    "SELECT count(*), sum(hashtextextended(",
    "SELECT v FROM ((SELECT ",
    "SELECT v FROM (SELECT DISTINCT v FROM (SELECT ",
    "SELECT walked.",
    "SELECT ARRAY[walked.",
    "SELECT pg_export_snapshot(",
];
/// Of versions before this one, whose statements a server may still have.
const OURS_BEFORE: [&str; 1] = ["SELECT count(*), coalesce(sum(hashtextextended(ROW("];
/// What stands in queries of ours that begin as anybody's could.
const OURS_WITHIN: [&str; 3] = [" = ANY ($1::text[]::", "($1::text IS NULL OR ", "drydock_kept."];

/// Reads every statement of this database that touches something of users.
///
/// # Errors
/// `Input` when the extension is not there or the user may not see what others run.
pub async fn read(client: &Client, catalog: &Catalog) -> Result<StatementStats> {
    let schema = client
        .query_opt(
            "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
             WHERE e.extname = 'pg_stat_statements'",
            &[],
        )
        .await
        .server_context(WHAT)?;
    let Some(schema) = schema else {
        return Err(Error::input("this database does not keep which queries were run: pg_stat_statements is not there")
            .hint("CREATE EXTENSION pg_stat_statements; the server must load it: shared_preload_libraries = 'pg_stat_statements'"));
    };
    let schema = quoted(&schema.try_get::<_, String>(0).server_context(WHAT)?);
    let functions = user_functions(client).await?;
    let major = crate::product::postgres::Postgres::major(client).await?;
    // Before 14 statements inside functions cannot be told from others, and the time of a reset is not kept.
    let (top, since, forgotten) = if major >= 14 {
        let info = |what: &str| format!("(SELECT {what} FROM {schema}.pg_stat_statements_info)");
        let forgotten = "CASE WHEN dealloc > 0 THEN format('pg_stat_statements has %s times dropped the queries that ran least '
             '(pg_stat_statements.max = %s)', dealloc, current_setting('pg_stat_statements.max')) END";
        ("s.toplevel", info("stats_reset::text"), info(forgotten))
    } else {
        ("true", "NULL::text".to_owned(), "NULL::text".to_owned())
    };
    let statement = format!(
        "SELECT s.query, coalesce(r.rolname::text, s.userid::text), s.calls, {since}, {forgotten}
         FROM {schema}.pg_stat_statements s LEFT JOIN pg_roles r ON r.oid = s.userid
         WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND {top}
         ORDER BY s.query COLLATE \"C\", s.userid"
    );
    let rows = match client.query(&statement, &[]).await {
        Err(e) if e.code().is_some_and(|c| c.code() == NOT_PREPARED) => {
            return Err(Error::input(
                "the server does not keep which queries were run: it has not loaded pg_stat_statements",
            )
            .hint("set shared_preload_libraries = 'pg_stat_statements' and restart the server")
            .because(e));
        }
        rows => rows.server_context(WHAT)?,
    };
    let mut seen = StatementStats::default();
    let mut session = RoleSession::begin(client, &rows).await?;
    for row in rows {
        let text: Option<String> = row.try_get(0).server_context(WHAT)?;
        let (role, calls): (String, i64) =
            (row.try_get(1).server_context(WHAT)?, row.try_get(2).server_context(WHAT)?);
        seen.since = row.try_get(3).server_context(WHAT)?;
        seen.forgotten = row.try_get(4).server_context(WHAT)?;
        match text.as_deref() {
            Some(HIDDEN) => {
                return Err(Error::input("the user may not see the queries of other roles")
                    .hint("GRANT pg_read_all_stats TO the user, or use one that has it"));
            }
            Some(text) => match query(text, catalog, &functions) {
                Ok(Some(read)) => {
                    session.as_of(client, Some(&role)).await?;
                    let sql = types::known(client, read.sql).await?;
                    let calls = u64::try_from(calls).unwrap_or(0);
                    seen.queries.push(StatementStat { sql, role, calls, ..read });
                }
                Ok(None) => {}
                Err(_) => seen.unreadable.push(text.to_owned()),
            },
            // The file of texts was lost or had no room.
            None => seen.unreadable.push(String::new()),
        }
    }
    session.as_of(client, None).await?;
    Ok(seen)
}

/// A session that finds bare names as one role's or another's does.
struct RoleSession {
    known: BTreeMap<String, SessionDefaults>,
    /// What it is set to; `None`: as it began.
    path: Option<Vec<String>>,
}

impl RoleSession {
    async fn begin(client: &Client, statistics: &[Row]) -> Result<Self> {
        let roles: BTreeSet<&str> = statistics.iter().filter_map(|row| row.try_get(1).ok()).collect();
        let roles: Vec<&str> = roles.into_iter().collect();
        Ok(Self { known: session_defaults::read(client, &roles).await?, path: None })
    }

    /// `None`: as it began.
    async fn as_of(&mut self, client: &Client, role: Option<&str>) -> Result<()> {
        let path = role.and_then(|role| self.known.get(role)).map(|own| own.search_path.clone());
        if self.path != path {
            client.batch_execute(&search_path(path.as_deref())).await.server_context(WHAT)?;
            self.path = path;
        }
        Ok(())
    }
}

/// Functions that users made, and no extension.
async fn user_functions(client: &Client) -> Result<BTreeSet<String>> {
    let rows = client
        .query(
            concat!(
                "SELECT DISTINCT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ",
                users_sql!("n.nspname"),
                " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
            ),
            &[],
        )
        .await
        .server_context(WHAT)?;
    rows.iter().map(|row| row.try_get(0).server_context(WHAT)).collect()
}

/// A query of a service; `None` for what is none: settings, transactions, schema changes, catalogs, Liquibase's tables, our own.
///
/// # Errors
/// `Input` when the text cannot be read.
fn query(text: &str, catalog: &Catalog, functions: &BTreeSet<String>) -> Result<Option<StatementStat>> {
    let begins = OURS.iter().chain(&OURS_BEFORE).any(|own| text.starts_with(own));
    if begins || OURS_WITHIN.iter().any(|own| text.contains(own)) {
        return Ok(None);
    }
    let text = types::with_parameters(text);
    let Some(tree) = sql::parse_one(&text)? else { return Ok(None) };
    let (kind, returns_rows) = match &tree {
        NodeEnum::SelectStmt(s) if s.into_clause.is_none() => (StatementKind::Select, true),
        NodeEnum::InsertStmt(s) => (StatementKind::Insert, !s.returning_list.is_empty()),
        NodeEnum::UpdateStmt(s) => (StatementKind::Update, !s.returning_list.is_empty()),
        NodeEnum::DeleteStmt(s) => (StatementKind::Delete, !s.returning_list.is_empty()),
        NodeEnum::MergeStmt(_) => (StatementKind::Merge, false),
        // What is copied out of a whole table is a dump's.
        NodeEnum::CopyStmt(s)
            if (s.is_from || s.query.is_some()) && s.filename.is_empty() && !s.is_program =>
        {
            (StatementKind::Copy, !s.is_from)
        }
        _ => return Ok(None),
    };
    let inner = match copy_shape(&text) {
        Some(CopyShape::Out { query }) if kind == StatementKind::Copy => query,
        _ => text.clone(),
    };
    let parsed = pg_query::parse(&inner).map_err(|e| Error::input(e.to_string()))?;
    let tables: Vec<String> = match &tree {
        NodeEnum::CopyStmt(copy) if copy.is_from => copy.relation.iter().map(sql::written).collect(),
        _ => parsed.tables(),
    };
    let mut users: Vec<&String> = tables.iter().filter(|t| is_users(t, catalog)).collect();
    // The grammar gives them in no order.
    users.sort_by_key(|t| (text.find(bare(t)), (*t).clone()));
    let liquibase = tables.iter().any(|table| liquibase_tables::is_one(table, catalog));
    let calls = sql::functions(&tree).iter().any(|f| functions.contains(f));
    if liquibase || (users.is_empty() && !calls) {
        return Ok(None);
    }
    let table = users.first().map(|t| bare(t).to_owned());
    let fingerprint = fingerprint(&text)?;
    Ok(Some(StatementStat {
        sql: text,
        role: String::new(),
        calls: 0,
        fingerprint,
        kind,
        returns_rows,
        table,
    }))
}

/// Equal for statements that differ in constants, their casts, layout, comments and the length of lists only.
///
/// # Errors
/// `Input` when the grammar does not take it.
pub fn fingerprint(text: &str) -> Result<String> {
    pg_query::fingerprint(&types::without_casts(text))
        .or_else(|_| pg_query::fingerprint(text))
        .map(|f| f.hex)
        .map_err(|e| {
            Error::input(format!("the SQL cannot be read: {e}"))
                .hint("the statement must be valid PostgreSQL")
        })
}

fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Not the server's own, by its schema or, without one, by its name; nor one of its statistics, wherever they are.
fn is_users(name: &str, catalog: &Catalog) -> bool {
    if bare(name).starts_with("pg_stat_") {
        return false;
    }
    match name.rsplit_once('.') {
        Some((schema, _)) => schema != "information_schema" && !schema.starts_with("pg_"),
        None => {
            let known = |schema: &String| {
                let full = format!("{schema}.{name}");
                catalog.tables.contains_key(&full) || catalog.views.contains_key(&full)
            };
            !name.starts_with("pg_") || catalog.search_path.iter().any(known)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_query_of_a_service() {
        let functions = BTreeSet::from(["price_of".to_owned()]);
        let cases = [
            ("select id from orders where id = $1", "Select orders rows"),
            ("SELECT o.id FROM shop.orders o JOIN pg_class c ON true", "Select orders rows"),
            ("with x as (select $1) insert into orders select * from x returning id", "Insert orders rows"),
            ("update orders set total = $1", "Update orders"),
            ("delete from orders where id = $1", "Delete orders"),
            ("COPY orders (id) FROM STDIN", "Copy orders"),
            ("select price_of($1)", "Select - rows"),
            ("COPY orders (id) TO STDOUT", ""),
            ("COPY (select id from orders) TO STDOUT", "Copy orders rows"),
            ("select $1", ""),
            ("select now()", ""),
            ("select relname from pg_class where oid = $1", ""),
            ("select table_name from information_schema.tables", ""),
            ("select count(*) from public.databasechangelog", ""),
            ("UPDATE DATABASECHANGELOGLOCK SET LOCKED = $1", ""),
            ("begin", ""),
            ("set statement_timeout = 1", ""),
            ("create table t as select 1", ""),
            ("select 1 into t", ""),
            ("select * from public.pg_stat_statements", ""),
            ("SELECT count(*) FROM \"t\" WHERE \"id\" = ANY ($1::text[]::bigint[])", ""),
        ];
        for (text, expected) in cases {
            let found = query(text, &Catalog::default(), &functions).unwrap();
            let said = found.map(|q| {
                let rows = if q.returns_rows { " rows" } else { "" };
                format!("{:?} {}{rows}", q.kind, q.table.as_deref().unwrap_or("-"))
            });
            assert_eq!(said.unwrap_or_default(), expected, "{text}");
        }
        assert!(
            query("select id from orders where id = ", &Catalog::default(), &functions).is_err(),
            "cut off"
        );
    }

    /// What we ask of users' tables begins as the list says.
    #[test]
    fn the_list_of_our_own_is_true() {
        let source = [
            include_str!("../diff/fingerprint.rs"),
            include_str!("catalog.rs"),
            include_str!("batch.rs"),
            include_str!("data_at_risk.rs"),
            include_str!("keep/schema.rs"),
            include_str!("../hazards/backfill.rs"),
        ];
        let plain = |text: &str| text.replace("{from}", "(SELECT ").replace("{oid}", "$1").replace("{}", "");
        for own in OURS.iter().chain(&OURS_WITHIN) {
            // Some are put together of two.
            let parts: Vec<&str> = own.split_inclusive("FROM (").flat_map(|p| p.split("ARRAY[")).collect();
            let there = |part: &&str| source.iter().any(|s| plain(s).contains(part.trim_start_matches('(')));
            assert!(parts.iter().all(there), "{own}");
        }
    }

    #[test]
    fn fingerprints_are_of_the_form() {
        let same = [
            (
                "select id from t where a in ($1, $2) limit $3",
                "SELECT id FROM t\nWHERE a IN (1) LIMIT 20 /* x */",
            ),
            ("insert into t (a, b) values ($1, $2)", "insert into t (a, b) values ($1, $2), ($3, $4)"),
            ("select now() - $1::interval + $2", "select now() - interval '1 day' + 2::int"),
            ("select date_part($1, at)", "select extract(epoch from at)"),
            ("select a = $1::numeric(10, 2), $2::text[]", "select a = 1.5, '{a}'"),
        ];
        for (a, b) in same {
            assert_eq!(fingerprint(a).unwrap(), fingerprint(b).unwrap());
        }
        assert_ne!(fingerprint("select a from t").unwrap(), fingerprint("select b from t").unwrap());
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(select |from |interval |extract\\(|\\$1|\\PC|['\"(),; ]){0,20}") {
            let _ = query(&text, &Catalog::default(), &BTreeSet::new());
        }
    }
}
