//! A database beside production, made of a run's backup by Terraform in Resource Manager, and taken away again.

mod configuration;
mod discard;
mod jobs;
mod plan;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{TAG, db_name, display_name};
use super::policy::Right;
use super::{Cloud, state};
use crate::error::{Error, Result};
use crate::oci::database::ConnectionProfile;
use crate::oci::database::autonomous::CloneType;
use crate::oci::resource_manager::jobs::{self as api, JobState, NewJob, Operation};
use crate::oci::resource_manager::stacks::{self, NewStack, Stack, StackState};
use crate::oci::{Tagged, retry_token};

/// What a clone is to be, besides its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneSettings {
    /// The OCID of the compartment for the stack and the clone.
    pub compartment: String,
    pub clone_type: CloneType,
    pub ecpus: u32,
    /// `LICENSE_INCLUDED` or `BRING_YOUR_OWN_LICENSE`; `None`: as the service decides.
    pub license_model: Option<String>,
    /// The OCID of the vault's secret that has the password of `ADMIN`. Variables of a stack can be read by others, so a password is none.
    pub secret: String,
    /// `None`: the current one.
    pub secret_version: Option<u32>,
    /// Of a private endpoint.
    pub subnet: Option<String>,
    pub network_security_groups: Vec<String>,
    /// Addresses that a public endpoint lets in.
    pub allowed_addresses: Vec<String>,
    pub mutual_tls: bool,
    /// As `1.5.x`.
    pub terraform_version: String,
}

/// A clone that takes clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudClone {
    /// The OCID of its stack.
    pub stack: String,
    /// The OCID of the database.
    pub database: String,
    pub profiles: Vec<ConnectionProfile>,
}

impl Cloud {
    /// The clone of a run: the one that was begun already, else a new one; awaited.
    ///
    /// # Errors
    /// `Input` where the settings cannot be meant. `Refused` when the plan has anything but this one database in it: nothing is made then.
    /// `Failed` in Terraform's words when it could not be made: what was made of it is taken away then, and if that fails too, it is said.
    pub async fn clone_of(&self, backup: &str, run: &str, settings: &CloneSettings) -> Result<CloudClone> {
        let region = crate::oci::region_of(backup).or_else(|| self.client.region().map(str::to_owned));
        let variables = configuration::variables(backup, run, region.as_deref(), settings)?;
        let stack = self.stack(run, settings, &variables).await?;
        let id = stack.value.id.clone();
        let is_same = stack.value.variables.as_ref() == Some(&variables);
        let jobs = self.settled(&id, false).await?;
        // What an earlier process left half done is taken away rather than mended: Terraform would replace it.
        let applied = jobs.iter().rfind(|job| matches!(job.operation, Operation::Apply | Operation::Destroy));
        if let Some(last) = applied {
            match (&last.operation, &last.lifecycle_state) {
                (Operation::Apply, JobState::Succeeded) if is_same => {
                    return self.made(&id, &last.id, run).await;
                }
                (Operation::Destroy, JobState::Succeeded) => {}
                _ => self.destroy(&id).await?,
            }
        }
        if !is_same {
            let zip = configuration::zip()?;
            let etag = stack.etag.as_deref();
            stacks::update(&self.client, &id, &zip, &variables, etag).await.map_err(|e| {
                self.error(e, format!("the stack {id} cannot be changed"), Right::Stacks, &id)
            })?;
        }
        let plan = self.job(&id, &NewJob::Plan).await?;
        let found = api::plan(&self.client, &plan.id).await.map_err(|e| {
            self.error(e, format!("the plan of {} cannot be read", plan.id), Right::Jobs, &plan.id)
        })?;
        plan::check(&found, &variables).map_err(|e| {
            e.hint(format!("nothing was made; the stack {id} has the plan in its job {}", plan.id))
        })?;
        match self.job(&id, &NewJob::ApplyPlan(&plan.id)).await {
            Ok(apply) => self.made(&id, &apply.id, run).await,
            // It may go on: the next call, or `discard_clone`, waits for it. Or it is somebody else's.
            Err(error) if error.leaves_nothing() => Err(error.into()),
            Err(error) => {
                let error = Error::from(error);
                let hint = error.hint_text().unwrap_or_default().to_owned();
                match self.destroy(&id).await {
                    Ok(()) => Err(error),
                    Err(left) => Err(error.hint(format!(
                        "{hint}; what was made of it could not be taken away ({}), and may cost money: discard the run's clone",
                        left.chain()
                    ))),
                }
            }
        }
    }

