//! The rows that a statement of an inverse takes: which columns of them are kept, and how one row is told from another.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::model::data_at_risk::Taken;
use crate::product::postgres::server::connect::{ServerContext, quoted, quoted_relation};
use crate::product::postgres::server::data_at_risk::written_values;
use crate::product::postgres::server::moved_rows::moved_query;

const READ: &str = "cannot read what is to be kept";

/// A column as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub sql_type: String,
    pub generated: bool,
    pub default: Option<String>,
}

/// The columns of a table in their order; none where there is no such table.
pub async fn columns(client: &Client, table: &str) -> Result<Vec<Column>> {
    let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid)
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    let relation = quoted_relation(table);
    let rows = client.query_typed(sql, &[(&relation, Type::TEXT)]).await.server_context(READ)?;
    let column = |row: &tokio_postgres::Row| {
        Ok(Column {
            name: row.try_get(0).server_context(READ)?,
            sql_type: row.try_get(1).server_context(READ)?,
            generated: row.try_get(2).server_context(READ)?,
            default: row.try_get(3).server_context(READ)?,
        })
    };
    rows.iter().map(column).collect()
}

/// Unique keys over columns that are never null, the primary key first.
async fn keys(client: &Client, table: &str) -> Result<Vec<Vec<String>>> {
    let sql = "SELECT (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, n)
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.n <= i.indnkeyatts)
         FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate
           AND i.indpred IS NULL AND i.indexprs IS NULL
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND NOT a.attnotnull
             AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
         ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid";
    let relation = quoted_relation(table);
    let rows = client.query_typed(sql, &[(&relation, Type::TEXT)]).await.server_context(READ)?;
    rows.iter().map(|row| row.try_get(0).server_context(READ)).collect()
}

/// Whether the server tells when rows of a relation were written (of a table or a partitioned one), and whether the user may lock it.
async fn abilities(client: &Client, table: &str) -> Result<(bool, bool)> {
    let sql = "SELECT relkind IN ('r', 'p'), has_table_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE')
        FROM pg_class WHERE oid = to_regclass($1)";
    let relation = quoted_relation(table);
    let row = client.query_typed_one(sql, &[(&relation, Type::TEXT)]).await.server_context(READ)?;
    let marks = row.try_get(0).server_context(READ)?;
    Ok((marks, marks && row.try_get(1).server_context(READ)?))
}

/// Where the rows come from. All values are kept as text: a copy that used a type would stand in the way of an inverse that drops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub table: String,
    pub key_columns: Vec<String>,
    pub columns: Vec<String>,
    /// What the columns of the copy are called.
    pub names: Vec<String>,
    /// Gives them.
    pub select: String,
    /// Where the rows are all those of a table under a condition of their own, that condition; what was written since can be told then.
    condition: Option<String>,
    /// The table itself goes, or one of its columns: the inverse locks it against everybody, and the user may do so beforehand.
    pub may_lock: bool,
}

/// What a column of the copy is called that holds what the inverse writes into the column of this place.
pub fn written_name(place: usize) -> String {
    format!("drydock_written_{place}")
}

/// What the copy of a thing has as columns, in their order.
pub fn names(taken: &Taken, key_columns: &[String], columns: &[String]) -> Vec<String> {
    let others = columns.iter().filter(|column| !key_columns.contains(column));
    let mut names: Vec<String> = key_columns.iter().chain(others).cloned().collect();
    if matches!(taken, Taken::Values { .. }) && !key_columns.is_empty() {
        names.extend((0..columns.len()).map(written_name));
    }
    names
}

