//! Where columns get their numbers from: sequences behind defaults and identities, and the number that comes next.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::schema::NumberSource;
use crate::product::postgres::server::connect::{ServerContext, quoted_relation};
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;

const READ: &str = "cannot read the sequences";

/// The column of a table that gets its numbers from a sequence.
pub type NumberedColumn = (String, String);
/// The sequence of each such column, by its number.
pub type Sources = BTreeMap<NumberedColumn, u32>;

/// The sources of these relations.
pub async fn sources(client: &Connection, relations: &Relations) -> Result<Sources> {
    let sql = format!(
        "WITH source AS (
           SELECT d.adrelid AS relation, d.adnum AS number, p.refobjid AS sequence
           FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
           WHERE true{of_default}
           UNION SELECT p.refobjid, p.refobjsubid, p.objid FROM pg_depend p
           WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.deptype = 'i' AND p.refobjsubid > 0{of_identity})
         SELECT {n_c}, a.attname::text, s.oid
         FROM source o JOIN pg_class c ON c.oid = o.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = o.relation AND a.attnum = o.number
         JOIN pg_class s ON s.oid = o.sequence AND s.relkind = 'S' WHERE {users}",
        of_default = relations.and_is("d.adrelid"),
        of_identity = relations.and_is("p.refobjid"),
        n_c = qualified_sql!("n.nspname", "c.relname"),
        users = users_sql!("n.nspname"),
    );
    let rows = client.look(&sql, &relations.parameters()).await.server_context(READ)?;
    let text = |row: &tokio_postgres::Row, at| row.try_get::<_, String>(at).server_context(READ);
    rows.iter()
        .map(|row| Ok(((text(row, 0)?, text(row, 1)?), row.try_get(2).server_context(READ)?)))
        .collect()
}

/// A sequence that was never drawn from, or was set to begin anew, has no last value; where it stands is in its own row then.
const SEQUENCES: &str = concat!(
    "SELECT s.oid, ",
    qualified_sql!("n.nspname", "s.relname"),
    ", q.seqincrement,
       CASE WHEN has_sequence_privilege(s.oid, 'SELECT') OR has_sequence_privilege(s.oid, 'USAGE') THEN pg_sequence_last_value(s.oid) END,
       has_sequence_privilege(s.oid, 'SELECT')
     FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid JOIN pg_namespace n ON n.oid = s.relnamespace
     WHERE s.relpersistence <> 't' ORDER BY s.oid"
);
/// How many sequences are asked in one go. Those that come later are asked by themselves, so that the statements stay the same.
const AT_ONCE: usize = 50;

/// Every sequence at this moment, by its number.
pub async fn sequences(client: &Connection) -> Result<BTreeMap<u32, NumberSource>> {
    let mut all = BTreeMap::new();
    let mut unknown: Vec<u32> = Vec::new();
    for row in client.look(SEQUENCES, &[]).await.server_context(READ)? {
        let number: u32 = row.try_get(0).server_context(READ)?;
        let increment: i64 = row.try_get(2).server_context(READ)?;
        let last: Option<i64> = row.try_get(3).server_context(READ)?;
        if last.is_none() && row.try_get(4).server_context(READ)? {
            unknown.push(number);
        }
        let next = last.map(|last| last.saturating_add(increment));
        let sequence = row.try_get(1).server_context(READ)?;
        all.insert(number, NumberSource { sequence, next, ascending: increment > 0 });
    }
    for some in unknown.chunks(AT_ONCE) {
        let own = some.iter().filter_map(|number| {
            let name = quoted_relation(&all.get(number)?.sequence);
            Some(format!("SELECT {number}::oid, last_value FROM {name}"))
        });
        let sql = own.collect::<Vec<_>>().join(" UNION ALL ");
        for row in client.look(&sql, &[]).await.server_context(READ)? {
            if let Some(source) = all.get_mut(&row.try_get(0).server_context(READ)?) {
                source.next = Some(row.try_get(1).server_context(READ)?);
            }
        }
    }
    Ok(all)
}

/// What each column gets its numbers from.
pub fn numbers(
    sources: &Sources,
    sequences: &BTreeMap<u32, NumberSource>,
) -> BTreeMap<NumberedColumn, NumberSource> {
    let of = |(column, number): (&NumberedColumn, &u32)| {
        sequences.get(number).map(|source| (column.clone(), source.clone()))
    };
    sources.iter().filter_map(of).collect()
}
