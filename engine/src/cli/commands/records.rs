//! Commands that read the record of runs.

use std::path::{Path, PathBuf};

use super::Out;
use crate::cli::args::TargetArgs;
use crate::config;
use crate::error::{Context, Result};
use crate::model::evidence::Outcome;
use crate::report;

pub(super) async fn status(target: &TargetArgs, run: Option<String>, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let record = out.operations().record(&environment, run).await?;
    out.give(&record.summary, |style| report::text::status(&record, style.width))?;
    // Whoever asks in a script has to hear that a person must decide.
    Ok(if record.summary.outcome == Outcome::Stuck { Outcome::Stuck.exit_code() } else { 0 })
}

pub(super) async fn history(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let runs = out.operations().history(&environment).await?;
    out.give(&runs, |style| report::text::history(&runs, style.width))?;
    Ok(0)
}

pub(super) async fn report(
    target: &TargetArgs,
    run: Option<String>,
    output: Option<PathBuf>,
    out: &Out,
) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let record = out.operations().record(&environment, run).await?;
    let id = &record.summary.run;
    let path = output.unwrap_or_else(|| PathBuf::from(format!("drydock-{id}.html")));
    std::fs::write(&path, report::html(&record)).context(format!("{} cannot be written", path.display()))?;
    out.give(&serde_json::json!({"run": id, "file": path}), |_| path.display().to_string())?;
    Ok(0)
}

pub(super) async fn evidence(
    target: &TargetArgs,
    run: Option<String>,
    folder: &Path,
    out: &Out,
) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let (id, path) = out.operations().hand_over(&environment, run, folder).await?;
    out.give(&serde_json::json!({"run": id, "folder": path}), |_| path.display().to_string())?;
    Ok(0)
}

pub(super) async fn verify(target: &TargetArgs, run: Option<String>, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let verified = out.operations().verify(&environment, run).await?;
    let json: Vec<_> = verified
        .iter()
        .map(|v| serde_json::json!({"run": v.run, "events": v.events, "intact": true}))
        .collect();
    out.give(&json, |_| {
        let lines = verified.iter().map(|v| format!("{}: {} events, intact", v.run, v.events));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(0)
}
