//! Work that a service goes on with after its answer: <https://docs.oracle.com/en-us/iaas/api/#/en/workrequests/20160918/>.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::client::{Call, Client, part};
use super::endpoint::Service;
use super::failure::Failure;
use super::pace::Pace;

/// How many lines of a log are told with a failure.
const LINES: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
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

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkRequest {
    pub id: String,
    pub status: Status,
    #[serde(default)]
    pub operation_type: String,
    #[serde(default)]
    pub percent_complete: f32,
    #[serde(default)]
    pub time_accepted: Option<Timestamp>,
}

/// A line of its errors or of its log.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub message: String,
}

fn path(id: &str, rest: &str) -> String {
    format!("/20160918/workRequests/{}{rest}", part(id))
}

/// # Errors
/// When it cannot be read.
pub async fn get(client: &Client, id: &str) -> Result<WorkRequest, Failure> {
    client.ask(&Call::get(Service::WorkRequests, path(id, ""))).await?.json()
}

/// All that was done, or is being done, to a resource of a compartment, as far back as the service keeps it.
///
/// # Errors
/// When they cannot be listed.
pub async fn list(client: &Client, compartment: &str, resource: &str) -> Result<Vec<WorkRequest>, Failure> {
    let call = Call::get(Service::WorkRequests, "/20160918/workRequests".to_owned())
        .query("compartmentId", Some(compartment))
        .query("resourceId", Some(resource));
    client.list(&call).await
}

/// What it says of its failure: its errors, and where it names none the end of its log.
///
/// # Errors
/// When neither can be read.
pub async fn words(client: &Client, id: &str) -> Result<String, Failure> {
    let errors: Vec<Line> = client.list(&Call::get(Service::WorkRequests, path(id, "/errors"))).await?;
    if !errors.is_empty() {
        let texts: Vec<String> = errors.iter().map(|e| format!("{} ({})", e.message, e.code)).collect();
        return Ok(texts.join("; "));
    }
    let log: Vec<Line> = client.list(&Call::get(Service::WorkRequests, path(id, "/logs"))).await?;
    let last = log.iter().skip(log.len().saturating_sub(LINES)).map(|line| line.message.as_str());
    Ok(last.collect::<Vec<_>>().join("; "))
}

/// Waits until it has succeeded. `progress` hears how many per cent are done. Whoever stops waiting leaves the work as it is, and may
/// wait for it again.
///
/// # Errors
/// `Ended` when it failed or was cancelled, in its own words; `Late` when it takes longer than the pace allows; and whatever keeps it from
/// being read.
pub async fn wait(
    client: &Client,
    id: &str,
    pace: Pace,
    progress: &(dyn Fn(f32) + Send + Sync),
) -> Result<WorkRequest, Failure> {
    let mut looks = pace.begin();
    loop {
        let work = get(client, id).await?;
        progress(work.percent_complete.clamp(0.0, 100.0));
        let what = format!("the work request {} ({id})", work.operation_type);
        match work.status {
            Status::Succeeded => return Ok(work),
            Status::Failed | Status::Canceled => {
                // That it failed is worth more than why.
                let details =
                    words(client, id).await.unwrap_or_else(|e| format!("its errors cannot be read: {e}"));
                return Err(Failure::Ended { what, state: work.status.to_string(), details });
            }
            Status::Accepted | Status::InProgress | Status::Canceling | Status::Other(_) => {}
        }
        if !looks.next().await {
            return Err(Failure::Late { what, limit: looks.limit() });
        }
    }
}

#[cfg(test)]
#[path = "work_request_tests.rs"]
mod tests;
