//! What a dump and its restore need not keep: who owns what, in which order columns stand, and whether keys are enforced. Two looks at one
//! database are held against one another by it, and no others.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::product::postgres::diff::objects::prelude;
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;

const READ: &str = "cannot read owners and the order of columns";
/// Begins the identities of orders.
pub const ORDER: &str = "order of columns of ";

/// Each gives (identity, definition).
const PARTS: &[&str] = &[
    "SELECT 'owner of ' || CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'table ' END || name,
         pg_get_userbyid(relowner)::text FROM rel WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S')",
    "SELECT 'owner of function ' || name, pg_get_userbyid(proowner)::text FROM fun",
    "SELECT 'owner of type ' || name, pg_get_userbyid(typowner)::text FROM typ WHERE typtype IN ('d', 'e')",
    "SELECT 'owner of schema ' || name, pg_get_userbyid(nspowner)::text FROM ns",
    "SELECT 'order of columns of ' || t.name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
       FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE NOT t.relispartition GROUP BY 1",
    // The server's own triggers keep foreign keys, on both sides.
    "SELECT DISTINCT 'enforcement of constraint ' || t.name || ' ' || quote_ident(o.conname), 'switched off by DISABLE TRIGGER'
       FROM pg_constraint o JOIN tab t ON t.oid = o.conrelid JOIN pg_trigger g ON g.tgconstraint = o.oid AND g.tgisinternal AND g.tgenabled <> 'O'",
];

/// Reads under the open transaction; see `fingerprint::begin` for the settings it needs.
pub async fn read(client: &Connection) -> Result<BTreeMap<String, String>> {
    let parts: Vec<String> = PARTS.iter().map(|part| format!("({part})")).collect();
    let sql = format!("{} {}", prelude(&Relations::All), parts.join(" UNION ALL "));
    let rows = client.look(&sql, &[]).await.server_context(READ)?;
    rows.iter()
        .map(|row| Ok((row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?)))
        .collect()
}
