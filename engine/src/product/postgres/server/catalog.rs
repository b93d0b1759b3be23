//! Reads what exists from the system catalogs, in a few set-based queries.

mod behind;

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use crate::error::Result;
use crate::model::catalog::{Catalog, Column, Domain, NotNullCheck, Table};
use crate::product::postgres::diff::names::words_of_body;
use crate::product::postgres::grammar::not_null;
use crate::product::postgres::server::connect::{ServerContext, literal, quoted_relation};
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;

const READ: &str = "cannot read the catalog";
/// Tables below this size (bytes) are counted when the planner has no estimate for them.
const COUNTED: i64 = 8 << 20;

/// `pg_class c JOIN pg_namespace n` rows of users.
const USERS: &str = users_sql!("n.nspname");

struct Class {
    name: String,
    table: Table,
    estimated: bool,
    readable: bool,
}

/// What belongs to these relations, and with `others` what belongs to none.
pub async fn read(client: &Connection, relations: &Relations, others: bool) -> Result<Catalog> {
    let mut classes = classes(client, relations).await?;
    columns(client, relations, &mut classes).await?;
    let indexes = indexes(client, relations, &mut classes).await?;
    foreign_keys(client, relations, &mut classes).await?;
    not_null_checks(client, relations, &mut classes).await?;
    count_small(client, &mut classes).await?;
    let mut tables: BTreeMap<String, Table> = classes.into_values().map(|c| (c.name, c.table)).collect();
    sum_partitions(&mut tables);
    // None of them waits for another.
    let (views, triggers, policies, expressions, rules, follow, inherits, sequences, draws) = futures::try_join!(
        behind::views(client, relations),
        behind::triggers(client, relations),
        behind::policies(client, relations),
        behind::expressions(client, relations),
        behind::rules(client, relations),
        behind::follow(client, relations),
        behind::inherits(client, relations),
        behind::sequences(client, relations),
        behind::draws(client, relations),
    )?;
    let of_relations = Catalog {
        tables,
        indexes,
        views,
        triggers,
        policies,
        expressions,
        rules,
        follow,
        inherits,
        sequences,
        draws,
        ..Catalog::default()
    };
    if !others {
        return Ok(of_relations);
    }
    Ok(Catalog {
        routines: routines(client).await?,
        operators: behind::operators(client).await?,
        enums: enums(client).await?,
        domains: domains(client).await?,
        text_search: behind::text_search(client).await?,
        search_path: client
            .query_one("SELECT current_schemas(false)::text[]", &[])
            .await
            .and_then(|row| row.try_get(0))
            .server_context(READ)?,
        ..of_relations
    })
}

async fn classes(client: &Connection, relations: &Relations) -> Result<BTreeMap<u32, Class>> {
    let sql = format!(
        "SELECT c.oid, {n_c}, c.relkind = 'p', c.reltuples::float8,
                CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) ELSE 0 END,
                CASE WHEN c.relkind = 'r' AND pg_relation_size(c.oid) > 0 THEN pg_total_relation_size(c.oid) ELSE 0 END,
                CASE WHEN c.relispartition THEN {pn_p} END,
                has_table_privilege(c.oid, 'SELECT'), c.relkind = 'f'
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
         LEFT JOIN pg_class p ON p.oid = i.inhparent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE c.relkind IN ('r', 'p', 'f') AND {USERS}{only}", only = relations.and_is("c.oid"), n_c = qualified_sql!("n.nspname", "c.relname"), pn_p = qualified_sql!("pn.nspname", "p.relname")
    );
    let mut classes = BTreeMap::new();
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let tuples: f64 = row.try_get(3).server_context(READ)?;
        let heap: i64 = row.try_get::<_, Option<i64>>(4).server_context(READ)?.unwrap_or(0);
        let bytes: i64 = row.try_get::<_, Option<i64>>(5).server_context(READ)?.unwrap_or(0);
        let partitioned = row.try_get(2).server_context(READ)?;
        // Without an estimate a row of 100 bytes is as good a guess as any.
        let rows = if tuples > 0.0 { tuples } else { heap as f64 / 100.0 };
        let table = Table {
            rows: if partitioned { 0 } else { rows as u64 },
            bytes: u64::try_from(bytes).unwrap_or(0),
            partitioned,
            foreign: row.try_get(8).server_context(READ)?,
            parent: row.try_get(6).server_context(READ)?,
            ..Table::default()
        };
        let class = Class {
            name: row.try_get(1).server_context(READ)?,
            table,
            estimated: tuples > 0.0 || heap == 0 || heap > COUNTED || partitioned,
            readable: row.try_get(7).server_context(READ)?,
        };
        classes.insert(row.try_get(0).server_context(READ)?, class);
    }
    Ok(classes)
}

