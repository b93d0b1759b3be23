//! The only file that starts Liquibase. Its other half is `liquibase/Driver.java`, which documents the protocol.
//!
//! One JVM lives for a run and takes one command at a time as JSON lines. Passwords go over its standard input, never
//! its arguments. When it dies, the call under way fails and the next one starts another.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::config::Environment;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::model::changeset::ChangesetId;
use crate::model::endpoint::JdbcTarget;
use crate::product::Database;

const DRIVER: &str = include_str!("liquibase/Driver.java");
/// The line of Liquibase this driver is written for.
pub const VERSION: &str = "4.33";

/// Where Java and Liquibase's jars are.
#[derive(Debug, Clone)]
pub struct Installation {
    java: PathBuf,
    lib: PathBuf,
}

impl Installation {
    /// Finds Java (`JAVA_HOME`, then `PATH`) and Liquibase's jars (`DRYDOCK_LIQUIBASE`, then beside the program).
    ///
    /// # Errors
    /// `Input`, saying which is missing and how to get it.
    pub fn find() -> Result<Self> {
        let java = match std::env::var_os("JAVA_HOME")
            .map(|home| Path::new(&home).join("bin/java"))
            .filter(|p| p.is_file())
        {
            Some(java) => java,
            None => which::which("java").map_err(|_| {
                Error::input("Java is missing")
                    .hint("install a Java 17 runtime (ci/setup does), or set JAVA_HOME")
            })?,
        };
        let named = std::env::var_os("DRYDOCK_LIQUIBASE").map(PathBuf::from);
        let beside = std::env::current_exe().ok().into_iter().flat_map(|exe| {
            exe.ancestors().skip(1).take(4).map(|dir| dir.join("liquibase/lib")).collect::<Vec<_>>()
        });
        let mut tried = Vec::new();
        for folder in named.into_iter().chain(beside) {
            for lib in [folder.join("lib"), folder.join("internal/lib"), folder] {
                if holds_liquibase(&lib) {
                    return Ok(Self { java, lib });
                }
                tried.push(lib);
            }
        }
        let first = tried.first().map(|p| p.display().to_string()).unwrap_or_default();
        Err(Error::input(format!("Liquibase is missing: no liquibase-core jar in {first}"))
            .hint("run ci/setup, or set DRYDOCK_LIQUIBASE to a folder of its jars"))
    }
}

fn holds_liquibase(lib: &Path) -> bool {
    std::fs::read_dir(lib).is_ok_and(|entries| {
        entries.flatten().any(|e| e.file_name().to_string_lossy().starts_with("liquibase-core"))
    })
}

