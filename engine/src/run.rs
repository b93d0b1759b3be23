//! One run: what it holds in its hands, where its record and its things lie.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::changeset::ChangesetId;
use crate::config::{Environment, Target};
use crate::contract::{self, Contract};
use crate::database::{self, Claim, Database};
use crate::demo;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::evidence::Outcome;
use crate::inject::Inject;
use crate::journal::{self, Event, Journal, KillAt, hex};
use crate::liquibase::Liquibase;
use crate::provider::{self, Backup, Provider};
use crate::saga::{self, Action, Decision, What};
use crate::stages::rollout::Live;
use crate::watcher::Watcher;

/// What the command line wants of a run beyond its environment.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    pub inject: Inject,
    /// Kill the process after this journal record (tests).
    pub kill_at: KillAt,
    /// Go on although the catalog is not as the last run left it.
    pub accept_drift: bool,
    /// A particular run instead of the latest unfinished one.
    pub run: Option<String>,
}

/// A run under way, owned by this process.
pub struct Run {
    pub id: String,
    pub environment: Environment,
    pub wishes: Wishes,
    pub database: Arc<dyn Database>,
    pub provider: Arc<dyn Provider>,
    pub liquibase: Liquibase,
    pub contracts: Vec<Contract>,
    pub journal: Journal,
    pub watcher: Arc<dyn Watcher>,
    /// Traffic and measurements of a rollout or rollback, while one is under way.
    pub live: Option<Live>,
    /// Held until the process ends: the target's claim and the folder's lock.
    _claim: Box<dyn Claim>,
    _lock: std::fs::File,
}

/// The folder of an environment's runs.
pub fn runs_folder(environment: &Environment) -> PathBuf {
    environment.home.join("runs")
}

/// Run ids of an environment, oldest first: they begin with the time.
///
/// # Errors
/// `Failed` when the folder cannot be read.
pub fn list(environment: &Environment) -> Result<Vec<String>> {
    let folder = runs_folder(environment);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).context(format!("{} cannot be read", folder.display())),
    };
    let mut ids: Vec<String> = entries
        .flatten()
        .filter(|e| e.path().join("journal.jsonl").is_file())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    ids.sort();
    Ok(ids)
}

pub fn journal_path(environment: &Environment, run: &str) -> PathBuf {
    runs_folder(environment).join(run).join("journal.jsonl")
}

/// Opens the target of an environment, making the demo's production at first use.
///
/// # Errors
/// `Input` when it cannot be named or reached.
pub async fn open_target(environment: &Environment, watcher: &Arc<dyn Watcher>) -> Result<Arc<dyn Database>> {
    let database = match &environment.target {
        Target::Url(url) | Target::Served(url) => database::open(url.expose())?,
        Target::Demo { scale } => demo::production(environment, *scale, watcher).await?,
    };
    // A database that was named and cannot be reached is a matter of what was named.
    database.server().await.map_err(|e| e.kind(ErrorKind::Input))?;
    Ok(database)
}

/// Which runs a command reads.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    Latest,
    /// This one and all after it.
    Since(&'a str),
    All,
}

/// Brings here what is kept in object storage, where the environment keeps anything there.
///
/// # Errors
/// `Input` when the storage does not answer, `Stuck` when it tells another story than the files here.
pub async fn bring(environment: &Environment, wanted: Wanted<'_>) -> Result<()> {
    let Some(storage) = &environment.storage else { return Ok(()) };
    let runs = storage.runs().await?;
    let from = match wanted {
        Wanted::All => 0,
        Wanted::Latest => runs.len().saturating_sub(1),
        Wanted::Since(id) => runs.iter().position(|r| r.as_str() >= id).unwrap_or(runs.len()),
    };
    for id in runs.iter().skip(from) {
        storage.bring(id, &runs_folder(environment).join(id)).await?;
    }
    storage.bring_schema(&environment.home).await
}

async fn begin(environment: &Environment) -> Result<(String, Journal)> {
    let id = new_id(environment)?;
    let mut journal = Journal::open(&journal_path(environment, &id))?;
    if let Some(storage) = &environment.storage {
        journal.keep_in(storage, &id).await?;
    }
    Ok((id, journal))
}

