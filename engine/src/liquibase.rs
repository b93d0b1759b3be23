//! The only room that starts Liquibase. Its other half is in `liquibase/driver`, whose `Driver.java` documents the protocol.
//!
//! One JVM lives for a run and takes one command at a time as JSON lines. Passwords go over its standard input, never
//! its arguments. When it dies, the call under way fails and the next one starts another.

mod installation;
mod process;
mod program;
mod protocol;

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

pub use installation::Installation;
pub use protocol::{
    ChangesetState, ChangesetStatus, Failure, Fault, FaultKind, RollbackKind, RollbackSql, RowAnswer,
    RowQuestion, Status,
};

use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::changeset::{ApplyState, ChangesetId, UndoState};
use crate::model::endpoint::JdbcTarget;
use crate::model::history::HistoryRow;
use crate::model::session::LiquibaseLock;
use crate::product::Database;
use process::Process;
use program::{Cache, Program};
use protocol::{
    ApplyAnswer, ChangelogRequest, ConnectRequest, CopyAnswer, Done, Hello, HistoryAnswer, JudgeAnswer,
    Judged, LockAnswer, Request, UndoAnswer,
};

/// The line of Liquibase this driver is written for.
pub const VERSION: &str = "4.33";
/// An archive of classes that takes longer than this is given up.
const ARCHIVING: Duration = Duration::from_secs(10);

/// The database that the driver is connected to, and the application name it goes by.
#[derive(Clone)]
struct Connection {
    target: JdbcTarget,
    application: String,
    deployment: String,
}

/// Liquibase, connected to one database at a time.
pub struct Liquibase {
    program: Program,
    process: Option<Process>,
    connection: Option<Connection>,
    changelog: Option<ChangelogRequest>,
    deployment: String,
}

impl Liquibase {
    /// Starts the JVM. The compiled driver is kept in the user's cache folder, or in `cache` where that cannot be used.
    ///
    /// # Errors
    /// `Input` when Java or Liquibase is missing or of another line.
    pub async fn start(cache: &Path) -> Result<Self> {
        Self::start_from(Cache::UserOr(cache)).await
    }

    /// Starts the JVM, with a cache that nobody else uses.
    ///
    /// # Errors
    /// See `start`.
    pub async fn start_alone(cache: &Path) -> Result<Self> {
        Self::start_from(Cache::Only(cache)).await
    }

    async fn start_from(cache: Cache<'_>) -> Result<Self> {
        let program = Program::prepare(Installation::find()?, cache).await?;
        // As Liquibase makes it: the last ten digits of the time in milliseconds.
        let deployment =
            format!("{:010}", jiff::Timestamp::now().as_millisecond().rem_euclid(10_000_000_000));
        let mut liquibase = Self { program, process: None, connection: None, changelog: None, deployment };
        liquibase.ensure().await?;
        Ok(liquibase)
    }

    /// Sees to it that a driver runs, and that it is where the one before it was.
    async fn ensure(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let version = match self.spawn().await {
            Err(Failure::Died(_)) => {
                // The cache may be broken in a way that its hash does not show.
                self.program.remake().await?;
                self.spawn().await
            }
            spawned => spawned,
        };
        let version = version.map_err(|e| {
            Error::input("the Liquibase driver does not start")
                .because(Error::from(e))
                .hint("it needs Java 17 or newer and Liquibase 4.33: see ci/setup")
        })?;
        if !version.starts_with(VERSION) {
            return Err(Error::input(format!("Liquibase {version} is not {VERSION}"))
                .hint("Drydock drives 4.33, the last line under Apache-2.0; ci/setup fetches it"));
        }
        if let Some(connection) = self.connection.clone() {
            self.exchange::<Done>(&Request::Connect(connection.request())).await?;
        }
        if let Some(changelog) = self.changelog.clone() {
            self.exchange::<Done>(&Request::Changelog(&changelog)).await?;
        }
        Ok(())
    }

    /// Starts a JVM; answers the version of Liquibase.
    async fn spawn(&mut self) -> Result<String, Failure> {
        self.process = Some(Process::spawn(self.program.command())?);
        let hello: Hello = self.exchange(&Request::Hello).await?;
        Ok(hello.liquibase)
    }

