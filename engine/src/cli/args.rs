//! Flags, as written; they get their meaning in `config`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{LiquibaseSelection, Selection, TrafficKind};
use crate::error::Result;
use crate::model::endpoint::Secret;
use crate::model::restored_production::MomentAsked;
use crate::run::inject::Inject;
use crate::variables::Variables;

/// Changes the schema of a database that many services share, without anyone noticing, and takes the change back when
/// something is wrong.
#[derive(Debug, Parser)]
#[command(name = "drydock", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub target: TargetArgs,

    /// Format of the result on standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub format: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  migrated, or nothing to do
  1  refused before production was touched: breaking, too slow, cannot be rehearsed, drifted
  2  the command or its input is wrong
  3  held: a part waits for services
  4  rolled back
  5  stuck: a person must decide
  130  interrupted: the same command goes on with the run";

#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// Environment of drydock.toml; `demo` needs no file
    #[arg(long, global = true, env = "DRYDOCK_ENV", value_name = "NAME")]
    pub env: Option<String>,
    /// Configuration to use instead of the nearest drydock.toml upwards from here
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database to use without a configuration: a URL, or where the URL is: env:NAME or file:PATH
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Root changelog (default: changelogs/changelog.yaml)
    #[arg(long, global = true, value_name = "PATH")]
    pub changelog: Option<PathBuf>,
    /// Folder that paths of changelogs begin at, as Liquibase's search path (default: the changelog's folder, or the
    /// src/main/resources above it); may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    pub changelog_root: Vec<PathBuf>,
    /// Value of ${NAME} in changelogs; may be given several times
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub parameter: Vec<Parameter>,
    /// Schema of Liquibase's history (default: the session's first)
    #[arg(long, global = true, value_name = "NAME", env = "LIQUIBASE_COMMAND_LIQUIBASE_SCHEMA_NAME")]
    pub liquibase_schema: Option<String>,
    /// Table of Liquibase's history (default: DATABASECHANGELOG)
    #[arg(long, global = true, value_name = "NAME", env = "LIQUIBASE_DATABASE_CHANGELOG_TABLE_NAME")]
    pub liquibase_table: Option<String>,
    /// Table of Liquibase's lock (default: DATABASECHANGELOGLOCK)
    #[arg(long, global = true, value_name = "NAME", env = "LIQUIBASE_DATABASE_CHANGELOG_LOCK_TABLE_NAME")]
    pub liquibase_lock_table: Option<String>,
    /// Schema of names that say none (default: the session's first)
    #[arg(long, global = true, value_name = "NAME", env = "LIQUIBASE_COMMAND_DEFAULT_SCHEMA_NAME")]
    pub default_schema: Option<String>,
    /// Liquibase's file of settings (default: liquibase.properties beside the changelog or drydock.toml)
    #[arg(long, global = true, value_name = "FILE")]
    pub liquibase_properties: Option<PathBuf>,
    /// Folder of contracts (default: the changelog's folder)
    #[arg(long, global = true, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// Size of the demo's production when Drydock makes it: 1 is about 200,000 shipments and 1,000,000 events
    #[arg(long, global = true, value_name = "N")]
    pub scale: Option<f64>,
    /// Object storage for journals and evidence, e.g. s3://BUCKET/PREFIX or oci://BUCKET@NAMESPACE/PREFIX: any machine can then go on with a run
    #[arg(long, global = true, env = "DRYDOCK_JOURNAL", value_name = "URL")]
    pub journal: Option<String>,
    /// File of NAME=value lines: values for env:NAME, and the credentials of object storage
    #[arg(long, global = true, env = "DRYDOCK_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Traffic that the gates judge by during a rollout
    #[arg(long, global = true, value_enum, value_name = "KIND")]
    pub traffic: Option<TrafficArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TrafficArg {
    /// All queries of all contracts; their effects stay
    Services,
    /// All queries; each request is rolled back
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
            liquibase: LiquibaseSelection {
                roots: self.changelog_root.clone(),
                parameters: self.parameter.iter().map(|p| (p.name.clone(), p.value.clone())).collect(),
                liquibase_schema: self.liquibase_schema.clone(),
                liquibase_table: self.liquibase_table.clone(),
                liquibase_lock_table: self.liquibase_lock_table.clone(),
                default_schema: self.default_schema.clone(),
                properties: self.liquibase_properties.clone(),
                contexts: None,
                labels: None,
            },
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
    /// JUnit XML; `compat` only
    Junit,
    /// SARIF 2.1.0 for code scanning; `compat` only
    Sarif,
    /// GitLab's code quality report; `compat` only
    Codequality,
    /// A comment for a merge request; `compat` only
    Markdown,
}

impl Format {
    /// Whether only `compat` has this format.
    pub fn is_of_compat(self) -> bool {
        !matches!(self, Format::Text | Format::Json)
    }
}

/// `NAME=VALUE`
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub value: String,
}

