//! Flags, as written; they get their meaning in `config`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{Selection, TrafficKind};
use crate::error::Result;
use crate::model::endpoint::Secret;
use crate::run::inject::Inject;
use crate::variables::Variables;

/// Change the schema of a database that many services share, without anyone noticing, and take the change back when
/// something is wrong.
#[derive(Debug, Parser)]
#[command(name = "drydock", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub target: TargetArgs,

    /// How results are printed on standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub format: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  migrated, or nothing to do
  1  refused before production was touched: breaking, unrehearsable, drifted
  2  the command or its input is wrong
  3  held: part of it waits for services
  4  rolled back
  5  stuck: a person must decide
  130  interrupted: the same command goes on with the run";

#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// Environment of drydock.toml; `demo` needs none
    #[arg(long, global = true, env = "DRYDOCK_ENV", value_name = "NAME")]
    pub env: Option<String>,
    /// drydock.toml to use instead of the nearest one upwards from here
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database to use without a configuration: a URL, or env:NAME or file:PATH of what holds one
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Root changelog
    #[arg(long, global = true, value_name = "PATH")]
    pub changelog: Option<PathBuf>,
    /// Folder of contracts (default: the changelog's)
    #[arg(long, global = true, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// Size of the demo's production when it is made: 1 is about 200,000 shipments and 1,000,000 events
    #[arg(long, global = true, value_name = "N")]
    pub scale: Option<f64>,
    /// Object storage to keep journals and evidence in, e.g. s3://BUCKET/PREFIX: any machine can go on with a run then
    #[arg(long, global = true, env = "DRYDOCK_JOURNAL", value_name = "URL")]
    pub journal: Option<String>,
    /// Lines NAME=value, used where a variable is named and for the credentials of object storage
    #[arg(long, global = true, env = "DRYDOCK_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// What makes the live signals during a rollout
    #[arg(long, global = true, value_enum, value_name = "KIND")]
    pub traffic: Option<TrafficArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TrafficArg {
    /// All queries of all contracts, effects kept
    Services,
    /// All queries, each rolled back
    Rehearse,
    /// Reading queries only
    Probe,
}

