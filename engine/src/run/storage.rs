//! Object storage: where journals and evidence are kept so that any machine can take a run up.
//!
//! The files in a run's folder are what everything reads; what lies here is their original. Each event is one object, put
//! only if there is none of its number: a second writer is fenced off. Evidence is put before the event that names its hash.
//!
//! ```text
//! URL/ENVIRONMENT/runs/RUN/journal/00000001.json
//! URL/ENVIRONMENT/runs/RUN/evidence/plan.json
//! URL/ENVIRONMENT/schema.json
//! ```

use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::config::{Environment, LAST_SCHEMA};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::model::event::Event;
use crate::run::journal;
use crate::variables::Variables;

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// A place in object storage that belongs to one environment.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    root: Key,
    /// For people: the URL without anything secret.
    name: String,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Storage({})", self.name)
    }
}

impl Storage {
    /// Where the environment's configuration says that the record is kept; `None` where only in files.
    ///
    /// # Errors
    /// See `open`.
    pub fn of(environment: &Environment) -> Result<Option<Self>> {
        let location = environment.journal.as_ref();
        location.map(|l| Self::open(&l.url, &l.folder, &l.variables)).transpose()
    }

    /// `s3://`, `gs://`, `az://` or `file://`. Credentials and endpoints come from the provider's usual variables
    /// (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, …). Nothing is reached yet.
    ///
    /// # Errors
    /// `Input` when the URL or a variable cannot be used.
    pub fn open(url: &str, environment: &str, variables: &Variables) -> Result<Self> {
        let hint = "use s3://BUCKET/PREFIX, gs://…, az://… or file:///FOLDER";
        let parsed =
            url::Url::parse(url).input("the journal's URL cannot be read").map_err(|e| e.hint(hint))?;
        // Whoever else installed one meant it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let unusable = |e: object_store::Error| {
            Error::input(format!("journals cannot be kept in {}", shown(&parsed))).because(e).hint(hint)
        };
        let (store, root): (Arc<dyn ObjectStore>, Key) = match parsed.scheme() {
            "file" => {
                let path = Key::from_url_path(parsed.path()).map_err(|e| unusable(e.into()))?;
                (Arc::new(LocalFileSystem::new().with_fsync(true)), path)
            }
            "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" if parsed.password().is_none() => {
                let (store, path) =
                    object_store::parse_url_opts(&parsed, variables.all()).map_err(unusable)?;
                (Arc::from(store), path)
            }
            // What the library says of others repeats the URL, and with it what may be secret.
            _ => {
                return Err(Error::input(format!("journals cannot be kept in {}", shown(&parsed))).hint(hint));
            }
        };
        Ok(Self { store, root: root.join(environment), name: shown(&parsed) })
    }

    fn key(&self, path: &str) -> Key {
        path.split('/').fold(self.root.clone(), |key, part| key.join(part))
    }

    fn failed(&self, what: &str, error: object_store::Error) -> Error {
        Error::failed(format!("{what} {}", self.name))
            .because(error)
            .hint("see that the storage answers and the credentials (AWS_ACCESS_KEY_ID and the like) may list, read and write there")
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let got = match self.store.get(&self.key(path)).await {
            Ok(got) => got.bytes().await,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => Err(e),
        };
        got.map(|bytes| Some(bytes.to_vec()))
            .map_err(|e| self.failed(&format!("{path} cannot be read from"), e))
    }

    /// Keeps a file, in place of an earlier one of the name.
    ///
    /// # Errors
    /// `Failed` when it is not taken.
    pub async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.store.put(&self.key(path), bytes.into()).await;
        put.map(|_| ()).map_err(|e| self.failed(&format!("{path} cannot be put into"), e))
    }

    /// Keeps an event, unless there is one of its number.
    ///
    /// # Errors
    /// `Refused` when somebody else wrote an event of this number; `Failed` when it is not taken.
    pub async fn put_event(&self, run: &str, event: &Event) -> Result<()> {
        let path = format!("runs/{run}/journal/{:08}.json", event.seq);
        let bytes = event.line.clone().into_bytes();
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&self.key(&path), bytes.clone().into(), options).await {
            Ok(_) => Ok(()),
            // A try whose answer got lost may have been ours.
            Err(object_store::Error::AlreadyExists { .. }) if self.get(&path).await? == Some(bytes) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => {
                Err(Error::refused(format!("another drydock has taken run {run} over"))
                    .hint("let it finish; `drydock status` shows where it is"))
            }
            Err(e) => Err(self.failed(&format!("event {} of run {run} cannot be put into", event.seq), e)),
        }
    }

    /// The runs that are kept here, oldest first.
    ///
    /// # Errors
    /// `Input` when the storage cannot be listed: this is the first that is asked of it.
    pub async fn runs(&self) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.key("runs"))).await;
        let listed = listed.map_err(|e| self.failed("no runs can be listed in", e).kind(ErrorKind::Input))?;
        let mut runs: Vec<String> =
            listed.common_prefixes.iter().filter_map(|p| p.filename().map(str::to_owned)).collect();
        runs.sort();
        Ok(runs)
    }

    /// How many events of a run are kept here.
    ///
    /// # Errors
    /// `Failed` when they cannot be listed, `Stuck` when one is missing between others.
    pub async fn events(&self, run: &str) -> Result<u64> {
        let mut numbers = Vec::new();
        for name in self.names(&format!("runs/{run}/journal")).await? {
            numbers.extend(name.strip_suffix(".json").and_then(|n| n.parse::<u64>().ok()));
        }
        let count = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
        if numbers.iter().max().copied().unwrap_or(0) != count {
            return Err(Error::stuck(format!("events of run {run} are missing in {}", self.name)).hint(
                "somebody removed objects; `drydock verify` where the run's folder is shows the whole record",
            ));
        }
        Ok(count)
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let listed: std::result::Result<Vec<_>, _> =
            self.store.list(Some(&self.key(folder))).try_collect().await;
        let listed = listed.map_err(|e| self.failed(&format!("{folder} cannot be listed in"), e))?;
        Ok(listed.iter().filter_map(|o| o.location.filename().map(str::to_owned)).collect())
    }

    /// Brings the record of a run up to date in its folder on this machine.
    ///
    /// # Errors
    /// `Stuck` when the two tell different stories, `Failed` when it cannot be read or written.
    pub async fn bring(&self, run: &str, folder: &Path) -> Result<()> {
        let path = folder.join("journal.jsonl");
        let mut events = if path.is_file() { journal::read(&path)? } else { Vec::new() };
        let here = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let there = self.events(run).await?;
        // The last event both have proves that all before it are the same: it carries their hash.
        let first = here.min(there).max(1);
        let fetched: Vec<Event> = futures::stream::iter(first..=there)
            .map(|seq| async move {
                let path = format!("runs/{run}/journal/{seq:08}.json");
                let bytes = self.get(&path).await?;
                let bytes =
                    bytes.ok_or_else(|| Error::failed(format!("{path} is gone from {}", self.name)))?;
                journal::read_line(&bytes, &format!("{path} in {}", self.name))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let evidence: Vec<(String, Option<Vec<u8>>)> =
            futures::stream::iter(self.names(&format!("runs/{run}/evidence")).await?)
                .map(|name| async move {
                    let bytes = self.get(&format!("runs/{run}/evidence/{name}")).await?;
                    Ok::<_, Error>((name, bytes))
                })
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
        events.truncate(usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX));
        events.extend(fetched);
        // A run that was begun before there was a storage knows more than the storage does.
        for (name, bytes) in evidence.into_iter().filter(|_| here <= there) {
            if let Some(bytes) = bytes {
                journal::write_whole(&folder.join("evidence"), &name, &bytes)?;
            }
        }
        // The journal last: it names the evidence.
        journal::catch_up(&path, &events)
    }

    /// Brings the schema that the last run left, to tell drift by.
    ///
    /// # Errors
    /// `Failed` when it cannot be read or written.
    pub async fn bring_schema(&self, home: &Path) -> Result<()> {
        match self.get(LAST_SCHEMA).await? {
            Some(bytes) => journal::write_whole(home, LAST_SCHEMA, &bytes),
            None => Ok(()),
        }
    }
}

