//! Jobs of a run's stack: begun once, awaited, and their failures in words.

use super::super::Cloud;
use super::super::names::display_name;
use super::super::policy::Right;
use crate::error::{Error, Result};
use crate::oci::resource_manager::jobs::{self, Job, JobState, NewJob, Operation};
use crate::oci::{Failure, of_text, retry_token};

/// Lines of a log that are told.
const LINES: usize = 12;

/// Why there is no job that succeeded.
#[derive(Debug)]
pub(super) enum JobError {
    /// It goes on.
    Late(Error),
    /// Somebody else did something to the stack since it was planned, and nothing was done.
    Stale(Error),
    Other(Error),
}

impl JobError {
    /// Whether there is nothing of this process to take away.
    pub(super) fn leaves_nothing(&self) -> bool {
        matches!(self, Self::Late(_) | Self::Stale(_))
    }
}

impl From<JobError> for Error {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Late(error) | JobError::Stale(error) | JobError::Other(error) => error,
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Cloud {
    /// Begins a job and waits until it has succeeded. A process that died on the way, and this one, begin the same.
    pub(super) async fn job(&self, stack: &str, new: &NewJob<'_>) -> Result<Job, JobError> {
        let operation = new.operation().to_string();
        let name = display_name(&operation.to_lowercase());
        let mut number = match new {
            // A plan is applied once.
            NewJob::ApplyPlan(_) => 0,
            NewJob::Plan | NewJob::Destroy => self.jobs_of(stack).await?.len(),
        };
        let begun = loop {
            let of = if let NewJob::ApplyPlan(plan) = new { plan } else { "" };
            let token = retry_token(&["job", stack, &operation, of, &number.to_string()]);
            let begun = jobs::create(&self.client, stack, &name, new, &token).await.map_err(|e| {
                let sentence = format!("no job {operation} can be begun on the stack {stack}");
                self.error(e, sentence, Right::Jobs, stack)
            })?;
            // The list did not show one that is over: what came after it is neither planned nor taken away.
            let is_old = of.is_empty() && begun.value.lifecycle_state.has_ended() && number < 1000;
            if !is_old {
                break begun.value;
            }
            number += 1;
        };
        let job = self.ended(&begun.id).await?;
        if job.lifecycle_state == JobState::Succeeded {
            return Ok(job);
        }
        let error = self.words(&job).await;
        if error.chain().contains("Saved plan is stale") {
            let hint =
                "another process is at work on the run's clone: run the same command again when it has ended";
            return Err(JobError::Stale(error.hint(hint)));
        }
        Err(error.into())
    }

    pub(super) async fn destroy(&self, stack: &str) -> Result<()> {
        self.tell("taking the clone away", None);
        self.job(stack, &NewJob::Destroy).await?;
        Ok(())
    }

    /// All jobs of a stack, the oldest first, once none of them is under way. `cancel`: plans, which nobody needs, are not waited for to
    /// finish. What changes something is never cut off.
    pub(super) async fn settled(&self, stack: &str, cancel: bool) -> Result<Vec<Job>> {
        let mut jobs = self.jobs_of(stack).await?;
        for job in &mut jobs {
            if job.lifecycle_state.has_ended() {
                continue;
            }
            if cancel && job.operation == Operation::Plan && job.lifecycle_state != JobState::Canceling {
                // It may have ended meanwhile; whether it has is looked at next.
                let _ = jobs::cancel(&self.client, &job.id).await;
            }
            *job = self.ended(&job.id).await?;
        }
        Ok(jobs)
    }

    async fn jobs_of(&self, stack: &str) -> Result<Vec<Job>> {
        let listed = jobs::list(&self.client, stack).await;
        listed.map_err(|e| {
            self.error(e, format!("the jobs of the stack {stack} cannot be listed"), Right::Jobs, stack)
        })
    }

    /// A job once it has ended, well or not.
    async fn ended(&self, id: &str) -> Result<Job, JobError> {
        let mut looks = self.pace.begin();
        loop {
            let job = jobs::get(&self.client, id).await;
            let job = job
                .map_err(|e| self.error(e, format!("the job {id} cannot be read"), Right::Jobs, id))?
                .value;
            if job.lifecycle_state.has_ended() {
                return Ok(job);
            }
            let what = match job.operation {
                Operation::Plan => "planning the clone",
                Operation::Apply => "making the clone",
                _ => "taking the clone away",
            };
            self.tell(what, None);
            if !looks.next().await {
                let late = Failure::Late { what: format!("the job {id}"), limit: looks.limit() };
                let sentence =
                    format!("the job {} of the stack is still {}", job.operation, job.lifecycle_state);
                return Err(JobError::Late(late.into_error(sentence, &Right::Jobs.statement())));
            }
        }
    }

    /// What a job says of its failure.
    async fn words(&self, job: &Job) -> Error {
        let log = jobs::logs(&self.client, &job.id).await.unwrap_or_default();
        let told = told(&log);
        let (code, message) =
            job.failure_details.as_ref().map_or(("", ""), |d| (d.code.as_str(), d.message.as_str()));
        let details = [message, told.as_str()].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>();
        let details = if details.is_empty() { "it does not say why".to_owned() } else { details.join(": ") };
        let right = if job.operation == Operation::Destroy { Right::DeleteClone } else { Right::MakeClone };
        let hint = of_text(&details, &right.statement()).unwrap_or_else(|| match code {
            "JOB_TIMEOUT" => {
                "Resource Manager ends jobs after a day: see in the console what it waited for".to_owned()
            }
            "INTERNAL_SERVICE_ERROR" => {
                "run the same command again; Oracle's support asks for the job's OCID".to_owned()
            }
            _ => "Resource Manager has the job's whole log, in the console".to_owned(),
        });
        Error::failed(format!("the job {} ({}) is {}", job.operation, job.id, job.lifecycle_state))
            .because(details)
            .code(code)
            .hint(hint)
    }
}

/// What a log says of errors: the first, and what follows. Terraform writes an error over several lines, in a frame.
fn told(log: &[jobs::LogEntry]) -> String {
    let is_error = |line: &jobs::LogEntry| {
        matches!(line.level.as_deref(), Some("ERROR" | "FATAL")) || line.message.contains("Error:")
    };
    let from = log.iter().position(is_error).unwrap_or(log.len());
    let texts = log.iter().skip(from).flat_map(|line| line.message.lines());
    let texts = texts.map(|text| text.trim_matches(|c: char| c.is_whitespace() || "│╷╵".contains(c)));
    texts.filter(|text| !text.is_empty()).take(LINES).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_the_lines_that_explain_it() {
        let log = |lines: &[(&str, &str)]| -> Vec<jobs::LogEntry> {
            let entry = |(level, message): &(&str, &str)| jobs::LogEntry {
                level: Some((*level).to_owned()),
                message: (*message).to_owned(),
            };
            lines.iter().map(entry).collect()
        };
        for (lines, wanted) in [
            (log(&[]), ""),
            (log(&[("INFO", "begun"), ("INFO", "done")]), ""),
            (
                log(&[
                    ("INFO", "begun"),
                    ("ERROR", "╷"),
                    ("INFO", "│ Error: 400-LimitExceeded"),
                    ("INFO", "│ "),
                    ("INFO", "│ with x"),
                    ("INFO", "╵"),
                ]),
                "Error: 400-LimitExceeded with x",
            ),
            (log(&[("INFO", "╷\n│ Error: a\n│ \n│   b\n╵\n")]), "Error: a b"),
        ] {
            assert_eq!(told(&lines), wanted);
        }
        let long: Vec<(&str, &str)> = vec![("ERROR", "x"); 100];
        assert_eq!(told(&log(&long)).len(), 2 * LINES - 1);
    }
}
