//! Puts back what was kept. What was written since stays as it is.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::model::data_at_risk::Taken;
use crate::model::kept::{Kept, KeptPlace, PutBack, PutBackOutcome};
use crate::product::PutBackOptions;
use crate::product::postgres::server::connect::{ServerContext, quoted, quoted_relation};
use crate::product::postgres::server::data_at_risk::is_constant;
use crate::product::postgres::server::keep::schema::set_local;
use crate::product::postgres::server::keep::source::{Column, columns, filled_name, names, written_name};
use crate::product::postgres::server::keep::{file, own};

const WHAT: &str = "nothing was put back";

/// All of them in this order and in one transaction. After an error it may be open.
///
/// # Errors
/// See `Keep::put_back`.
pub async fn put_back(client: &Client, kept: &[Kept], options: PutBackOptions<'_>) -> Result<Vec<PutBack>> {
    let begin = format!(
        "BEGIN; {}SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
        set_local(),
        options.lock_wait.as_millis().max(1),
        options.statement.as_millis().max(1)
    );
    client.batch_execute(&begin).await.server_context(WHAT)?;
    let mut all = Vec::new();
    for (number, one) in kept.iter().enumerate() {
        let outcome = match one.put_back_at {
            Some(at) => PutBackOutcome::DoneBefore { at },
            None if one.key_columns.is_empty() => PutBackOutcome::NoKey,
            None => {
                let target = Target::find(client, one).await?;
                let copy = copy_of(client, one, number, options).await?;
                let outcome = target.fill(client, &copy).await?;
                if let KeptPlace::Table { table } = &one.place {
                    let sql =
                        "UPDATE drydock_kept.kept SET put_back_at = clock_timestamp() WHERE relation = $1";
                    client.execute_typed(sql, &[(table, Type::TEXT)]).await.server_context(WHAT)?;
                }
                outcome
            }
        };
        all.push(PutBack { kept: one.clone(), outcome });
    }
    client.batch_execute("COMMIT").await.server_context(WHAT)?;
    Ok(all)
}

/// The table of the copy; a file is read into one that goes with the transaction.
async fn copy_of(client: &Client, kept: &Kept, number: usize, options: PutBackOptions<'_>) -> Result<String> {
    match &kept.place {
        KeptPlace::Table { table } => own(table).map(str::to_owned),
        KeptPlace::File { file } => {
            let copy = format!("pg_temp.drydock_kept_{number}");
            let names = names(&kept.taken, &kept.key_columns, &kept.columns);
            let columns: Vec<String> = names.iter().map(|name| format!("{} text", quoted(name))).collect();
            let make = format!(
                "CREATE TEMPORARY TABLE drydock_kept_{number} ({}) ON COMMIT DROP",
                columns.join(", ")
            );
            client.batch_execute(&make).await.server_context(WHAT)?;
            file::read(client, options.folder, file, &copy).await?;
            Ok(copy)
        }
    }
}

/// What is filled, as it is now.
struct Target<'a> {
    kept: &'a Kept,
    table: &'a str,
    columns: Vec<Column>,
}

impl<'a> Target<'a> {
    async fn find(client: &Client, kept: &'a Kept) -> Result<Self> {
        let table = kept.taken.table().unwrap_or_default();
        let all = columns(client, table).await?;
        let missing =
            kept.key_columns.iter().chain(&kept.columns).find(|name| all.iter().all(|c| c.name != **name));
        let gone = match (all.is_empty(), missing) {
            (true, _) => format!("there is no table {table}"),
            (false, Some(column)) => format!("there is no column {table}.{column}"),
            (false, None) => return Ok(Self { kept, table, columns: all }),
        };
        Err(Error::refused(format!("{WHAT}: {gone}"))
            .hint("migrate the change again first, then put back what was kept"))
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn sql_type(&self, name: &str) -> &str {
        self.column(name).map_or("text", |column| &column.sql_type)
    }

    /// Tells which row of the table `t` is one of the copy `k`.
    fn is_row(&self) -> String {
        let equal = |key: &String| format!("t.{0} = (k.{0})::{1}", quoted(key), self.sql_type(key));
        self.kept.key_columns.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    fn first_key(&self) -> String {
        self.kept.key_columns.first().map(|key| quoted(key)).unwrap_or_default()
    }

    async fn fill(&self, client: &Client, copy: &str) -> Result<PutBackOutcome> {
        match &self.kept.taken {
            Taken::Table { .. } | Taken::Rows { .. } | Taken::Unknown { .. } => {
                self.fill_rows(client, copy).await
            }
            Taken::Converted { column, .. } => {
                self.refuse_other_type(client, copy, column).await?;
                self.fill_values(client, copy).await
            }
            Taken::Column { .. } | Taken::Values { .. } => self.fill_values(client, copy).await,
        }
    }

    /// A column that has the other type would not hold them again.
    async fn refuse_other_type(&self, client: &Client, copy: &str, name: &str) -> Result<()> {
        let (column, sql_type) = (quoted(name), self.sql_type(name));
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {copy} AS k WHERE (k.{column})::{sql_type}::text IS DISTINCT FROM k.{column})"
        );
        let row = client.query_typed_one(&sql, &[]).await;
        // What the type does not take at all is an error.
        if row.is_ok_and(|row| row.try_get(0).is_ok_and(|differ: bool| !differ)) {
            return Ok(());
        }
        Err(Error::refused(format!(
            "{WHAT}: {}.{name} is {sql_type}, which does not hold its values",
            self.table
        ))
        .hint("migrate the change again first, then put back what was kept"))
    }