/// `statement`: the text of the inverse's.
///
/// # Errors
/// `Failed` where the table is not there or the statement cannot be read.
pub async fn read(client: &Client, taken: &Taken, statement: &str) -> Result<Source> {
    let Some(table) = taken.table() else { return Err(Error::failed(format!("{READ}: it is not known"))) };
    let all = columns(client, table).await?;
    if all.is_empty() {
        return Err(Error::failed(format!("{READ}: there is no table {table}")));
    }
    let (whole, only) = match taken {
        Taken::Column { column, .. } => (false, vec![column.clone()]),
        Taken::Values { columns, .. } => (false, columns.clone()),
        Taken::Table { .. } | Taken::Rows { .. } | Taken::Unknown { .. } => (true, Vec::new()),
    };
    let keys = keys(client, table).await?;
    let key_columns = keys.into_iter().find(|key| key.iter().all(|column| !only.contains(column)));
    let key_columns = key_columns.unwrap_or_default();
    let kept = match whole || key_columns.is_empty() {
        true => all.iter().filter(|c| !c.generated).map(|c| c.name.clone()).collect(),
        false => only,
    };
    let names = names(taken, &key_columns, &kept);
    let relation = quoted_relation(table);
    let (has_marks, may_lock) = abilities(client, table).await?;
    let mut source = Source {
        table: table.to_owned(),
        select: String::new(),
        condition: None,
        may_lock: may_lock && matches!(taken, Taken::Table { .. } | Taken::Column { .. }),
        key_columns,
        columns: kept,
        names,
    };
    let condition = match taken {
        Taken::Column { column, .. } => written_values(client, table, column).await?,
        Taken::Table { .. } => Some("true".to_owned()),
        Taken::Rows { .. } | Taken::Values { .. } | Taken::Unknown { .. } => None,
    };
    source.select = match &condition {
        Some(condition) => {
            format!("SELECT {} FROM {relation} AS taken WHERE {condition}", source.list("taken", &[], &all))
        }
        None => {
            let select = moved_query(statement, |name, written| source.list(name, written, &all));
            select.ok_or_else(|| Error::failed(format!("{READ}: its statement cannot be read")))?
        }
    };
    if !source.key_columns.is_empty() && has_marks {
        source.condition = condition;
    }
    Ok(source)
}

impl Source {
    /// What is selected for `names`. `written`: what the inverse assigns.
    fn list(&self, row: &str, written: &[(String, Option<String>)], all: &[Column]) -> String {
        let value = |name: &String| format!("{row}.{0}::text AS {0}", quoted(name));
        let named = self.names.iter().filter(|name| all.iter().any(|c| c.name == **name)).map(value);
        let after = self.names.iter().filter(|name| !all.iter().any(|c| c.name == **name));
        let after = after.zip(written).map(|(name, (column, value))| {
            let sql_type = all.iter().find(|c| c.name == *column).map_or("text", |c| c.sql_type.as_str());
            let value = value.as_deref().unwrap_or("NULL");
            format!("({value})::{sql_type}::text AS {}", quoted(name))
        });
        named.chain(after).collect::<Vec<_>>().join(", ")
    }

    fn quoted_names(&self) -> String {
        self.names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
    }

    /// Statements that bring a copy up to date; `$1` is the oldest transaction that was running when it was made.
    pub fn renewal(&self, copy: &str) -> Vec<String> {
        let (names, relation) = (self.quoted_names(), quoted_relation(&self.table));
        let Some(condition) = &self.condition else {
            return vec![
                format!("DELETE FROM {copy}"),
                format!("INSERT INTO {copy} ({names}) {}", self.select),
            ];
        };
        let keys: Vec<String> = self.key_columns.iter().map(|key| quoted(key)).collect();
        let values = self.names.iter().filter(|name| !self.key_columns.contains(name));
        let values: Vec<String> = values.map(|name| format!("{0} = EXCLUDED.{0}", quoted(name))).collect();
        let known = match values.is_empty() {
            true => "NOTHING".to_owned(),
            false => format!("UPDATE SET {}", values.join(", ")),
        };
        let is_it = keys.iter().map(|key| format!("taken.{key}::text = kept.{key}")).collect::<Vec<_>>();
        // A row that was written by a younger transaction than all that were known has an age below 0.
        vec![
            format!(
                "INSERT INTO {copy} ({names}) {} AND age(taken.xmin) <= age($1::xid) ON CONFLICT ({}) DO {known}",
                self.select,
                keys.join(", "),
            ),
            format!(
                "DELETE FROM {copy} AS kept WHERE (SELECT count(*) FROM {copy}) <> (SELECT count(*) FROM {relation} AS taken WHERE {condition})
                 AND NOT EXISTS (SELECT FROM {relation} AS taken WHERE ({condition}) AND {})",
                is_it.join(" AND "),
            ),
        ]
    }
}
