//! One run under way: its locks, its database, its journal.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::files::{evidence, journal_path, runs_folder};
use super::half_built::Builds;
use super::inject::Inject;
use super::journal::{self, AfterRecord, Journal};
use super::owner;
use super::preflight;
use super::saga::{self, Decision};
use super::select::{RunSelector, bring, which};
use super::storage::Storage;
use super::target::{self, Opened};
use super::wait_watch::WaitWatch;
use crate::config::{Environment, Target};
use crate::contract::{self, Contract};
use crate::demo;
use crate::error::{Context, Error, Result};
use crate::liquibase::Liquibase;
use crate::model::backup::Backup;
use crate::model::changeset::ChangesetId;
use crate::model::event::{Action, EventKind};
use crate::model::evidence::{Outcome, Plan};
use crate::model::hex;
use crate::model::preflight::{Fact, Weight};
use crate::product::{Claim, Database, Products, Provider};
use crate::watcher::Watcher;

/// How long an act may take to end once it was broken off.
const ENDING: Duration = Duration::from_secs(8);

/// What the command line wants of a run beyond its environment.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    pub inject: Inject,
    pub after_record: AfterRecord,
    /// Go on although the catalog is not as the last run left it.
    pub accept_drift: bool,
    /// Go back although the inverses take what was written since.
    pub accept_loss: bool,
    /// A particular run instead of the latest unfinished one.
    pub run: Option<String>,
}

/// A run under way, owned by this process.
pub struct Run {
    pub id: String,
    pub environment: Environment,
    pub options: RunOptions,
    /// Where the record is kept beside this machine's files.
    storage: Option<Storage>,
    pub database: Arc<dyn Database>,
    pub provider: Arc<dyn Provider>,
    pub liquibase: Liquibase,
    pub contracts: Vec<Contract>,
    /// What was known before anything was done.
    pub facts: Vec<Fact>,
    /// Who is in the way of this run's sessions.
    pub waits: WaitWatch,
    pub journal: Journal,
    pub watcher: Arc<dyn Watcher>,
    /// Told from the plan once.
    pub(super) builds: OnceLock<Builds>,
    /// Held until the process ends: the target's claim and the folder's lock.
    _claim: Box<dyn Claim>,
    _lock: File,
}

/// The journal of a run, to be gone on with: what is written into it goes to object storage first, where there is one.
///
/// # Errors
/// `Failed` when it cannot be read, or is not as it was written.
pub async fn journal(environment: &Environment, storage: Option<&Storage>, id: &str) -> Result<Journal> {
    let mut journal = Journal::open(&journal_path(environment, id))?;
    if let Some(storage) = storage {
        journal.keep_in(storage, id).await?;
    }
    Ok(journal)
}

/// Writes evidence of a run; gives its SHA-256.
///
/// # Errors
/// `Failed` when the disk or the storage does not take it.
pub async fn keep_evidence<T: Serialize>(
    environment: &Environment,
    storage: Option<&Storage>,
    id: &str,
    name: &str,
    evidence: &T,
) -> Result<String> {
    let bytes = serde_json::to_vec(evidence).context("evidence cannot be written")?;
    let hash = hex(&Sha256::digest(&bytes));
    let file = format!("{name}.json");
    let folder = runs_folder(environment).join(id).join("evidence");
    journal::write_whole(&folder, &file, &bytes)?;
    if let Some(storage) = storage {
        storage.put(&format!("runs/{id}/evidence/{file}"), &bytes).await?;
    }
    Ok(hash)
}

/// The journal of a run that is over, for a command about what it has left. The run itself stays where it was.
///
/// # Errors
/// See `Journal::append`.
pub async fn journal_afterwards(
    environment: &Environment,
    storage: Option<&Storage>,
    id: &str,
) -> Result<Journal> {
    let mut journal = journal(environment, storage, id).await?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    journal.append(EventKind::Resumed { actor: actor(), version, database: None }).await?;
    Ok(journal)
}

async fn begin(environment: &Environment, storage: Option<&Storage>) -> Result<(String, Journal)> {
    let id = new_id(environment)?;
    let journal = journal(environment, storage, &id).await?;
    Ok((id, journal))
}

/// Takes up a run that is known. `None`: it needs a backup that is not here, so that it is over and a new one has to begin.
async fn take_up(
    environment: &Environment,
    storage: Option<&Storage>,
    id: String,
    options: &RunOptions,
    provider: &dyn Provider,
) -> Result<Option<(String, Journal)>> {
    let mut journal = journal(environment, storage, &id).await?;
    if saga::reached_production(journal.events()) || matches!(saga::next(journal.events()), Decision::Over(_))
    {
        return Ok(Some((id, journal)));
    }
    let backup: Option<Backup> = evidence(&runs_folder(environment).join(&id), "backup")?;
    let Some(backup) = backup else { return Ok(Some((id, journal))) };
    if provider.holds(&backup).await? {
        return Ok(Some((id, journal)));
    }
    if options.run.is_some() {
        return Err(Error::refused(format!("the backup of run {id} is not on this machine"))
            .hint("go on with it where it began, or leave the run's name out to begin a new one"));
    }
    let reason = Some("its backup is not on the machine that took it up: another run begins".to_owned());
    journal.append(EventKind::Finished { outcome: Outcome::Refused, reason }).await?;
    Ok(None)
}

