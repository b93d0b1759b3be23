//! A restore of production, for people.

use crate::model::restored_production::RestoredProduction;

/// What was done, and what production had that the backup does not.
pub fn text(restored: &RestoredProduction) -> String {
    let RestoredProduction { run, writes, schema, aside, objects, tables, rows, outage_seconds, .. } =
        restored;
    let point = restored.point.as_ref();
    let what = match point {
        None => format!("equals the backup of run {run}"),
        Some(point) => format!("is {point}"),
    };
    let mut out = format!("restored  production {what}: {objects} objects, {tables} tables, {rows} rows\n");
    let went = writes.iter().map(|table| table.line(point)).chain(schema.iter().cloned());
    out.extend(went.map(|line| format!("went      {line}\n")));
    if !restored.rolled_back {
        out.push_str(&format!(
            "run       the changesets of run {run} are on production, as they were then\n"
        ));
    }
    out.push_str(&format!("outage    services could not write for {outage_seconds:.1} s\n"));
    out.push_str(&format!(
        "kept      what production was is the database {aside}; drop it when nobody needs it any more\n"
    ));
    out
}
