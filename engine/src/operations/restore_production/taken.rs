//! What a restore takes from production, and the refusal to do it without leave.

use std::fmt;

use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::restored_production::{MomentAsked, RestorePoint, WritesSince};
use crate::product::Database;

/// Objects that are named where the schemas differ.
pub(super) const MOST_OBJECTS: usize = 40;

/// What a restore takes from production, before anything is done.
#[derive(Debug, Clone)]
pub struct Taken {
    pub schema: Vec<String>,
    pub writes: Vec<WritesSince>,
    /// The moment that is restored; `None`: that of the backup.
    pub point: Option<RestorePoint>,
}

pub(super) async fn compare(
    database: &dyn Database,
    backup: &Backup,
    point: Option<&RestorePoint>,
) -> Result<Taken> {
    let (schema, data) = futures::try_join!(database.schema_fingerprint(), database.data_fingerprint(None))?;
    let writes = WritesSince::between(&backup.data, &data);
    Ok(Taken { schema: backup.schema.differences(&schema, MOST_OBJECTS), writes, point: point.cloned() })
}

pub(super) fn refusal(
    taken: &Taken,
    closed: bool,
    environment: &Environment,
    run: &str,
    to: Option<MomentAsked>,
) -> Error {
    let to = to.map(|to| format!(" --to {to}")).unwrap_or_default();
    let again = environment.command(&format!("restore-production --run {run}{to} --accept-loss"));
    let what = taken.to_string();
    if closed {
        return Error::refused(format!(
            "a restore was cut off, and services may only read production\n{what}"
        ))
        .hint(format!("go on with it: {again}"));
    }
    let lacks = taken.point.as_ref().map_or("the backup does not have", |_| "it did not have at that moment");
    Error::refused(format!("a restore takes from production what {lacks}\n{what}")).hint(format!(
        "nothing was changed. Services can only read while it runs, and it keeps what production is now as a database of its own: {again}"
    ))
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.point.as_ref();
        let writes = self.writes.iter().map(|table| table.line(point));
        let lines: Vec<String> =
            writes.chain(self.schema.iter().cloned()).map(|line| format!("  {line}")).collect();
        if lines.is_empty() {
            return f.write_str(
                point.map_or("  production is as the backup", |_| "  production is as it was then"),
            );
        }
        f.write_str(&lines.join("\n"))
    }
}
