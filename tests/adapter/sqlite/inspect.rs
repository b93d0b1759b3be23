//! What a file is and holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use drydock::error::{Error, Result};
use drydock::model::catalog::{Catalog, Column, Table};
use drydock::model::change::{Change, Events};
use drydock::model::changeset::Statement;
use drydock::model::data_at_risk::{AtRisk, Taken};
use drydock::model::history::OtherHistory;
use drydock::model::preflight::{Fact, Finding};
use drydock::model::row_writer::RowWriter;
use drydock::model::schema::{
    DataFingerprint, SchemaFingerprint, SchemaSnapshot, TableFingerprint, WriteMark,
};
use drydock::model::schema_action::{RowChange, SchemaAction};
use drydock::model::server::{Footprint, ServerInfo};
use drydock::product::Inspect;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::client::text;
use super::{SqliteFile, analyze, dialect, diff, qualified, quoted, quoted_relation, wrong};

/// One row of SQLite's own catalog.
pub struct Object {
    pub kind: String,
    pub name: String,
    pub table: String,
    pub sql: Option<String>,
}

/// Everything but SQLite's and Liquibase's own, in the order it was made.
pub fn objects(connection: &Connection) -> Result<Vec<Object>> {
    read(connection, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid", |row| {
        Ok(Object { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
    })
    .map(|all| all.into_iter().filter(|o| !is_history(&o.table) && !o.table.starts_with("sqlite_")).collect())
}

pub fn is_history(table: &str) -> bool {
    table.to_uppercase().starts_with("DATABASECHANGELOG")
}

pub fn read<T>(
    connection: &Connection,
    sql: &str,
    row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let rows = || connection.prepare(sql)?.query_map([], row)?.collect::<rusqlite::Result<Vec<T>>>();
    rows().map_err(|e| wrong("the database cannot be read", e))
}

fn count(connection: &Connection, sql: &str) -> Result<u64> {
    let count: i64 = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(|e| wrong("the database cannot be read", e))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// What one statement takes; without a count where the rows cannot be read (as of a column that an inverse makes).
fn risks(connection: &Connection, statement: &Statement) -> Vec<AtRisk> {
    let mut all = Vec::new();
    for action in &statement.actions {
        let (taken, value, from) = match action {
            SchemaAction::DropTable { table } => {
                (Taken::Table { table: table.clone() }, "rowid".to_owned(), quoted_relation(table))
            }
            SchemaAction::DropColumn { table, column } => {
                let value = quoted(column);
                let from = format!("{} WHERE {value} IS NOT NULL", quoted_relation(table));
                (Taken::Column { table: table.clone(), column: column.clone() }, value, from)
            }
            SchemaAction::MoveRows { table, kind: RowChange::Update | RowChange::Delete } => {
                let Some((columns, predicate)) = dialect::changed(&statement.sql) else { continue };
                let from = format!("{} WHERE {predicate}", quoted_relation(table));
                match columns.first() {
                    Some(first) => {
                        let value = quoted(first);
                        (Taken::Values { table: table.clone(), columns }, value, from)
                    }
                    None => (Taken::Rows { table: table.clone() }, "rowid".to_owned(), from),
                }
            }
            _ => continue,
        };
        let digest =
            format!("SELECT group_concat(v) FROM (SELECT quote({value}) AS v FROM {from} ORDER BY 1)");
        // Nothing can be taken of a table that is not there any more.
        let there = taken.table().is_none_or(|table| {
            !names(connection, "pragma_table_info", super::bare(table)).is_ok_and(|n| n.is_empty())
        });
        all.push(AtRisk {
            taken,
            rows: match there {
                true => count(connection, &format!("SELECT count(*) FROM {from}")).ok(),
                false => Some(0),
            },
            digest: connection.query_row(&digest, [], |row| row.get(0)).unwrap_or_default(),
        });
    }
    all
}

fn names(connection: &Connection, pragma: &str, of: &str) -> Result<Vec<String>> {
    let sql = format!("SELECT name FROM {pragma}('{}') WHERE name IS NOT NULL", of.replace('\'', "''"));
    read(connection, &sql, |row| row.get(0))
}

pub fn catalog(connection: &mut Connection) -> Result<Catalog> {
    let mut catalog = Catalog { search_path: vec![super::SCHEMA.to_owned()], ..Catalog::default() };
    let all = objects(connection)?;
    for object in all.iter().filter(|o| o.kind == "table") {
        catalog.tables.insert(qualified(&object.name), table(connection, &object.name)?);
    }
    for object in &all {
        let (name, of) = (qualified(&object.name), qualified(&object.table));
        match object.kind.as_str() {
            "index" => drop(catalog.indexes.insert(name, of)),
            "view" => {
                let sql = format!("SELECT * FROM {}", quoted(&object.name));
                let mut reads = analyze::usage(connection, &sql, &catalog)?.uses;
                reads.remove(&name);
                catalog.views.insert(name, reads.into_iter().collect());
            }
            "trigger" => {
                let body = object.sql.clone().unwrap_or_default().to_lowercase();
                let words: BTreeSet<String> =
                    body.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect();
                catalog.routines.insert(name.clone(), words);
                catalog.triggers.entry(of).or_default().push((name, Events::ALL));
            }
            _ => {}
        }
    }
    for (name, table) in &catalog.tables {
        for (_, parent, _) in &table.foreign_keys {
            catalog.follow.entry(parent.clone()).or_default().push((name.clone(), Vec::new()));
        }
    }
    Ok(catalog)
}

fn table(connection: &Connection, name: &str) -> Result<Table> {
    let literal = name.replace('\'', "''");
    let mut keys = BTreeMap::new();
    let columns = format!(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo('{literal}')"
    );
    let columns = read(connection, &columns, |row| {
        let (column, key): (String, u32) = (row.get(0)?, row.get(4)?);
        let sql_type = row.get::<_, String>(1)?.to_lowercase();
        // A single integer key gets its value from SQLite.
        let counts = key == 1 && sql_type == "integer";
        if key > 0 {
            keys.insert(key, column.clone());
        }
        Ok(Column {
            name: column,
            not_null: row.get::<_, bool>(2)?,
            has_default: row.get::<_, Option<String>>(3)?.is_some() || counts,
            generated: row.get::<_, u32>(5)? > 1,
            // SQLite does not hold a text to its declared length.
            max_length: None,
            hidden: false,
            sql_type,
        })
    })?;
    let primary_key: Vec<String> = keys.into_values().collect();
    let (mut unique, mut indexed) = (vec![primary_key.clone()], vec![primary_key.clone()]);
    let indexes = format!("SELECT name, \"unique\", partial FROM pragma_index_list('{literal}')");
    for (index, is_unique, partial) in read(connection, &indexes, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?))
    })? {
        let columns = names(connection, "pragma_index_info", &index)?;
        if !partial {
            indexed.push(columns.clone());
        }
        if is_unique && !partial {
            unique.push(columns);
        }
    }
    unique.retain(|set| !set.is_empty());
    indexed.retain(|set| !set.is_empty());
    let keys = format!(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list('{literal}') ORDER BY id, seq"
    );
    let mut foreign: BTreeMap<u32, (Vec<String>, String, Vec<String>)> = BTreeMap::new();
    for (id, parent, own, theirs) in read(connection, &keys, |row| {
        Ok((
            row.get(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, Option<String>>(3)?,
        ))
    })? {
        let entry = foreign.entry(id).or_insert_with(|| (Vec::new(), qualified(&parent), Vec::new()));
        entry.0.push(own);
        entry.2.extend(theirs);
    }
    let rows = count(connection, &format!("SELECT count(*) FROM {}", quoted(name)))?;
    let foreign_keys = foreign.into_values().collect();
    Ok(Table { rows, columns, primary_key, unique, indexed, foreign_keys, ..Table::default() })
}

