//! `drydock contracts`: as they are read, as they are seen, and what tells the two apart.

use super::Out;
use crate::cli::args::TargetArgs;
use crate::config;
use crate::contract::drift;
use crate::error::Result;
use crate::operations::contracts::{Harvest, HarvestOptions};

pub(super) fn show(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let contracts = out.operations().contracts(&environment)?;
    out.give(&contracts, |_| {
        let mut lines = Vec::new();
        for contract in &contracts {
            for version in &contract.versions {
                lines.push(format!(
                    "{:<22} {:<9} {:>4} queries {:>4} API fields  {}",
                    contract.service,
                    version.version,
                    version.queries.len(),
                    version.api.len(),
                    contract.owner.as_deref().unwrap_or("")
                ));
            }
        }
        lines.join("\n")
    })?;
    Ok(0)
}

pub(super) async fn harvest(target: &TargetArgs, mut wish: HarvestOptions, out: &Out) -> Result<u8> {
    let selection = target.selection()?;
    // A harvest of files needs no database, and so no environment.
    let environment = match &wish.from {
        Some(_) if selection.env.is_none() && selection.database.is_none() => None,
        _ => Some(config::resolve_record(&selection)?),
    };
    wish.output = wish.output.or_else(|| target.contracts.clone());
    let done = out.operations().harvest(environment.as_ref(), wish).await?;
    out.give(&done, |_| harvest_text(&done))?;
    Ok(0)
}

fn harvest_text(done: &Harvest) -> String {
    let mut out = String::new();
    for w in &done.written {
        out.push_str(&format!(
            "{:<22} {:>4} queries, versions {}: {}\n",
            w.service,
            w.queries,
            w.versions.join(", "),
            w.file.display()
        ));
    }
    for left in &done.left_out {
        out.push_str(&format!(
            "left out  {}: {} ({})\n",
            left.service,
            left.sql.split_whitespace().collect::<Vec<_>>().join(" "),
            left.reason
        ));
    }
    if !done.have_contracts.is_empty() {
        out.push_str(&format!(
            "{} services have a contract; --service NAME writes one anew\n",
            done.have_contracts.len()
        ));
    }
    if let Some(forgotten) = &done.forgotten {
        out.push_str(&format!("queries may be missing: {forgotten}\n"));
    }
    if done.unreadable > 0 {
        out.push_str(&format!("{} query texts were cut off or lost by the database\n", done.unreadable));
    }
    if out.is_empty() {
        out.push_str("the database has seen no service yet\n");
    }
    out
}

pub(super) async fn drift(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let drift = out.operations().contract_drift(&environment).await?;
    out.give(&drift, |_| drift::text(&drift))?;
    Ok(0)
}
