//! The rows that a statement of an inverse takes: which columns of them are kept, and how one row is told from another.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::model::data_at_risk::Taken;
use crate::model::relation_name;
use crate::product::ToKeep;
use crate::product::postgres::server::connect::{ServerContext, quoted, quoted_relation};
use crate::product::postgres::server::data_at_risk::conversion::converted_query;
use crate::product::postgres::server::data_at_risk::written_values;
use crate::product::postgres::server::moved_rows::{constants, moved_query, unknown_functions};

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

/// The same of what the changesets write into it, going forward.
pub fn filled_name(place: usize) -> String {
    format!("drydock_filled_{place}")
}

/// What the copy of a thing has as columns, in their order.
pub fn names(taken: &Taken, key_columns: &[String], columns: &[String]) -> Vec<String> {
    let others = columns.iter().filter(|column| !key_columns.contains(column));
    let mut names: Vec<String> = key_columns.iter().chain(others).cloned().collect();
    if !key_columns.is_empty() {
        let places = 0..columns.len();
        match taken {
            Taken::Values { .. } | Taken::Converted { .. } => {
                names.extend(places.clone().map(written_name).chain(places.map(filled_name)))
            }
            Taken::Column { .. } => names.extend(places.map(filled_name)),
            Taken::Table { .. } | Taken::Rows { .. } | Taken::Unknown { .. } => {}
        }
    }
    names
}

/// What rows a statement of an inverse takes.
///
/// # Errors
/// `Failed` where the table is not there, or the rows cannot be asked for without doing anything.
pub async fn read(client: &Client, thing: ToKeep<'_>) -> Result<Source> {
    let ToKeep { taken, statement, .. } = thing;
    let Some(table) = taken.table() else { return Err(Error::failed(format!("{READ}: it is not known"))) };
    let all = columns(client, table).await?;
    if all.is_empty() {
        return Err(Error::failed(format!("{READ}: there is no table {table}")));
    }
    let (whole, only) = match taken {
        Taken::Column { column, .. } | Taken::Converted { column, .. } => (false, vec![column.clone()]),
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
        may_lock: may_lock
            && matches!(taken, Taken::Table { .. } | Taken::Column { .. } | Taken::Converted { .. }),
        key_columns,
        columns: kept,
        names,
    };
    let condition = match taken {
        Taken::Column { column, .. } => written_values(client, table, column).await?,
        Taken::Table { .. } => Some("true".to_owned()),
        Taken::Rows { .. } | Taken::Values { .. } | Taken::Converted { .. } | Taken::Unknown { .. } => None,
    };
    let filled = filled(thing, table);
    source.select = match &condition {
        Some(condition) => {
            let list = source.list("taken", &[], &filled, &all);
            format!("SELECT {list} FROM {relation} AS taken WHERE {condition}")
        }
        None => {
            let schema = relation_name::split(table).0;
            let list = |name: &str, written: &[(String, Option<String>)]| {
                source.once(name) + &source.list(name, written, &filled, &all)
            };
            let select = match taken {
                Taken::Converted { column, .. } => {
                    let sql_type = all.iter().find(|c| c.name == *column).map_or("text", |c| &c.sql_type);
                    converted_query(&statement.sql, column, sql_type, schema.as_deref(), list)
                }
                _ => moved_query(&statement.sql, schema.as_deref(), list),
            };
            let select =
                select.ok_or_else(|| Error::failed(format!("{READ}: its statement cannot be read")))?;
            refuse_writing(client, &select).await?;
            select
        }
    };
    if !source.key_columns.is_empty() && has_marks {
        source.condition = condition;
    }
    Ok(source)
}

/// What the run's changesets set columns of a table to, the last one last.
fn filled(thing: ToKeep<'_>, table: &str) -> Vec<(String, Option<String>)> {
    let statements =
        thing.forward.iter().filter(|statement| statement.moved_tables().any(|moved| moved == table));
    let constants = statements.flat_map(|statement| constants(&statement.sql));
    constants.map(|(column, value)| (column, Some(value))).collect()
}