async fn columns(
    client: &Connection,
    relations: &Relations,
    classes: &mut BTreeMap<u32, Class>,
) -> Result<()> {
    let sql = format!(
        "SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull OR t.typnotnull,
                a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL, a.attidentity = 'a' OR a.attgenerated <> '',
                CASE WHEN coalesce(nullif(t.typbasetype, 0), t.oid) IN (1042, 1043)
                     THEN greatest(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END - 4, 0) END
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND {USERS}{only}
         ORDER BY a.attrelid, a.attnum",
        only = relations.and_is("a.attrelid")
    );
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let Some(class) = classes.get_mut(&row.try_get(0).server_context(READ)?) else { continue };
        let length: Option<i32> = row.try_get(6).server_context(READ)?;
        class.table.columns.push(Column {
            name: row.try_get(1).server_context(READ)?,
            sql_type: row.try_get(2).server_context(READ)?,
            not_null: row.try_get(3).server_context(READ)?,
            has_default: row.try_get(4).server_context(READ)?,
            generated: row.try_get(5).server_context(READ)?,
            max_length: length.and_then(|l| u32::try_from(l).ok()).filter(|l| *l > 0),
            ..Column::default()
        });
    }
    Ok(())
}

/// Fills keys; gives index -> table.
async fn indexes(
    client: &Connection,
    relations: &Relations,
    classes: &mut BTreeMap<u32, Class>,
) -> Result<BTreeMap<String, String>> {
    // Only plain columns over the whole table make a key; expression and partial indexes do not. For looking rows up by a
    // value, an index without the NULLs is as good.
    let sql = format!(
        "SELECT i.indrelid, {n_x}, {n_c}, i.indisprimary,
                i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid,
                (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, n)
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.n <= i.indnkeyatts),
                i.indisvalid AND i.indexprs IS NULL
                AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
         FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {USERS}{only} ORDER BY 2", only = relations.and_is("i.indrelid"), n_x = qualified_sql!("n.nspname", "x.relname"), n_c = qualified_sql!("n.nspname", "c.relname")
    );
    let mut names = BTreeMap::new();
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        names.insert(row.try_get(1).server_context(READ)?, row.try_get(2).server_context(READ)?);
        let key = row.try_get::<_, Option<Vec<String>>>(5).server_context(READ)?.unwrap_or_default();
        let Some(class) = classes.get_mut(&row.try_get(0).server_context(READ)?) else { continue };
        if row.try_get(3).server_context(READ)? {
            class.table.primary_key.clone_from(&key);
        }
        if row.try_get(6).server_context(READ)? {
            class.table.indexed.push(key.clone());
        }
        if row.try_get(4).server_context(READ)? {
            class.table.unique.push(key);
        }
    }
    Ok(names)
}