impl TargetArgs {
    /// What `config` resolves.
    ///
    /// # Errors
    /// `Input` when a named variable is not set.
    pub fn selection(&self) -> Result<Selection> {
        let variables = self.credentials.as_deref().map(Variables::read).transpose()?.unwrap_or_default();
        let database = match self.database.as_deref() {
            Some(reference) if reference.starts_with("env:") || reference.starts_with("file:") => {
                Some(Secret::new(variables.resolve(reference, "--database")?))
            }
            plain => plain.map(Secret::new),
        };
        Ok(Selection {
            env: self.env.clone(),
            config: self.config.clone(),
            database,
            changelog: self.changelog.clone(),
            contracts: self.contracts.clone(),
            scale: self.scale,
            journal: self.journal.clone(),
            variables,
            traffic: self.traffic.map(|kind| match kind {
                TrafficArg::Services => TrafficKind::Services,
                TrafficArg::Rehearse => TrafficKind::Rehearse,
                TrafficArg::Probe => TrafficKind::Probe,
            }),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    /// JUnit XML, of `compat`
    Junit,
    /// SARIF 2.1.0 for code scanning, of `compat`
    Sarif,
    /// GitLab's code quality report, of `compat`
    Codequality,
    /// A comment for a merge request, of `compat`
    Markdown,
}

impl Format {
    /// What only `compat` gives.
    pub fn is_of_compat(self) -> bool {
        !matches!(self, Format::Text | Format::Json)
    }
}

/// `FORMAT=FILE`
#[derive(Debug, Clone)]
pub struct Written {
    pub format: Format,
    pub file: PathBuf,
}

impl std::str::FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (format, file) =
            text.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or("write FORMAT=FILE")?;
        Ok(Self { format: Format::from_str(format, false)?, file: PathBuf::from(file) })
    }
}

#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Run to go on with (default: the unfinished one, or else a new one)
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Folder with the evidence of a run, as `drydock evidence` writes it: go on with that run
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    pub evidence: Option<PathBuf>,
    /// Take the catalog as it is although it is not as the last run left it
    #[arg(long)]
    pub accept_drift: bool,
    /// Make something fail, to watch the run go back
    #[arg(long, value_enum, default_value = "none", value_name = "STAGE")]
    pub inject: Inject,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do everything: plan, backup, compat, clone, shadow, rollout; go back by itself if anything fails
    Migrate(RunArgs),
    /// Show what Liquibase has pending: phases, hazards, waves, inverses, drift
    Plan,
    /// Compare changelog, history and catalog: what was edited, is unknown, or changed behind Liquibase's back
    Drift,
    /// Take and verify a backup (runs what comes before it)
    Backup(RunArgs),
    /// Hold what is pending against every query of every deployed service version
    Compat {
        /// Also write the result to a file in a format, e.g. sarif=compat.sarif; may be given several times
        #[arg(long, short, value_name = "FORMAT=FILE")]
        output: Vec<Written>,
    },
    /// Restore the backup beside production and prove it equal (runs what comes before it)
    Clone(RunArgs),
    /// Rehearse on the clone: forward, every inverse, forward again (runs what comes before it)
    Shadow(RunArgs),
    /// Change production, wave by wave (runs what comes before it)
    Rollout(RunArgs),
    /// Take the latest run (or --run) back by hand
    Rollback {
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Folder with the evidence of the run, as `drydock evidence` writes it
        #[arg(long, value_name = "DIR", conflicts_with = "run")]
        evidence: Option<PathBuf>,
        /// Why, for the record
        #[arg(long, default_value = "by hand")]
        reason: String,
    },
    /// Show where the latest run is
    Status {
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// List the runs
    History,
    /// Write one self-contained HTML file about a run
    Report {
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// File to write (default: drydock-RUN.html here)
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Copy journal and evidence of a run into a folder, for another machine to go on with
    Evidence {
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Folder to write RUN/journal.jsonl and RUN/evidence/ into
        #[arg(long, short, value_name = "DIR", default_value = ".")]
        output: PathBuf,
    },
    /// Check journals and evidence: nothing changed, nothing missing
    Verify {
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// Show the contracts as they are read, write them from what the database has seen, or compare both
    Contracts {
        #[command(subcommand)]
        command: Option<ContractsCommand>,
    },
    /// The demo's production
    #[command(subcommand)]
    Demo(DemoCommand),
    /// Print the JSON schema of a command's output
    Schema {
        #[arg(value_enum)]
        of: Document,
    },
}

#[derive(Debug, Subcommand)]
pub enum ContractsCommand {
    /// Write contracts of services that have none, from what the database has seen or from files
    Harvest {
        /// Folder to write SERVICE.contract.yaml and SERVICE.queries.sql into (default: the folder of contracts)
        #[arg(long, short, value_name = "DIR")]
        output: Option<PathBuf>,
        /// This service alone, also when it has a contract
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        /// A project of sqlc, a folder of .sql files, or a log of jOOQ to read instead of the database
        #[arg(long, value_name = "PATH", requires = "service")]
        from: Option<PathBuf>,
    },
    /// List services without a contract, queries that no contract has, and queries that nobody was seen to ask
    Drift,
}

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Make it (or start it) and print how to connect
    Up,
    /// Make it (or start it) and serve it to others until told to stop; $DRYDOCK_DEMO_PASSWORD is its password
    ///
    /// Elsewhere `--env demo --database URL` works on it: user drydock, that password, database logistics.
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5432")]
        listen: std::net::SocketAddr,
    },
    /// Stop it; its data stays
    Stop,
    /// Stop it and take it away with all its runs
    Reset,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Document {
    /// Of `migrate`, `rollout`, `rollback` and `status`, and of a stage that the run did not get to
    Migrate,
    Plan,
    Drift,
    Backup,
    Compat,
    Clone,
    Shadow,
    History,
    /// Of `contracts harvest`
    ContractsHarvest,
    /// Of `contracts drift`
    ContractsDrift,
}