pub fn schema(connection: &Connection) -> Result<SchemaFingerprint> {
    let mut lines = BTreeMap::new();
    for Object { kind, name, sql, .. } in objects(connection)? {
        // An index of a key or a UNIQUE is part of its table.
        let Some(sql) = sql else { continue };
        lines.extend(dialect::definition(&kind, &name, &sql));
    }
    let mut hash = Sha256::new();
    for (name, definition) in &lines {
        hash.update(format!("{name}\u{0}{definition}\u{0}"));
    }
    Ok(SchemaFingerprint { objects: lines, digest: hex(&hash.finalize()), ..SchemaFingerprint::default() })
}

pub fn data(connection: &Connection, only: Option<&[String]>) -> Result<DataFingerprint> {
    let mut tables = BTreeMap::new();
    for object in objects(connection)?.iter().filter(|o| o.kind == "table") {
        let name = qualified(&object.name);
        if only.is_none_or(|only| only.contains(&name)) {
            tables.insert(name, rows_of(connection, &object.name)?);
        }
    }
    let mut hash = Sha256::new();
    for (name, table) in &tables {
        hash.update(format!("{name} {} {}\n", table.rows, table.hash));
    }
    Ok(DataFingerprint { tables, digest: hex(&hash.finalize()) })
}

/// The sum of the rows' hashes: the same in whatever order they lie.
fn rows_of(connection: &Connection, table: &str) -> Result<TableFingerprint> {
    let mut columns = names(connection, "pragma_table_info", table)?;
    columns.sort();
    let list: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
    let sql = format!("SELECT {} FROM {}", list.join(", "), quoted(table));
    let hashes = read(connection, &sql, |row| {
        let mut hash = Sha256::new();
        for (at, column) in columns.iter().enumerate() {
            hash.update(format!("{column}={:?};", text(row.get_ref(at)?)));
        }
        let bytes = hash.finalize();
        Ok(bytes.iter().take(16).fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte)))
    })?;
    let sum = hashes.iter().fold(0_u128, |sum, hash| sum.wrapping_add(*hash));
    Ok(TableFingerprint {
        rows: u64::try_from(hashes.len()).unwrap_or(u64::MAX),
        hash: format!("{sum:032x}"),
        // What the text of a trigger does is not read here.
        trigger_columns: None,
    })
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[async_trait]
impl Inspect for SqliteFile {
    /// A file has one schema, and one history.
    async fn histories(&self) -> Result<Vec<OtherHistory>> {
        Ok(Vec::new())
    }

