//! The JVM that runs the driver. It takes one request at a time.

use std::process::Stdio;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::protocol::{Answer, Failure, Numbered, Outcome, Request};
use crate::error::{Context, Error, Result};

pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    next_id: u64,
}

impl Process {
    pub(super) fn spawn(mut command: tokio::process::Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| {
                Error::input("Java cannot be started")
                    .because(e)
                    .hint("install a Java 17 runtime (ci/setup does)")
            })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::failed("the Liquibase driver has no pipes"));
        };
        Ok(Self { child, input, output: BufReader::new(output).lines(), next_id: 1 })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) async fn call<T: DeserializeOwned>(&mut self, request: &Request<'_>) -> Result<T, Failure> {
        let id = self.next_id;
        self.next_id += 1;
        let mut line = serde_json::to_string(&Numbered { id, request })
            .context("the request to the Liquibase driver cannot be written")?;
        line.push('\n');
        let died = |e| Failure::Died(Some(e));
        self.input.write_all(line.as_bytes()).await.map_err(died)?;
        self.input.flush().await.map_err(died)?;
        loop {
            let Some(line) = self.output.next_line().await.map_err(died)? else {
                return Err(Failure::Died(None));
            };
            let Ok(answer) = serde_json::from_str::<Answer>(&line) else {
                tracing::debug!("the Liquibase driver wrote: {line}");
                continue;
            };
            // An answer to an earlier request, whose caller was cancelled.
            if answer.id.is_some_and(|answered| answered != id) {
                continue;
            }
            return match answer.outcome {
                Outcome::Error(fault) => Err(Failure::Fault(fault)),
                Outcome::Result(result) => Ok(serde_json::from_value(result)
                    .context("the answer of the Liquibase driver cannot be read")?),
            };
        }
    }

    /// Ends the JVM.
    pub(super) async fn end(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        let _ = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
        let _ = child.kill().await;
    }
}