    /// Values of rows that are there, where nobody has written another one since: the column is empty, has its default, or is as the
    /// inverse left it or the change fills it.
    async fn fill_values(&self, client: &Client, copy: &str) -> Result<PutBackOutcome> {
        let (relation, is_row, key) = (quoted_relation(self.table), self.is_row(), self.first_key());
        let (mut put_back, mut there, mut written_since, mut row_gone) = (0, 0, 0, 0);
        for (place, name) in self.kept.columns.iter().enumerate() {
            let (column, sql_type) = (quoted(name), self.sql_type(name));
            let mut free = vec![format!("t.{column} IS NULL")];
            if let Some(default) =
                self.column(name).and_then(|c| c.default.as_ref()).filter(|d| is_constant(d))
            {
                free.push(format!("t.{column}::text = ({default})::{sql_type}::text"));
            }
            if matches!(self.kept.taken, Taken::Values { .. } | Taken::Converted { .. }) {
                free.push(format!("t.{column}::text = k.{}", quoted(&written_name(place))));
            }
            free.push(format!("t.{column}::text = k.{}", quoted(&filled_name(place))));
            let differs = format!("t.{column}::text IS DISTINCT FROM k.{column}");
            let update = format!(
                "UPDATE {relation} AS t SET {column} = (k.{column})::{sql_type} FROM {copy} AS k WHERE {is_row} AND {differs} AND ({})",
                free.join(" OR ")
            );
            let updated = client.execute(&update, &[]).await.server_context(WHAT)?;
            let count = format!(
                "SELECT count(*), count(*) FILTER (WHERE t.{key} IS NULL), count(*) FILTER (WHERE t.{key} IS NOT NULL AND {differs})
                 FROM {copy} AS k LEFT JOIN {relation} AS t ON {is_row}"
            );
            let (all, gone, other) = counts(client, &count).await?;
            put_back += updated;
            row_gone += gone;
            written_since += other;
            there += all.saturating_sub(gone + other + updated);
        }
        Ok(PutBackOutcome::Done { put_back, there, written_since, row_gone })
    }

    /// Rows that are not there. One whose key somebody else uses by now stays out.
    async fn fill_rows(&self, client: &Client, copy: &str) -> Result<PutBackOutcome> {
        let (relation, is_row) = (quoted_relation(self.table), self.is_row());
        let kept: Vec<&Column> =
            self.kept.columns.iter().filter_map(|name| self.column(name)).filter(|c| !c.generated).collect();
        let list = |of: &dyn Fn(&Column) -> String| kept.iter().map(|c| of(c)).collect::<Vec<_>>().join(", ");
        let insert = format!(
            "INSERT INTO {relation} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {copy} AS k ON CONFLICT DO NOTHING",
            list(&|c| quoted(&c.name)),
            list(&|c| format!("(k.{})::{}", quoted(&c.name), c.sql_type)),
        );
        let put_back = client.execute(&insert, &[]).await.server_context(WHAT)?;
        let count = format!(
            "SELECT count(*), count(*) FILTER (WHERE ROW({}) IS NOT DISTINCT FROM ROW({})), 0::int8
             FROM {copy} AS k LEFT JOIN {relation} AS t ON {is_row}",
            list(&|c| format!("t.{}::text", quoted(&c.name))),
            list(&|c| format!("k.{}", quoted(&c.name))),
        );
        let (all, same, _) = counts(client, &count).await?;
        self.move_sequences(client).await?;
        let there = same.saturating_sub(put_back);
        Ok(PutBackOutcome::Done {
            put_back,
            there,
            written_since: all.saturating_sub(put_back + there),
            row_gone: 0,
        })
    }

    /// A table that was made anew numbers its rows from the beginning: the numbers that are back must not come again.
    async fn move_sequences(&self, client: &Client) -> Result<()> {
        let relation = quoted_relation(self.table);
        for name in &self.kept.columns {
            let sql = "SELECT pg_get_serial_sequence($1, $2)";
            let asked = client.query_typed_one(sql, &[(&relation, Type::TEXT), (name, Type::TEXT)]).await;
            let sequence: Option<String> = asked.and_then(|row| row.try_get(0)).server_context(WHAT)?;
            let Some(sequence) = sequence else { continue };
            let set = format!(
                "SELECT setval('{}', m.last) FROM (SELECT max({})::int8 AS last FROM {relation}) m, {sequence} s
                 WHERE m.last > s.last_value OR m.last = s.last_value AND NOT s.is_called",
                sequence.replace('\'', "''"),
                quoted(name)
            );
            client.batch_execute(&set).await.server_context(WHAT)?;
        }
        Ok(())
    }
}

async fn counts(client: &Client, sql: &str) -> Result<(u64, u64, u64)> {
    let row = client.query_typed_one(sql, &[]).await.server_context(WHAT)?;
    let count =
        |at: usize| row.try_get::<_, i64>(at).server_context(WHAT).map(|n| u64::try_from(n).unwrap_or(0));
    Ok((count(0)?, count(1)?, count(2)?))
}
