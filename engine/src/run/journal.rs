//! The record of a run: append-only, hash-chained, outside the target database.
//!
//! One file a run, one JSON line an event. An event counts once its line is whole and on disk; a torn last line is
//! what a crash leaves of a record that was never made, and is cut off before the next append. Where the record is kept in
//! object storage too, an event is put there first.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::error::{Context, Error, Result};
use crate::model::event::{Event, EventKind};
use crate::model::hex;
use crate::run::storage::Storage;

impl Event {
    fn sealed(seq: u64, at: Timestamp, previous: String, what: EventKind) -> Result<Self> {
        let mut event = Self { seq, at, previous, what, hash: String::new() };
        event.hash = event.digest()?;
        Ok(event)
    }
    fn digest(&self) -> Result<String> {
        let body = serde_json::to_vec(&(self.seq, self.at, &self.previous, &self.what))
            .context("an event cannot be written")?;
        Ok(hex(&Sha256::digest(body)))
    }
}

/// Dies right after the record of this number is on disk: how tests and `--inject kill` crash a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct KillAt(pub Option<u64>);

/// A run's journal, open for appending by its one owner.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    events: Vec<Event>,
    /// Where the original is kept, and under which run.
    original: Option<(Storage, String)>,
    pub kill_at: KillAt,
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
        let mut text = String::new();
        file.read_to_string(&mut text).context(format!("the journal {} cannot be read", path.display()))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            let length = u64::try_from(whole).unwrap_or(0);
            file.set_len(length).context("a torn journal line cannot be cut off")?;
            file.seek(SeekFrom::End(0)).context("the journal cannot be positioned")?;
        }
        let events = parse(text.get(..whole).unwrap_or_default(), path)?;
        verify(&events).map_err(|e| e.hint("somebody edited the journal; drydock verify says where"))?;
        Ok(Self { path: path.to_path_buf(), file, events, original: None, kill_at: KillAt::default() })
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
                storage.put(&format!("runs/{run}/evidence/{name}"), bytes).await?;
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

    /// Appends an event and waits until it is kept. When this fails, nothing may be done; a call that was dropped half way
    /// leaves a journal that takes no more.
    ///
    /// # Errors
    /// `Failed` when the disk or the storage does not take it, `Refused` when another process has taken the run over.
    pub async fn append(&mut self, what: EventKind) -> Result<&Event> {
        let previous = self.events.last().map(|e| e.hash.clone()).unwrap_or_default();
        let seq = self.events.last().map_or(1, |e| e.seq + 1);
        let event = Event::sealed(seq, Timestamp::now(), previous, what)?;
        let mut line = serde_json::to_string(&event).context("an event cannot be written")?;
        line.push('\n');
        if let Some((storage, run)) = &self.original {
            storage.put_event(run, &event).await?;
        }
        let before = self.file.metadata().map(|m| m.len()).context("the journal cannot be read")?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line must not become the start of the next one.
            let _ = self.file.set_len(before);
            return Err(Error::failed(format!("the journal {} cannot be written", self.path.display()))
                .because(error)
                .hint("free some space and run the same command again"));
        }
        self.events.push(event);
        if self.kill_at.0 == Some(seq) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
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
/// `Failed` when it cannot be read or a whole line is no event.
pub fn read(path: &Path) -> Result<Vec<Event>> {
    let text =
        std::fs::read_to_string(path).context(format!("the journal {} cannot be read", path.display()))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    parse(text.get(..whole).unwrap_or_default(), path)
}

/// Brings the file of a journal up to a copy of it that may know more. One that knows less changes nothing.
///
/// # Errors
/// `Stuck` when they tell different stories or the copy's chain is broken, `Failed` when the disk does not take it.
pub fn catch_up(path: &Path, copy: &[Event]) -> Result<()> {
    verify(copy)?;
    let here = if path.is_file() { read(path)? } else { Vec::new() };
    if let Some((ours, _)) = here.iter().zip(copy).find(|(ours, theirs)| ours.hash != theirs.hash) {
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
    let mut text = String::new();
    for event in copy {
        text.push_str(&serde_json::to_string(event).context("an event cannot be written")?);
        text.push('\n');
    }
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

fn parse(text: &str, path: &Path) -> Result<Vec<Event>> {
    text.lines()
        .enumerate()
        .map(|(i, line)| {
            serde_json::from_str(line).map_err(|e| {
                Error::stuck(format!("{}:{}: not a journal event", path.display(), i + 1))
                    .because(e)
                    .hint("the journal was changed by something else than drydock")
            })
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
        if event.seq != expected || event.previous != previous || event.digest()? != event.hash {
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