/// Takes up a run that is known. `None`: it needs a backup that is not here, so that it is over and a new one has to begin.
async fn take_up(
    environment: &Environment,
    id: String,
    wishes: &Wishes,
    provider: &dyn Provider,
) -> Result<Option<(String, Journal)>> {
    let mut journal = Journal::open(&journal_path(environment, &id))?;
    if let Some(storage) = &environment.storage {
        journal.keep_in(storage, &id).await?;
    }
    if saga::reached_production(journal.events()) || matches!(saga::next(journal.events()), Decision::Over(_))
    {
        return Ok(Some((id, journal)));
    }
    let backup: Option<Backup> = evidence(&runs_folder(environment).join(&id), "backup")?;
    let Some(backup) = backup else { return Ok(Some((id, journal))) };
    if provider.holds(&backup).await? {
        return Ok(Some((id, journal)));
    }
    if wishes.run.is_some() {
        return Err(Error::refused(format!("the backup of run {id} is not on this machine"))
            .hint("go on with it where it began, or leave the run's name out to begin a new one"));
    }
    let reason = Some("its backup is not on the machine that took it up: another run begins".to_owned());
    journal.append(What::Finished { outcome: Outcome::Refused, reason }).await?;
    Ok(None)
}

/// Takes the environment's lock: one process at a time works on it from this machine.
fn lock(environment: &Environment) -> Result<std::fs::File> {
    use fs4::fs_std::FileExt;
    std::fs::create_dir_all(&environment.home).map_err(|e| {
        Error::input(format!("{} cannot be made", environment.home.display()))
            .because(e)
            .hint("set DRYDOCK_HOME to a folder you may write")
    })?;
    let path = environment.home.join("lock");
    let file = std::fs::File::create(&path).context(format!("{} cannot be made", path.display()))?;
    if !file.try_lock_exclusive().context("the environment's lock cannot be taken")? {
        return Err(Error::refused(format!("another drydock works on environment \"{}\"", environment.name))
            .hint("wait for it; `drydock status` shows where it is"));
    }
    Ok(file)
}

impl Run {
    /// Takes the latest unfinished run up again, or begins a new one.
    ///
    /// # Errors
    /// `Input` for what is wrong with the environment, `Refused` when somebody else is at work.
    pub async fn open(
        environment: Environment,
        wishes: Wishes,
        watcher: Arc<dyn Watcher>,
        reopen: bool,
    ) -> Result<Self> {
        let lock = lock(&environment)?;
        let wanted = match (&wishes.run, reopen) {
            (Some(run), _) => Wanted::Since(run),
            (None, true) => Wanted::All,
            (None, false) => Wanted::Latest,
        };
        bring(&environment, wanted).await?;
        let known = which(&environment, &wishes, reopen)?;
        let contracts = contract::load(&environment.contracts)?;
        let mut liquibase = Liquibase::start(&environment.home.join("cache")).await?;
        let database = open_target(&environment, &watcher).await?;
        let claim = claim(database.as_ref()).await?;
        let provider = provider::embedded().await?;
        let (id, mut journal) = match known {
            Some(id) => match take_up(&environment, id, &wishes, provider.as_ref()).await? {
                Some(taken) => taken,
                None => begin(&environment).await?,
            },
            None => begin(&environment).await?,
        };
        journal.kill_at = wishes.kill_at;
        let application = format!("drydock {id}");
        if journal.events().is_empty() {
            let started = What::Started {
                environment: environment.name.clone(),
                actor: actor(),
                commit: commit(&environment.changelog_root),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                inject: wishes.inject.name().map(str::to_owned),
            };
            journal.append(started).await?;
        } else {
            // What a killed process left running must end before anything is observed.
            database.end_sessions(&application).await?;
            let version = env!("CARGO_PKG_VERSION").to_owned();
            journal.append(What::Resumed { actor: actor(), version }).await?;
            watcher.note(&format!("taking up run {id}"));
        }
        if let Target::Served(_) = environment.target {
            demo::check(&environment, database.as_ref(), &mut liquibase).await?;
        }
        liquibase.changelog(&environment, &environment.changelog_file).await?;
        liquibase.connect(database.as_ref(), &application).await?;
        let run = Self {
            id,
            environment,
            wishes,
            database,
            provider,
            liquibase,
            contracts,
            journal,
            watcher,
            live: None,
            _claim: claim,
            _lock: lock,
        };
        Ok(run)
    }

