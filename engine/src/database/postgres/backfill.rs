//! Stand-in.

use super::connect::{quoted, quoted_relation};
use crate::changeset::Backfill;

pub fn bound_sql(backfill: &Backfill) -> String {
    let (key, table, kind) = (quoted(&backfill.key), quoted_relation(&backfill.table), &backfill.key_type);
    format!(
        "SELECT s.k::text AS last FROM (SELECT {key} AS k FROM {table} WHERE $1::text IS NULL OR {key} > $1::text::{kind}
         ORDER BY {key} LIMIT $2) s ORDER BY s.k DESC LIMIT 1"
    )
}
