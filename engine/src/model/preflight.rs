//! What is looked at before anything is done: facts about the server, the session, and what copies will need.

mod text;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something found before anything was done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    #[serde(flatten)]
    pub finding: Finding,
    /// What follows from it, as `Finding::weight` says.
    pub weight: Weight,
    /// What to do, in the product's terms; nothing where nothing is to do.
    pub remedy: Option<String>,
}

impl Fact {
    pub fn new(finding: Finding) -> Self {
        Self { weight: finding.weight(), finding, remedy: None }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// What follows from a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    Known,
    Warning,
    /// No run is begun. What only looks goes on.
    StopsRuns,
    /// Nothing is planned. What services ran can be read.
    StopsPlans,
    /// Nothing can be done with this database.
    StopsAll,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Finding {
    /// Product and version, and the character encoding of the database.
    Server { version: String, encoding: String },
    /// The URL names several servers: the one that is worked with, and those before it.
    ServerChosen { server: String, passed_over: Vec<PassedOver> },
    /// A connection pooler shares the server's sessions among clients: what is set, locked or prepared meets others.
    Pooler { sign: PoolerSign },
    /// The server follows a primary and takes no writes.
    Replica { primary: Option<String> },
    /// Sessions of this user cannot write although the server can.
    ReadOnlySession,
    /// A setting of the role or the database that gets into every session. `reset`: not into ours.
    SessionSetting { name: String, value: String, of: SettingScope, reset: bool },
    /// Policies hide rows from the user: what is copied and compared would not be whole.
    HiddenRows { table: String, policies: Vec<String>, user: String },
    /// The encoding says nothing about what the bytes of a text mean.
    NoEncoding { encoding: String },
    /// The encoding has no room for every character: what is written and is not in it becomes another one.
    NarrowEncoding { encoding: String },
    /// The server lets only those in who may enter while others may not.
    RestrictedServer,
    /// Rows whose text cannot be read in any known encoding.
    UnreadableText { table: String },
    /// Connections that are free for this user, and the limit they are counted against.
    Connections { free: u64, limit: u64 },
    /// A replica, and how far it is behind.
    ReplicaLag { name: String, bytes: u64, seconds: f64 },
    /// A consumer of the log that makes the server keep it.
    LogKept { consumer: String, active: bool, bytes: u64 },
    /// A transaction that has been open for long: what waits for old transactions waits for it.
    LongTransaction { pid: i64, application: String, user: String, seconds: u64 },
    /// A transaction that a coordinator has prepared and not ended.
    PreparedTransaction { name: String, seconds: u64 },
    /// The server's clock is this many seconds ahead of this machine's, or behind where negative.
    ClockDifference { seconds: f64 },
    /// Bytes of one copy of the database as a backup takes it.
    CopySize { bytes: u64 },
    /// Bytes free where backups and clones are made, and what a run needs there.
    Disk { folder: String, free: u64, needed: u64 },
    /// The disk that the server has its data on, and the largest table that pending changesets write anew with what that needs
    /// there, bytes.
    ServerDisk { disk: ServerDisk, rewritten: Option<String>, needed: u64 },
    /// What the database uses and copies on this machine would lack.
    MissingExtension { name: String },
    /// The programs that make copies are older than the server.
    OldPrograms { server: String, programs: String },
    /// Storage outside the server's own folder; copies put everything into one.
    OutsideStorage { count: u64 },
    /// The service that is connected to runs statements in parallel: what one of them wrote cannot be read again in its transaction.
    ParallelService { service: String },
    /// The password of the user expires soon; what the server says of it.
    ExpiringPassword { user: String, message: String },
    /// Liquibase's lock is held.
    LiquibaseLock { by: String, since: String, alive: bool },
}

/// What can be seen from here of the disk that a server has its data on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "where", rename_all = "snake_case")]
pub enum ServerDisk {
    /// It is a disk of this machine.
    Here {
        folder: String,
        /// Bytes.
        free: u64,
    },
    Hidden,
}

/// A server that the URL names and that is not worked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassedOver {
    /// Host and port.
    pub server: String,
    #[serde(flatten)]
    pub why: Unfit,
}

/// Why a server is not the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unfit {
    NotReached {
        error: String,
    },
    Replica,
    /// It is a primary, and sessions of this user do not write there.
    ReadOnly,
    /// The URL asks for a replica.
    Primary,
    /// The URL asks for a server that takes no writes.
    TakesWrites,
}

/// How a pooler showed itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolerSign {
    /// Two connections had one session, or one connection had two.
    SharesSessions,
    /// What a connection asks for when it is made does not reach the session.
    DropsOptions,
    /// It does not take what a connection asks for when it is made.
    RefusesOptions,
    /// It takes no transaction of several statements.
    NoTransactions,
}

/// Whose setting it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingScope {
    Role,
    Database,
    RoleInDatabase,
}

/// Fewer free connections than this do not carry a run.
const FEWEST_CONNECTIONS: u64 = 5;
const FEW_CONNECTIONS: u64 = 20;
const MUCH_LOG: u64 = 1 << 30;
const FAR_BEHIND: u64 = 64 << 20;

impl Finding {
    pub fn weight(&self) -> Weight {
        let warning_if = |is: bool| if is { Weight::Warning } else { Weight::Known };
        match self {
            Self::Server { .. }
            | Self::ServerChosen { .. }
            | Self::SessionSetting { .. }
            | Self::CopySize { .. }
            | Self::OutsideStorage { .. } => Weight::Known,
            Self::Pooler { .. } => Weight::StopsAll,
            Self::Replica { .. } | Self::ReadOnlySession => Weight::StopsPlans,
            Self::HiddenRows { .. }
            | Self::UnreadableText { .. }
            | Self::MissingExtension { .. }
            | Self::OldPrograms { .. } => Weight::StopsRuns,
            Self::NoEncoding { .. }
            | Self::NarrowEncoding { .. }
            | Self::RestrictedServer
            | Self::LongTransaction { .. }
            | Self::PreparedTransaction { .. }
            | Self::ParallelService { .. }
            | Self::ExpiringPassword { .. } => Weight::Warning,
            Self::Connections { free, .. } if *free < FEWEST_CONNECTIONS => Weight::StopsRuns,
            Self::Connections { free, .. } => warning_if(*free < FEW_CONNECTIONS),
            Self::ReplicaLag { bytes, seconds, .. } => warning_if(*bytes > FAR_BEHIND || *seconds > 10.0),
            Self::LogKept { active, bytes, .. } => warning_if(!active && *bytes > MUCH_LOG),
            Self::ClockDifference { seconds } => warning_if(seconds.abs() > 5.0),
            // One copy does not fit: not even the backup can be taken.
            Self::Disk { free, needed, .. } if *free < needed / 3 => Weight::StopsRuns,
            Self::Disk { free, needed, .. } => warning_if(free < needed),
            Self::ServerDisk { disk: ServerDisk::Here { free, .. }, needed, .. } => warning_if(free < needed),
            Self::ServerDisk { disk: ServerDisk::Hidden, needed, .. } => warning_if(*needed > 0),
            Self::LiquibaseLock { alive, .. } => warning_if(*alive),
        }
    }
}
