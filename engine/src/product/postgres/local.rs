//! Clusters on this machine: PostgreSQL's own programs make backups, clones and scratch databases.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::catalog::Catalog;
use crate::model::endpoint::{Endpoint, Secret};
use crate::model::isolation::{Isolation, Network};
use crate::model::preflight::Fact;
use crate::model::sample::SampleData;
use crate::product::postgres::Postgres;
use crate::product::{Database, Execute, InPlace, Provider, Restored, Scratch};
use crate::watcher::Progress;
use cluster::{Cluster, Purpose, Settings};
use tools::Tools;

mod backup;
mod cluster;
mod disarm;
mod dump;
mod empty_cluster;
mod in_place;
mod logical;
mod network;
mod physical;
mod preflight;
mod recovery;
mod restore;
mod rows;
mod scratch;
mod server_process;
mod server_state;
mod source;
mod tools;
mod unlogged;
mod wal;

/// How long a server may take to start when it has nothing to recover.
const START: Duration = Duration::from_secs(120);

/// Makes clusters with the programs it found.
#[derive(Debug, Clone)]
pub struct Local {
    tools: Tools,
}

impl Local {
    /// Finds the server's programs: `PATH`, then where packages put them, newest first.
    ///
    /// # Errors
    /// `Input` when there are none, or when we are root and there is no user `postgres`.
    pub async fn find() -> Result<Self> {
        Ok(Self { tools: Tools::find().await? })
    }

    /// The demo's production: a durable cluster with database `logistics` and superuser `drydock`. Made at first use,
    /// started when it is stopped.
    ///
    /// # Errors
    /// With the last line of the server's log when it does not start.
    pub async fn production(&self, folder: &Path) -> Result<Endpoint> {
        if let Some(endpoint) = self.revive(folder).await? {
            return Ok(endpoint);
        }
        cluster::discard(&self.tools, folder).await?;
        let mut cluster =
            Cluster::new(&self.tools, Purpose::Service, folder, "drydock", "logistics", "drydock")?;
        cluster.init().await?;
        let mut settings: Settings = [
            ("wal_level", "replica"),
            ("max_wal_senders", "10"),
            ("wal_keep_size", "256MB"),
            ("max_wal_size", "2GB"),
            ("shared_buffers", "256MB"),
            ("max_connections", "300"),
            ("synchronous_commit", "on"),
            ("fsync", "on"),
            ("track_io_timing", "on"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        if self.tools.has_library("pg_stat_statements") {
            settings.push(("shared_preload_libraries", "pg_stat_statements".into()));
        }
        cluster.configure(&settings)?;
        cluster.start(START).await?;
        restore::login(&cluster, &cluster.endpoint()).await?;
        let admin = Postgres::from_endpoint(cluster.admin("postgres"));
        admin.execute_script("CREATE DATABASE logistics").await?;
        cluster.finish()?;
        Ok(cluster.endpoint())
    }

    /// Starts the server in a folder anew for everybody who knows the password, on an address of its own.
    ///
    /// # Errors
    /// `Input` when the address is taken; `Failed` when there is no server.
    pub async fn listen(&self, folder: &Path, address: SocketAddr, password: Secret) -> Result<Endpoint> {
        let mut cluster = Cluster::open(&self.tools, folder)?
            .ok_or_else(|| Error::failed(format!("there is no server in {}", folder.display())))?;
        cluster.set_password(password)?;
        restore::login(&cluster, &cluster.endpoint()).await?;
        cluster.stop("fast").await;
        cluster.listen(address, START).await?;
        Ok(cluster.endpoint())
    }

    /// Waits until the server in a folder ends.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn wait(&self, folder: &Path) -> Result<()> {
        while let Some(cluster) = Cluster::open(&self.tools, folder)? {
            if !cluster.running().await {
                return Err(cluster.died(Error::failed("it ended by itself")));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(Error::failed(format!("there is no server in {} any more", folder.display())))
    }

    /// Stops the server in a folder and leaves it there.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub async fn stop(&self, folder: &Path) -> Result<()> {
        if let Some(cluster) = Cluster::open(&self.tools, folder)? {
            cluster.stop("fast").await;
        }
        Ok(())
    }
}

#[async_trait]
impl Provider for Local {
    async fn preflight(&self, database: &dyn Database) -> Result<Vec<Fact>> {
        preflight::read(&self.tools, &Postgres::from_endpoint(database.endpoint().clone())).await
    }

    async fn backup(
        &self,
        database: &dyn Database,
        folder: &Path,
        id: &str,
        progress: Progress,
    ) -> Result<Backup> {
        backup::take(&self.tools, database, folder, id, &progress).await
    }

    async fn holds(&self, backup: &Backup) -> Result<bool> {
        Ok(backup.folder.is_dir())
    }

    async fn restore(
        &self,
        backup: &Backup,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Restored> {
        cluster::discard(&self.tools, folder).await?;
        restore::restore(&self.tools, backup, database, folder, restore::Reach::TakenOut, &progress).await
    }

    async fn scratch(
        &self,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Option<Arc<dyn Scratch>>> {
        cluster::discard(&self.tools, folder).await?;
        let Restored { endpoint: template, isolation } =
            scratch::make(&self.tools, database, folder, &progress).await?;
        let aside = Postgres::from_endpoint(scratch::aside(&template));
        Ok(Some(Arc::new(LocalScratch {
            tools: self.tools.clone(),
            folder: folder.to_owned(),
            template,
            isolation,
            aside,
        })))
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        Some(self)
    }

    async fn rest(&self, folder: &Path) -> Result<()> {
        match Cluster::open(&self.tools, folder)? {
            Some(cluster) => cluster.stop("fast").await,
            None => cluster::discard(&self.tools, folder).await?,
        }
        Ok(())
    }

    async fn discard(&self, folder: &Path) -> Result<()> {
        cluster::discard(&self.tools, folder).await
    }

    async fn network(&self, folder: &Path) -> Result<Option<Network>> {
        Ok(Cluster::open(&self.tools, folder)?.map(|cluster| cluster.network()))
    }

    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>> {
        let Some(mut cluster) = Cluster::open(&self.tools, folder)? else { return Ok(None) };
        cluster.start(START).await?;
        Ok(Some(cluster.endpoint()))
    }
}

/// Scratch databases in a cluster of their own.
struct LocalScratch {
    tools: Tools,
    folder: PathBuf,
    template: Endpoint,
    isolation: Isolation,
    /// Copies are made from a session there.
    aside: Postgres,
}

#[async_trait]
impl Scratch for LocalScratch {
    fn template(&self) -> &Endpoint {
        &self.template
    }

    fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    async fn copy(&self, of: &Endpoint, name: &str) -> Result<Endpoint> {
        scratch::fresh(&self.aside, of, name).await
    }

    async fn clear(&self) -> Result<bool> {
        scratch::clear(&scratch::open(&self.tools, &self.folder)?, &self.folder).await
    }

    async fn sample_rows(
        &self,
        database: &dyn Database,
        catalog: &Catalog,
        tables: &BTreeSet<String>,
        progress: Progress,
    ) -> Result<Option<SampleData>> {
        let cluster = scratch::open(&self.tools, &self.folder)?;
        let production = Postgres::from_endpoint(database.endpoint().clone());
        rows::sample_rows(&cluster, &production, catalog, tables, &progress).await.map(Some)
    }
}

/// An absolute path: children have another working folder.
fn absolute(path: &Path) -> Result<PathBuf> {
    crate::error::Context::context(std::path::absolute(path), format!("{} cannot be told", path.display()))
}