async fn foreign_keys(
    client: &Connection,
    relations: &Relations,
    classes: &mut BTreeMap<u32, Class>,
) -> Result<()> {
    let sql = format!("SELECT o.conrelid, {n_f},
                (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(o.conkey) WITH ORDINALITY k(num, n)
                 JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.num),
                (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(o.confkey) WITH ORDINALITY k(num, n)
                 JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.num)
         FROM pg_constraint o JOIN pg_class f ON f.oid = o.confrelid JOIN pg_namespace n ON n.oid = f.relnamespace
         WHERE o.contype = 'f' AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = o.conparentid AND p.conrelid = o.conrelid){only}
         ORDER BY o.conrelid, o.conname", only = relations.and_is("o.conrelid"), n_f = qualified_sql!("n.nspname", "f.relname"));
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let Some(class) = classes.get_mut(&row.try_get(0).server_context(READ)?) else { continue };
        let own = row.try_get::<_, Option<Vec<String>>>(2).server_context(READ)?.unwrap_or_default();
        let theirs = row.try_get::<_, Option<Vec<String>>>(3).server_context(READ)?.unwrap_or_default();
        class.table.foreign_keys.push((own, row.try_get(1).server_context(READ)?, theirs));
    }
    Ok(())
}

async fn not_null_checks(
    client: &Connection,
    relations: &Relations,
    classes: &mut BTreeMap<u32, Class>,
) -> Result<()> {
    let sql = format!("SELECT conrelid, conname::text, pg_get_expr(conbin, conrelid), convalidated FROM pg_constraint
         WHERE contype = 'c' AND conrelid <> 0 AND pg_get_expr(conbin, conrelid) ~ 'IS NOT NULL'{} ORDER BY 1, 2", relations.and_is("conrelid"));
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let Some(class) = classes.get_mut(&row.try_get(0).server_context(READ)?) else { continue };
        let columns = not_null::kept_by_text(&row.try_get::<_, String>(2).server_context(READ)?);
        let (name, valid) = (row.try_get(1).server_context(READ)?, row.try_get(3).server_context(READ)?);
        class.table.not_null_checks.push(NotNullCheck { name: Some(name), columns, valid });
    }
    Ok(())
}

async fn domains(client: &Connection) -> Result<BTreeMap<String, Domain>> {
    let sql = format!(
        "SELECT {n_t}, format_type(t.typbasetype, t.typtypmod),
                t.typnotnull OR EXISTS (SELECT FROM pg_constraint o WHERE o.contypid = t.oid)
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND {USERS}",
        n_t = qualified_sql!("n.nspname", "t.typname")
    );
    let mut domains = BTreeMap::new();
    for row in client.look(&sql, &[]).await.server_context(READ)? {
        let domain = Domain {
            base: row.try_get(1).server_context(READ)?,
            constrained: row.try_get(2).server_context(READ)?,
        };
        domains.insert(row.try_get(0).server_context(READ)?, domain);
    }
    Ok(domains)
}

/// Small tables that were never analysed are counted: an estimate of nothing would weigh their hazards as nothing.
async fn count_small(client: &Connection, classes: &mut BTreeMap<u32, Class>) -> Result<()> {
    let counts: Vec<String> = classes
        .iter()
        .filter(|(_, c)| !c.estimated && c.readable)
        .map(|(oid, c)| format!("SELECT {oid}::oid, count(*) FROM ONLY {}", quoted_relation(&c.name)))
        .collect();
    for part in counts.chunks(200) {
        for row in client.query_typed(&part.join(" UNION ALL "), &[]).await.server_context(READ)? {
            if let Some(class) = classes.get_mut(&row.try_get(0).server_context(READ)?) {
                class.table.rows = u64::try_from(row.try_get::<_, i64>(1).server_context(READ)?).unwrap_or(0);
            }
        }
    }
    Ok(())
}

/// A partitioned table has the rows and bytes of its leaves.
fn sum_partitions(tables: &mut BTreeMap<String, Table>) {
    let leaves: Vec<(String, u64, u64)> = tables
        .values()
        .filter(|t| !t.partitioned)
        .filter_map(|t| t.parent.clone().map(|p| (p, t.rows, t.bytes)))
        .collect();
    for (parent, rows, bytes) in leaves {
        let mut next = Some(parent);
        while let Some(table) = next.and_then(|name| tables.get_mut(&name)) {
            table.rows += rows;
            table.bytes += bytes;
            next = table.parent.clone();
        }
    }
}

