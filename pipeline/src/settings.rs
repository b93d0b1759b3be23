//! What the module is told before anything else, and the container that a command runs in for it.

use dagger_module::sdk::{
    CacheSharingMode, CacheVolume, Container, ContainerWithMountedCacheOpts, Directory, File, Query, Secret,
    Service,
};
use dagger_module::{Group, Held, Result};
use serde::{Deserialize, Serialize};

use crate::image;

/// Where Drydock's state lies in a container: a volume of the engine.
const HOME: &str = "/var/lib/drydock";
const CREDENTIALS: &str = "/run/secrets/drydock-credentials";

/// What every function knows.
#[derive(Clone, Group, Serialize, Deserialize)]
pub struct Settings {
    /// Folder of changelogs; its changelog.yaml is the root
    #[argument(default_path = "/changelogs")]
    changelogs: Held<Directory>,
    /// Folder of contracts, where it is not the folder of changelogs
    pub contracts: Option<Held<Directory>>,
    /// drydock.toml
    config: Option<Held<File>>,
    /// URL of the database, e.g. env:DATABASE_URL
    pub database: Option<Held<Secret>>,
    /// The database as a service, e.g. tcp://localhost:5432; the URL calls it by the host `database`
    service: Option<Held<Service>>,
    /// Object storage that keeps journals and evidence, e.g. s3://bucket/drydock
    journal: Option<String>,
    /// Credentials of the object storage, e.g. file:storage.env: a line NAME=VALUE each, AWS_ACCESS_KEY_ID and the like
    credentials: Option<Held<Secret>>,
    /// Who is at work, for the record
    actor: Option<String>,
    /// Commit of the changelogs, for the record
    commit: Option<String>,
    /// Name of the engine's volume for backups, and for journals where no object storage keeps them
    pub state: Option<String>,
    /// Image with the command and what it needs, as `image` makes it, instead of building one
    base: Option<Held<Container>>,
    /// Drydock's own source, which the command is built from
    #[argument(default_path = "/", ignore = ["*", "!Cargo.toml", "!Cargo.lock", "!engine", "!benches", "!tests", "!pipeline", "!ci/liquibase"])]
    workspace: Held<Directory>,
}

impl Settings {
    /// The container with the command in it.
    pub async fn image(&self, dag: &Query) -> Result<Container> {
        match &self.base {
            Some(base) => Ok(base.get(dag)),
            None => image::build(dag, &self.workspace.get(dag)).await,
        }
    }

    /// The container with what the command works on: changelogs, contracts, configuration.
    pub async fn project(&self, dag: &Query) -> Result<Container> {
        let mut container = self
            .image(dag)
            .await?
            .with_workdir("/project")
            .with_directory("/project/changelogs", self.changelogs.get(dag).id().await?);
        if let Some(contracts) = &self.contracts {
            container = container.with_directory("/project/contracts", contracts.get(dag).id().await?);
        }
        if let Some(config) = &self.config {
            container = container.with_file("/project/drydock.toml", config.get(dag).id().await?);
        }
        Ok(container)
    }

    /// The container with its memory and what it reaches.
    pub async fn container(&self, dag: &Query, env: &str) -> Result<Container> {
        let volume = self.state.clone().unwrap_or_else(|| format!("drydock-home-{env}"));
        // One command at a time: another call waits here for this one.
        let home = dag.cache_volume(volume);
        let mut container = mount(self.project(dag).await?, &home, CacheSharingMode::Locked).await?;
        for (name, value) in [
            ("DRYDOCK_JOURNAL", &self.journal),
            ("DRYDOCK_ACTOR", &self.actor),
            ("DRYDOCK_COMMIT", &self.commit),
        ] {
            if let Some(value) = value {
                container = container.with_env_variable(name, value);
            }
        }
        if let Some(credentials) = &self.credentials {
            container = container
                .with_mounted_secret(CREDENTIALS, credentials.get(dag).id().await?)
                .with_env_variable("DRYDOCK_CREDENTIALS", CREDENTIALS);
        }
        if let Some(service) = &self.service {
            container = container.with_service_binding("database", service.get(dag).id().await?);
        }
        if let Some(database) = &self.database {
            container = container.with_secret_variable("DRYDOCK_DATABASE", database.get(dag).id().await?);
        }
        // An effect is never answered from a cache.
        Ok(container.with_env_variable("DRYDOCK_CALL", uuid::Uuid::new_v4().to_string()))
    }
}

/// Mounts the volume that state is kept in.
pub async fn mount(
    container: Container,
    volume: &CacheVolume,
    sharing: CacheSharingMode,
) -> Result<Container> {
    let options =
        ContainerWithMountedCacheOpts { expand: None, owner: None, sharing: Some(sharing), source: None };
    Ok(container
        .with_mounted_cache_opts(HOME, volume.id().await?, options)
        .with_env_variable("DRYDOCK_HOME", HOME))
}
