//! Tables and columns that go with something else that is dropped: with a schema, a type, an extension.
//!
//! What would go is what depends on it, by the server's own record of that
//! (<https://www.postgresql.org/docs/current/catalog-pg-depend.html>). Without `CASCADE` the server refuses to drop what others depend on,
//! so that nothing is taken then; members of an extension go either way.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Result;
use crate::model::data_at_risk::Taken;
use crate::model::schema_action::ObjectKind;
use crate::product::postgres::server::connect::{ServerContext, quoted_relation};

const READ: &str = "cannot read what depends on something that is dropped";

/// Partitions are counted with their root, columns with their table.
const GONE: &str = "WITH RECURSIVE gone(class, object, part) AS (
       SELECT $1::regclass::oid, $2, 0
       UNION SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
       JOIN gone g ON d.refclassid = g.class AND d.refobjid = g.object AND (g.part = 0 OR d.refobjsubid = g.part)),
     relation AS (
       SELECT r.oid, r.relkind, r.relispartition, n.nspname, r.relname, g.part FROM gone g
       JOIN pg_class r ON g.class = 'pg_class'::regclass AND r.oid = g.object AND r.relkind IN ('r', 'p')
       JOIN pg_namespace n ON n.oid = r.relnamespace)
     SELECT DISTINCT ";
const FROM: &str = ", a.attname::text FROM relation r
     LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = r.part AND r.part > 0
     WHERE (r.part = 0 OR NOT EXISTS (SELECT FROM relation w WHERE w.oid = r.oid AND w.part = 0))
       AND NOT (r.relispartition AND EXISTS (SELECT FROM pg_inherits i JOIN relation w ON w.oid = i.inhparent
         WHERE i.inhrelid = r.oid AND w.part IN (0, r.part)))
     ORDER BY 1, 2";

/// What goes with an object of this kind.
///
/// # Errors
/// As the server gives them.
pub async fn taken_with(client: &Client, kind: ObjectKind, name: &str) -> Result<Vec<Taken>> {
    let Some((class, number)) = number(client, kind, name).await? else { return Ok(Vec::new()) };
    let sql = format!("{GONE}{}{FROM}", qualified_sql!("r.nspname", "r.relname"));
    let rows = client.query_typed(&sql, &[(&class, Type::TEXT), (&number, Type::OID)]).await;
    let taken = |row: &tokio_postgres::Row| {
        let table: String = row.try_get(0).server_context(READ)?;
        let column: Option<String> = row.try_get(1).server_context(READ)?;
        Ok(match column {
            Some(column) => Taken::Column { table, column },
            None => Taken::Table { table },
        })
    };
    rows.server_context(READ)?.iter().map(taken).collect()
}

/// The catalog that an object is in, and its number; `None`: it is not there, or of a kind that no table or column goes with.
async fn number(client: &Client, kind: ObjectKind, name: &str) -> Result<Option<(&'static str, u32)>> {
    use ObjectKind::{
        Aggregate, Domain, Extension, Function, Policy, Procedure, Role, Routine, Rule, Schema, Sequence,
        Trigger,
    };
    let (class, sql, name) = match kind {
        Schema => ("pg_namespace", "SELECT oid FROM pg_namespace WHERE nspname = $1", name.to_owned()),
        Extension => ("pg_extension", "SELECT oid FROM pg_extension WHERE extname = $1", name.to_owned()),
        ObjectKind::Type | Domain => ("pg_type", "SELECT to_regtype($1)::oid", quoted_relation(name)),
        Aggregate | Function | Policy | Procedure | Role | Routine | Rule | Sequence | Trigger => {
            return Ok(None);
        }
    };
    let row = client.query_typed_opt(sql, &[(&name, Type::TEXT)]).await.server_context(READ)?;
    let number: Option<u32> = match row {
        Some(row) => row.try_get(0).server_context(READ)?,
        None => None,
    };
    Ok(number.map(|number| (class, number)))
}
