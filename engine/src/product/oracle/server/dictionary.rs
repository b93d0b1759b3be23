//! The dictionary of a running database, read by a handful of queries over its views.
//!
//! It has the current schema and all others that users made, as far as the user may see them, without Liquibase's tables and the recycle bin.
//! What views and code are made of comes from the reader of Oracle's SQL over their texts, as it does where statements are applied; what it
//! does not read (wrapped code) comes from the server's own record of dependencies.

mod code;
mod columns;
mod constraints;
mod indexes;
mod queries;
mod relations;
mod rows;
mod texts;
mod unread;

use std::time::Duration;

use drydock_oracle_protocol::{Bind, Execute, Query};

pub use queries::Named;
pub use relations::HISTORY as HISTORY_COLUMNS;
pub use rows::{Row, Table};

use crate::error::{Error, Result};
use crate::product::oracle::dictionary::{Dictionary, Version};
use crate::product::oracle::session::Session;

/// A query over the views may take long where a database has many objects and no statistics of its dictionary.
const LIMIT: Duration = Duration::from_secs(300);
/// More than any dictionary has. What is cut off would be told as something that is not there.
const MOST: u64 = 20_000_000;

/// The dictionary at one moment.
///
/// # Errors
/// As the server has it, and `Input` when the reader is missing.
pub async fn read(session: &mut Session, version: Version) -> Result<Dictionary> {
    // All queries see the same moment.
    let begin = Execute { sql: "SET TRANSACTION READ ONLY".to_owned(), rows: Vec::new() };
    session.execute(begin, LIMIT).await?;
    let read = all(session, version).await;
    let ended = session.rollback(LIMIT).await;
    let dictionary = read?;
    ended?;
    Ok(dictionary)
}

async fn all(session: &mut Session, version: Version) -> Result<Dictionary> {
    let environment = table(session, queries::ENVIRONMENT).await?;
    let environment = environment.one()?;
    let in_characters = environment.is("LENGTH_SEMANTICS", "CHAR")?;
    let mut dictionary = Dictionary {
        version,
        schema: environment.text("CURRENT_SCHEMA")?.to_owned(),
        lengths_in_characters: in_characters,
        ..Dictionary::default()
    };
    relations::tables(&table(session, queries::TABLES).await?, &mut dictionary)?;
    relations::views(&table(session, queries::VIEWS).await?, &mut dictionary)?;
    relations::materialized_views(&table(session, queries::MATERIALIZED_VIEWS).await?, &mut dictionary)?;
    columns::read(&table(session, queries::COLUMNS).await?, &mut dictionary)?;
    columns::defaults(&table(session, queries::COLUMN_DEFAULTS).await?, &mut dictionary)?;
    let columns = constraints::columns(&table(session, queries::CONSTRAINT_COLUMNS).await?)?;
    let keys = constraints::read(&table(session, queries::CONSTRAINTS).await?, &columns, &mut dictionary)?;
    relations::supplemental(&table(session, queries::LOG_GROUPS).await?, &mut dictionary)?;
    indexes::read(&table(session, queries::INDEXES).await?, &keys, &mut dictionary)?;
    let expressions = indexes::expressions(&table(session, queries::INDEX_EXPRESSIONS).await?)?;
    indexes::columns(&table(session, queries::INDEX_COLUMNS).await?, &expressions, &mut dictionary)?;
    relations::sequences(&table(session, queries::SEQUENCES).await?, &mut dictionary)?;
    relations::synonyms(&table(session, queries::SYNONYMS).await?, &mut dictionary)?;
    let sources = code::sources(&table(session, queries::SOURCE).await?)?;
    code::read(&sources, &mut dictionary);
    code::triggers(&table(session, queries::TRIGGERS).await?, &sources, &mut dictionary)?;
    code::trigger_columns(&table(session, queries::TRIGGER_COLUMNS).await?, &mut dictionary)?;
    relations::grants(&table(session, queries::GRANTS).await?, &mut dictionary)?;
    relations::numbers(&table(session, queries::OBJECTS).await?, &mut dictionary)?;
    relations::without_liquibase(&mut dictionary);
    let unread = texts::read(&mut dictionary)?;
    if !unread.is_empty() {
        unread::uses(&table(session, queries::DEPENDENCIES).await?, &unread, &mut dictionary)?;
        unread::signatures(&table(session, queries::SIGNATURES).await?, &unread, &mut dictionary)?;
    }
    Ok(dictionary)
}

/// The answer to one of the named queries.
///
/// # Errors
/// As the server has it.
pub async fn table(session: &mut Session, named: Named) -> Result<Table> {
    query(session, named.name, named.sql()).await
}

/// The same with parameters, in their order.
///
/// # Errors
/// As the server has it.
pub async fn query_with(
    session: &mut Session,
    name: &'static str,
    sql: String,
    binds: Vec<Bind>,
) -> Result<Table> {
    let query = Query { sql, binds, max_rows: MOST, lobs: true };
    ask(session, name, query).await
}

/// The answer to a query of this name.
///
/// # Errors
/// As the server has it.
pub async fn query(session: &mut Session, name: &'static str, sql: String) -> Result<Table> {
    query_with(session, name, sql, Vec::new()).await
}

async fn ask(session: &mut Session, name: &'static str, query: Query) -> Result<Table> {
    let rows = session.query(query, LIMIT).await.map_err(|e| {
        let (kind, code, hint) = (e.kind, e.code.clone(), e.hint_text().map(str::to_owned));
        let told = Error::new(kind, format!("cannot read the dictionary ({})", name)).because(e);
        let told = match code {
            Some(code) => told.code(code),
            None => told,
        };
        match hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    })?;
    if rows.more {
        return Err(Error::failed(format!("the dictionary is too large ({})", name)));
    }
    Ok(Table::new(name, rows))
}