/// A URL as people may see it.
fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use object_store::memory::InMemory;

    use super::*;
    use crate::model::event::EventKind;
    use crate::run::journal::Journal;

    fn storage() -> Storage {
        Storage { store: Arc::new(InMemory::new()), root: Key::from("team/prod"), name: "memory".to_owned() }
    }

    fn note(text: &str) -> EventKind {
        EventKind::Noted { text: text.to_owned(), action: None, checkpoint: None }
    }

    async fn machine(storage: &Storage) -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        storage.bring("r1", dir.path()).await.unwrap();
        let mut journal = Journal::open(&dir.path().join("journal.jsonl")).unwrap();
        journal.keep_in(storage, "r1").await.unwrap();
        (dir, journal)
    }

    #[tokio::test]
    async fn of_two_writers_the_slower_is_fenced_off_and_writes_nothing_anywhere() {
        let storage = storage();
        let (first_dir, mut first) = machine(&storage).await;
        first.append(note("one")).await.unwrap();
        let (_second_dir, mut second) = machine(&storage).await;
        assert_eq!(second.events().len(), 1, "it knows what the first wrote");
        second.append(note("two, by the second")).await.unwrap();
        let error = first.append(note("two, by the first")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.chain().contains("another drydock has taken run r1 over"), "{}", error.chain());
        assert_eq!(journal::read(&first_dir.path().join("journal.jsonl")).unwrap().len(), 1);
        // What it missed it gets when it comes again.
        drop(first);
        storage.bring("r1", first_dir.path()).await.unwrap();
        assert_eq!(journal::read(&first_dir.path().join("journal.jsonl")).unwrap(), second.events());
    }

    #[tokio::test]
    async fn a_put_whose_answer_was_lost_is_known_again() {
        let storage = storage();
        let (_dir, mut journal) = machine(&storage).await;
        let event = journal.append(note("one")).await.unwrap().clone();
        storage.put_event("r1", &event).await.unwrap();
    }

    #[tokio::test]
    async fn a_run_begun_without_storage_is_put_there_whole() {
        let storage = storage();
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&dir.path().join("journal.jsonl")).unwrap();
        for text in ["one", "two"] {
            journal.append(note(text)).await.unwrap();
        }
        journal::write_whole(&dir.path().join("evidence"), "plan.json", b"{}").unwrap();
        journal.keep_in(&storage, "r1").await.unwrap();
        let (other, copy) = machine(&storage).await;
        assert_eq!(copy.events(), journal.events());
        assert_eq!(std::fs::read(other.path().join("evidence/plan.json")).unwrap(), b"{}");
        assert_eq!(storage.runs().await.unwrap(), ["r1"]);
    }

    #[tokio::test]
    async fn other_stories_and_gaps_are_a_persons_to_decide() {
        let storage = storage();
        let (dir, mut journal) = machine(&storage).await;
        for text in ["one", "two", "three"] {
            journal.append(note(text)).await.unwrap();
        }
        let other = tempfile::tempdir().unwrap();
        let mut stranger = Journal::open(&other.path().join("journal.jsonl")).unwrap();
        stranger.append(note("another one")).await.unwrap();
        let error = storage.bring("r1", other.path()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stuck, "{}", error.chain());
        storage.store.delete(&storage.key("runs/r1/journal/00000002.json")).await.unwrap();
        let error = storage.bring("r1", dir.path()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stuck, "{}", error.chain());
    }

    #[test]
    fn where_journals_cannot_be_kept_is_said_without_secrets() {
        for url in [
            "bucket",
            "https://user:geheim@host/bucket",
            "memory:///",
            "s3:///",
            "redis://geheim@host",
            "s3://key:geheim@bucket",
        ] {
            let error = Storage::open(url, "prod", &Variables::default()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Input);
            assert!(!error.chain().contains("geheim"), "{}", error.chain());
        }
    }
}
