//! Which object each line of a schema's fingerprint is: its number, and what it is made of, by numbers.
//!
//! Both stay as they are when something is renamed, and are told again when it is made anew. Who owns it is told beside it: owners are no
//! part of a fingerprint, since a dump need not keep them, and they decide who may do what.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::schema::ObjectIdentity;
use crate::product::postgres::diff::objects::prelude;
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;

const READ: &str = "cannot tell the objects of the schema apart";

/// Begins the identities of owners, whose digest is the role as the fingerprint spells it.
pub const OWNER: &str = "owner of ";

/// Each gives (identity, number, what it is made of; nothing where only its text says so).
const PARTS: &[&str] = &[
    "SELECT 'table ' || name, 'relation ' || oid, '' FROM tab",
    "SELECT 'sequence ' || name, 'relation ' || oid, '' FROM rel WHERE relkind = 'S'",
    "SELECT 'column ' || r.name || '.' || quote_ident(a.attname), 'column ' || r.oid || ' ' || a.attnum,
         concat_ws(' ', a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attidentity, a.attgenerated, d.adbin)
       FROM tab r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum",
    // The row without its first three columns, which are its number, name and schema: the whole as JSON takes four times as long.
    "SELECT 'constraint ' || r.name || ' ' || quote_ident(o.conname), 'constraint ' || o.oid,
         regexp_replace(o::text, '^\\(\\d+,(\"([^\"]|\"\")*\"|[^,]*),\\d+', '')
       FROM pg_constraint o JOIN rel r ON r.oid = o.conrelid WHERE o.contype NOT IN ('n', 't')",
    "SELECT 'index ' || x.name, 'relation ' || x.oid, concat_ws(' ', i::text, x.relam, x.reloptions)
       FROM rel x JOIN pg_index i ON i.indexrelid = x.oid JOIN rel t ON t.oid = i.indrelid",
    // A view's columns are renamed beside its rule.
    "SELECT CASE relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || name, 'relation ' || rel.oid,
         concat_ws(' ', w.ev_action, reloptions, relispopulated,
           (SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = rel.oid AND a.attnum > 0))
       FROM rel JOIN pg_rewrite w ON w.ev_class = rel.oid AND w.rulename = '_RETURN' WHERE relkind IN ('v', 'm')",
    // As grants name them.
    "SELECT 'owner of ' || CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || name, 'owner ' || oid,
         (SELECT quote_ident(rolname) FROM pg_roles u WHERE u.oid = relowner)
       FROM rel WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S')",
    // Triggers and rules go in the order of their names, which belong to them so.
    "SELECT 'trigger ' || r.name || ' ' || quote_ident(t.tgname), 'trigger ' || t.oid, t::text
       FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal",
    "SELECT 'rule ' || r.name || ' ' || quote_ident(w.rulename), 'rule ' || w.oid, w::text
       FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'",
    "SELECT 'policy ' || r.name || ' ' || quote_ident(p.polname), 'policy ' || p.oid, (to_jsonb(p) - 'polname')::text
       FROM pg_policy p JOIN rel r ON r.oid = p.polrelid",
];

/// The same of what belongs to no relation.
const OTHERS: &[&str] = &[
    "SELECT 'owner of function ' || name, 'owner of function ' || oid, (SELECT quote_ident(rolname) FROM pg_roles u WHERE u.oid = proowner) FROM fun",
    "SELECT 'owner of schema ' || name, 'owner of schema ' || oid, (SELECT quote_ident(rolname) FROM pg_roles u WHERE u.oid = nspowner) FROM ns",
];

/// Of these relations, and with `others` of what belongs to none. Reads under the open transaction; see `fingerprint::begin` for the
/// settings it needs.
pub async fn read(
    client: &Connection,
    relations: &Relations,
    others: bool,
) -> Result<BTreeMap<String, ObjectIdentity>> {
    let others = OTHERS.iter().filter(|_| others);
    let parts: Vec<String> = PARTS.iter().chain(others).map(|p| format!("({p})")).collect();
    let sql = format!(
        "{} SELECT o.identity, o.number,
           CASE WHEN o.inside = '' OR o.identity LIKE '{OWNER}%' THEN coalesce(o.inside, '') ELSE md5(o.inside) END
         FROM ({}) o(identity, number, inside)",
        prelude(relations),
        parts.join(" UNION ALL ")
    );
    let mut objects = BTreeMap::new();
    for row in client.look(&sql, &relations.parameters()).await.server_context(READ)? {
        let text = |at: usize| row.try_get::<_, String>(at).server_context(READ);
        objects.insert(text(0)?, ObjectIdentity { number: text(1)?, digest: text(2)? });
    }
    Ok(objects)
}
