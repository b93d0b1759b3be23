//! Taking away everything that a run's clone is.

use super::super::Cloud;
use super::super::names::{TAG, db_name, display_name};
use super::super::policy::Right;
use super::is_gone;
use crate::error::{Error, Result};
use crate::oci::Failure;
use crate::oci::database::DatabaseState;
use crate::oci::database::autonomous::{self, AutonomousDatabase};
use crate::oci::resource_manager::stacks;

impl Cloud {
    /// Destroys what the stacks of a run made, deletes the stacks, and deletes a clone that no stack knows any more. Nothing there is no
    /// error; may be repeated, by any process.
    ///
    /// # Errors
    /// When something is left that may cost money: it is named.
    pub async fn discard_clone(&self, compartment: &str, run: &str) -> Result<()> {
        for stack in self.stacks_of(compartment, run).await? {
            if is_gone(&stack) {
                continue;
            }
            let id = &stack.id;
            let left = |e: Error| {
                let hint = e.hint_text().unwrap_or_default().to_owned();
                Error::new(
                    e.kind,
                    format!("the clone of the run {run} is left, and may cost money, in the stack {id}"),
                )
                .because(e)
                .hint(hint)
            };
            self.settled(id, true).await.map_err(left)?;
            // Even where no apply is known: a list may not show it yet.
            self.destroy(id).await.map_err(left)?;
            stacks::delete(&self.client, id, None)
                .await
                .map_err(|e| self.error(e, format!("the stack {id} cannot be deleted"), Right::Stacks, id))?;
        }
        self.delete_orphans(compartment, run).await
    }

    /// A job that dies may have begun a database and not kept it in its state.
    async fn delete_orphans(&self, compartment: &str, run: &str) -> Result<()> {
        let name = display_name(run);
        let listed = autonomous::list(&self.client, compartment, Some(&name)).await;
        let all = listed.map_err(|e| {
            let sentence = format!("the databases of {compartment} cannot be listed");
            self.error(e, sentence, Right::ReadDatabase, compartment)
        })?;
        for clone in all.iter().filter(|database| is_clone(database, run)) {
            self.delete_database(&clone.id, run).await?;
        }
        Ok(())
    }

    async fn delete_database(&self, id: &str, run: &str) -> Result<()> {
        let mut looks = self.pace.begin();
        loop {
            let clone = match autonomous::get(&self.client, id).await {
                Err(e) if e.status() == Some(404) => return Ok(()),
                read => read.map_err(|e| {
                    self.error(e, format!("the clone {id} cannot be read"), Right::ReadDatabase, id)
                })?,
            };
            if !is_clone(&clone.value, run) || ends(&clone.value) {
                return Ok(());
            }
            self.tell("taking the clone away", None);
            match autonomous::delete(&self.client, id, clone.etag.as_deref()).await {
                // It changes while it is made; looked at again.
                Err(e) if matches!(e.status(), Some(409 | 412)) => {}
                Err(e) => {
                    let sentence = format!("the clone {id} cannot be deleted, and costs money");
                    return Err(self.error(e, sentence, Right::DeleteClone, id));
                }
                Ok(_) => {}
            }
            if !looks.next().await {
                let late = Failure::Late { what: format!("the clone {id}"), limit: looks.limit() };
                return Err(late.into_error("the clone is not deleted yet", &Right::DeleteClone.statement()));
            }
        }
    }
}

/// Whether it is the run's clone: all that Drydock gave it says so. Nothing else is ever deleted.
fn is_clone(database: &AutonomousDatabase, run: &str) -> bool {
    database.tag(TAG) == Some(run)
        && database.display_name.as_deref() == Some(&display_name(run))
        && database.db_name.eq_ignore_ascii_case(&db_name(run))
}

fn ends(database: &AutonomousDatabase) -> bool {
    matches!(database.lifecycle_state, DatabaseState::Terminating | DatabaseState::Terminated)
}