    pub fn folder(&self) -> PathBuf {
        runs_folder(&self.environment).join(&self.id)
    }
    pub fn clone_folder(&self) -> PathBuf {
        self.folder().join("clone")
    }
    pub fn scratch_folder(&self) -> PathBuf {
        self.folder().join("scratch")
    }
    pub fn backup_folder(&self) -> PathBuf {
        self.folder().join("backup")
    }
    /// Application name of this run's sessions on the target.
    pub fn application(&self) -> String {
        format!("drydock {}", self.id)
    }
    pub fn decision(&self) -> Decision {
        saga::next(self.journal.events())
    }

    /// Puts evidence on disk and gives its SHA-256.
    ///
    /// # Errors
    /// `Failed` when the disk does not take it.
    pub async fn keep<T: Serialize>(&self, name: &str, evidence: &T) -> Result<String> {
        let bytes = serde_json::to_vec(evidence).context("evidence cannot be written")?;
        let hash = hex(&Sha256::digest(&bytes));
        let file = format!("{name}.json");
        journal::write_whole(&self.folder().join("evidence"), &file, &bytes)?;
        if let Some(storage) = &self.environment.storage {
            storage.put(&format!("runs/{}/evidence/{file}", self.id), bytes).await?;
        }
        Ok(hash)
    }

    /// Evidence of an earlier stage of this run.
    ///
    /// # Errors
    /// `Failed` when it is not there or cannot be read.
    pub fn evidence<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        evidence(&self.folder(), name)?.ok_or_else(|| {
            Error::failed(format!("run {} has no evidence of {name}", self.id)).hint("begin a new run")
        })
    }

    /// Writes something down that nothing is decided by.
    ///
    /// # Errors
    /// `Failed` when the journal cannot be written.
    pub async fn note(&mut self, text: impl Into<String>, action: Option<Action>) -> Result<()> {
        self.journal.append(What::Noted { text: text.into(), action, checkpoint: None }).await.map(|_| ())
    }

    /// How far an interrupted backfill of this changeset had got.
    pub fn checkpoint(&self, changeset: &ChangesetId) -> Option<String> {
        self.journal.events().iter().rev().find_map(|event| match &event.what {
            What::Noted {
                action: Some(Action::Apply { changeset: c, .. }), checkpoint: Some(key), ..
            } if c == changeset => Some(key.clone()),
            _ => None,
        })
    }

    /// Lets go of what the run started: the JVM, scratch and clone.
    pub async fn close(mut self, keep_clone: bool) {
        self.liquibase.close().await;
        let _ = self.provider.discard(&self.scratch_folder()).await;
        if !keep_clone {
            let _ = self.provider.discard(&self.clone_folder()).await;
        }
    }
}

/// Evidence of a run, if that stage gave any.
///
/// # Errors
/// `Failed` when it is there and cannot be read.
pub fn evidence<T: DeserializeOwned>(run_folder: &Path, name: &str) -> Result<Option<T>> {
    let path = run_folder.join("evidence").join(format!("{name}.json"));
    match std::fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).context(format!("{} cannot be read", path.display())).map(Some)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).context(format!("{} cannot be read", path.display())),
    }
}

