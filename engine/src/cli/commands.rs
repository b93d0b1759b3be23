//! What each command does.

mod check;
mod contracts;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::args::{Args, Command, ContractsCommand, DemoCommand, Document, Format, RunArgs, TargetArgs};
use crate::cli::progress::Terminal;
use crate::config::{self, Environment};
use crate::contract::drift::ContractDrift;
use crate::demo;
use crate::error::{Context, Error, Result};
use crate::liquibase::Liquibase;
use crate::model::backup::Backup;
use crate::model::event::EventKind;
use crate::model::evidence::{CloneProof, Drift, Outcome, Plan, RunRecord, RunSummary, Shadow};
use crate::model::stage::Stage;
use crate::product::Database;
use crate::report;
use crate::run::drive::{self, Until};
use crate::run::handover;
use crate::run::inject::Inject;
use crate::run::journal::KillAt;
use crate::run::record;
use crate::run::saga::{self, Decision};
use crate::run::select::{self, RunSelector};
use crate::run::storage::Storage;
use crate::run::{Run, RunOptions, files, target};
use crate::stages::{Stages, plan};
use crate::watcher::Watcher;

/// Runs one command and gives its exit code.
///
/// # Errors
/// What `complain` prints.
pub async fn run(args: Args) -> Result<u8> {
    let terminal = Arc::new(Terminal::new());
    let out = Out { format: args.format, terminal: Arc::clone(&terminal) };
    let done = dispatch(args, &out).await;
    terminal.finish();
    done
}

async fn dispatch(args: Args, out: &Out) -> Result<u8> {
    let target = &args.target;
    // Said before anything is done, not after a run.
    if out.format.is_of_compat() && !matches!(args.command, Command::Compat { .. }) {
        return Err(Error::input("only `drydock compat` gives this format")
            .hint("use --format text or --format json"));
    }
    match args.command {
        Command::Migrate(run) => go(target, &run, Until::End, out).await,
        Command::Backup(run) => go(target, &run, Until::After(Stage::Backup), out).await,
        Command::Clone(run) => go(target, &run, Until::After(Stage::Clone), out).await,
        Command::Shadow(run) => go(target, &run, Until::After(Stage::Shadow), out).await,
        Command::Rollout(run) => go(target, &run, Until::End, out).await,
        Command::Plan => show_plan(target, out).await,
        Command::Drift => show_drift(target, out).await,
        Command::Compat { output } => check::compat(target, &output, out).await,
        Command::Rollback { run, evidence, reason } => go_back(target, run, evidence, reason, out).await,
        Command::Status { run } => status(target, run, out).await,
        Command::History => history(target, out).await,
        Command::Report { run, output } => write_report(target, run, output, out).await,
        Command::Evidence { run, output } => hand_over(target, run, &output, out).await,
        Command::Verify { run } => verify(target, run, out).await,
        Command::Contracts { command } => match command {
            None => contracts::show(target, out),
            Some(ContractsCommand::Harvest { output, service, from }) => {
                contracts::harvest(target, contracts::Wish { output, service, from }, out).await
            }
            Some(ContractsCommand::Drift) => contracts::drift(target, out).await,
        },
        Command::Demo(command) => demo_command(target, &command, out).await,
        Command::Schema { of } => schema(of),
    }
}

/// Where results go.
struct Out {
    format: Format,
    terminal: Arc<Terminal>,
}

impl Out {
    fn watcher(&self) -> Arc<dyn Watcher> {
        Arc::clone(&self.terminal) as Arc<dyn Watcher>
    }
    /// Prints a result: the JSON document, or the text made of it.
    fn give<T: Serialize>(&self, document: &T, text: impl FnOnce(TextStyle) -> String) -> Result<()> {
        self.terminal.finish();
        let printed = match self.format {
            Format::Json => json(document)?,
            _ => text(TextStyle::of_stdout()),
        };
        print(&printed);
        Ok(())
    }
}

fn json<T: Serialize>(document: &T) -> Result<String> {
    serde_json::to_string_pretty(document).context("the result cannot be written")
}

fn print(text: &str) {
    // A reader that went away (`| head`) is no error of ours.
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// How text may look.
#[derive(Clone, Copy)]
struct TextStyle {
    colour: bool,
    width: u16,
}

impl TextStyle {
    fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let width = width.or_else(|| terminal.then(comfy_table_width).flatten()).unwrap_or(120);
        Self { colour, width: width.clamp(60, 160) }
    }
}

impl TextStyle {
    fn of_a_file() -> Self {
        Self { colour: false, width: 120 }
    }
}

fn comfy_table_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

fn wishes(run: &RunArgs, environment: &Environment) -> Result<RunOptions> {
    if run.inject != Inject::None && !environment.target.is_demo() {
        return Err(Error::input("--inject works on the demo only")
            .hint("nothing is made to fail on a real database; use --env demo"));
    }
    let kill_at = std::env::var("DRYDOCK_TEST_KILL_AT").ok().and_then(|n| n.parse().ok());
    Ok(RunOptions {
        inject: run.inject,
        kill_at: KillAt(kill_at),
        accept_drift: run.accept_drift,
        run: run.run.clone(),
    })
}

