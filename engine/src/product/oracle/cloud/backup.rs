//! A backup of a run: one, whoever asks how often.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::names::display_name;
use super::policy::Right;
use super::{Cloud, state};
use crate::error::{Error, Result};
use crate::oci::database::autonomous::AutonomousDatabase;
use crate::oci::database::backups::{self, AutonomousDatabaseBackup, NewBackup};
use crate::oci::database::{BackupState, BackupType, DatabaseState};
use crate::oci::{Failure, Tagged, retry_token, work_request};

/// How long a backup is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// As long as the database keeps its own backups. The database can be put back to it; it cannot be deleted before.
    AsTheDatabase,
    /// So many days, even when the database is gone. It can only become another database, and can be deleted.
    LongTerm { days: u32 },
}

/// A backup that can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudBackup {
    /// Its OCID.
    pub id: String,
    pub database: String,
    pub kind: BackupType,
    /// Whether the database can be put back to it in its place.
    pub in_place: bool,
    pub began: Option<Timestamp>,
    /// The moment that it holds. The service gives no SCN with a backup.
    pub ended: Option<Timestamp>,
    /// When the service deletes it.
    pub until: Option<Timestamp>,
    pub size_in_tbs: Option<f64>,
    pub database_size_in_tbs: Option<f64>,
    pub db_version: Option<String>,
}

impl Cloud {
    /// The backup of a run: the one that was begun already, else a new one; awaited.
    ///
    /// # Errors
    /// `Failed` with the service's words when it did not become a backup: the next call begins another. `Refused` when the database
    /// cannot be backed up now, or the backup cannot be used.
    pub async fn back_up(&self, database: &str, run: &str, keep: Keep) -> Result<CloudBackup> {
        let begun = match self.find_backup(database, run).await? {
            Found::Begun(backup) => Tagged { value: *backup, etag: None, work_request: None },
            Found::Gone(number) => self.begin_backup(database, run, keep, number).await?,
        };
        let id = &begun.value.id;
        let mut looks = self.pace.begin();
        loop {
            let backup = self.backup_now(id).await?;
            match backup.lifecycle_state {
                BackupState::Active => return usable(&backup, Timestamp::now()),
                BackupState::Failed | BackupState::Deleting | BackupState::Deleted => {
                    return Err(self.no_backup(&backup, begun.work_request.as_deref()).await);
                }
                BackupState::Creating | BackupState::Updating | BackupState::Other(_) => {}
            }
            let percent = match &begun.work_request {
                // The backup itself says how it ends; this is only how far it is.
                Some(work) => work_request::get(&self.client, work).await.ok().map(|w| w.percent_complete),
                None => None,
            };
            self.tell("backup", percent);
            if !looks.next().await {
                let late = Failure::Late { what: format!("the backup {id}"), limit: looks.limit() };
                return Err(late.into_error("there is no backup yet", &Right::ReadBackups.statement()));
            }
        }
    }

    /// A backup as it is now, if it can be used.
    ///
    /// # Errors
    /// `Refused` when it cannot be.
    pub async fn backup(&self, id: &str) -> Result<CloudBackup> {
        usable(&self.backup_now(id).await?, Timestamp::now())
    }

    /// Deletes a run's long-term backups; others end with their database's retention. Nothing there is no error.
    ///
    /// # Errors
    /// When they cannot be found or deleted.
    pub async fn discard_backup(&self, database: &str, run: &str) -> Result<()> {
        for backup in self.backups_of(database, run).await? {
            let ends = matches!(backup.lifecycle_state, BackupState::Deleting | BackupState::Deleted);
            if ends || backup.kind != BackupType::Longterm {
                continue;
            }
            backups::delete(&self.client, &backup.id, None).await.map_err(|e| {
                let sentence = format!("the backup {} cannot be deleted", backup.id);
                self.error(e, sentence, Right::DeleteBackup, &backup.id)
            })?;
        }
        Ok(())
    }

    async fn backups_of(&self, database: &str, run: &str) -> Result<Vec<AutonomousDatabaseBackup>> {
        let name = display_name(run);
        let mut all = backups::list(&self.client, database, Some(&name)).await.map_err(|e| {
            self.error(e, format!("the backups of {database} cannot be listed"), Right::ReadBackups, database)
        })?;
        all.retain(|backup| {
            backup.display_name.as_deref() == Some(&name) && backup.autonomous_database_id == database
        });
        all.sort_by_key(|backup| backup.time_started);
        Ok(all)
    }

