//! What lies behind relations: what running a query comes to without naming it.

use std::collections::{BTreeMap, BTreeSet};

use super::{READ, USERS, pairs};
use crate::error::Result;
use crate::model::change::Events;
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;

/// What a row `d` of pg_depend refers to: a relation, or a routine that is not the server's own.
const REFERRED: &str = "LEFT JOIN pg_class r ON d.refclassid = 'pg_class'::regclass AND r.oid = d.refobjid AND r.relkind IN ('r', 'p', 'f', 'v', 'm')
         LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
         LEFT JOIN pg_proc f ON d.refclassid = 'pg_proc'::regclass AND f.oid = d.refobjid
         LEFT JOIN pg_namespace fn ON fn.oid = f.pronamespace AND fn.nspname !~ '^pg_'";
const IS_REFERRED: &str = "(r.oid IS NOT NULL OR fn.oid IS NOT NULL)";
const REFERRED_NAME: &str = concat!(
    "coalesce(",
    qualified_sql!("rn.nspname", "r.relname"),
    ", ",
    qualified_sql!("fn.nspname", "f.proname"),
    ")"
);

pub async fn triggers(
    client: &Connection,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<(String, Events)>>> {
    // The bits are those of pg_trigger.tgtype: 4 INSERT, 8 DELETE, 16 UPDATE.
    let sql = format!(
        "SELECT {n_c}, {pn_p},
                tgtype & 4 <> 0, tgtype & 16 <> 0, tgtype & 8 <> 0
         FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
         WHERE NOT t.tgisinternal AND {USERS}{only} ORDER BY 1, 2",
        only = relations.and_is("t.tgrelid"),
        n_c = qualified_sql!("n.nspname", "c.relname"),
        pn_p = qualified_sql!("pn.nspname", "p.proname")
    );
    on_events(client, &sql, relations).await
}

/// What rules come to that put something in the place of a statement, or beside it.
pub async fn rules(
    client: &Connection,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<(String, Events)>>> {
    let sql = format!(
        "SELECT DISTINCT {n_c}, {REFERRED_NAME}, w.ev_type = '3', w.ev_type = '2', w.ev_type = '4'
         FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refobjid <> c.oid
         {REFERRED}
         WHERE w.ev_type <> '1' AND {IS_REFERRED} AND {USERS}{only} ORDER BY 1, 2",
        only = relations.and_is("w.ev_class"),
        n_c = qualified_sql!("n.nspname", "c.relname")
    );
    on_events(client, &sql, relations).await
}

/// Rows of a relation, what is behind it, and whether that is so when something is inserted, updated and deleted.
async fn on_events(
    client: &Connection,
    sql: &str,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<(String, Events)>>> {
    let mut found: BTreeMap<String, Vec<(String, Events)>> = BTreeMap::new();
    for row in client.look(sql, &relations.parameters()).await.server_context(READ)? {
        let on = Events {
            insert: row.try_get(2).server_context(READ)?,
            update: row.try_get(3).server_context(READ)?,
            delete: row.try_get(4).server_context(READ)?,
        };
        let behind = (row.try_get(1).server_context(READ)?, on);
        found.entry(row.try_get(0).server_context(READ)?).or_default().push(behind);
    }
    Ok(found)
}

/// The routines of users that an operator stands for, by its sign.
pub async fn operators(client: &Connection) -> Result<BTreeMap<String, Vec<String>>> {
    let sql = format!(
        "SELECT o.oprname::text, array_agg(DISTINCT {n_f}) FROM pg_operator o JOIN pg_proc f ON f.oid = o.oprcode
         JOIN pg_namespace n ON n.oid = f.pronamespace WHERE {USERS}
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
         GROUP BY 1",
        n_f = qualified_sql!("n.nspname", "f.proname")
    );
    pairs(client, &sql, &Relations::All).await
}

/// What views read directly; a view over a view names the inner view. Routines that they call stand among it.
pub async fn views(client: &Connection, relations: &Relations) -> Result<BTreeMap<String, Vec<String>>> {
    let sql = format!(
        "SELECT {n_v},
                coalesce(array_agg(DISTINCT {REFERRED_NAME})
                         FILTER (WHERE {IS_REFERRED}), '{{}}')
         FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
         LEFT JOIN pg_rewrite w ON w.ev_class = v.oid AND w.rulename = '_RETURN'
         LEFT JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
               AND d.refobjid <> v.oid
         {REFERRED}
         WHERE v.relkind IN ('v', 'm') AND {USERS}{only} GROUP BY 1",
        only = relations.and_is("v.oid"),
        n_v = qualified_sql!("n.nspname", "v.relname")
    );
    pairs(client, &sql, relations).await
}

/// Foreign keys that act when what they point to is deleted.
pub async fn follow(
    client: &Connection,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<(String, Vec<String>)>>> {
    // What a child points to has others that do.
    let only = match relations {
        Relations::All => "",
        Relations::Only(_) => {
            " AND o.confrelid IN (SELECT unnest($1) UNION SELECT confrelid FROM pg_constraint WHERE conrelid = ANY ($1))"
        }
    };
    let sql = format!("SELECT {pn_p}, {n_c},
                CASE o.confdeltype WHEN 'c' THEN '{{}}' ELSE (SELECT array_agg(a.attname::text ORDER BY a.attnum)
                 FROM pg_attribute a WHERE a.attrelid = o.conrelid AND a.attnum = ANY (o.conkey)) END
         FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class p ON p.oid = o.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE o.contype = 'f' AND o.confdeltype IN ('c', 'n', 'd'){only} ORDER BY 1, 2",
        pn_p = qualified_sql!("pn.nspname", "p.relname"),
        n_c = qualified_sql!("n.nspname", "c.relname")
    );
    let mut found: BTreeMap<String, Vec<(String, Vec<String>)>> = BTreeMap::new();
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let child = (row.try_get(1).server_context(READ)?, row.try_get(2).server_context(READ)?);
        found.entry(row.try_get(0).server_context(READ)?).or_default().push(child);
    }
    Ok(found)
}

pub async fn inherits(client: &Connection, relations: &Relations) -> Result<BTreeMap<String, Vec<String>>> {
    let sql = format!(
        "SELECT {n_c}, array_agg({pn_p} ORDER BY i.inhseqno) FROM pg_inherits i
         JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'f') AND NOT c.relispartition
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE {USERS}{only} GROUP BY 1",
        only = relations.and_is("i.inhrelid"),
        n_c = qualified_sql!("n.nspname", "c.relname"),
        pn_p = qualified_sql!("pn.nspname", "p.relname")
    );
    pairs(client, &sql, relations).await
}

pub async fn text_search(client: &Connection) -> Result<BTreeSet<String>> {
    let sql = format!(
        "SELECT {n_c} FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE {USERS}",
        n_c = qualified_sql!("n.nspname", "c.cfgname")
    );
    let rows = client.look(&sql, &[]).await.server_context(READ)?;
    rows.iter().map(|row| row.try_get(0).server_context(READ)).collect()
}

pub async fn sequences(client: &Connection, relations: &Relations) -> Result<BTreeSet<String>> {
    let sql = format!(
        "SELECT {n_c} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND {USERS}{only}",
        only = relations.and_is("c.oid"),
        n_c = qualified_sql!("n.nspname", "c.relname")
    );
    let rows = client.look(&sql, &relations.parameters()).await.server_context(READ)?;
    rows.iter().map(|row| row.try_get(0).server_context(READ)).collect()
}

/// Columns whose defaults draw from a sequence. What an identity draws from needs no right of its own.
pub async fn draws(
    client: &Connection,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let sql = format!(
        "SELECT {n_c}, a.attname::text, {sn_s}
         FROM pg_attrdef o JOIN pg_class c ON c.oid = o.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = o.adrelid AND a.attnum = o.adnum
         JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = o.oid AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
         WHERE {USERS}{only} ORDER BY 1, 2",
        only = relations.and_is("o.adrelid"),
        n_c = qualified_sql!("n.nspname", "c.relname"),
        sn_s = qualified_sql!("sn.nspname", "s.relname")
    );
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let drawn = (row.try_get(1).server_context(READ)?, row.try_get(2).server_context(READ)?);
        found.entry(row.try_get(0).server_context(READ)?).or_default().push(drawn);
    }
    Ok(found)
}

/// What policies ask of tables that keep to them.
pub async fn policies(client: &Connection, relations: &Relations) -> Result<BTreeMap<String, Vec<String>>> {
    let sql = format!(
        "SELECT {n_c}, array_agg(DISTINCT {REFERRED_NAME})
         FROM pg_policy o JOIN pg_class c ON c.oid = o.polrelid AND c.relrowsecurity
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = o.oid AND d.refobjid <> c.oid
         {REFERRED}
         WHERE {IS_REFERRED} AND {USERS}{only} GROUP BY 1",
        only = relations.and_is("o.polrelid"),
        n_c = qualified_sql!("n.nspname", "c.relname")
    );
    pairs(client, &sql, relations).await
}

/// Routines of users that a table's expressions call: defaults and generated columns, checks, and what indexes are over.
pub async fn expressions(
    client: &Connection,
    relations: &Relations,
) -> Result<BTreeMap<String, Vec<String>>> {
    let sql = format!(
        "WITH part AS (
           SELECT 'pg_attrdef'::regclass AS kind, oid, adrelid AS relation FROM pg_attrdef
           UNION ALL SELECT 'pg_constraint'::regclass, oid, conrelid FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
           UNION ALL SELECT 'pg_class'::regclass, indexrelid, indrelid FROM pg_index WHERE indexprs IS NOT NULL OR indpred IS NOT NULL)
         SELECT {n_c}, array_agg(DISTINCT {fn_f})
         FROM part o JOIN pg_class c ON c.oid = o.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_depend d ON d.classid = o.kind AND d.objid = o.oid AND d.refclassid = 'pg_proc'::regclass
         JOIN pg_proc f ON f.oid = d.refobjid JOIN pg_namespace fn ON fn.oid = f.pronamespace AND fn.nspname !~ '^pg_'
         WHERE {USERS}{only} GROUP BY 1",
        only = relations.and_is("o.relation"),
        n_c = qualified_sql!("n.nspname", "c.relname"),
        fn_f = qualified_sql!("fn.nspname", "f.proname")
    );
    pairs(client, &sql, relations).await
}