async fn claim(database: &dyn Database) -> Result<Box<dyn Claim>> {
    // The session of a killed process may take a moment to end.
    for _ in 0..50 {
        if let Some(claim) = database.claim("drydock").await? {
            return Ok(claim);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::refused("another drydock holds this database")
        .hint("wait for its run to end; one run at a time changes a database"))
}

/// The run that is meant, and `None` for a new one: the named one, the one to go back from, or the unfinished one.
fn which(environment: &Environment, wishes: &Wishes, reopen: bool) -> Result<Option<String>> {
    let runs = list(environment)?;
    let unknown = |text: String| Error::input(text).hint("`drydock history` lists them");
    let id = match (wishes.run.as_deref(), reopen) {
        (Some(id), _) if !runs.iter().any(|r| r == id) => {
            return Err(unknown(format!("there is no run {id}")));
        }
        (Some(id), _) => id.to_owned(),
        (None, true) => {
            return going_back(environment, &runs)?
                .map(Some)
                .ok_or_else(|| unknown("there is no run to go back from".to_owned()));
        }
        (None, false) => return unfinished(environment, &runs, wishes.accept_drift),
    };
    if reopen {
        for later in runs.iter().filter(|r| **r > id) {
            if on_production(&crate::journal::read(&journal_path(environment, later))?) {
                return Err(Error::refused(format!("run {later} changed production after run {id}")).hint(
                    format!(
                        "take that one back first: drydock rollback --env {} --run {later}",
                        environment.name
                    ),
                ));
            }
        }
    }
    Ok(Some(id))
}

/// The latest run, if it is not over. One that is stuck stands in the way of a new one.
fn unfinished(environment: &Environment, runs: &[String], accept: bool) -> Result<Option<String>> {
    for id in runs.iter().rev() {
        let events = crate::journal::read(&journal_path(environment, id))?;
        if events.is_empty() {
            continue;
        }
        return match saga::next(&events) {
            Decision::Over(Outcome::Stuck) if !accept => Err(Error::stuck(format!(
                "run {id} is stuck, and nothing new begins on top of it"
            ))
            .hint(format!(
                "see `drydock status`; take it back with `drydock rollback --env {}` once the cause is gone, or go on from \
                 what is there with --accept-drift",
                environment.name
            ))),
            Decision::Over(_) => Ok(None),
            _ => Ok(Some(id.clone())),
        };
    }
    Ok(None)
}

/// The latest run that is not over, or whose changesets may be on production; else the one taken back last.
fn going_back(environment: &Environment, runs: &[String]) -> Result<Option<String>> {
    let mut touched = None;
    for id in runs.iter().rev() {
        let events = crate::journal::read(&journal_path(environment, id))?;
        if events.is_empty() {
            continue;
        }
        if !matches!(saga::next(&events), Decision::Over(_)) || on_production(&events) {
            return Ok(Some(id.clone()));
        }
        if touched.is_none() && saga::reached_production(&events) {
            touched = Some(id.clone());
        }
    }
    Ok(touched)
}

/// Whether changesets of this run may still be on production.
fn on_production(events: &[Event]) -> bool {
    saga::reached_production(events) && saga::next(events) != Decision::Over(Outcome::RolledBack)
}

/// Begins with the time, so that ids sort; ends with what tells two of one second apart.
fn new_id(environment: &Environment) -> Result<String> {
    let now = jiff::Timestamp::now();
    let stamp = now.strftime("%Y%m%dT%H%M%S").to_string();
    let tail = now.subsec_nanosecond().unsigned_abs() / 1_000;
    let id = format!("{stamp}-{:04x}", tail & 0xffff);
    std::fs::create_dir_all(runs_folder(environment).join(&id)).context("the run's folder cannot be made")?;
    Ok(id)
}

/// Who runs this: the CI's word for it, or the user.
fn actor() -> String {
    ["DRYDOCK_ACTOR", "GITLAB_USER_LOGIN", "GITHUB_ACTOR", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .unwrap_or_else(|| format!("uid {}", nix::unistd::geteuid()))
}

/// The commit of the changelog: the CI's word for it, or git's.
fn commit(folder: &Path) -> Option<String> {
    for name in ["DRYDOCK_COMMIT", "CI_COMMIT_SHA", "GITHUB_SHA"] {
        if let Some(commit) = std::env::var(name).ok().filter(|v| !v.is_empty()) {
            return Some(commit);
        }
    }
    let output =
        std::process::Command::new("git").arg("-C").arg(folder).args(["rev-parse", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && commit.len() >= 40).then_some(commit)
}
