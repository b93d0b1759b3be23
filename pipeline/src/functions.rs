//! What the module offers: the commands of `drydock`, each in its container. No SQL and no decision is made here.

use dagger_module::sdk::{
    CacheSharingMode, Container, ContainerWithExecOpts, ContainerWithMountedCacheOpts, Directory, File,
    Query, ReturnType, Secret, Service,
};
use dagger_module::{Exit, Failure, Held, Result, object};
use serde::{Deserialize, Serialize};

use crate::container;

/// What every function knows.
#[derive(Serialize, Deserialize)]
pub struct Drydock {
    workspace: Held<Directory>,
    changelogs: Held<Directory>,
    contracts: Option<Held<Directory>>,
    config: Option<Held<File>>,
    database: Option<Held<Secret>>,
    service: Option<Held<Service>>,
    state: Option<String>,
}

/// Changes the schema of a database that many services share, and takes it back when something is wrong
#[object]
impl Drydock {
    /// Names what is changed and what it is checked against
    #[allow(clippy::too_many_arguments)]
    pub async fn new(
        /// Folder of changelogs; its changelog.yaml is the root
        #[argument(default_path = "/changelogs")]
        changelogs: Directory,
        /// Folder of contracts, where it is not the folder of changelogs
        contracts: Option<Directory>,
        /// drydock.toml
        config: Option<File>,
        /// URL of the database, e.g. env:DATABASE_URL
        database: Option<Secret>,
        /// The database as a service, e.g. tcp://localhost:5432; the URL calls it by the host `database`
        service: Option<Service>,
        /// Name of the engine's volume that journals, backups and the demo's production are kept in
        state: Option<String>,
        /// Drydock's own source, which the command is built from
        #[argument(default_path = "/", ignore = ["*", "!Cargo.toml", "!Cargo.lock", "!engine", "!benches", "!tests", "!pipeline", "!ci/liquibase"])]
        workspace: Directory,
    ) -> Result<Self> {
        Ok(Self {
            workspace: Held::of(&workspace).await?,
            changelogs: Held::of(&changelogs).await?,
            contracts: Held::of_option(contracts.as_ref()).await?,
            config: Held::of_option(config.as_ref()).await?,
            database: Held::of_option(database.as_ref()).await?,
            service: Held::of_option(service.as_ref()).await?,
            state,
        })
    }

    /// Does everything: plan, backup, compat, clone, shadow, rollout; goes back by itself if anything fails
    #[function(cache = "never")]
    pub async fn migrate(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
        /// What is made to fail in the demo: backup, compat, clone, shadow, rollout-gate, rollout-error, kill
        inject: Option<String>,
    ) -> Result<String> {
        match inject {
            Some(inject) => self.run(dag, &env, scale, &["migrate", "--inject", &inject]).await,
            None => self.run(dag, &env, scale, &["migrate"]).await,
        }
    }

    /// Shows what Liquibase has pending: phases, hazards, waves, inverses, drift
    #[function(cache = "never", check)]
    pub async fn plan(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
    ) -> Result<String> {
        self.run(dag, &env, scale, &["plan"]).await
    }

    /// Holds what is pending against every query of every deployed service version
    #[function(cache = "never", check)]
    pub async fn compat_check(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
    ) -> Result<String> {
        // What is held breaks nobody: that is the answer here, and no failure.
        self.fine(dag, &env, scale, &["compat"], &[0, 3]).await.map(|(_, text)| text)
    }

    /// Takes and verifies a backup, and what comes before it
    #[function(cache = "never")]
    pub async fn backup(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
    ) -> Result<String> {
        self.run(dag, &env, scale, &["backup"]).await
    }

    /// Restores the backup and proves it equal, and what comes before it
    #[function(cache = "never")]
    pub async fn clone(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
    ) -> Result<String> {
        self.run(dag, &env, scale, &["clone"]).await
    }

    /// Rehearses on the clone: forward, every inverse, forward again; and what comes before it
    #[function(cache = "never")]
    pub async fn shadow(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
    ) -> Result<String> {
        self.run(dag, &env, scale, &["shadow"]).await
    }

