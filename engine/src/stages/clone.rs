//! `clone`: a database restored from the backup of this run, held against what the source was at the restore point.

use std::sync::Arc;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::event::ActOutcome;
use crate::model::evidence::{CloneProof, Compat};
use crate::model::isolation::{Isolation, Network};
use crate::product::{Database, Restored};
use crate::run::Run;
use crate::stages::StageDone;
use crate::watcher::as_progress;

/// The stage of a run.
///
/// # Errors
/// `Failed` when it cannot be restored or is not equal to the source.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    let backup: Backup = run.evidence("backup")?;
    let begun = Instant::now();
    let progress = as_progress(&run.watcher);
    let Restored { endpoint, isolation } =
        run.provider.restore(&backup, run.database.as_ref(), &run.clone_folder(), progress).await?;
    let restore_seconds = begun.elapsed().as_secs_f64();
    run.watcher.progress("comparing the clone with the source", None);
    let clone = run.database.at(endpoint);
    for line in isolation.lines() {
        run.watcher.note(&format!("on the clone, {line}"));
    }
    let compat: Option<Compat> = run.evidence("compat").ok();
    let told = compat.and_then(|compat| compat.scratch?.network);
    tell_network(run, isolation.network.filter(|now| told != Some(*now)));
    let proof = CloneProof { isolation, ..prove(clone.as_ref(), &backup, restore_seconds).await? };
    let evidence = run.keep("clone", &proof).await?;
    if !proof.equal {
        return Err(Error::failed(format!(
            "the clone is not equal to the source: {}",
            proof.differences.join("; ")
        ))
        .hint("the backup cannot be trusted to go back to; take it again and look at its log"));
    }
    let cut_off =
        if proof.isolation.network == Some(Network::CutOff) { "cut off from the network, " } else { "" };
    let text = format!(
        "restored in {:.1} s, {cut_off}equal to the source: {} objects, {} tables, {} rows",
        proof.restore_seconds, proof.objects, proof.tables, proof.rows
    );
    Ok((ActOutcome::Plain, evidence, text))
}

/// Says that a server is not cut off, and what can be done.
fn tell_network(run: &Run, network: Option<Network>) {
    if let Some(warning) = network.and_then(Network::warning) {
        run.watcher.note(&format!("on the clone, {warning}"));
    }
}

/// Holds a copy against what the backup that it was made of says of its source.
///
/// # Errors
/// As the database gives them.
pub async fn prove(clone: &dyn Database, backup: &Backup, restore_seconds: f64) -> Result<CloneProof> {
    let (schema, data) = tokio::try_join!(clone.schema_fingerprint(), clone.data_fingerprint(None))?;
    let schema_differences = backup.schema.differences(&schema, 10);
    let data_differences = backup.data.differences(&data, 10);
    // Transactions that ended between the fingerprint and the restore point may tell the copies apart.
    let excused = !backup.moment.exact && schema_differences.is_empty();
    Ok(CloneProof {
        endpoint: clone.endpoint().to_string(),
        restore_seconds,
        equal: schema_differences.is_empty() && (data_differences.is_empty() || excused),
        note: (!backup.moment.exact)
            .then(|| "transactions ended between the fingerprint and the restore point; the data was compared loosely".to_owned()),
        tables: count(data.tables.len()),
        rows: data.tables.values().map(|t| t.rows).sum(),
        objects: count(schema.objects.len()),
        differences: schema_differences.into_iter().chain(data_differences).collect(),
        isolation: Isolation::default(),
    })
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The clone of this run, started again if it is stopped, and what its processes reach now: another machine or user may go on with a run.
///
/// # Errors
/// `Failed` when there is none any more.
pub async fn revive(run: &Run) -> Result<(Arc<dyn Database>, Option<Network>)> {
    match run.provider.revive(&run.clone_folder()).await? {
        Some(endpoint) => {
            let network = run.provider.network(&run.clone_folder()).await?;
            let proof: CloneProof = run.evidence("clone")?;
            tell_network(run, network.filter(|now| proof.isolation.network != Some(*now)));
            Ok((run.database.at(endpoint), network))
        }
        None => Err(Error::failed("the clone of this run is gone").hint("run the clone stage again")),
    }
}
