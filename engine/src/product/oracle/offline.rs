//! A database of which only the dictionary is there, in a file: `oracle-dictionary:///folder/dictionary.json`. It has a schema and no rows.
//! Changesets are applied to it from their statements, and queries are described by it. No server runs anywhere.

mod client;
mod database;
mod scratch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::dictionary::{Dictionary, Version};
use super::grammar::{self, Context as ReaderContext};
use super::queries;
use crate::error::{Context, Error, Result};
use crate::model::endpoint::Endpoint;
pub use scratch::Files;

/// The scheme of its URL.
pub const SCHEME: &str = "oracle-dictionary";

/// A dictionary that is shared by those who work on the same file in this process.
type Shared = Arc<Mutex<Option<Arc<Dictionary>>>>;

/// A database of which only the dictionary is there.
#[derive(Clone)]
pub struct Offline {
    endpoint: Endpoint,
    version: Version,
    shared: Shared,
}

/// The endpoint of a dictionary's file.
pub fn endpoint(file: &Path) -> Endpoint {
    Endpoint {
        host: String::new(),
        port: 0,
        database: file.display().to_string(),
        user: String::new(),
        password: None,
        options: Default::default(),
    }
}

/// Reads a dictionary from its file.
///
/// # Errors
/// `Input` when it is no such file.
pub fn load(file: &Path) -> Result<Dictionary> {
    let bytes = std::fs::read(file).input(format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&bytes).input(format!("{} is no dictionary", file.display()))
}

/// Writes a dictionary to its file, whole or not at all.
///
/// # Errors
/// `Failed` when it cannot be written.
pub fn save(dictionary: &Dictionary, file: &Path) -> Result<()> {
    let unwritable = format!("{} cannot be written", file.display());
    let bytes = serde_json::to_vec_pretty(dictionary).context(&unwritable)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut written = tempfile::NamedTempFile::new_in(folder).context(&unwritable)?;
    std::io::Write::write_all(&mut written, &bytes).context(&unwritable)?;
    written.persist(file).context(unwritable)?;
    Ok(())
}

impl Offline {
    /// The database of an endpoint. A file that cannot be read is told when it is asked for.
    pub fn at(endpoint: Endpoint) -> Self {
        let known = load(Path::new(&endpoint.database)).ok();
        let version = known.as_ref().map(|d| d.version).unwrap_or_default();
        Self { endpoint, version, shared: Arc::new(Mutex::new(known.map(Arc::new))) }
    }

    fn file(&self) -> PathBuf {
        PathBuf::from(&self.endpoint.database)
    }

    /// The dictionary as it is now.
    ///
    /// # Errors
    /// See `load`.
    pub(super) fn dictionary(&self) -> Result<Arc<Dictionary>> {
        dictionary(&self.shared, &self.file())
    }

    /// Applies the statements of a text, all of them or none.
    ///
    /// # Errors
    /// `Input` when one is not read, and as Oracle would refuse one.
    fn apply(&self, sql: &str) -> Result<()> {
        let mut dictionary = Dictionary::clone(&*self.dictionary()?);
        apply(&mut dictionary, sql)?;
        save(&dictionary, &self.file())?;
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(dictionary));
        Ok(())
    }
}

/// Makes the file of a dictionary that has what these statements make, in their order, in the schema of this name.
///
/// # Errors
/// `Input` when one is not read, and as Oracle would refuse one.
pub fn write(file: &Path, schema: &str, statements: &[String]) -> Result<()> {
    let mut dictionary = Dictionary { schema: schema.to_owned(), ..Dictionary::default() };
    for sql in statements {
        apply(&mut dictionary, sql)?;
    }
    save(&dictionary, file)
}

fn dictionary(shared: &Shared, file: &Path) -> Result<Arc<Dictionary>> {
    let mut slot = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = slot.as_ref() {
        return Ok(Arc::clone(known));
    }
    let read = Arc::new(load(file)?);
    *slot = Some(Arc::clone(&read));
    Ok(read)
}

/// Applies the statements of a text. Each sees what those before it have made.
///
/// # Errors
/// `Input` when one is not read, and as Oracle would refuse one.
pub fn apply(dictionary: &mut Dictionary, sql: &str) -> Result<()> {
    let mut from = 0;
    // What is read of a statement depends on what is there: names are resolved anew after each that changed something.
    while let Some(rest) = sql.get(from..).filter(|rest| !rest.trim().is_empty()) {
        let context = ReaderContext::new(dictionary.version.name(), &dictionary.catalog());
        let pieces = grammar::pieces(rest, &context)?;
        let Some(piece) = pieces.first() else { break };
        let Some(read) = &piece.read else {
            return Err(Error::failed("the reader of Oracle's SQL says nothing of a statement"));
        };
        // What moves rows has to fit what is there.
        if ["select", "insert", "update", "delete", "merge", "call", "anonymous_block"]
            .contains(&read.kind.as_str())
        {
            queries::describe(read, dictionary).map_err(|e| Error::failed(e.message.clone()).code(e.code))?;
        }
        dictionary.apply(rest.get(piece.start..piece.end).unwrap_or(rest), read)?;
        from += match pieces.get(1) {
            Some(next) => next.start,
            None => rest.len(),
        };
    }
    Ok(())
}
