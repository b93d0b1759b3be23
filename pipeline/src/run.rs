//! A run of an environment. Every command that touches one is started here, and nowhere else.

use dagger_module::sdk::{Container, ContainerWithExecOpts, Directory, File, Query, ReturnType};
use dagger_module::{Exit, Failure, Held, Result, object};
use serde::{Deserialize, Serialize};

use crate::begin::{Begin, RollbackOptions, Target};
use crate::production::Production;
use crate::settings::Settings;

/// Part of it waits for services: an answer, and no failure.
const HELD: i64 = 3;
const EVIDENCE: &str = "/evidence";

/// What a command came to.
#[derive(Clone, Serialize, Deserialize)]
struct Ended {
    command: Vec<String>,
    code: i64,
    stdout: String,
    /// Whether this exit code is to be the caller's too.
    told: bool,
}

/// A run of an environment: stages go on from each other, and what they came to is there to read
#[derive(Clone, Serialize, Deserialize)]
pub struct Run {
    settings: Settings,
    begin: Begin,
    last: Option<Ended>,
}

#[object]
impl Run {
    /// Does everything: plan, backup, compat, clone, shadow, rollout; goes back by itself if anything fails
    #[function(cache = "never")]
    pub async fn migrate(&self, dag: &Query) -> Result<Run> {
        self.go(dag, "migrate").await
    }

    /// Shows what Liquibase has pending: phases, hazards, waves, inverses, drift
    #[function(cache = "never")]
    pub async fn plan(&self, dag: &Query) -> Result<Run> {
        self.look(dag, &["plan"], &[]).await
    }

    /// Compares changelog, history and catalog: what was edited, is unknown, or changed behind Liquibase's back
    #[function(cache = "never")]
    pub async fn drift(&self, dag: &Query) -> Result<Run> {
        self.look(dag, &["drift"], &[]).await
    }

    /// Holds what is pending against every query of every deployed service version
    #[function(cache = "never")]
    pub async fn compat_check(&self, dag: &Query) -> Result<Run> {
        // What is held breaks nobody: that is the answer here.
        self.look(dag, &["compat"], &[HELD]).await
    }

    /// Takes and verifies a backup, and what comes before it
    #[function(cache = "never")]
    pub async fn backup(&self, dag: &Query) -> Result<Run> {
        self.go(dag, "backup").await
    }

    /// Restores the backup and proves it equal, and what comes before it
    #[function(cache = "never")]
    pub async fn clone(&self, dag: &Query) -> Result<Run> {
        self.go(dag, "clone").await
    }

    /// Rehearses on the clone: forward, every inverse, forward again; and what comes before it
    #[function(cache = "never")]
    pub async fn shadow(&self, dag: &Query) -> Result<Run> {
        self.go(dag, "shadow").await
    }

    /// Changes production, wave by wave, and what comes before it
    #[function(cache = "never")]
    pub async fn rollout(&self, dag: &Query) -> Result<Run> {
        self.go(dag, "rollout").await
    }

    /// Takes the run back by hand
    #[function(cache = "never")]
    pub async fn rollback(&self, dag: &Query, #[argument(group)] options: RollbackOptions) -> Result<Run> {
        let mut arguments = vec!["rollback", "--reason", &options.reason];
        if options.accept_drift {
            arguments.push("--accept-drift");
        }
        if options.accept_loss {
            arguments.push("--accept-loss");
        }
        self.stage(dag, &arguments).await
    }

    /// What the last command printed; ends with its exit code
    pub fn text(&self) -> Result<String> {
        let Some(last) = &self.last else { return Ok(String::new()) };
        if last.told && last.code != 0 {
            return Err(last.failure(""));
        }
        Ok(last.stdout.clone())
    }

    /// Exit code of the last command
    pub fn exit_code(&self) -> i64 {
        self.last.as_ref().map_or(0, |last| last.code)
    }

    /// Shows where the run is
    #[function(cache = "never")]
    pub async fn status(
        &self,
        dag: &Query,
        /// text, or json: one document
        #[argument(default = "text")]
        format: String,
    ) -> Result<String> {
        self.record(dag, &["status", "--format", &format]).await.map(|(_, text)| text)
    }

    /// Checks journal and evidence: nothing changed, nothing missing
    #[function(cache = "never")]
    pub async fn verify(&self, dag: &Query) -> Result<String> {
        self.record(dag, &["verify"]).await.map(|(_, text)| text)
    }

    /// One self-contained HTML file about the run
    #[function(cache = "never")]
    pub async fn report(&self, dag: &Query) -> Result<File> {
        Ok(self.record(dag, &["report", "--output", "/report.html"]).await?.0.file("/report.html"))
    }

    /// Journal and evidence of the run, for a stage elsewhere to go on with
    #[function(cache = "never")]
    pub async fn evidence(&self, dag: &Query) -> Result<Directory> {
        Ok(self.record(dag, &["evidence", "--output", EVIDENCE]).await?.0.directory(EVIDENCE))
    }
}

/// What a command reaches for beside its own record.
#[derive(PartialEq)]
enum Needs {
    Database,
    Nothing,
}

struct Ran {
    container: Container,
    ended: Ended,
    stderr: String,
}

impl Run {
    pub fn new(settings: &Settings, begin: Begin) -> Self {
        Self { settings: settings.clone(), begin, last: None }
    }

    pub async fn history(&self, dag: &Query) -> Result<String> {
        self.record(dag, &["history"]).await.map(|(_, text)| text)
    }

