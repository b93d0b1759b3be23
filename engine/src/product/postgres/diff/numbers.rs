//! Where columns get their numbers from: sequences behind defaults and identities, and the number that comes next.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use crate::error::Result;
use crate::model::schema::NumberSource;
use crate::product::postgres::server::connect::{ServerContext, quoted_relation};
use crate::product::postgres::server::connection::Connection;

const READ: &str = "cannot read the sequences";
/// A sequence that was never drawn from, or was set to begin anew, has no last value; where it stands is in its own row then.
const SOURCES: &str = concat!("WITH source AS (
       SELECT d.adrelid AS relation, d.adnum AS number, p.refobjid AS sequence
       FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
       UNION SELECT p.refobjid, p.refobjsubid, p.objid FROM pg_depend p
       WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.deptype = 'i' AND p.refobjsubid > 0)
     SELECT ", qualified_sql!("n.nspname", "c.relname"), ", a.attname::text, ", qualified_sql!("sn.nspname", "s.relname"), ", q.seqincrement,
       CASE WHEN has_sequence_privilege(s.oid, 'SELECT') OR has_sequence_privilege(s.oid, 'USAGE') THEN pg_sequence_last_value(s.oid) END,
       has_sequence_privilege(s.oid, 'SELECT')
     FROM source o JOIN pg_class c ON c.oid = o.relation JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = o.relation AND a.attnum = o.number
     JOIN pg_class s ON s.oid = o.sequence AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
     JOIN pg_sequence q ON q.seqrelid = s.oid WHERE ", users_sql!("n.nspname"));

pub async fn read(client: &Connection) -> Result<BTreeMap<(String, String), NumberSource>> {
    let mut all = BTreeMap::new();
    let mut unknown: Vec<String> = Vec::new();
    for row in client.look(SOURCES, &[]).await.server_context(READ)? {
        let text = |at: usize| row.try_get::<_, String>(at).server_context(READ);
        let (sequence, increment): (String, i64) = (text(2)?, row.try_get(3).server_context(READ)?);
        let last: Option<i64> = row.try_get(4).server_context(READ)?;
        if last.is_none() && row.try_get(5).server_context(READ)? {
            unknown.push(sequence.clone());
        }
        let next = last.map(|last| last.saturating_add(increment));
        all.insert((text(0)?, text(1)?), NumberSource { sequence, next, ascending: increment > 0 });
    }
    let own = |name: &String| {
        format!(
            "SELECT {}, last_value FROM {}",
            crate::product::postgres::literal(name),
            quoted_relation(name)
        )
    };
    for some in unknown.chunks(200) {
        let sql = some.iter().map(own).collect::<Vec<_>>().join(" UNION ALL ");
        for row in client
            .query_typed(&sql, &[] as &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)])
            .await
            .server_context(READ)?
        {
            let name: String = row.try_get(0).server_context(READ)?;
            let next: i64 = row.try_get(1).server_context(READ)?;
            all.values_mut().filter(|s| s.sequence == name).for_each(|s| s.next = Some(next));
        }
    }
    Ok(all)
}
