//! The demo's production: the shared database of a logistics company, made at first use and kept.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Environment, LAST_SCHEMA, Target};
use crate::error::{Context, Error, Result};
use crate::liquibase::{ChangesetState, Liquibase};
use crate::model::endpoint::Secret;
use crate::product::EmbeddedServer;
use crate::product::{self, Database};
use crate::watcher::Watcher;

/// What production has had for long.
const BASELINE: &str = "baseline.yaml";
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
    let clusters = EmbeddedServer::find().await?;
    let folder = folder(environment);
    let made = folder.join("made");
    if made.is_file() {
        let endpoint = clusters.production(&folder).await?;
        return Ok(product::embedded(endpoint));
    }
    watcher.note(&format!("making the demo's production at scale {scale} (kept until `drydock demo reset`)"));
    reset(environment).await?;
    std::fs::create_dir_all(&environment.home)
        .context(format!("{} cannot be made", environment.home.display()))?;
    let endpoint = clusters.production(&folder).await?;
    let database = product::embedded(endpoint);
    watcher.progress("demo: the baseline, by Liquibase", None);
    let mut liquibase = Liquibase::start(&environment.home.join("cache")).await?;
    liquibase.changelog(environment, BASELINE).await?;
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

/// Makes or starts the demo's production and serves it on an address until `stop` is there; then it is shut down.
///
/// # Errors
/// `Input` when the address is taken or no password is given; `Failed` when the server ends by itself.
pub async fn serve(
    environment: &Environment,
    listen: SocketAddr,
    watcher: &Arc<dyn Watcher>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let password = std::env::var("DRYDOCK_DEMO_PASSWORD").ok().filter(|p| !p.is_empty());
    let password = password.ok_or_else(|| {
        Error::input("the demo's production is served under a password")
            .hint("export DRYDOCK_DEMO_PASSWORD=…")
    })?;
    let Target::Demo { scale } = environment.target else {
        return Err(Error::input("only the demo's own production can be served").hint("leave --database out"));
    };
    let served = async {
        // Two containers may have one folder, and neither sees the other's processes.
        let _lock = alone(environment, watcher).await?;
        production(environment, scale, watcher).await?;
        let clusters = EmbeddedServer::find().await?;
        let endpoint = clusters.listen(&folder(environment), listen, Secret::new(password)).await?;
        watcher.note(&format!("the demo's production listens: {endpoint}"));
        clusters.wait(&folder(environment)).await
    };
    tokio::select! {
        served = served => served,
        () = stop => self::stop(environment).await,
    }
}

/// The lock of the folder that production lies in, waited for.
async fn alone(environment: &Environment, watcher: &Arc<dyn Watcher>) -> Result<File> {
    std::fs::create_dir_all(&environment.home)
        .input(format!("{} cannot be made", environment.home.display()))?;
    let path = environment.home.join("production.lock");
    let file = File::create(&path).context(format!("{} cannot be made", path.display()))?;
    let mut told = false;
    while let Err(locked) = file.try_lock() {
        if let TryLockError::Error(e) = locked {
            return Err(e).context("the lock of the demo's production cannot be taken");
        }
        if !std::mem::replace(&mut told, true) {
            watcher.note("waiting for another process that serves this production");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(file)
}

/// Refuses to play with a database that is not a demo's production: traffic changes data there.
///
/// # Errors
/// `Input` when it does not have the baseline.
pub async fn check(
    environment: &Environment,
    database: &dyn Database,
    liquibase: &mut Liquibase,
) -> Result<()> {
    liquibase.changelog(environment, BASELINE).await?;
    liquibase.connect(database, "drydock demo").await?;
    if liquibase.status().await?.changesets.iter().any(|c| c.state == ChangesetState::Pending) {
        return Err(Error::input("this database is not a demo's production")
            .hint("name its environment in drydock.toml, or leave --env demo out"));
    }
    Ok(())
}

/// Stops the demo's production and takes it away with everything that belongs to the environment.
///
/// # Errors
/// `Failed` when it cannot be removed.
pub async fn reset(environment: &Environment) -> Result<()> {
    stop(environment).await?;
    for name in ["production", "runs", LAST_SCHEMA] {
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
        EmbeddedServer::find().await?.stop(&folder).await?;
    }
    Ok(())
}