/// Names in the bodies of routines, and the routines that an aggregate is made of. Of several forms of one name all count.
async fn routines(client: &Connection) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let of_users = format!(
        "{USERS} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
    );
    let sql = format!(
        "SELECT {n_p}, p.prosrc || ' ' || coalesce(to_jsonb(p) ->> 'prosqlbody', ''), l.lanname::text
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
         WHERE {of_users} AND l.lanname NOT IN ('c', 'internal')
         UNION ALL SELECT {n_p}, string_agg(quote_ident(f.proname) || '()', ' '), 'sql'
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_aggregate a ON a.aggfnoid = p.oid
         JOIN pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
         WHERE {of_users} GROUP BY 1, p.oid", n_p = qualified_sql!("n.nspname", "p.proname")
    );
    let mut routines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in client.look(&sql, &[]).await.server_context(READ)? {
        let body: String = row.try_get(1).server_context(READ)?;
        let language: String = row.try_get(2).server_context(READ)?;
        let words = words_of_body(&body, &language);
        routines.entry(row.try_get(0).server_context(READ)?).or_default().extend(words);
    }
    Ok(routines)
}

async fn enums(client: &Connection) -> Result<BTreeMap<String, Vec<String>>> {
    let sql = format!(
        "SELECT {n_t}, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid
         WHERE {USERS} GROUP BY 1",
        n_t = qualified_sql!("n.nspname", "t.typname")
    );
    pairs(client, &sql, &Relations::All).await
}

async fn pairs(
    client: &Connection,
    sql: &str,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<String>>> {
    let rows = client.look(sql, &relations.parameters()).await.server_context(READ)?;
    rows.into_iter()
        .map(|row| Ok((row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?)))
        .collect()
}

/// Up to `most` distinct values of a column, from both ends of the primary key, chosen by hash so that they spread. Reads a
/// few thousand rows however large the table is.
pub async fn samples(client: &Client, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
    const WHAT: &str = "cannot sample a column";
    let relation = quoted_relation(table);
    let key: Option<Vec<String>> = client
        .query_one(
            "SELECT (SELECT array_agg(quote_ident(a.attname) ORDER BY k.n) FROM pg_index i,
                     unnest(i.indkey::int2[]) WITH ORDINALITY k(num, n), pg_attribute a
                     WHERE i.indrelid = to_regclass($1) AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.num)",
            &[&relation],
        )
        .await
        .and_then(|row| row.try_get(0))
        .server_context(WHAT)?;
    let name = crate::product::postgres::server::connect::quoted(column);
    let from = match key.filter(|k| !k.is_empty()) {
        Some(key) => {
            let (up, down) =
                (key.join(", "), key.iter().map(|k| format!("{k} DESC")).collect::<Vec<_>>().join(", "));
            format!(
                "(SELECT {name}::text AS v FROM {relation} ORDER BY {up} LIMIT 2000)
                 UNION (SELECT {name}::text FROM {relation} ORDER BY {down} LIMIT 2000)"
            )
        }
        None => format!("SELECT DISTINCT v FROM (SELECT {name}::text AS v FROM {relation} LIMIT 4000) h"),
    };
    let sql = format!("SELECT v FROM ({from}) s WHERE v IS NOT NULL ORDER BY md5(v), v LIMIT {most}");
    // A view may be arbitrarily dear to read; samples are not worth more than this.
    let limits = format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL synchronize_seqscans = off",
        literal("5s")
    );
    client.batch_execute(&limits).await.server_context(WHAT)?;
    let rows = client.query_typed(&sql, &[]).await;
    client.batch_execute("ROLLBACK").await.server_context(WHAT)?;
    match rows {
        Err(e) if e.code().is_some_and(|c| c.code() == "57014") => Ok(Vec::new()),
        rows => rows.server_context(WHAT)?.into_iter().map(|r| r.try_get(0).server_context(WHAT)).collect(),
    }
}