impl std::str::FromStr for Parameter {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, value) =
            text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("write NAME=VALUE")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
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
    /// Run to go on with (default: the unfinished run, or else a new one)
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Folder that `drydock evidence` wrote: go on with the run in it
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    pub evidence: Option<PathBuf>,
    /// Accept a catalog that is not as the last run left it
    #[arg(long)]
    pub accept_drift: bool,
    /// Failure to make in the demo, to watch the run go back
    #[arg(long, value_enum, default_value = "none", value_name = "STAGE")]
    pub inject: Inject,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all stages: plan, backup, compat, clone, shadow, rollout; go back automatically if anything fails
    Migrate(RunArgs),
    /// Show what Liquibase has pending: phases, hazards, waves, inverses, drift
    Plan,
    /// Show what is known of the database, the session, the disk and Liquibase's history, and what to do about it
    Doctor {
        /// Only print what a database administrator has to grant to Drydock's user. Nothing is connected to
        #[arg(long)]
        print_grants: bool,
    },
    /// Compare changelog, history and catalog: edited changesets, unknown changesets, changes made without Liquibase
    Drift,
    /// Take and verify a backup (runs the stages before it)
    Backup(RunArgs),
    /// Check what is pending against every query of every deployed service version
    Compat {
        /// Also write the result to a file in a format, e.g. sarif=compat.sarif; may be given several times
        #[arg(long, short, value_name = "FORMAT=FILE")]
        output: Vec<Written>,
    },
    /// Restore the backup beside production and prove it equal (runs the stages before it)
    Clone(RunArgs),
    /// Rehearse on the clone: forward, every inverse, forward again (runs the stages before it)
    Shadow(RunArgs),
    /// Change production, wave by wave (runs the stages before it)
    Rollout(RunArgs),
    /// Take the latest run that changed production (or --run) back by hand
    Rollback {
        /// Run to take back (default: the latest that changed production)
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Folder that `drydock evidence` wrote: take back the run in it
        #[arg(long, value_name = "DIR", conflicts_with = "run")]
        evidence: Option<PathBuf>,
        /// Reason for the record
        #[arg(long, default_value = "by hand")]
        reason: String,
        /// Accept that production's schema is not as the run left it
        #[arg(long)]
        accept_drift: bool,
        /// Accept that what services wrote since the run is lost where its changes are taken back
        #[arg(long)]
        accept_loss: bool,
    },
    /// Put back what the rollback of a run took and kept aside; what was written since stays
    RestoreData {
        /// Run whose rollback kept it
        #[arg(long, value_name = "RUN")]
        run: String,
    },
    /// Last resort: restore production from the backup of a run; services can only read meanwhile
    RestoreProduction {
        /// Run whose backup takes the place of production
        #[arg(long, value_name = "RUN")]
        run: String,
        /// Later moment to restore, from the archived log: a date and time with its zone, or before-rollout
        #[arg(long, value_name = "MOMENT")]
        to: Option<MomentAsked>,
        /// Accept that production loses what is not restored; it is kept as a database of its own
        #[arg(long)]
        accept_loss: bool,
    },
    /// Drop what rollbacks have kept aside and whose window is over
    Clean {
        /// Run of which everything that is kept is dropped, whatever its window
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// Show where the latest run is
    Status {
        /// Run to show (default: the latest)
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// List the runs
    History,
    /// Write one self-contained HTML file about a run
    Report {
        /// Run to report (default: the latest)
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// File to write (default: drydock-RUN.html in this folder)
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Copy the journal and the evidence of a run into a folder: another machine can go on with it
    Evidence {
        /// Run to copy (default: the latest)
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Folder to write RUN/journal.jsonl and RUN/evidence/ into
        #[arg(long, short, value_name = "DIR", default_value = ".")]
        output: PathBuf,
    },
    /// Check that journals and evidence are as they were written
    Verify {
        /// Run to check (default: all)
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// Show the contracts; harvest them from what the database has seen; compare both
    Contracts {
        #[command(subcommand)]
        command: Option<ContractsCommand>,
    },
    /// Start, stop, remove or serve the demo's production
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
        /// Service to harvest, also when it has a contract (default: all without a contract)
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        /// A project of sqlc, a folder of .sql files, or a log of jOOQ, instead of the database
        #[arg(long, value_name = "PATH", requires = "service")]
        from: Option<PathBuf>,
    },
    /// List services without a contract, queries that no contract has, and queries that the database has not seen
    Drift,
}

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Start the demo's production (make it first if there is none) and print how to connect
    Up,
    /// Start the demo's production and serve it to others until interrupted; $DRYDOCK_DEMO_PASSWORD is its password
    ///
    /// Another machine reaches it with `--env demo --database URL`: user drydock, that password, database logistics.
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5432")]
        listen: std::net::SocketAddr,
    },
    /// Stop the demo's production; its data stays
    Stop,
    /// Stop the demo's production and remove it with all its runs
    Reset,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Document {
    /// Of `migrate`, `rollout`, `rollback` and `status`; also of a stage command whose stage gave no evidence
    Migrate,
    Plan,
    Doctor,
    Drift,
    Backup,
    Compat,
    Clone,
    Shadow,
    History,
    RestoreData,
    RestoreProduction,
    Clean,
    /// Of `contracts harvest`
    ContractsHarvest,
    /// Of `contracts drift`
    ContractsDrift,
}