/// Where Liquibase stands with one changeset of the changelog.
#[derive(Debug, Clone, Deserialize)]
pub struct ChangesetStatus {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub comment: Option<String>,
    /// Lines of comments in its SQL that speak to Drydock.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// `ran`, `pending`, `filtered`, `ran_changed`.
    pub state: String,
    pub filter_reason: Option<String>,
    pub checksum: Option<String>,
    pub recorded_checksum: Option<String>,
    pub run_in_transaction: bool,
    pub preconditions: Option<Preconditions>,
    #[serde(default)]
    pub sql: Vec<String>,
    pub rollback: Option<RollbackSql>,
    pub line: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Preconditions {
    pub on_fail: Option<String>,
    pub holds: bool,
    pub message: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RollbackSql {
    /// `inverse`, `empty`, `none`.
    pub kind: String,
    #[serde(default)]
    pub sql: Vec<String>,
    pub message: Option<String>,
}

/// The changelog held against the history.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    pub changesets: Vec<ChangesetStatus>,
    #[serde(default)]
    pub unknown: Vec<ChangesetId>,
    #[serde(default)]
    pub history: Vec<HistoryRow>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HistoryRow {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub checksum: Option<String>,
    pub exec_type: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    id: Option<u64>,
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    kind: String,
    message: String,
    sql_state: Option<String>,
    changeset: Option<ChangesetId>,
    file: Option<String>,
    line: Option<u64>,
    sql: Option<String>,
}

#[derive(Debug, Deserialize)]
struct State {
    state: String,
}

#[derive(Debug, Deserialize)]
struct LockState {
    held: bool,
    by: Option<String>,
    since: Option<String>,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    next_id: u64,
}

/// Liquibase, connected to one database at a time.
pub struct Liquibase {
    installation: Installation,
    driver: PathBuf,
    process: Option<Process>,
    connection: Option<(JdbcTarget, String)>,
    changelog: Option<Value>,
}

impl Liquibase {
    /// Starts the JVM. `cache` is a folder for the driver's source.
    ///
    /// # Errors
    /// `Input` when Java or Liquibase is missing or of another line.
    pub async fn start(cache: &Path) -> Result<Self> {
        let installation = Installation::find()?;
        std::fs::create_dir_all(cache).context(format!("{} cannot be made", cache.display()))?;
        let driver = cache.join("Driver.java");
        if std::fs::read_to_string(&driver).ok().as_deref() != Some(DRIVER) {
            let mut fresh =
                tempfile::NamedTempFile::new_in(cache).context("the Liquibase driver cannot be written")?;
            std::io::Write::write_all(&mut fresh, DRIVER.as_bytes())
                .context("the Liquibase driver cannot be written")?;
            fresh.persist(&driver).context("the Liquibase driver cannot be written")?;
        }
        let mut liquibase = Self { installation, driver, process: None, connection: None, changelog: None };
        liquibase.ensure().await?;
        Ok(liquibase)
    }

    async fn ensure(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut child = Command::new(&self.installation.java)
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx512m"])
            .arg("-cp")
            .arg(self.installation.lib.join("*"))
            .arg(&self.driver)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| {
                Error::input("Java cannot be started")
                    .because(e)
                    .hint("install a Java 17 runtime (ci/setup does)")
            })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::failed("the Liquibase driver has no pipes"));
        };
        self.process = Some(Process { child, input, output: BufReader::new(output).lines(), next_id: 1 });
        let hello = self.call("hello", json!({})).await.map_err(|e| {
            Error::input("the Liquibase driver does not start")
                .because(e)
                .hint("it needs Java 17 or newer and Liquibase 4.33: see ci/setup")
        })?;
        let version = hello.get("liquibase").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        if !version.starts_with(VERSION) {
            return Err(Error::input(format!("Liquibase {version} is not {VERSION}"))
                .hint("Drydock drives 4.33, the last line under Apache-2.0; ci/setup fetches it"));
        }
        if let Some((target, schema)) = self.connection.clone() {
            self.send_connect(&target, &schema).await?;
        }
        if let Some(changelog) = self.changelog.clone() {
            self.call("changelog", changelog).await?;
        }
        Ok(())
    }

    async fn call(&mut self, op: &str, mut request: Value) -> Result<Value> {
        let outcome = self.exchange(op, &mut request).await;
        if outcome.as_ref().is_err_and(|e| e.code.as_deref() == Some("driver")) {
            self.process = None;
        }
        outcome
    }

    async fn exchange(&mut self, op: &str, request: &mut Value) -> Result<Value> {
        let process = self
            .process
            .as_mut()
            .ok_or_else(|| Error::failed("the Liquibase driver is not running").code("driver"))?;
        let id = process.next_id;
        process.next_id += 1;
        if let Some(fields) = request.as_object_mut() {
            fields.insert("id".to_owned(), json!(id));
            fields.insert("op".to_owned(), json!(op));
        }
        let mut line = request.to_string();
        line.push('\n');
        let died = |e: Option<std::io::Error>| {
            let error = Error::failed("the Liquibase driver died").code("driver");
            match e {
                Some(e) => error.because(e),
                None => error,
            }
        };
        process.input.write_all(line.as_bytes()).await.map_err(|e| died(Some(e)))?;
        process.input.flush().await.map_err(|e| died(Some(e)))?;
        loop {
            let Some(line) = process.output.next_line().await.map_err(|e| died(Some(e)))? else {
                return Err(died(None));
            };
            let Ok(answer) = serde_json::from_str::<Answer>(&line) else {
                tracing::debug!("the Liquibase driver said: {line}");
                continue;
            };
            if answer.id != Some(id) {
                continue;
            }
            return if answer.ok {
                Ok(answer.result)
            } else {
                Err(answer
                    .error
                    .map_or_else(|| Error::failed("Liquibase failed and did not say why"), Fault::into_error))
            };
        }
    }

    /// The process group that dies with the driver, for tests.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(|p| p.child.id())
    }

    async fn send_connect(&mut self, target: &JdbcTarget, application: &str) -> Result<()> {
        let mut properties = target.properties.clone();
        properties.insert("ApplicationName".to_owned(), application.to_owned());
        let request = json!({
            "url": target.url,
            "user": target.user,
            "password": target.password.as_ref().map(|p| p.expose().to_owned()),
            "properties": properties,
        });
        self.call("connect", request).await.map(|_| ())
    }

    /// Connects to a database, in place of the one before.
    ///
    /// # Errors
    /// `Failed` when it cannot be reached.
    pub async fn connect(&mut self, database: &dyn Database, application: &str) -> Result<()> {
        self.ensure().await?;
        let target = database.jdbc();
        self.send_connect(&target, application).await?;
        self.connection = Some((target, application.to_owned()));
        if let Some(changelog) = self.changelog.clone() {
            self.call("changelog", changelog).await?;
        }
        Ok(())
    }

    /// Leaves the database, so that nobody of ours is in it; what comes next connects again.
    ///
    /// # Errors
    /// `Failed` when the driver is gone.
    pub async fn disconnect(&mut self) -> Result<()> {
        self.ensure().await?;
        self.call("disconnect", json!({})).await.map(|_| ())
    }

    /// Reads a changelog; a later connection uses the same one.
    ///
    /// # Errors
    /// `Input` with file and line when it does not parse or holds an identity twice.
    pub async fn changelog(&mut self, environment: &Environment, file: &str) -> Result<()> {
        self.ensure().await?;
        let request = json!({
            "root": environment.changelog_root,
            "file": file,
            "contexts": environment.contexts,
            "labels": environment.labels,
            "parameters": {},
        });
        self.call("changelog", request.clone()).await?;
        self.changelog = Some(request);
        Ok(())
    }

    /// The changelog held against the history. Changes nothing.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn status(&mut self) -> Result<Status> {
        self.ensure().await?;
        let result = self.call("status", json!({})).await?;
        serde_json::from_value(result).context("the Liquibase driver's status cannot be read")
    }

    /// What is applied.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn history(&mut self) -> Result<Vec<HistoryRow>> {
        self.ensure().await?;
        let result = self.call("history", json!({})).await?;
        let rows = result.get("history").cloned().unwrap_or(result);
        serde_json::from_value(rows).context("Liquibase's history cannot be read")
    }

    /// Runs exactly this changeset. Answers `applied`, `already`, `marked_ran` or `filtered`.
    ///
    /// # Errors
    /// `Busy` is for the caller to tell from the code; `code` is the database's.
    pub async fn apply(&mut self, changeset: &ChangesetId, session: &[String]) -> Result<String> {
        self.state("apply", json!({"changeset": changeset, "session": session})).await
    }

    /// Runs exactly this changeset's inverse. Answers `undone`, `unmarked` (a precondition had kept it from running) or `not_applied`.
    ///
    /// # Errors
    /// See `apply`.
    pub async fn undo(&mut self, changeset: &ChangesetId, session: &[String]) -> Result<String> {
        self.state("undo", json!({"changeset": changeset, "session": session})).await
    }

    /// Runs these changesets (or all that should run) in one update.
    ///
    /// # Errors
    /// See `apply`.
    pub async fn apply_all(&mut self, changesets: Option<&[ChangesetId]>) -> Result<()> {
        self.ensure().await?;
        self.call("apply_all", json!({"changesets": changesets, "session": []})).await.map(|_| ())
    }

    async fn state(&mut self, op: &str, request: Value) -> Result<String> {
        self.ensure().await?;
        let result = self.call(op, request).await?;
        let state: State =
            serde_json::from_value(result).context("the Liquibase driver's answer cannot be read")?;
        Ok(state.state)
    }

    /// Who holds Liquibase's lock, and since when (as the lock table writes it).
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn lock_holder(&mut self) -> Result<Option<(String, String)>> {
        self.ensure().await?;
        let lock: LockState = serde_json::from_value(self.call("lock", json!({})).await?)
            .context("Liquibase's lock cannot be read")?;
        Ok(lock.held.then(|| (lock.by.unwrap_or_default(), lock.since.unwrap_or_default())))
    }

    /// Releases Liquibase's lock, whoever holds it.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn release_lock(&mut self) -> Result<()> {
        self.ensure().await?;
        self.call("release_lock", json!({})).await.map(|_| ())
    }

    /// Ends the JVM.
    pub async fn close(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.input);
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), process.child.wait()).await;
            let _ = process.child.kill().await;
        }
    }
}

impl Fault {
    fn into_error(self) -> Error {
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let subject = self.changeset.map(|c| format!("changeset {c}: ")).unwrap_or_default();
        let kind = match self.kind.as_str() {
            "parse" | "duplicate" | "checksum" | "validation" | "unknown_changeset" => ErrorKind::Input,
            _ => ErrorKind::Failed,
        };
        let mut error = Error::new(kind, format!("{place}{subject}{}", self.message));
        error = match self.kind.as_str() {
            "parse" => error.hint("correct the changelog; `drydock plan` reads it again"),
            "duplicate" => error.hint("give each changeset an id that is unique within its author and file"),
            "checksum" => {
                error.hint("an applied changeset was edited: undo the edit and write a new changeset")
            }
            "no_inverse" => error.hint("add a --rollback to the changeset"),
            _ => error,
        };
        if let Some(sql) = self.sql {
            let short: String = sql.chars().take(300).collect();
            error = error.because(format!("while running: {short}"));
        }
        error.code(self.sql_state.unwrap_or(self.kind))
    }
}