async fn go(target: &TargetArgs, args: &RunArgs, until: Until, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let mut wishes = wishes(args, &environment)?;
    if let Some(folder) = &args.evidence {
        wishes.run = Some(handover::take(&environment, folder)?);
    }
    let mut run = Run::open(environment.clone(), wishes, out.watcher(), false).await?;
    let id = run.id.clone();
    let ended = drive::drive(&mut run, &mut Stages::default(), until).await.map_err(|e| in_between(&run, e));
    run.close(matches!(ended, Ok(None))).await;
    ended?;
    finish(&environment, &id, until, out)
}

/// A run that cannot go on in the middle of production must not end as one that never got there.
fn in_between(run: &Run, error: Error) -> Error {
    let over = matches!(run.decision(), Decision::Over(_));
    if over || !saga::reached_production(run.journal.events()) {
        return error;
    }
    Error::stuck("production is between two changesets, and the run cannot go on")
        .hint(
            error
                .hint_text()
                .unwrap_or("run the same command again: the run goes on where it stopped")
                .to_owned(),
        )
        .because(error)
}

fn finish(environment: &Environment, id: &str, until: Until, out: &Out) -> Result<u8> {
    let record = record::load(environment, id)?;
    let summary = &record.summary;
    let text = |style: TextStyle| report::text::closing(summary, &record, style.colour, style.width);
    // A stage that was asked for alone gives its own evidence.
    match (until, &record) {
        (Until::After(Stage::Backup), RunRecord { backup: Some(backup), .. }) => out.give(backup, text)?,
        (Until::After(Stage::Clone), RunRecord { clone: Some(clone), .. }) => out.give(clone, text)?,
        (Until::After(Stage::Shadow), RunRecord { shadow: Some(shadow), .. }) => out.give(shadow, text)?,
        _ => out.give(summary, text)?,
    }
    if summary.outcome == Outcome::Unfinished && until != Until::End {
        return Ok(0);
    }
    if let (Outcome::Refused, true) = (summary.outcome, record.refused_for_input) {
        return Ok(2);
    }
    Ok(summary.outcome.exit_code())
}

async fn go_back(
    target: &TargetArgs,
    run: Option<String>,
    evidence: Option<PathBuf>,
    reason: String,
    out: &Out,
) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let run = match evidence {
        Some(folder) => Some(handover::take(&environment, &folder)?),
        None => run,
    };
    let wishes = RunOptions { run, ..RunOptions::default() };
    let mut run = Run::open(environment.clone(), wishes, out.watcher(), true).await?;
    let id = run.id.clone();
    let unwound = run.journal.events().iter().any(|e| matches!(e.what, EventKind::Unwinding { .. }));
    // One that got stuck on the way back is tried again.
    if !unwound || run.decision() == Decision::Over(Outcome::Stuck) {
        run.journal.append(EventKind::Unwinding { reason, automatic: false }).await?;
    }
    let ended =
        drive::drive(&mut run, &mut Stages::default(), Until::End).await.map_err(|e| in_between(&run, e));
    run.close(false).await;
    let ended = ended?;
    let code = finish(&environment, &id, Until::End, out)?;
    // Asked for and done is a success.
    Ok(if ended == Some(Outcome::RolledBack) { 0 } else { code })
}

/// What the commands that only look need.
async fn open(environment: &Environment, out: &Out) -> Result<(Arc<dyn Database>, Liquibase)> {
    if let Some(storage) = Storage::of(environment)? {
        storage.bring_schema(&environment.home).await?;
    }
    let database = target::open(environment, &out.watcher()).await?;
    let mut liquibase = Liquibase::start(&environment.home.join("cache")).await?;
    liquibase.changelog(environment, &environment.changelog_file).await?;
    liquibase.connect(database.as_ref(), "drydock plan").await?;
    Ok((database, liquibase))
}

async fn show_plan(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let (database, mut liquibase) = open(&environment, out).await?;
    out.terminal.progress("asking Liquibase what is pending", None);
    let plan = plan::make(&environment, database.as_ref(), &mut liquibase).await?;
    liquibase.close().await;
    out.give(&plan, |style| report::text::plan(&plan, style.width))?;
    plan::refuse(&plan, false)?;
    Ok(0)
}

async fn show_drift(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let (database, mut liquibase) = open(&environment, out).await?;
    let status = liquibase.status().await?;
    let drift = plan::differences(&environment, database.as_ref(), &status).await?;
    liquibase.close().await;
    out.give(&drift, |_| match drift.as_slice() {
        [] => "changelog, history and catalog agree".to_owned(),
        drift => report::text::drift(drift),
    })?;
    plan::refuse_drift(&drift, false)?;
    Ok(0)
}

