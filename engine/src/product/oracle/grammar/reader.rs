//! Questions to the reader.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Of the columns of each relation.
    #[serde(skip)]
    hashes: BTreeMap<String, u64>,
    /// Of what bare names may mean besides relations of the schema.
    #[serde(skip)]
    synonyms: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Known {
    tables: BTreeMap<String, Vec<Column>>,
    views: BTreeMap<String, Vec<Column>>,
    synonyms: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Hash, Serialize)]
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
        let known =
            Known { tables: tables.collect(), views: views.collect(), synonyms: catalog.synonyms.clone() };
        let relations = known.tables.iter().chain(&known.views);
        let synonyms = match known.synonyms.is_empty() {
            true => 0,
            // A relation may come to stand before a synonym.
            false => hash(&(&known.synonyms, relations.clone().map(|(name, _)| name).collect::<Vec<_>>())),
        };
        let hashes = relations.map(|(name, columns)| (name.clone(), hash(columns))).collect();
        let schema = catalog.search_path.first().cloned().unwrap_or_default();
        Self { version, schema, catalog: known, hashes, synonyms }
    }

    /// Of all that the reading of a text depends on which names these relations.
    fn of_relations<'r>(&self, relations: impl Iterator<Item = &'r String>) -> u64 {
        let own: Vec<_> = relations.map(|name| (name, self.hashes.get(name))).collect();
        hash(&(own, self.synonyms))
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// What was read of a text, and what that depended on.
struct Remembered {
    text: Arc<Text>,
    relations: u64,
}

/// By version, schema and text. A check asks for the same queries again and again, while few relations change.
static REMEMBERED: Mutex<Option<HashMap<u64, Remembered>>> = Mutex::new(None);
/// As many texts are remembered.
const MOST: usize = 20_000;

fn relations(text: &Text) -> impl Iterator<Item = &String> {
    text.statements.iter().filter_map(|piece| piece.read.as_ref()).flat_map(|read| &read.relations)
}

/// One for all databases of this process: it remembers what it has learnt of the grammar.
static PROCESS: Mutex<Option<Process>> = Mutex::new(None);

/// What the texts say, an element for each. What is not read in a text is told in its place.
///
/// # Errors
/// `Input` when the reader is missing, `Failed` when it gives no answer.
pub fn read(texts: &[&str], context: &Context) -> Result<Vec<Arc<Text>>> {
    let keys: Vec<u64> = texts.iter().map(|text| hash(&(context.version, &context.schema, text))).collect();
    let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = remembered.get_or_insert_default();
    let mut all: Vec<Option<Arc<Text>>> = keys
        .iter()
        .map(|key| {
            let known = known.get(key)?;
            (known.relations == context.of_relations(relations(&known.text))).then(|| Arc::clone(&known.text))
        })
        .collect();
    drop(remembered);
    let new: Vec<usize> =
        all.iter().enumerate().filter(|(_, known)| known.is_none()).map(|(at, _)| at).collect();
    let unread: Vec<&str> = new.iter().filter_map(|at| texts.get(*at).copied()).collect();
    let answers = ask(&unread, context)?;
    let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = remembered.get_or_insert_default();
    if known.len() > MOST {
        known.clear();
    }
    for (at, text) in new.into_iter().zip(answers) {
        let text = Arc::new(text);
        let relations = context.of_relations(relations(&text));
        if let (Some(key), Some(slot)) = (keys.get(at), all.get_mut(at)) {
            known.insert(*key, Remembered { text: Arc::clone(&text), relations });
            *slot = Some(text);
        }
    }
    Ok(all.into_iter().flatten().collect())
}

fn ask(texts: &[&str], context: &Context) -> Result<Vec<Text>> {
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
    let pieces: Vec<Piece> = read.iter().flat_map(|text| text.statements.iter().cloned()).collect();
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
