//! The record of a run: append-only, hash-chained, outside the target database.
//!
//! One file a run, one JSON line an event. An event counts once its line is whole and on disk; a torn last line is
//! what a crash leaves of a record that was never made, and is cut off before the next append. Where the record is kept in
//! object storage too, an event is put there first. Lines are kept and copied as the bytes that were read.

mod format_1;
mod line;

pub use line::read as read_line;

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::error::{Context, Error, Result};
use crate::model::event::{Action, Event, EventKind};
use crate::run::storage::Storage;

type Listener = dyn Fn(&Event) + Send + Sync;

/// Is called with each event once it is on disk. Who runs the engine may end the process there, as a crash would.
#[derive(Clone, Default)]
pub struct AfterRecord(pub Option<Arc<Listener>>);

impl std::fmt::Debug for AfterRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "AfterRecord(..)" } else { "AfterRecord" })
    }
}

/// A run's journal, open for appending by its one owner.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    events: Vec<Event>,
    /// Where the original is kept, and under which run.
    original: Option<(Storage, String)>,
    pub after_record: AfterRecord,
}

impl Journal {
    /// Opens or creates the journal of a run.
    ///
    /// # Errors
    /// `Failed` when the file cannot be read or written; `Stuck` when its chain is broken.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).context(format!("{} cannot be made", folder.display()))?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .context(format!("the journal {} cannot be opened", path.display()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).context(format!("the journal {} cannot be read", path.display()))?;
        let events = parse(&bytes, path)?;
        verify(&events).map_err(|e| e.hint("somebody edited the journal; drydock verify says where"))?;
        let whole = whole_lines(&bytes).len();
        if whole < bytes.len() {
            let length = u64::try_from(whole).unwrap_or(0);
            file.set_len(length).context("a torn journal line cannot be cut off")?;
            file.seek(SeekFrom::End(0)).context("the journal cannot be positioned")?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            file,
            events,
            original: None,
            after_record: AfterRecord::default(),
        })
    }

    /// From here on every event is put into the storage first. What it does not know yet is put there now.
    ///
    /// # Errors
    /// `Refused` when somebody else writes this run, `Failed` when the storage does not take it.
    pub async fn keep_in(&mut self, storage: &Storage, run: &str) -> Result<()> {
        let known = storage.events(run).await?;
        let unknown: Vec<&Event> = self.events.iter().filter(|e| e.seq > known).collect();
        if let (false, Some(folder)) = (unknown.is_empty(), self.path.parent()) {
            let evidence = folder.join("evidence");
            for name in names(&evidence)? {
                let path = evidence.join(&name);
                let bytes = std::fs::read(&path).context(format!("{} cannot be read", path.display()))?;
                storage.put(&format!("runs/{run}/evidence/{name}"), &bytes).await?;
            }
        }
        for event in unknown {
            storage.put_event(run, event).await?;
        }
        self.original = Some((storage.clone(), run.to_owned()));
        Ok(())
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes something down that nothing is decided by.
    ///
    /// # Errors
    /// See `append`.
    pub async fn note(&mut self, text: impl Into<String>, action: Option<Action>) -> Result<()> {
        self.append(EventKind::Noted { text: text.into(), action, checkpoint: None }).await.map(drop)
    }

    /// Appends an event and waits until it is kept. When this fails, nothing may be done; a call that was dropped half way
    /// leaves a journal that takes no more.
    ///
    /// # Errors
    /// `Failed` when the disk or the storage does not take it, `Refused` when another process has taken the run over.
    pub async fn append(&mut self, what: EventKind) -> Result<&Event> {
        let previous = self.events.last().map(|e| e.hash.clone()).unwrap_or_default();
        let seq = self.events.last().map_or(1, |e| e.seq + 1);
        let event = line::write(seq, Timestamp::now(), previous, what)?;
        if let Some((storage, run)) = &self.original {
            storage.put_event(run, &event).await?;
        }
        let before = self.file.metadata().map(|m| m.len()).context("the journal cannot be read")?;
        let written =
            self.file.write_all(format!("{}\n", event.line).as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line must not become the start of the next one.
            let _ = self.file.set_len(before);
            return Err(Error::failed(format!("the journal {} cannot be written", self.path.display()))
                .because(error)
                .hint("free some space and run the same command again"));
        }
        if let AfterRecord(Some(after)) = &self.after_record {
            after(&event);
        }
        self.events.push(event);
        self.events.last().ok_or_else(|| Error::failed("the journal is empty after an append"))
    }
}