    /// The stack of a run, with its variables.
    async fn stack(
        &self,
        run: &str,
        settings: &CloneSettings,
        variables: &BTreeMap<String, String>,
    ) -> Result<Tagged<Stack>> {
        let mut found = self.stacks_of(&settings.compartment, run).await?;
        let mut gone = found.iter().filter(|stack| is_gone(stack)).count();
        found.retain(|stack| !is_gone(stack));
        if let Some(stack) = found.first() {
            let read = stacks::get(&self.client, &stack.id).await;
            return read.map_err(|e| {
                self.error(e, format!("the stack {} cannot be read", stack.id), Right::Stacks, &stack.id)
            });
        }
        let (name, zip) = (display_name(run), configuration::zip()?);
        let tags = BTreeMap::from([(TAG.to_owned(), run.to_owned())]);
        let new = NewStack {
            compartment: &settings.compartment,
            display_name: &name,
            description: "A clone on which Drydock rehearses a run. It destroys it when the run is over.",
            zip: &zip,
            variables,
            freeform_tags: &tags,
            terraform_version: &settings.terraform_version,
        };
        // As with backups: a list may not show yet what has just been made, and the token of what is gone is refused.
        loop {
            let token = retry_token(&["stack", &settings.compartment, run, &gone.to_string()]);
            match stacks::create(&self.client, &new, &token).await {
                Err(e) if e.code() == Some("InvalidatedRetryToken") && gone < 100 => gone += 1,
                made => {
                    return made.map_err(|e| {
                        let sentence = format!("no stack can be made in {}", settings.compartment);
                        self.error(e, sentence, Right::Stacks, &settings.compartment)
                    });
                }
            }
        }
    }

    /// All stacks of a run, in any state.
    async fn stacks_of(&self, compartment: &str, run: &str) -> Result<Vec<Stack>> {
        let name = display_name(run);
        let mut found = stacks::list(&self.client, compartment, &name).await.map_err(|e| {
            let sentence = format!("the stacks of {compartment} cannot be listed");
            self.error(e, sentence, Right::Stacks, compartment)
        })?;
        found.retain(|stack| stack.display_name.as_deref() == Some(&name) && stack.tag(TAG) == Some(run));
        found.sort_by_key(|stack| stack.time_created);
        Ok(found)
    }

    /// The clone that an apply job has made, once it takes clients.
    async fn made(&self, stack: &str, job: &str, run: &str) -> Result<CloudClone> {
        let state = api::state(&self.client, job).await.map_err(|e| {
            self.error(e, format!("Terraform's state after {job} cannot be read"), Right::Jobs, job)
        })?;
        let (database, profiles) = outputs(&state)?;
        let mut looks = self.pace.begin();
        loop {
            let clone = self.database(&database).await?;
            // Whatever the state says: nothing is done to a database that is not the run's clone.
            if clone.tag(TAG) != Some(run) || !clone.db_name.eq_ignore_ascii_case(&db_name(run)) {
                return Err(Error::refused(format!(
                    "the database {database} is not the clone of the run {run}"
                ))
                .hint(format!("somebody changed the stack {stack}: see its jobs")));
            }
            match state::ready(&clone) {
                Ok(()) => return Ok(CloudClone { stack: stack.to_owned(), database, profiles }),
                Err(error) if error.kind == crate::error::ErrorKind::Busy && looks.next().await => {
                    self.tell("clone", None);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_gone(stack: &Stack) -> bool {
    matches!(stack.lifecycle_state, StackState::Deleting | StackState::Deleted | StackState::Failed)
}

/// The database's OCID, and how clients reach it.
fn outputs(state: &Value) -> Result<(String, Vec<ConnectionProfile>)> {
    let value = |name: &str| state.pointer(&format!("/outputs/{name}/value"));
    let database = value("database_id").and_then(Value::as_str);
    let database = database.ok_or_else(|| {
        Error::failed("Terraform's state names no database").hint("discard the run's clone, and begin again")
    })?;
    let profiles = match value("connection_profiles") {
        Some(profiles) => serde_json::from_value(profiles.clone())
            .map_err(|e| Error::failed("the clone's connection profiles cannot be read").because(e))?,
        None => Vec::new(),
    };
    Ok((database.to_owned(), profiles))
}

#[cfg(test)]
mod interruption_tests;
#[cfg(test)]
#[path = "clone_tests.rs"]
pub(super) mod tests;