/// A query that is asked where others work must change nothing.
async fn refuse_writing(client: &Client, select: &str) -> Result<()> {
    let functions = unknown_functions(select);
    let sql =
        "SELECT p.proname::text FROM pg_proc p WHERE p.proname = ANY ($1) AND p.provolatile = 'v' LIMIT 1";
    let row = client.query_typed_opt(sql, &[(&functions, Type::TEXT_ARRAY)]).await.server_context(READ)?;
    match row {
        Some(row) => {
            let name: String = row.try_get(0).server_context(READ)?;
            Err(Error::failed(format!(
                "{READ}: its statement calls {name}, which may do more than give a value"
            )))
        }
        None => Ok(()),
    }
}

impl Source {
    /// A statement with several tables may find a row more than once.
    fn once(&self, row: &str) -> String {
        let keys: Vec<String> = self.key_columns.iter().map(|key| format!("{row}.{}", quoted(key))).collect();
        if keys.is_empty() { String::new() } else { format!("DISTINCT ON ({}) ", keys.join(", ")) }
    }

    /// What is selected for `names`. `written`: what the inverse assigns, `filled`: what the changesets do.
    fn list(
        &self,
        row: &str,
        written: &[(String, Option<String>)],
        filled: &[(String, Option<String>)],
        all: &[Column],
    ) -> String {
        let value = |name: &String| format!("{row}.{0}::text AS {0}", quoted(name));
        let named = self.names.iter().filter(|name| all.iter().any(|c| c.name == **name)).map(value);
        let assigned = |name: String, column: &String, all_of: &[(String, Option<String>)]| {
            let sql_type = all.iter().find(|c| c.name == *column).map_or("text", |c| c.sql_type.as_str());
            let value = all_of.iter().rfind(|(assigned, _)| assigned == column);
            let value = value.and_then(|(_, value)| value.as_deref()).unwrap_or("NULL");
            (name.clone(), format!("({value})::{sql_type}::text AS {}", quoted(&name)))
        };
        let places = || self.columns.iter().enumerate();
        let ours = places()
            .map(|(place, column)| assigned(written_name(place), column, written))
            .chain(places().map(|(place, column)| assigned(filled_name(place), column, filled)))
            .filter(|(name, _)| self.names.contains(name))
            .map(|(_, value)| value);
        named.chain(ours).collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_key_the_values_and_what_the_run_writes_there() {
        let of = |taken: Taken, key: &[&str], columns: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
            names(&taken, &owned(key), &owned(columns)).join(" ")
        };
        let table = || "public.t".to_owned();
        let column = || Taken::Column { table: table(), column: "c".to_owned() };
        let values = || Taken::Values { table: table(), columns: vec!["c".to_owned()] };
        assert_eq!(of(Taken::Table { table: table() }, &["b", "id"], &["id", "a", "b"]), "b id a");
        assert_eq!(of(column(), &["id"], &["c"]), "id c drydock_filled_0");
        assert_eq!(of(values(), &["id"], &["c"]), "id c drydock_written_0 drydock_filled_0");
        assert_eq!(of(values(), &[], &["id", "c"]), "id c");
    }

    #[test]
    fn what_is_young_is_written_over_and_what_is_gone_is_taken_out() {
        let mut source = Source {
            table: "public.t".to_owned(),
            key_columns: vec!["id".to_owned()],
            columns: vec!["c".to_owned()],
            names: vec!["id".to_owned(), "c".to_owned()],
            select: "SELECT … WHERE c IS NOT NULL".to_owned(),
            condition: Some("c IS NOT NULL".to_owned()),
            may_lock: true,
        };
        let young = "INSERT INTO copy (\"id\", \"c\") SELECT … WHERE c IS NOT NULL AND age(taken.xmin) <= age($1::xid) ON CONFLICT (\"id\") \
                     DO UPDATE SET \"c\" = EXCLUDED.\"c\"";
        let statements = source.renewal("copy");
        assert_eq!(statements.first().map(String::as_str), Some(young));
        assert!(
            statements
                .get(1)
                .is_some_and(|s| s.starts_with("DELETE FROM copy AS kept WHERE (SELECT count(*)"))
        );
        source.condition = None;
        let anew = ["DELETE FROM copy", "INSERT INTO copy (\"id\", \"c\") SELECT … WHERE c IS NOT NULL"];
        assert_eq!(source.renewal("copy"), anew);
    }
}
