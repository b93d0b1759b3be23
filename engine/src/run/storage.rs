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

mod objects;

use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;

use crate::config::{Environment, LAST_SCHEMA};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::model::event::Event;
use crate::oci::object_storage::Bucket;
use crate::oci::{Access, Client};
use crate::run::journal;
use crate::variables::Variables;
use objects::{Library, Objects, Oracle};

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// A place in object storage that belongs to one environment.
#[derive(Clone)]
pub struct Storage {
    objects: Arc<dyn Objects>,
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

    /// `s3://`, `gs://`, `az://`, `oci://` or `file://`. Credentials and endpoints come from the provider's usual variables
    /// (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `OCI_CLI_PROFILE`, …). Nothing is reached yet.
    ///
    /// # Errors
    /// `Input` when the URL or a variable cannot be used.
    pub fn open(url: &str, environment: &str, variables: &Variables) -> Result<Self> {
        let hint = "use s3://BUCKET/PREFIX, gs://…, az://…, oci://BUCKET@NAMESPACE/PREFIX or file:///FOLDER";
        let parsed =
            url::Url::parse(url).input("the journal's URL cannot be read").map_err(|e| e.hint(hint))?;
        // Whoever else installed one meant it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let refused = || Error::input(format!("journals cannot be kept in {}", shown(&parsed)));
        let unusable = |e: object_store::Error| refused().because(e).hint(hint);
        let library = |store: Box<dyn ObjectStore>, root: Key| -> Arc<dyn Objects> {
            Arc::new(Library { store, root: root.join(environment) })
        };
        let objects = match parsed.scheme() {
            "file" => {
                let path = Key::from_url_path(parsed.path()).map_err(|e| unusable(e.into()))?;
                library(Box::new(LocalFileSystem::new().with_fsync(true)), path)
            }
            "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" if parsed.password().is_none() => {
                let (store, path) =
                    object_store::parse_url_opts(&parsed, variables.all()).map_err(unusable)?;
                library(store, path)
            }
            "oci" if parsed.password().is_none() && parsed.host_str().is_some_and(|h| !h.is_empty()) => {
                let access = Access::from_variables(variables)
                    .input(format!("journals cannot be kept in {}", shown(&parsed)))?;
                Arc::new(oracle(&parsed, environment, access).ok_or_else(|| refused().hint(hint))?)
            }
            // What the library says of others repeats the URL, and with it what may be secret.
            _ => return Err(refused().hint(hint)),
        };
        Ok(Self { objects, name: shown(&parsed) })
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.objects.get(path).await.context(format!("{path} cannot be read from {}", self.name))
    }

    /// Keeps a file, in place of an earlier one of the name.
    ///
    /// # Errors
    /// `Failed` when it is not taken.
    pub async fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.objects.put(path, bytes).await.context(format!("{path} cannot be put into {}", self.name))
    }

    /// Keeps an event, unless there is one of its number.
    ///
    /// # Errors
    /// `Refused` when somebody else wrote an event of this number; `Failed` when it is not taken.
    pub async fn put_event(&self, run: &str, event: &Event) -> Result<()> {
        let path = format!("runs/{run}/journal/{:08}.json", event.seq);
        let bytes = event.line.as_bytes();
        match self.objects.create(&path, bytes).await {
            Ok(true) => Ok(()),
            // A try whose answer got lost may have been ours.
            Ok(false) if self.get(&path).await?.as_deref() == Some(bytes) => Ok(()),
            Ok(false) => Err(Error::refused(format!("another drydock has taken run {run} over"))
                .hint("let it finish; `drydock status` shows where it is")),
            Err(e) => {
                Err(e).context(format!("event {} of run {run} cannot be put into {}", event.seq, self.name))
            }
        }
    }

    /// The runs that are kept here, oldest first.
    ///
    /// # Errors
    /// `Input` when the storage cannot be listed: this is the first that is asked of it.
    pub async fn runs(&self) -> Result<Vec<String>> {
        let listed = self.objects.folders("runs").await.map_err(|e| e.kind(ErrorKind::Input));
        let mut runs = listed.context(format!("no runs can be listed in {}", self.name))?;
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
        self.objects.names(folder).await.context(format!("{folder} cannot be listed in {}", self.name))
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

/// `oci://BUCKET@NAMESPACE/PREFIX`, as Oracle's connectors write it, or `oci://BUCKET/PREFIX`. `None`: it is not one.
fn oracle(url: &url::Url, environment: &str, access: Access) -> Option<Oracle> {
    let host = url.host_str()?;
    let (name, namespace) = match url.username() {
        "" => (host, None),
        name => (name, Some(host.to_owned())),
    };
    let decoded =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(String::from);
    let name = decoded(name)?;
    let prefix = decoded(url.path())?;
    let folders = prefix.split('/').filter(|part| !part.is_empty()).chain([environment]);
    let root: String = folders.flat_map(|folder| [folder, "/"]).collect();
    let bucket = Bucket::new(Client::new(access), namespace, name.clone());
    Some(Oracle { bucket, name, root })
}

/// A URL as people may see it.
fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    let _ = url.set_password(None);
    // What stands there in Oracle's is the bucket.
    if url.scheme() != "oci" {
        let _ = url.set_username("");
    }
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tls_tests;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;
    use crate::model::event::EventKind;
    use crate::run::journal::Journal;

    fn storage() -> Storage {
        of(Arc::new(InMemory::new()))
    }

    fn of(store: Arc<InMemory>) -> Storage {
        let objects = Library { store: Box::new(store), root: Key::from("team/prod") };
        Storage { objects: Arc::new(objects), name: "memory".to_owned() }
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
        let store = Arc::new(InMemory::new());
        let storage = of(Arc::clone(&store));
        let (dir, mut journal) = machine(&storage).await;
        for text in ["one", "two", "three"] {
            journal.append(note(text)).await.unwrap();
        }
        let other = tempfile::tempdir().unwrap();
        let mut stranger = Journal::open(&other.path().join("journal.jsonl")).unwrap();
        stranger.append(note("another one")).await.unwrap();
        let error = storage.bring("r1", other.path()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stuck, "{}", error.chain());
        store.delete(&Key::from("team/prod/runs/r1/journal/00000002.json")).await.unwrap();
        let error = storage.bring("r1", dir.path()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stuck, "{}", error.chain());
    }

    #[test]
    fn a_bucket_of_oracles_is_named_with_or_without_its_namespace() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("variables");
        std::fs::write(&file, "OCI_CLI_AUTH=instance_principal\nHOME=/nobody\n").unwrap();
        let variables = Variables::read(&file).unwrap();
        for (url, bucket, root, name) in [
            ("oci://Journals@ns/team/a%20b/", "Journals", "team/a b/prod/", "oci://Journals@ns/team/a%20b/"),
            ("oci://Journals", "Journals", "prod/", "oci://Journals"),
            ("oci://jour_nals/a?x=geheim", "jour_nals", "a/prod/", "oci://jour_nals/a"),
        ] {
            let parsed = url::Url::parse(url).unwrap();
            let found = oracle(&parsed, "prod", Access::from_variables(&variables).unwrap()).unwrap();
            assert_eq!((found.name.as_str(), found.root.as_str()), (bucket, root));
            assert_eq!(Storage::open(url, "prod", &variables).unwrap().name, name);
        }
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
            "oci:///prefix",
            "oci://bucket:geheim@namespace/prefix",
        ] {
            let error = Storage::open(url, "prod", &Variables::default()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Input);
            assert!(!error.chain().contains("geheim"), "{}", error.chain());
        }
    }
}
