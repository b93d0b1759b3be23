//! Questions to the reader.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::facts::{Answer, Complaint, Piece, Text};
use super::process::Process;
use super::program;
use crate::error::{Context as _, Error, Result};
use crate::model::catalog::Catalog;

/// What the reader has to know of a database.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    /// As Oracle is called: `19c`, `21c`, `23ai`.
    pub version: &'static str,
    /// The schema of bare names.
    pub schema: String,
    catalog: Known,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Known {
    tables: BTreeMap<String, Vec<Column>>,
    views: BTreeMap<String, Vec<Column>>,
    synonyms: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    sql_type: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(flatten)]
    context: &'a Context,
    texts: &'a [&'a str],
}

impl Context {
    pub fn new(version: &'static str, catalog: &Catalog) -> Self {
        let columns = |all: &[crate::model::catalog::Column]| {
            let column = |c: &crate::model::catalog::Column| Column {
                name: c.name.clone(),
                sql_type: c.sql_type.clone(),
                hidden: c.hidden,
            };
            all.iter().map(column).collect::<Vec<_>>()
        };
        let tables = catalog.tables.iter().map(|(name, table)| (name.clone(), columns(&table.columns)));
        let views = catalog.view_columns.iter().map(|(name, all)| (name.clone(), columns(all)));
        Self {
            version,
            schema: catalog.search_path.first().cloned().unwrap_or_default(),
            catalog: Known {
                tables: tables.collect(),
                views: views.collect(),
                synonyms: catalog.synonyms.clone(),
            },
        }
    }
}

/// One for all databases of this process: it remembers what it has learnt of the grammar.
static PROCESS: Mutex<Option<Process>> = Mutex::new(None);

/// What the texts say, an element for each. What is not read in a text is told in its place.
///
/// # Errors
/// `Input` when the reader is missing, `Failed` when it gives no answer.
pub fn read(texts: &[&str], context: &Context) -> Result<Vec<Text>> {
    const WHAT: &str = "Oracle's SQL cannot be read";
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let request = serde_json::to_string(&Request { context, texts }).context(WHAT)?;
    let mut slot = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    // One that failed is not asked again.
    let mut process = match slot.take() {
        Some(process) => process,
        None => Process::start(program::command()?)?,
    };
    let answer: Answer = serde_json::from_str(&process.ask(&request)?).context(WHAT)?;
    *slot = Some(process);
    drop(slot);
    if let Some(why) = answer.error {
        return Err(Error::failed(WHAT).because(why));
    }
    if answer.texts.len() != texts.len() {
        return Err(Error::failed(WHAT).because("the reader left texts out"));
    }
    Ok(answer.texts)
}

/// The statements of one text, all of them read.
///
/// # Errors
/// `Input` with line and column for the first that is not read.
pub fn pieces(text: &str, context: &Context) -> Result<Vec<Piece>> {
    let read = read(&[text], context)?;
    let pieces: Vec<Piece> = read.into_iter().flat_map(|text| text.statements).collect();
    match pieces.iter().find_map(|piece| piece.error.as_ref()) {
        Some(complaint) => Err(complaint.error()),
        None => Ok(pieces),
    }
}

impl Complaint {
    pub fn error(&self) -> Error {
        let error = Error::input(format!("line {}, column {}: {}", self.line, self.column, self.message));
        match &self.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    }
}