    /// The newest that may become, or is, a backup.
    async fn find_backup(&self, database: &str, run: &str) -> Result<Found> {
        let mut all = self.backups_of(database, run).await?;
        let gone = |b: &AutonomousDatabaseBackup| {
            matches!(b.lifecycle_state, BackupState::Failed | BackupState::Deleting | BackupState::Deleted)
        };
        Ok(match all.iter().rposition(|b| !gone(b)) {
            Some(newest) => Found::Begun(Box::new(all.swap_remove(newest))),
            None => Found::Gone(all.len()),
        })
    }

    async fn begin_backup(
        &self,
        id: &str,
        run: &str,
        keep: Keep,
        number: usize,
    ) -> Result<Tagged<AutonomousDatabaseBackup>> {
        self.ready_for_backup(id).await?;
        let new = NewBackup {
            autonomous_database_id: id.to_owned(),
            display_name: display_name(run),
            is_long_term_backup: matches!(keep, Keep::LongTerm { .. }),
            retention_period_in_days: match keep {
                Keep::LongTerm { days } => Some(days),
                Keep::AsTheDatabase => None,
            },
        };
        // A list may not show yet what has just been begun. The token, the same for every process, gives it all the same. What came of
        // earlier ones is part of it: the service refuses the token of what has been deleted.
        let mut number = number;
        loop {
            let token = retry_token(&["backup", id, run, &number.to_string()]);
            match backups::create(&self.client, &new, &token).await {
                Err(e) if e.code() == Some("InvalidatedRetryToken") && number < 100 => number += 1,
                made => {
                    return made.map_err(|e| {
                        self.error(e, format!("no backup of {id} can be begun"), Right::MakeBackup, id)
                    });
                }
            }
        }
    }

    /// Waits for a backup of somebody else that is under way.
    async fn ready_for_backup(&self, id: &str) -> Result<AutonomousDatabase> {
        let mut looks = self.pace.begin();
        loop {
            let database = self.database(id).await?;
            if database.lifecycle_state == DatabaseState::BackupInProgress {
                self.tell("waiting for a backup that is under way", None);
                if looks.next().await {
                    continue;
                }
            }
            state::ready(&database)?;
            return Ok(database);
        }
    }

    async fn backup_now(&self, id: &str) -> Result<AutonomousDatabaseBackup> {
        let read = backups::get(&self.client, id).await;
        Ok(read
            .map_err(|e| self.error(e, format!("the backup {id} cannot be read"), Right::ReadBackups, id))?
            .value)
    }

    async fn no_backup(&self, backup: &AutonomousDatabaseBackup, work: Option<&str>) -> Error {
        let mut why = backup.lifecycle_details.clone().filter(|d| !d.is_empty());
        if let (None, Some(work)) = (&why, work) {
            why = work_request::words(&self.client, work).await.ok().filter(|words| !words.is_empty());
        }
        let why = why.unwrap_or_else(|| "the service does not say why".to_owned());
        Error::failed(format!("the backup {} is {}", backup.id, backup.lifecycle_state))
            .because(why)
            .hint("run the same command again: it begins another backup")
    }
}

enum Found {
    Begun(Box<AutonomousDatabaseBackup>),
    /// None that can be used; so many that could not become one, or have been deleted.
    Gone(usize),
}

fn usable(backup: &AutonomousDatabaseBackup, now: Timestamp) -> Result<CloudBackup> {
    let id = &backup.id;
    if backup.lifecycle_state != BackupState::Active {
        return Err(Error::refused(format!("the backup {id} is {}, not ACTIVE", backup.lifecycle_state)));
    }
    if let Some(until) = backup.time_available_till.filter(|until| *until <= now) {
        return Err(Error::refused(format!("the backup {id} has expired, on {until:.0}"))
            .hint("begin another run, which takes a backup of its own"));
    }
    let long_term = backup.kind == BackupType::Longterm;
    if !long_term && backup.is_restorable == Some(false) {
        return Err(Error::refused(format!("the backup {id} cannot be restored, as the service says"))
            .hint("begin another run, which takes a backup of its own"));
    }
    Ok(CloudBackup {
        id: id.clone(),
        database: backup.autonomous_database_id.clone(),
        kind: backup.kind.clone(),
        in_place: !long_term,
        began: backup.time_started,
        ended: backup.time_ended,
        until: backup.time_available_till,
        size_in_tbs: backup.size_in_tbs,
        database_size_in_tbs: backup.database_size_in_tbs,
        db_version: backup.db_version.clone(),
    })
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
