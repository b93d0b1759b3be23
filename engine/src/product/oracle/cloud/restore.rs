//! Production put back to an earlier moment, in its place: the last resort. It is an outage of every service, and what all of them wrote
//! since is lost.
//!
//! The call takes no token, so it is guarded by the database's tag instead: `restore_point` reads it, the caller keeps what it gives in
//! its journal, and the service does nothing to a database that has another tag by then. Whoever comes after a process that died sees
//! by that whether it was done.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy::Right;
use super::{Cloud, state};
use crate::error::{Error, Result};
use crate::oci::database::autonomous::{self, AutonomousDatabase};
use crate::oci::database::{DatabaseState as State, OpenMode};
use crate::oci::work_request::{self, Status, WorkRequest};
use crate::oci::{Failure, Tagged};

/// Leave that somebody gave to put production back, and lose what was written since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    by: String,
    at: Timestamp,
}

impl Approved {
    /// # Errors
    /// `Input` without a name.
    pub fn new(by: &str, at: Timestamp) -> Result<Self> {
        if by.trim().is_empty() {
            return Err(Error::input("a restore in place needs the name of who approved it"));
        }
        Ok(Self { by: by.trim().to_owned(), at })
    }

    pub fn by(&self) -> &str {
        &self.by
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// What is to be done, to a database as it was then. It is kept before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreIntended {
    pub database: String,
    pub to: Timestamp,
    pub seen_at: Timestamp,
    /// Of the database when it was looked at.
    pub etag: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    pub database: String,
    pub to: Timestamp,
    pub approved_by: String,
}

/// How far it is, as the database shows it.
enum Step {
    Wait,
    Restore,
    Stop,
    Start,
    Done,
    /// It takes reads and writes, and it is another one than was looked at; nothing else shows what happened.
    Unclear,
}

impl Cloud {
    /// Looks at a database that is to be put back to `to`. Nothing is done to it.
    ///
    /// # Errors
    /// `Refused` when it cannot be put back now, or to that moment.
    pub async fn restore_point(&self, database: &str, to: Timestamp) -> Result<RestoreIntended> {
        let now = Timestamp::now();
        let found = self.tagged(database).await?;
        state::ready(&found.value)?;
        let name = state::name(&found.value);
        if to >= now {
            return Err(Error::refused(format!("{name} cannot be put back to {to}, which is not over")));
        }
        if let Some(made) = found.value.time_created.filter(|made| to < *made) {
            return Err(Error::refused(format!(
                "{name} cannot be put back to {to}: it was made on {made:.0}"
            )));
        }
        let etag = found.etag.ok_or_else(|| {
            Error::refused(format!("{name} cannot be put back: the service says no tag that would guard it"))
        })?;
        Ok(RestoreIntended { database: database.to_owned(), to, seen_at: now, etag })
    }

