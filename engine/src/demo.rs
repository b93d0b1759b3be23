//! The demo's production: the shared database of a logistics company, made at first use and kept.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Environment;
use crate::database::{self, Database};
use crate::error::{Context, Error, Result};
use crate::liquibase::Liquibase;
use crate::provider;
use crate::watcher::Watcher;

/// Scales the generator takes.
const SCALES: std::ops::RangeInclusive<f64> = 0.001..=50.0;

fn folder(environment: &Environment) -> PathBuf {
    environment.home.join("production")
}

/// The demo's production, running. It is made whole or not at all: one that was not finished is made anew.
///
/// # Errors
/// `Input` when the scale is out of range or is not the one it was made with, or the server's programs are missing.
pub async fn production(
    environment: &Environment,
    scale: f64,
    watcher: &Arc<dyn Watcher>,
) -> Result<Arc<dyn Database>> {
    if !SCALES.contains(&scale) {
        return Err(
            Error::input(format!("--scale {scale} is out of range")).hint("give a number from 0.001 to 50")
        );
    }
    let folder = folder(environment);
    let made = folder.join("made");
    let clusters = provider::local::Local::find().await?;
    if made.is_file() {
        let endpoint = clusters.production(&folder).await?;
        return Ok(database::embedded(endpoint));
    }
    watcher.note(&format!("making the demo's production at scale {scale} (kept until `drydock demo reset`)"));
    reset(environment).await?;
    std::fs::create_dir_all(&environment.home)
        .context(format!("{} cannot be made", environment.home.display()))?;
    let endpoint = clusters.production(&folder).await?;
    let database = database::embedded(endpoint);
    watcher.progress("demo: the baseline, by Liquibase", None);
    let mut liquibase = Liquibase::start(&environment.home.join("cache")).await?;
    liquibase.changelog(environment, "baseline.yaml").await?;
    liquibase.connect(database.as_ref(), "drydock demo").await?;
    liquibase.apply_all(None).await?;
    liquibase.close().await;
    watcher.progress("demo: generating data", None);
    let seed = environment.changelog_root.join("seed.sql");
    let script = std::fs::read_to_string(&seed).input(format!("{} cannot be read", seed.display()))?;
    database.execute_script(&script.replace(":scale", &scale.to_string())).await?;
    std::fs::write(&made, scale.to_string()).context("the demo's production cannot be marked as made")?;
    Ok(database)
}

/// Stops the demo's production and takes it away with everything that belongs to the environment.
///
/// # Errors
/// `Failed` when it cannot be removed.
pub async fn reset(environment: &Environment) -> Result<()> {
    stop(environment).await?;
    for name in ["production", "runs", "schema.json"] {
        let path = environment.home.join(name);
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).context(format!("{} cannot be removed", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Stops every server of the environment that this machine runs; data is kept.
///
/// # Errors
/// `Failed` when one does not stop.
pub async fn stop(environment: &Environment) -> Result<()> {
    let folder = folder(environment);
    if folder.is_dir() {
        provider::local::Local::find().await?.stop(&folder).await?;
    }
    Ok(())
}