    /// Changes production, wave by wave, and what comes before it
    #[function(cache = "never")]
    pub async fn rollout(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Size of the demo's production when it is made
        scale: Option<f64>,
    ) -> Result<String> {
        self.run(dag, &env, scale, &["rollout"]).await
    }

    /// Takes the latest run back by hand
    #[function(cache = "never")]
    pub async fn rollback(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Run to take back, where it is not the latest
        run: Option<String>,
        /// Why, for the record
        #[argument(default = "by hand")]
        reason: String,
    ) -> Result<String> {
        let mut arguments = vec!["rollback", "--reason", &reason];
        if let Some(run) = &run {
            arguments.extend(["--run", run]);
        }
        self.run(dag, &env, None, &arguments).await
    }

    /// Shows where the latest run is
    #[function(cache = "never")]
    pub async fn status(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// text, or json: one document
        #[argument(default = "text")]
        format: String,
    ) -> Result<String> {
        self.run(dag, &env, None, &["status", "--format", &format]).await
    }

    /// Lists the runs
    #[function(cache = "never")]
    pub async fn history(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
    ) -> Result<String> {
        self.run(dag, &env, None, &["history"]).await
    }

    /// One self-contained HTML file about a run
    #[function(cache = "never")]
    pub async fn report(
        &self,
        dag: &Query,
        /// Environment of drydock.toml; `demo` needs none
        #[argument(default = "demo")]
        env: String,
        /// Run to tell of, where it is not the latest
        run: Option<String>,
    ) -> Result<File> {
        let mut arguments = vec!["report", "--output", "/report.html"];
        if let Some(run) = &run {
            arguments.extend(["--run", run]);
        }
        Ok(self.fine(dag, &env, None, &arguments, &[0]).await?.0.file("/report.html"))
    }
}

impl Drydock {
    async fn run(&self, dag: &Query, env: &str, scale: Option<f64>, arguments: &[&str]) -> Result<String> {
        Ok(self.fine(dag, env, scale, arguments, &[0]).await?.1)
    }

    /// Runs the command; an exit code that is not one of `fine` becomes the caller's.
    async fn fine(
        &self,
        dag: &Query,
        env: &str,
        scale: Option<f64>,
        arguments: &[&str],
        fine: &[isize],
    ) -> Result<(Container, String)> {
        let container = self.container(dag, env).await?;
        let mut command = vec!["drydock".to_owned()];
        command.extend(arguments.iter().map(|a| (*a).to_owned()));
        command.extend(["--env".to_owned(), env.to_owned()]);
        if let Some(scale) = scale {
            command.extend(["--scale".to_owned(), scale.to_string()]);
        }
        if self.contracts.is_some() {
            command.extend(["--contracts".to_owned(), "contracts".to_owned()]);
        }
        if self.database.is_some() {
            command.extend(["--database".to_owned(), "env:DRYDOCK_DATABASE".to_owned()]);
        }
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
        let code = ran.exit_code().await?;
        let stdout = ran.stdout().await?;
        if fine.contains(&code) {
            return Ok((ran, stdout));
        }
        let stderr = ran.stderr().await?;
        let message = format!("{}\n{}", stdout.trim_end(), stderr.trim_end());
        let exit = Exit { code: i64::try_from(code)?, command, stdout, stderr };
        Err(Failure::new(message.trim()).exit(exit))
    }

    async fn container(&self, dag: &Query, env: &str) -> Result<Container> {
        let volume = self.state.clone().unwrap_or_else(|| format!("drydock-home-{env}"));
        let home = dag.cache_volume(volume).id().await?;
        let locked = ContainerWithMountedCacheOpts {
            expand: None,
            owner: None,
            sharing: Some(CacheSharingMode::Locked),
            source: None,
        };
        let mut container = container::stage(dag, &self.workspace.get(dag))
            .await?
            .with_mounted_cache_opts(container::HOME, home, locked)
            .with_workdir("/project")
            .with_directory("/project/changelogs", self.changelogs.get(dag).id().await?);
        if let Some(contracts) = &self.contracts {
            container = container.with_directory("/project/contracts", contracts.get(dag).id().await?);
        }
        if let Some(config) = &self.config {
            container = container.with_file("/project/drydock.toml", config.get(dag).id().await?);
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
