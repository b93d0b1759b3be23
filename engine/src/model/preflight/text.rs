//! What was found before anything was done, as sentences for people.

use std::fmt;

use super::{Finding, PassedOver, PoolerSign, ServerDisk, SettingScope, Unfit};

impl fmt::Display for PoolerSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharesSessions => "one session was given to two connections",
            Self::DropsOptions => "the options of a connection did not reach its session",
            Self::RefusesOptions => "it refused the options of a connection",
            Self::NoTransactions => "it refused a transaction",
        })
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        match &self.why {
            Unfit::NotReached { error } => f.write_str(error),
            Unfit::Replica => write!(f, "{server} is a replica"),
            Unfit::ReadOnly => write!(f, "sessions on {server} are read-only"),
            Unfit::Primary => write!(f, "{server} is no replica"),
            Unfit::TakesWrites => write!(f, "{server} takes writes"),
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        mib if mib >= 10_240 => format!("{} GiB", mib >> 10),
        mib => format!("{mib} MiB"),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server { version, encoding } => write!(f, "{version}, encoding {encoding}"),
            Self::ServerChosen { server, passed_over } => {
                write!(f, "of the servers that the URL names, {server} is worked with")?;
                passed_over.iter().try_for_each(|other| write!(f, "; {other}"))
            }
            Self::Pooler { sign } => write!(f, "a connection pooler is in front of the server: {sign}"),
            Self::Replica { primary: Some(primary) } => {
                write!(f, "this is a replica (in recovery), which takes no writes; its primary is {primary}")
            }
            Self::Replica { primary: None } => {
                f.write_str("this is a replica (in recovery), which takes no writes")
            }
            Self::ReadOnlySession => f.write_str("sessions of this user are read-only"),
            Self::SessionSetting { name, value, of, reset } => {
                let whose = match of {
                    SettingScope::Role => "the role",
                    SettingScope::Database => "the database",
                    SettingScope::RoleInDatabase => "the role in this database",
                };
                let ours = if *reset { "; sessions of Drydock do without it" } else { "" };
                write!(f, "{whose} sets {name} = {value}{ours}")
            }
            Self::HiddenRows { table, policies, user } => {
                write!(f, "row security hides rows of {table} from user {user}")?;
                if policies.is_empty() {
                    return f.write_str(" (it has no policy, so that all rows are hidden)");
                }
                write!(f, " (policy {})", policies.join(", "))
            }
            Self::NarrowEncoding { encoding } => {
                write!(
                    f,
                    "the encoding {encoding} has no room for every character: what is not in it is replaced when it is written"
                )
            }
            Self::RestrictedServer => f.write_str("the server lets only sessions with a special right in"),
            Self::NoEncoding { encoding } => {
                write!(
                    f,
                    "the database's encoding is {encoding}: it holds text in whatever encoding was sent"
                )
            }
            Self::UnreadableText { table } => {
                write!(
                    f,
                    "rows of {table} are no UTF-8, and the database does not say what encoding they have"
                )
            }
            Self::Connections { free, limit } => write!(f, "{free} of {limit} connections are free"),
            Self::ReplicaLag { name, bytes, seconds } => {
                write!(f, "replica {name} is {} and {seconds:.1} s behind", mebibytes(*bytes))
            }
            Self::LogKept { consumer, active, bytes } => {
                let state = if *active { "in use" } else { "not in use" };
                write!(f, "{} of the log are kept for {consumer}, which is {state}", mebibytes(*bytes))
            }
            Self::LongTransaction { pid, application, user, seconds } => {
                let name = if application.is_empty() { user } else { application };
                write!(f, "a transaction of {name} (pid {pid}, user {user}) has been open for {seconds} s")
            }
            Self::PreparedTransaction { name, seconds } => {
                write!(f, "the transaction \"{name}\" was prepared {seconds} s ago and has not ended")
            }
            Self::ClockDifference { seconds } => {
                let direction = if *seconds < 0.0 { "behind" } else { "ahead of" };
                write!(f, "the server's clock is {:.1} s {direction} this machine's", seconds.abs())
            }
            Self::CopySize { bytes } => write!(f, "a backup has {}", mebibytes(*bytes)),
            Self::Disk { folder, free, needed } => write!(
                f,
                "{} are free in {folder}; a run needs about {} for backups and a clone",
                mebibytes(*free),
                mebibytes(*needed)
            ),
            Self::ServerDisk { disk, rewritten, needed } => {
                match disk {
                    ServerDisk::Here { folder, free } => {
                        write!(
                            f,
                            "{} are free in {folder}, where the server has its data",
                            mebibytes(*free)
                        )?;
                    }
                    ServerDisk::Hidden => {
                        f.write_str("how much is free on the server's disk cannot be seen from here")?;
                    }
                }
                let Some(table) = rewritten else { return Ok(()) };
                write!(f, "; {table} is written anew, which needs about {}", mebibytes(*needed))
            }
            Self::MissingExtension { name } => {
                write!(f, "the database uses the extension {name}, which is not installed on this machine")
            }
            Self::OldPrograms { server, programs } => {
                write!(f, "the server is {server}, and the programs here that copy it are {programs}")
            }
            Self::OutsideStorage { count } => {
                write!(
                    f,
                    "{count} tablespaces lie outside the server's folder; copies put everything into one folder"
                )
            }
            Self::ParallelService { service } => write!(
                f,
                "the service {service} runs statements in parallel: a transaction cannot read what it wrote so"
            ),
            Self::ExpiringPassword { user, message } => {
                write!(f, "the password of {user} expires soon: {message}")
            }
            Self::LiquibaseLock { by, since, alive } => {
                let state = if *alive { "may be at work" } else { "is gone" };
                write!(f, "Liquibase's lock is held by {by} since {since}, who {state}")
            }
        }
    }
}
