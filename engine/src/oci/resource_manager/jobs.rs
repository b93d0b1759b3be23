//! Jobs: what is run on a stack, one after another.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::path;
use crate::oci::Failure;
use crate::oci::client::{Call, Client, Tagged, json as written, part};
use crate::oci::database::Deleted;
use crate::oci::endpoint::Service;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    Accepted,
    InProgress,
    Failed,
    Succeeded,
    Canceling,
    Canceled,
    /// One that came later than this program: neither good nor the end.
    #[serde(untagged)]
    Other(String),
}

impl JobState {
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Failed | Self::Succeeded | Self::Canceled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    Plan,
    Apply,
    Destroy,
    /// One that is not begun from here.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub id: String,
    pub stack_id: String,
    pub operation: Operation,
    pub lifecycle_state: JobState,
    pub time_created: Timestamp,
    /// Lists leave the rest out.
    #[serde(default)]
    pub failure_details: Option<FailureDetails>,
    /// The stack's variables as they were.
    #[serde(default)]
    pub variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FailureDetails {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub message: String,
}

/// A line of a job's log.
#[derive(Debug, Clone, Deserialize)]
pub struct LogEntry {
    #[serde(default)]
    pub level: Option<String>,
    #[serde(default)]
    pub message: String,
}

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewJob<'a> {
    Plan,
    /// Exactly what this plan job found.
    ApplyPlan(&'a str),
    /// Everything that the stack made.
    Destroy,
}

impl NewJob<'_> {
    pub fn operation(&self) -> Operation {
        match self {
            Self::Plan => Operation::Plan,
            Self::ApplyPlan(_) => Operation::Apply,
            Self::Destroy => Operation::Destroy,
        }
    }
}

fn of(id: &str, rest: &str) -> String {
    path(&format!("jobs/{}{rest}", part(id)))
}

/// Begins a job. `token`: see `retry_token`.
///
/// # Errors
/// When it is not begun, or not known whether it is.
pub async fn create(
    client: &Client,
    stack: &str,
    name: &str,
    new: &NewJob<'_>,
    token: &str,
) -> Result<Tagged<Job>, Failure> {
    let mut details: Value = json!({ "operation": new.operation() });
    if let Some(fields) = details.as_object_mut() {
        match new {
            NewJob::Plan => {}
            NewJob::ApplyPlan(plan) => {
                fields.insert("executionPlanStrategy".to_owned(), json!("FROM_PLAN_JOB_ID"));
                fields.insert("executionPlanJobId".to_owned(), json!(plan));
            }
            NewJob::Destroy => {
                fields.insert("executionPlanStrategy".to_owned(), json!("AUTO_APPROVED"));
            }
        }
    }
    let body = written(&json!({ "stackId": stack, "displayName": name, "jobOperationDetails": details }))?;
    let call = Call::post(Service::ResourceManager, path("jobs"), &body).retry_token(token);
    client.ask(&call).await?.tagged()
}

/// # Errors
/// When it cannot be read.
pub async fn get(client: &Client, id: &str) -> Result<Tagged<Job>, Failure> {
    client.ask(&Call::get(Service::ResourceManager, of(id, ""))).await?.tagged()
}

/// The jobs of a stack, the oldest first.
///
/// # Errors
/// When they cannot be listed.
pub async fn list(client: &Client, stack: &str) -> Result<Vec<Job>, Failure> {
    let call = Call::get(Service::ResourceManager, path("jobs")).query("stackId", Some(stack));
    let mut jobs: Vec<Job> = client.list(&call).await?;
    jobs.sort_by_key(|job| job.time_created);
    Ok(jobs)
}

/// The job's log.
///
/// # Errors
/// When it cannot be read.
pub async fn logs(client: &Client, id: &str) -> Result<Vec<LogEntry>, Failure> {
    client.list(&Call::get(Service::ResourceManager, of(id, "/logs"))).await
}

/// Terraform's state after the job.
///
/// # Errors
/// When it cannot be read.
pub async fn state(client: &Client, id: &str) -> Result<Value, Failure> {
    client.ask(&Call::get(Service::ResourceManager, of(id, "/tfState"))).await?.json()
}

/// What a plan job found, in Terraform's JSON: <https://developer.hashicorp.com/terraform/internals/json-format>.
///
/// # Errors
/// When it cannot be read.
pub async fn plan(client: &Client, id: &str) -> Result<Value, Failure> {
    let call = Call::get(Service::ResourceManager, of(id, "/tfPlan")).query("tfPlanFormat", Some("JSON"));
    client.ask(&call).await?.json()
}

/// Asks a job to end early.
///
/// # Errors
/// Any failure but that it is not there.
pub async fn cancel(client: &Client, id: &str) -> Result<Deleted, Failure> {
    let call = Call::delete(Service::ResourceManager, of(id, ""));
    crate::oci::database::deleted(client.ask(&call).await)
}