    async fn call<T: DeserializeOwned>(&mut self, request: &Request<'_>) -> Result<T, Failure> {
        self.ensure().await?;
        self.exchange(request).await
    }

    async fn exchange<T: DeserializeOwned>(&mut self, request: &Request<'_>) -> Result<T, Failure> {
        let Some(process) = &mut self.process else { return Err(Failure::Died(None)) };
        let answer = process.call(request).await;
        if matches!(answer, Err(Failure::Died(_))) {
            self.process = None;
            self.program.distrust_archive();
        }
        answer
    }

    /// The process group that dies with the driver, for tests.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::pid)
    }

    /// Connects to a database, in place of the one before. The driver reads the changelog again, for this database.
    ///
    /// # Errors
    /// `Failed` when it cannot be reached; `Input` when the changelog is not valid for it.
    pub async fn connect(&mut self, database: &dyn Database, application: &str) -> Result<()> {
        self.ensure().await?;
        let connection = Connection {
            target: database.jdbc(),
            application: application.to_owned(),
            deployment: self.deployment.clone(),
        };
        self.connection = Some(connection.clone());
        self.exchange::<Done>(&Request::Connect(connection.request())).await?;
        Ok(())
    }

    /// Leaves the database, so that nobody of ours is in it; what comes next connects again.
    ///
    /// # Errors
    /// `Failed` when the driver is gone.
    pub async fn disconnect(&mut self) -> Result<()> {
        self.call::<Done>(&Request::Disconnect).await?;
        Ok(())
    }

    /// Reads a changelog; a later connection uses the same one.
    ///
    /// # Errors
    /// `Input` with file and line when it does not parse or holds an identity twice.
    pub async fn changelog(&mut self, environment: &Environment, file: &str) -> Result<()> {
        let changelog = ChangelogRequest {
            root: environment.changelog_root.clone(),
            file: file.to_owned(),
            contexts: environment.contexts.clone(),
            labels: environment.labels.clone(),
            more_roots: environment.liquibase.search_roots.clone(),
            parameters: environment.liquibase.parameters.clone(),
            liquibase_schema: environment.liquibase.liquibase_schema.clone(),
            liquibase_table: environment.liquibase.liquibase_table.clone(),
            liquibase_lock_table: environment.liquibase.liquibase_lock_table.clone(),
            default_schema: environment.liquibase.default_schema.clone(),
        };
        self.call::<Done>(&Request::Changelog(&changelog)).await?;
        self.changelog = Some(changelog);
        Ok(())
    }

    /// The changelog compared with the history. Changes nothing.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn status(&mut self) -> Result<Status> {
        Ok(self.call(&Request::Status).await?)
    }

    /// What is applied.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn history(&mut self) -> Result<Vec<HistoryRow>> {
        let answer: HistoryAnswer = self.call(&Request::History).await?;
        Ok(answer.history)
    }

    /// What the history says of one changeset, oldest first.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn recorded(&mut self, changeset: &ChangesetId) -> Result<Vec<HistoryRow>> {
        let answer: HistoryAnswer = self.call(&Request::Recorded { changeset }).await?;
        Ok(answer.history)
    }

    /// What marks the rows of the history that this Liquibase writes.
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// Runs exactly this changeset, after the statements in `session`.
    ///
    /// # Errors
    /// `Fault` as Liquibase and the database give it; whether a later try may succeed is for the caller to tell from it.
    pub async fn apply(
        &mut self,
        changeset: &ChangesetId,
        session: &[String],
    ) -> Result<ApplyState, Failure> {
        let answer: ApplyAnswer = self.call(&Request::Apply { changeset, session }).await?;
        if let Some(reason) = &answer.reason {
            tracing::debug!("Liquibase does not run {changeset}: {reason}");
        }
        Ok(answer.state)
    }

    /// Runs exactly this changeset's inverse, after the statements in `session`. `restore` are the rows that the history had before
    /// the changeset ran (again): they are there afterwards. `within` are statements that come first in the inverse's transaction.
    ///
    /// # Errors
    /// See `apply`.
    pub async fn undo(
        &mut self,
        changeset: &ChangesetId,
        session: &[String],
        restore: &[HistoryRow],
        within: &[String],
    ) -> Result<UndoState, Failure> {
        let answer: UndoAnswer = self.call(&Request::Undo { changeset, session, restore, within }).await?;
        Ok(answer.state)
    }

    /// Puts a changeset into the history as applied, without running it.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn record(&mut self, changeset: &ChangesetId) -> Result<()> {
        self.call::<Done>(&Request::Record { changeset }).await?;
        Ok(())
    }

    /// Runs these changesets (or all that should run) in one update.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn apply_all(&mut self, changesets: Option<&[ChangesetId]>) -> Result<()> {
        self.call::<Done>(&Request::ApplyAll { changesets, copy: false }).await?;
        Ok(())
    }

    /// Runs these changesets in one update, on a copy without rows.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn apply_all_to_copy(&mut self, changesets: &[ChangesetId]) -> Result<()> {
        self.call::<Done>(&Request::ApplyAll { changesets: Some(changesets), copy: true }).await?;
        Ok(())
    }

    /// Runs exactly this changeset on a copy without rows, where `answers` stand for its preconditions that may depend on rows. Whether
    /// these could not be told, and were taken to hold, comes with the state.
    ///
    /// # Errors
    /// See `apply`.
    pub async fn apply_to_copy(
        &mut self,
        changeset: &ChangesetId,
        answers: &[RowAnswer],
    ) -> Result<(ApplyState, bool), Failure> {
        let answer: CopyAnswer = self.call(&Request::ApplyToCopy { changeset, answers }).await?;
        if let Some(reason) = &answer.reason {
            tracing::debug!("Liquibase does not run {changeset}: {reason}");
        }
        Ok((answer.state, answer.unknown))
    }

    /// Asks preconditions that may depend on rows, after the statements in `session` and in a session that only reads. The answers come
    /// in the order of the questions.
    ///
    /// # Errors
    /// `Fault` where a precondition of the changelog as a whole does not hold.
    pub async fn judge(
        &mut self,
        questions: &[RowQuestion<'_>],
        session: &[String],
    ) -> Result<Vec<RowAnswer>> {
        let answer: JudgeAnswer = self.call(&Request::Judge { checks: questions, session }).await?;
        let read = |judged: Judged| match (judged.holds, judged.message.unwrap_or_default()) {
            (Some(true), _) => RowAnswer::Holds,
            (Some(false), message) => RowAnswer::Fails { message },
            (None, message) => RowAnswer::Unknown { message },
        };
        Ok(answer.answers.into_iter().map(read).collect())
    }

    /// Liquibase's lock, if somebody holds it.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn lock_holder(&mut self) -> Result<Option<LiquibaseLock>> {
        let lock: LockAnswer = self.call(&Request::Lock).await?;
        Ok(lock.held.then(|| LiquibaseLock {
            by: lock.by.unwrap_or_default(),
            since: lock.since.unwrap_or_default(),
        }))
    }

    /// Releases Liquibase's lock, whoever holds it.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn release_lock(&mut self) -> Result<()> {
        self.call::<Done>(&Request::ReleaseLock).await?;
        Ok(())
    }

    /// Ends the JVM. The first one that is ended leaves an archive of its classes, with which later ones start quicker.
    pub async fn close(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        if let Some(file) = self.program.wanted_archive() {
            let request = Request::Archive { file: &file };
            let writing = process.call::<Done>(&request);
            let written = matches!(tokio::time::timeout(ARCHIVING, writing).await, Ok(Ok(_)));
            self.program.keep_archive(&file, written);
        }
        process.end().await;
    }
}

impl Connection {
    fn request(&self) -> ConnectRequest<'_> {
        let target = &self.target;
        let mut properties: std::collections::BTreeMap<&str, &str> =
            target.properties.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if let Some(name) = target.application_property {
            properties.insert(name, &self.application);
        }
        ConnectRequest {
            url: &target.url,
            user: &target.user,
            password: target.password.as_ref().map(|p| p.expose()),
            properties,
            transactional_ddl: target.transactional_ddl,
            role_switch: target.role_switch,
            message_prefixes: target.message_prefixes,
            message_ends: target.message_ends,
            value_states: target.value_states,
            session: &target.session,
            deployment: &self.deployment,
        }
    }
}
