//! A database of which only the dictionary is there, in a file: `oracle-dictionary:///folder/dictionary.json`. It has a schema and no rows.
//! Changesets are applied to it from their statements, and queries are described by it. No server runs anywhere.
//!
//! The file is only read. What is applied is kept in the memory of this process, by the name of the file: copies (`scratch.rs`) have
//! names without files.

mod client;
mod database;
mod scratch;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::dictionary::{Dictionary, Version};
use super::grammar::{self, Context as ReaderContext};
use super::queries;
use crate::error::{Context, Error, Result};
use crate::model::endpoint::Endpoint;
pub use scratch::{Dictionaries, Files};

/// The scheme of its URL.
pub const SCHEME: &str = "oracle-dictionary";

/// The dictionaries that this process works on, by the names of their files.
static KNOWN: Mutex<Option<HashMap<PathBuf, Arc<Dictionary>>>> = Mutex::new(None);

fn known() -> MutexGuard<'static, Option<HashMap<PathBuf, Arc<Dictionary>>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a dictionary under the name of a file that need not be there.
fn keep(file: &Path, dictionary: Arc<Dictionary>) {
    known().get_or_insert_default().insert(file.to_path_buf(), dictionary);
}

/// Forgets all below a folder.
fn forget(folder: &Path) {
    known().get_or_insert_default().retain(|file, _| !file.starts_with(folder));
}

/// The dictionary of this name as it is now, from its file where nobody has worked on it.
///
/// # Errors
/// See `load`.
fn dictionary(file: &Path) -> Result<Arc<Dictionary>> {
    if let Some(kept) = known().get_or_insert_default().get(file) {
        return Ok(Arc::clone(kept));
    }
    let read = Arc::new(load(file)?);
    keep(file, Arc::clone(&read));
    Ok(read)
}

/// A database of which only the dictionary is there.
#[derive(Clone)]
pub struct Offline {
    endpoint: Endpoint,
    version: Version,
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
        let version = dictionary(Path::new(&endpoint.database)).map(|d| d.version).unwrap_or_default();
        Self { endpoint, version }
    }

    fn file(&self) -> PathBuf {
        PathBuf::from(&self.endpoint.database)
    }

    /// The dictionary as it is now.
    ///
    /// # Errors
    /// See `load`.
    pub(super) fn dictionary(&self) -> Result<Arc<Dictionary>> {
        dictionary(&self.file())
    }

    /// Applies the statements of a text, all of them or none.
    ///
    /// # Errors
    /// `Input` when one is not read, and as Oracle would refuse one.
    fn apply(&self, sql: &str) -> Result<()> {
        let mut dictionary = Dictionary::clone(&*self.dictionary()?);
        apply(&mut dictionary, sql)?;
        keep(&self.file(), Arc::new(dictionary));
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
