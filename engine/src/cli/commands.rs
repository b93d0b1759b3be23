//! What each command does.

mod check;
mod contracts;
mod crash;
mod kept;
mod records;

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
use crate::model::backup::Backup;
use crate::model::evidence::{
    CloneProof, Doctor, Drift, Outcome, Plan, RollbackPreview, RunRecord, RunSummary, Shadow,
};
use crate::model::preflight::Weight;
use crate::model::restored_production::RestoredProduction;
use crate::model::stage::Stage;
use crate::operations::Operations;
use crate::operations::contracts::{Harvest, HarvestOptions};
use crate::operations::interrupt::Interrupt;
use crate::operations::kept::{Cleaned, RestoredData};
use crate::report;
use crate::run::RunOptions;
use crate::run::drive::Until;
use crate::run::inject::Inject;
use crate::stages::plan;
use crate::watcher::Watcher;

/// Runs one command and gives its exit code.
///
/// # Errors
/// What `complain` prints.
pub async fn run(args: Args, interrupt: Interrupt) -> Result<u8> {
    let terminal = Arc::new(Terminal::new());
    let out = Out { format: args.format, terminal: Arc::clone(&terminal), interrupt };
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
        Command::Doctor { print_grants: true } => show_grants(target, out),
        Command::Doctor { print_grants: false } => show_doctor(target, out).await,
        Command::Drift => show_drift(target, out).await,
        Command::Compat { output } => check::compat(target, &output, out).await,
        Command::Rollback { run, evidence, reason, accept_drift, accept_loss } => {
            let options = RunOptions { run, accept_drift, accept_loss, ..RunOptions::default() };
            go_back(target, options, evidence, reason, out).await
        }
        Command::RestoreData { run } => kept::restore_data(target, &run, out).await,
        Command::RestoreProduction { run, to, accept_loss } => {
            kept::restore_production(target, &run, to, accept_loss, out).await
        }
        Command::Clean { run } => kept::clean(target, run.as_deref(), out).await,
        Command::Status { run } => records::status(target, run, out).await,
        Command::History => records::history(target, out).await,
        Command::Report { run, output } => records::report(target, run, output, out).await,
        Command::Evidence { run, output } => records::evidence(target, run, &output, out).await,
        Command::Verify { run } => records::verify(target, run, out).await,
        Command::Contracts { command } => match command {
            None => contracts::show(target, out),
            Some(ContractsCommand::Harvest { output, service, from }) => {
                contracts::harvest(target, HarvestOptions { output, service, from }, out).await
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
    interrupt: Interrupt,
}

impl Out {
    fn operations(&self) -> Operations {
        let operations = Operations::new(Arc::clone(&self.terminal) as Arc<dyn Watcher>);
        Operations { interrupt: self.interrupt.clone(), ..operations }
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

fn options(run: &RunArgs, environment: &Environment) -> Result<RunOptions> {
    if run.inject != Inject::None && !environment.target.is_demo() {
        return Err(Error::input("--inject works on the demo only")
            .hint("nothing is made to fail on a real database; use --env demo"));
    }
    Ok(RunOptions {
        inject: run.inject,
        after_record: crash::after_record(run.inject),
        accept_drift: run.accept_drift,
        accept_loss: false,
        run: run.run.clone(),
    })
}

async fn go(target: &TargetArgs, args: &RunArgs, until: Until, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let options = options(args, &environment)?;
    let driven = out.operations().migrate(&environment, options, args.evidence.as_deref(), until).await?;
    finish(&driven.record, until, out)
}

fn finish(record: &RunRecord, until: Until, out: &Out) -> Result<u8> {
    let summary = &record.summary;
    let text = |style: TextStyle| report::text::closing(summary, record, style.colour, style.width);
    // A stage that was asked for alone gives its own evidence.
    match (until, record) {
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
    options: RunOptions,
    evidence: Option<PathBuf>,
    reason: String,
    out: &Out,
) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let ask = |preview: &RollbackPreview| out.terminal.confirm(&question(preview));
    let driven = out.operations().roll_back(&environment, options, evidence.as_deref(), reason, &ask).await?;
    let code = finish(&driven.record, Until::End, out)?;
    // Asked for and done is a success.
    Ok(if driven.ended == Some(Outcome::RolledBack) { 0 } else { code })
}

/// What somebody at a terminal is asked.
fn question(preview: &RollbackPreview) -> String {
    let losses = preview.losses.iter().map(|loss| format!("  {loss}  ({})", loss.key.id));
    let losses: Vec<String> = losses.collect();
    format!("Going back takes what was written since the run:\n{}\nGo back all the same?", losses.join("\n"))
}

async fn show_plan(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let plan = out.operations().plan(&environment).await?;
    out.give(&plan, |style| report::text::plan(&plan, style.width))?;
    plan::refuse(&plan, false, environment.shadow.run_code)?;
    Ok(0)
}

fn show_grants(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let script = out.operations().grants(&environment)?;
    out.give(&script, |_| script.trim_end().to_owned())?;
    Ok(0)
}

async fn show_doctor(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let doctor = out.operations().doctor(&environment).await?;
    out.give(&doctor, |_| report::text::doctor(&doctor))?;
    let stops = doctor.facts.iter().any(|fact| fact.weight >= Weight::StopsRuns);
    let drifted = doctor.drift.iter().any(|drift| drift.fatal);
    Ok(if stops { 2 } else { u8::from(drifted) })
}

async fn show_drift(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let drift = out.operations().drift(&environment).await?;
    out.give(&drift, |_| match drift.as_slice() {
        [] => "changelog, history and catalog agree".to_owned(),
        drift => report::text::drift(drift),
    })?;
    plan::refuse_drift(&drift, false)?;
    Ok(0)
}

async fn demo_command(target: &TargetArgs, command: &DemoCommand, out: &Out) -> Result<u8> {
    let mut selection = target.selection()?;
    selection.env = Some("demo".to_owned());
    let environment = config::resolve_record(&selection)?;
    let text = match command {
        DemoCommand::Serve { listen } => {
            let environment = config::resolve(&selection)?;
            out.operations().demo_serve(&environment, *listen, super::interrupted()).await?;
            "stopped; its data stays".to_owned()
        }
        DemoCommand::Up => {
            let environment = config::resolve(&selection)?;
            format!("the demo's production runs: {}", out.operations().demo_up(&environment).await?)
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
        Document::Doctor => schemars::schema_for!(Doctor),
        Document::Drift => schemars::schema_for!(Vec<Drift>),
        Document::Backup => schemars::schema_for!(Backup),
        Document::Clone => schemars::schema_for!(CloneProof),
        Document::Compat => schemars::schema_for!(report::compat::Json),
        Document::Shadow => schemars::schema_for!(Shadow),
        Document::History => schemars::schema_for!(Vec<RunSummary>),
        Document::RestoreData => schemars::schema_for!(RestoredData),
        Document::RestoreProduction => schemars::schema_for!(RestoredProduction),
        Document::Clean => schemars::schema_for!(Cleaned),
        Document::ContractsHarvest => schemars::schema_for!(Harvest),
        Document::ContractsDrift => schemars::schema_for!(ContractDrift),
    };
    print(&json(&schema)?);
    Ok(0)
}