    /// Puts the database back, and waits until everybody can read and write it again: it opens for reading only, and is stopped and started
    /// for that. May be called again after a process that died; it goes on where that one was.
    ///
    /// # Errors
    /// `Stuck` when the database was changed since it was looked at and does not show whether it was put back, and when it could not be.
    /// `Failed` when it is not over yet, or the service does not do it.
    pub async fn restore(&self, intended: &RestoreIntended, approved: &Approved) -> Result<PutBack> {
        let id = &intended.database;
        let mut looks = self.pace.begin();
        // Whether anything was seen that only a restore does.
        let mut under_way = false;
        loop {
            let database = self.tagged(id).await?;
            let is_as_seen = database.etag.as_deref() == Some(intended.etag.as_str());
            let etag = database.etag.as_deref();
            match step(&database.value, is_as_seen, under_way)? {
                Step::Done => {
                    state::ready(&database.value)?;
                    return Ok(PutBack {
                        database: id.clone(),
                        to: intended.to,
                        approved_by: approved.by.clone(),
                    });
                }
                Step::Unclear => match self.record(&database.value, intended).await {
                    Some(Status::Succeeded) => {
                        under_way = true;
                        continue;
                    }
                    Some(Status::Accepted | Status::InProgress) => {}
                    _ => return Err(unclear(&database.value, intended)),
                },
                Step::Restore => {
                    let asked = autonomous::restore(&self.client, id, intended.to, &intended.etag).await;
                    under_way |= self.taken(asked, "cannot be put back", Right::Restore, id)?;
                }
                Step::Stop => {
                    under_way = true;
                    let asked = autonomous::stop(&self.client, id, etag).await;
                    self.taken(asked, "was put back, and cannot be stopped", Right::StartAndStop, id)?;
                }
                Step::Start => {
                    under_way = true;
                    let asked = autonomous::start(&self.client, id, etag).await;
                    self.taken(
                        asked,
                        "was put back and stopped, and cannot be started",
                        Right::StartAndStop,
                        id,
                    )?;
                }
                Step::Wait => under_way |= !is_as_seen,
            }
            self.tell(&format!("the database is {}", database.value.lifecycle_state), None);
            if !looks.next().await {
                let late = Failure::Late { what: format!("the restore of {id}"), limit: looks.limit() };
                return Err(late.into_error("the database is not back yet", &Right::Restore.statement()));
            }
        }
    }

    /// Whether a call was taken. One that meets another state than it was meant for is no failure: the next look tells why.
    fn taken(
        &self,
        asked: Result<Tagged<AutonomousDatabase>, Failure>,
        what: &str,
        right: Right,
        id: &str,
    ) -> Result<bool> {
        match asked {
            Ok(_) => Ok(true),
            Err(e) if matches!(e.status(), Some(409 | 412)) => Ok(false),
            Err(e) => Err(self.error(e, format!("the database {id} {what}"), right, id)),
        }
    }

    /// What became of a restore that was begun since the database was looked at, as the service's records show it. Where they cannot be
    /// read, they show nothing.
    async fn record(&self, database: &AutonomousDatabase, intended: &RestoreIntended) -> Option<Status> {
        let records = work_request::list(&self.client, &database.compartment_id, &database.id).await;
        let since = |work: &WorkRequest| work.time_accepted.is_some_and(|at| at >= intended.seen_at);
        let mut restores: Vec<WorkRequest> = records.unwrap_or_default();
        restores.retain(|work| work.operation_type.to_lowercase().contains("restore") && since(work));
        restores.sort_by_key(|work| work.time_accepted);
        restores.pop().map(|work| work.status)
    }
}

fn step(database: &AutonomousDatabase, is_as_seen: bool, under_way: bool) -> Result<Step> {
    let name = state::name(database);
    let details = database.lifecycle_details.as_deref().filter(|d| !d.is_empty());
    Ok(match &database.lifecycle_state {
        State::Available if is_as_seen => Step::Restore,
        State::Available if !under_way => Step::Unclear,
        // Where the service does not call for attention, the mode says it.
        State::Available if database.open_mode == Some(OpenMode::ReadOnly) => Step::Stop,
        State::Available => Step::Done,
        State::AvailableNeedsAttention => Step::Stop,
        State::Stopped => Step::Start,
        State::RestoreFailed | State::Terminating | State::Terminated | State::Inaccessible => {
            return Err(Error::stuck(format!("the database {name} is {}", database.lifecycle_state))
                .because(details.unwrap_or("the service does not say why").to_owned())
                .hint("a clone of the run's backup, or of a moment, can take its place: Oracle's support helps with the database itself"));
        }
        _ => Step::Wait,
    })
}

fn unclear(database: &AutonomousDatabase, intended: &RestoreIntended) -> Error {
    Error::stuck(format!(
        "{} was changed since it was looked at, and it cannot be told whether it was put back to {}",
        state::name(database),
        intended.to
    ))
    .hint("see the database's work requests in the console; look at it again, and approve again, to put it back")
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