impl Run {
    /// Takes the latest unfinished run up again, or begins a new one.
    ///
    /// # Errors
    /// `Input` for what is wrong with the environment, `Refused` when somebody else is at work.
    pub async fn open(
        environment: Environment,
        options: RunOptions,
        products: &Products,
        watcher: Arc<dyn Watcher>,
        reopen: bool,
    ) -> Result<Self> {
        let lock = owner::lock(&environment)?;
        let wanted = match (&options.run, reopen) {
            (Some(run), _) => RunSelector::Since(run),
            (None, true) => RunSelector::All,
            (None, false) => RunSelector::Latest,
        };
        let storage = bring(&environment, wanted).await?;
        let known = which(&environment, &options, reopen)?;
        let contracts =
            contract::load(&environment.contracts, target::query_syntax(&environment, products)?)?;
        let Opened { database, mut facts } = target::open(&environment, products, &watcher).await?;
        preflight::refuse(&facts, Weight::StopsPlans)?;
        if let Some(id) = &known {
            let events = journal::read(&journal_path(&environment, id))?;
            target::stays((id, &events), database.endpoint(), &facts, options.accept_drift)?;
        }
        target::tell_settings(&environment, &watcher);
        let provider = database.product().provider().await?;
        facts.extend(preflight::copies(database.as_ref(), provider.as_ref(), &environment.home).await?);
        if known.is_none() {
            preflight::refuse(&facts, Weight::StopsRuns)?;
        }
        let mut liquibase = Liquibase::start(&environment.home.join("cache")).await?;
        let waits = WaitWatch::start(Arc::clone(&database), Arc::clone(&watcher));
        let claim = owner::claim(database.as_ref()).await?;
        let (id, mut journal) = match known {
            Some(id) => match take_up(&environment, storage.as_ref(), id, &options, provider.as_ref()).await?
            {
                Some(taken) => taken,
                None => begin(&environment, storage.as_ref()).await?,
            },
            None => begin(&environment, storage.as_ref()).await?,
        };
        journal.after_record = options.after_record.clone();
        let application = format!("drydock {id}");
        if journal.events().is_empty() {
            let started = EventKind::Started {
                environment: environment.name.clone(),
                actor: actor(),
                commit: commit(&environment.changelog_root),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                inject: options.inject.name().map(str::to_owned),
                database: Some(database.endpoint().to_string()),
            };
            journal.append(started).await?;
        } else {
            // What a killed process left running must end before anything is observed.
            database.end_sessions(&application).await?;
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let database = Some(database.endpoint().to_string());
            journal.append(EventKind::Resumed { actor: actor(), version, database }).await?;
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
            options,
            storage,
            database,
            provider,
            liquibase,
            contracts,
            facts,
            waits,
            journal,
            watcher,
            builds: OnceLock::new(),
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

    /// Where the record is kept besides this machine's files.
    pub fn storage(&self) -> Option<&Storage> {
        self.storage.as_ref()
    }

    /// Puts evidence on disk and gives its SHA-256.
    ///
    /// # Errors
    /// `Failed` when the disk does not take it.
    pub async fn keep<T: Serialize>(&self, name: &str, evidence: &T) -> Result<String> {
        keep_evidence(&self.environment, self.storage.as_ref(), &self.id, name, evidence).await
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
        self.journal.note(text, action).await
    }

    /// How far an interrupted backfill of this changeset had got.
    pub fn checkpoint(&self, changeset: &ChangesetId) -> Option<String> {
        self.journal.events().iter().rev().find_map(|event| match &event.what {
            EventKind::Noted {
                action: Some(Action::Apply { changeset: c, .. }),
                checkpoint: Some(key),
                ..
            } if c == changeset => Some(key.clone()),
            _ => None,
        })
    }

    /// Somebody wants the run to stop here, in the middle of something: ends what is under way and clears away what it leaves. The run
    /// can be taken up again, and finds its clone stopped.
    pub async fn leave(mut self) {
        self.watcher.note("interrupted: what is under way is ended");
        let application = self.application();
        let _ = self.database.cancel(&application).await;
        // Liquibase gives its lock back when its act ends, and answers then.
        if tokio::time::timeout(ENDING, self.liquibase.lock_holder()).await.is_err() {
            let _ = self.database.end_sessions(&application).await;
            let _ = tokio::time::timeout(ENDING, self.liquibase.lock_holder()).await;
        }
        if let Decision::Observe(Action::Apply { changeset, .. } | Action::Undo { changeset }) =
            self.decision()
        {
            for index in self.indexes(&changeset) {
                let _ = tokio::time::timeout(ENDING, self.database.before_retry(&index)).await;
            }
        }
        self.liquibase.close().await;
        let _ = self.provider.discard(&self.scratch_folder()).await;
        let _ = self.provider.rest(&self.clone_folder()).await;
    }

    /// The indexes that a changeset of the plan builds, and its inverse.
    fn indexes(&self, changeset: &ChangesetId) -> Vec<String> {
        let Ok(plan) = self.evidence::<Plan>("plan") else { return Vec::new() };
        let planned = plan.changesets.iter().filter(|c| c.key == *changeset);
        planned
            .flat_map(|c| c.statements.iter().chain(&c.inverse))
            .filter_map(|s| s.builds_index.clone())
            .collect()
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
pub fn actor() -> String {
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