impl Journal {
    /// Writes down what comes until nobody sends any more. For what nothing is decided by: what cannot be written is left out.
    pub async fn write_down(&mut self, mut notes: UnboundedReceiver<EventKind>) {
        while let Some(what) = notes.recv().await {
            let _ = self.append(what).await;
        }
    }
}

/// Reads a journal without owning it: a torn last line is left alone.
///
/// # Errors
/// `Failed` when it cannot be read, `Input` when a newer Drydock wrote it, `Stuck` when a whole line is no event.
pub fn read(path: &Path) -> Result<Vec<Event>> {
    let bytes = std::fs::read(path).context(format!("the journal {} cannot be read", path.display()))?;
    parse(&bytes, path)
}

/// Brings the file of a journal up to a copy of it that may know more. One that knows less changes nothing.
///
/// # Errors
/// `Stuck` when they tell different stories or the copy's chain is broken, `Failed` when the disk does not take it.
pub fn catch_up(path: &Path, copy: &[Event]) -> Result<()> {
    verify(copy)?;
    let here = if path.is_file() { read(path)? } else { Vec::new() };
    if let Some((ours, _)) = here.iter().zip(copy).find(|(ours, theirs)| ours.line != theirs.line) {
        return Err(Error::stuck(format!(
            "{} and its copy differ from event {} on",
            path.display(),
            ours.seq
        ))
        .hint(
            "two machines wrote the same run; move the folder of the one that did not go on out of the way",
        ));
    }
    if copy.len() <= here.len() {
        return Ok(());
    }
    let text: String = copy.iter().flat_map(|event| [&event.line, "\n"]).collect();
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::failed(format!("{} is no journal's path", path.display())));
    };
    write_whole(folder, &name.to_string_lossy(), text.as_bytes())
}

/// Writes a file into a folder, whole or not at all, and waits until it is on disk.
///
/// # Errors
/// `Failed` when the disk does not take it.
pub fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let failed = || format!("{} cannot be written", path.display());
    std::fs::create_dir_all(folder).context(failed())?;
    let mut file = tempfile::NamedTempFile::new_in(folder).context(failed())?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_data()).context(failed())?;
    file.persist(&path).context(failed()).map(|_| ())
}

/// Names of the files in a folder, sorted; none if there is no folder.
///
/// # Errors
/// `Failed` when it cannot be read.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).context(format!("{} cannot be read", folder.display())),
    };
    let mut names: Vec<String> =
        entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// What ends with a newline: the rest is a line that a crash cut off.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Reads the bytes of a journal's file. A torn last line is left out.
///
/// # Errors
/// `Input` when a newer Drydock wrote it, `Stuck` when a whole line is no event.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Vec<Event>> {
    whole_lines(bytes)
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .map(|(i, line)| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            read_line(line, &format!("{}:{}", path.display(), i + 1))
        })
        .collect()
}

/// Whether every event follows from the one before.
///
/// # Errors
/// `Stuck`, naming the first event that does not.
pub fn verify(events: &[Event]) -> Result<()> {
    let mut previous = String::new();
    for (expected, event) in (1u64..).zip(events) {
        if event.seq != expected || event.previous != previous || !line::is_intact(event) {
            return Err(Error::stuck(format!(
                "journal event {expected} does not follow from the one before"
            )));
        }
        previous.clone_from(&event.hash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn note(text: &str) -> EventKind {
        EventKind::Noted { text: text.to_owned(), action: None, checkpoint: None }
    }

    #[tokio::test]
    async fn a_torn_last_line_never_happened_and_the_chain_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(note("one")).await.unwrap();
        journal.append(note("two")).await.unwrap();
        drop(journal);
        let whole = std::fs::read_to_string(&path).unwrap();
        for cut in 1..40 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            assert_eq!(journal.events().len(), 1, "cut {cut}");
            journal.append(note("three")).await.unwrap();
            verify(&read(&path).unwrap()).unwrap();
        }
    }

    #[tokio::test]
    async fn an_edited_line_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        for text in ["one", "two", "three"] {
            journal.append(note(text)).await.unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in [("two", "2wo"), ("\"seq\":2", "\"seq\":7")] {
            std::fs::write(&path, text.replace(from, to)).unwrap();
            assert!(Journal::open(&path).is_err(), "{from} -> {to}");
        }
        // A line taken out of the middle.
        let lines: Vec<&str> = text.lines().collect();
        std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[2])).unwrap();
        assert!(Journal::open(&path).is_err());
    }
}