/// The run that is meant: the named one or the latest.
fn meant(environment: &Environment, run: Option<String>) -> Result<String> {
    match run {
        Some(run) => Ok(run),
        None => files::list(environment)?.pop().ok_or_else(|| {
            Error::input(format!("environment \"{}\" has no run yet", environment.name))
                .hint(format!("drydock migrate --env {}", environment.name))
        }),
    }
}

/// An environment whose record of this run, or of the latest, is here.
async fn record_of(target: &TargetArgs, run: &Option<String>) -> Result<Environment> {
    let environment = config::resolve_record(&target.selection()?)?;
    select::bring(&environment, run.as_deref().map_or(RunSelector::Latest, RunSelector::Since)).await?;
    Ok(environment)
}

async fn status(target: &TargetArgs, run: Option<String>, out: &Out) -> Result<u8> {
    let environment = record_of(target, &run).await?;
    let record = record::load(&environment, &meant(&environment, run)?)?;
    out.give(&record.summary, |style| report::text::status(&record, style.width))?;
    Ok(0)
}

async fn history(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    select::bring(&environment, RunSelector::All).await?;
    let runs: Vec<RunSummary> = files::list(&environment)?
        .iter()
        .map(|id| record::load(&environment, id).map(|r| r.summary))
        .collect::<Result<_>>()?;
    out.give(&runs, |style| report::text::history(&runs, style.width))?;
    Ok(0)
}

async fn write_report(
    target: &TargetArgs,
    run: Option<String>,
    output: Option<PathBuf>,
    out: &Out,
) -> Result<u8> {
    let environment = record_of(target, &run).await?;
    let id = meant(&environment, run)?;
    let record = record::load(&environment, &id)?;
    let path = output.unwrap_or_else(|| PathBuf::from(format!("drydock-{id}.html")));
    std::fs::write(&path, report::html(&record)).context(format!("{} cannot be written", path.display()))?;
    out.give(&serde_json::json!({"run": id, "file": path}), |_| path.display().to_string())?;
    Ok(0)
}

async fn hand_over(
    target: &TargetArgs,
    run: Option<String>,
    folder: &std::path::Path,
    out: &Out,
) -> Result<u8> {
    let environment = record_of(target, &run).await?;
    let id = meant(&environment, run)?;
    handover::give(&environment, &id, folder)?;
    let path = folder.join(&id);
    out.give(&serde_json::json!({"run": id, "folder": path}), |_| path.display().to_string())?;
    Ok(0)
}

async fn verify(target: &TargetArgs, run: Option<String>, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    select::bring(&environment, run.as_deref().map_or(RunSelector::All, RunSelector::Since)).await?;
    let ids = match run {
        Some(id) => vec![id],
        None => files::list(&environment)?,
    };
    let mut checked = Vec::new();
    for id in ids {
        let events = record::verify(&environment, &id)?;
        checked.push(serde_json::json!({"run": id, "events": events, "intact": true}));
    }
    out.give(&checked, |_| {
        checked
            .iter()
            .map(|c| format!("{}: {} events, intact", c["run"].as_str().unwrap_or_default(), c["events"]))
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    Ok(0)
}

async fn demo_command(target: &TargetArgs, command: &DemoCommand, out: &Out) -> Result<u8> {
    let mut selection = target.selection()?;
    selection.env = Some("demo".to_owned());
    let environment = config::resolve_record(&selection)?;
    let text = match command {
        DemoCommand::Serve { listen } => {
            let environment = config::resolve(&selection)?;
            demo::serve(&environment, *listen, &out.watcher(), crate::cli::interrupted()).await?;
            "stopped; its data stays".to_owned()
        }
        DemoCommand::Up => {
            let environment = config::resolve(&selection)?;
            let database = target::open(&environment, &out.watcher()).await?;
            format!("the demo's production runs: {}", database.endpoint())
        }
        DemoCommand::Stop => {
            demo::stop(&environment).await?;
            "stopped; its data stays".to_owned()
        }
        DemoCommand::Reset => {
            demo::reset(&environment).await?;
            "gone, with all its runs".to_owned()
        }
    };
    out.give(&serde_json::json!({"demo": text}), |_| text.clone())?;
    Ok(0)
}

fn schema(of: Document) -> Result<u8> {
    let schema = match of {
        Document::Migrate => schemars::schema_for!(RunSummary),
        Document::Plan => schemars::schema_for!(Plan),
        Document::Drift => schemars::schema_for!(Vec<Drift>),
        Document::Backup => schemars::schema_for!(Backup),
        Document::Clone => schemars::schema_for!(CloneProof),
        Document::Compat => schemars::schema_for!(report::compat::Json),
        Document::Shadow => schemars::schema_for!(Shadow),
        Document::History => schemars::schema_for!(Vec<RunSummary>),
        Document::ContractsHarvest => schemars::schema_for!(contracts::Harvest),
        Document::ContractsDrift => schemars::schema_for!(ContractDrift),
    };
    print(&json(&schema)?);
    Ok(0)
}