    async fn preflight(&self) -> Result<Vec<Fact>> {
        let (version, encoding) = self
            .on_connection(|connection| {
                let encoding: rusqlite::Result<String> =
                    connection.query_row("PRAGMA encoding", [], |row| row.get(0));
                Ok((rusqlite::version(), encoding.map_err(|e| wrong("the database cannot be read", e))?))
            })
            .await?;
        Ok(vec![Fact::new(Finding::Server { version: format!("SQLite {version}"), encoding })])
    }

    async fn server(&self) -> Result<ServerInfo> {
        self.on_connection(|connection| {
            Ok(ServerInfo {
                version: format!("SQLite {}", rusqlite::version()),
                major: 3,
                system_id: None,
                user: String::new(),
                // Who may open the file may do everything.
                superuser: true,
                replication: true,
                sees_activity: false,
                database_bytes: count(
                    connection,
                    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                )?,
            })
        })
        .await
    }

    async fn catalog(&self) -> Result<Catalog> {
        self.on_connection(catalog).await
    }

    async fn schema_fingerprint(&self) -> Result<SchemaFingerprint> {
        self.on_connection(|connection| schema(connection)).await
    }

    async fn data_fingerprint(&self, tables: Option<&[String]>) -> Result<DataFingerprint> {
        let tables = tables.map(<[String]>::to_vec);
        self.on_connection(move |connection| {
            let snapshot = connection.transaction().map_err(|e| wrong("the database cannot be read", e))?;
            data(&snapshot, tables.as_deref())
        })
        .await
    }

    async fn write_mark(&self) -> Result<Option<WriteMark>> {
        // Nothing in a file tells when a row was written.
        Ok(None)
    }

    async fn untouched_since(&self, _tables: &[String], _mark: &WriteMark) -> Result<DataFingerprint> {
        Err(Error::failed("nothing in a file tells when a row was written"))
    }

    async fn row_writers(&self) -> Result<Vec<RowWriter>> {
        Ok(Vec::new())
    }

    async fn snapshot(&self) -> Result<SchemaSnapshot> {
        // Nothing in a file tells a renamed object from one made anew.
        Ok(SchemaSnapshot { schema: self.schema_fingerprint().await?, ..SchemaSnapshot::default() })
    }

    fn diff(&self, before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
        diff::between(&before.schema.objects, &after.schema.objects)
    }

    async fn rows(&self, table: &str, most: u32) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)> {
        let table = super::bare(table).to_owned();
        self.on_connection(move |connection| {
            let columns = names(connection, "pragma_table_info", &table)?;
            let sql = format!("SELECT * FROM {} LIMIT {most}", quoted(&table));
            let rows = read(connection, &sql, |row| {
                (0..columns.len()).map(|at| row.get_ref(at).map(text)).collect()
            })?;
            Ok((columns, rows))
        })
        .await
    }

    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
        let (table, column) = (quoted_relation(table), quoted(column));
        self.on_connection(move |connection| {
            let sql = format!(
                "SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT {most}"
            );
            Ok(read(connection, &sql, |row| row.get_ref(0).map(text))?.into_iter().flatten().collect())
        })
        .await
    }

    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE {} = ?1", quoted_relation(table), quoted(column));
        let values = values.to_vec();
        self.on_connection(move |connection| {
            let mut present = 0;
            for value in values {
                let found: i64 = connection
                    .query_row(&sql, [value], |row| row.get(0))
                    .map_err(|e| wrong("values cannot be looked up", e))?;
                present += u64::from(found > 0);
            }
            Ok(present)
        })
        .await
    }

    async fn data_at_risk(&self, statements: &[&Statement], _limit: Duration) -> Result<Vec<Vec<AtRisk>>> {
        let statements: Vec<Statement> = statements.iter().map(|&s| s.clone()).collect();
        self.on_connection(move |connection| {
            Ok(statements.iter().map(|statement| risks(connection, statement)).collect())
        })
        .await
    }

    async fn footprint(&self) -> Result<Footprint> {
        self.on_connection(|connection| {
            let sql = "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'";
            let roots = read(connection, sql, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            let storage = roots
                .into_iter()
                .filter(|(name, _)| !is_history(name) && !name.starts_with("sqlite_"))
                .map(|(name, root)| (qualified(&name), root.to_string()))
                .collect();
            // The log begins anew with each checkpoint: its size says nothing of how much was written.
            Ok(Footprint { storage, log_bytes: None })
        })
        .await
    }
}