    /// A command about what a run has left, on the database.
    pub async fn tend(&self, dag: &Query, arguments: &[&str]) -> Result<String> {
        self.look(dag, arguments, &[]).await?.text()
    }

    async fn go(&self, dag: &Query, name: &str) -> Result<Run> {
        let mut arguments = vec![name];
        let Begin { inject, accept_drift, .. } = &self.begin;
        if let Some(inject) = inject {
            arguments.extend(["--inject", inject]);
        }
        if *accept_drift {
            arguments.push("--accept-drift");
        }
        self.stage(dag, &arguments).await
    }

    /// A command that goes on with the run.
    async fn stage(&self, dag: &Query, arguments: &[&str]) -> Result<Run> {
        let mut arguments = arguments.to_vec();
        if self.begin.evidence.is_some() {
            arguments.extend(["--evidence", EVIDENCE]);
        }
        let mut next = self.next(self.command(dag, &arguments, Needs::Database).await?, &[])?;
        // Taken out when something asks for it: the next stage, which goes on with this very run, or the caller.
        let record = self.container(dag).await?.with_exec(next.line(&["evidence", "--output", EVIDENCE]));
        next.begin.run = None;
        next.begin.evidence = Some(Held::of(&record.directory(EVIDENCE)).await?);
        Ok(next)
    }

    /// A command that leaves the run as it is.
    async fn look(&self, dag: &Query, arguments: &[&str], fine: &[i64]) -> Result<Run> {
        self.next(self.command(dag, arguments, Needs::Database).await?, fine)
    }

    /// A command that only reads the record.
    async fn record(&self, dag: &Query, arguments: &[&str]) -> Result<(Container, String)> {
        let ran = self.command(dag, arguments, Needs::Nothing).await?;
        if ran.ended.code != 0 {
            return Err(ran.ended.failure(&ran.stderr));
        }
        Ok((ran.container, ran.ended.stdout))
    }

    /// The run after a command: one that failed ends the chain with its exit code, one that holds something does not.
    fn next(&self, ran: Ran, fine: &[i64]) -> Result<Run> {
        let mut ended = ran.ended;
        if ended.code != 0 && ended.code != HELD {
            return Err(ended.failure(&ran.stderr));
        }
        ended.told = !fine.contains(&ended.code);
        Ok(Run { last: Some(ended), ..Clone::clone(self) })
    }

    fn line(&self, arguments: &[&str]) -> Vec<String> {
        let mut line = vec!["drydock"];
        line.extend(arguments);
        line.extend(["--env", &self.begin.target.env]);
        if let Some(run) = &self.begin.run {
            line.extend(["--run", run]);
        }
        line.into_iter().map(str::to_owned).collect()
    }

    async fn container(&self, dag: &Query) -> Result<Container> {
        self.settings.container(dag, &self.begin.target.env).await
    }

    async fn command(&self, dag: &Query, arguments: &[&str], needs: Needs) -> Result<Ran> {
        let Target { env, scale } = &self.begin.target;
        let (mut command, mut container) = (self.line(arguments), self.container(dag).await?);
        let mut database = self.settings.database.is_some();
        let mut production = None;
        if needs == Needs::Database {
            if self.settings.contracts.is_some() {
                command.extend(["--contracts".to_owned(), "contracts".to_owned()]);
            }
            if env == "demo" && !database {
                let begun = Production::of(&self.settings, dag, *scale).await?;
                container = container
                    .with_service_binding("database", begun.service.id().await?)
                    .with_secret_variable("DRYDOCK_DATABASE", begun.url.id().await?);
                (database, production) = (true, Some(begun));
            }
            if database {
                command.extend(["--database".to_owned(), "env:DRYDOCK_DATABASE".to_owned()]);
            }
        }
        if let Some(evidence) = &self.begin.evidence {
            container = container.with_mounted_directory(EVIDENCE, evidence.get(dag).id().await?);
        }
        let ran = run(container, command).await;
        if let Some(production) = production {
            let stopped = production.stop().await;
            // Why the command could not be run is what matters.
            if ran.is_ok() {
                stopped?;
            }
        }
        ran
    }
}

/// Runs a command, whatever it ends with.
async fn run(container: Container, command: Vec<String>) -> Result<Ran> {
    let options = ContainerWithExecOpts {
        expand: None,
        expect: Some(ReturnType::Any),
        experimental_privileged_nesting: None,
        insecure_root_capabilities: None,
        no_init: None,
        redirect_stderr: None,
        redirect_stdin: None,
        redirect_stdout: None,
        stdin: None,
        use_entrypoint: None,
    };
    let ran = container.with_exec_opts(command.clone(), options);
    let code = i64::try_from(ran.exit_code().await?)?;
    let (stdout, stderr) = (ran.stdout().await?, ran.stderr().await?);
    Ok(Ran { container: ran, ended: Ended { command, code, stdout, told: true }, stderr })
}

impl Ended {
    /// The command's last word, with its exit code. What else it said was seen while it ran: told again, it would bury the
    /// closing table.
    fn failure(&self, stderr: &str) -> Failure {
        let complaint = stderr.rfind("error: ").and_then(|at| stderr.get(at..));
        let word = complaint.or_else(|| self.stdout.trim().lines().last()).unwrap_or_default().trim();
        let message = if word.is_empty() { format!("exit code {}", self.code) } else { word.to_owned() };
        Failure::new(message).exit(Exit {
            code: self.code,
            command: self.command.clone(),
            stdout: self.stdout.clone(),
            stderr: String::new(),
        })
    }
}
