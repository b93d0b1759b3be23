//! The process that holds a connection. It takes one request at a time.

use std::process::Stdio;
use std::time::Duration;

use drydock_oracle_protocol::{Answer, Ask, Failure, FailureKind, Outcome, Reason, Request};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::program;
use crate::error::{Context, Error, Result};

/// How long a call may take to end after its limit, before its process does.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How long the process may take to end itself.
const LAST: Duration = Duration::from_secs(1);
/// What is kept of what the process writes about itself.
const REMARKS: u64 = 2_000;

/// What the process keeps of our environment. Everything else stays here: variables are where people put passwords, and the driver prints
/// whole packets where a variable says so.
const VARIABLES: &[&str] = &[
    "PATH",
    "HOME",
    "TZ",
    "LANG",
    "LC_ALL",
    "TNS_ADMIN",
    "ORACLE_HOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
];

pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    remarks: JoinHandle<String>,
    next_id: u64,
    /// A call was begun and not finished, or could not be: the process has been told to end.
    given_up: bool,
}

impl Process {
    /// # Errors
    /// `Input` when the program is missing or does not start.
    pub(super) fn spawn() -> Result<Self> {
        let program = program::find()?;
        let mut command = Command::new(&program);
        command.env_clear();
        for name in VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .input(format!("{} cannot be started", program.display()))?;
        let (Some(input), Some(output), Some(remarks)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::failed("the program that connects to Oracle has no pipes"));
        };
        let output = BufReader::new(output).lines();
        Ok(Self { child, input, output, remarks: listen(remarks), next_id: 1, given_up: false })
    }

    #[cfg(test)]
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks, and ends the process if the answer does not come in time or nobody waits for it any more.
    ///
    /// # Errors
    /// As the server has it, and of kind `Connection` when the process has ended.
    pub(super) async fn call(&mut self, ask: Ask, limit: Duration) -> Result<Outcome, Failure> {
        if self.given_up {
            let given_up = "the connection was given up with an earlier call";
            return Err(Failure::new(FailureKind::Connection, given_up).reason(Reason::Lost));
        }
        let id = self.next_id;
        self.next_id += 1;
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let request = Request { id, limit_ms: millis(limit), grace_ms: millis(GRACE), ask };
        self.given_up = true;
        let end = EndUnlessDone::of(&self.child);
        let answered = timeout(limit + GRACE + LAST, self.exchange(&request)).await;
        let outcome = match answered {
            Ok(Ok(Some(outcome))) => outcome,
            Ok(Ok(None) | Err(_)) => return Err(self.ended().await),
            Err(_) => {
                let late = "the process that holds the connection did not answer and was ended";
                return Err(Failure::new(FailureKind::Timeout, late));
            }
        };
        end.done();
        self.given_up = false;
        match outcome {
            Outcome::Failed(failure) => {
                // The process that answered so is gone or about to be.
                self.given_up = failure.reason == Some(Reason::Lost);
                Err(failure)
            }
            outcome => Ok(outcome),
        }
    }

    /// `None`: it wrote no more.
    async fn exchange(&mut self, request: &Request) -> std::io::Result<Option<Outcome>> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.input.write_all(&line).await?;
        self.input.flush().await?;
        while let Some(line) = self.output.next_line().await? {
            let answer: Answer = serde_json::from_str(&line)?;
            if answer.id == request.id || answer.id == 0 {
                return Ok(Some(answer.outcome));
            }
        }
        Ok(None)
    }

    /// Why there is no answer.
    async fn ended(&mut self) -> Failure {
        let status = timeout(LAST, self.child.wait()).await.ok().and_then(std::result::Result::ok);
        let remark =
            timeout(LAST, &mut self.remarks).await.ok().and_then(std::result::Result::ok).unwrap_or_default();
        let how = match (status, remark.lines().last()) {
            (_, Some(remark)) => remark.to_owned(),
            (Some(status), None) => status.to_string(),
            (None, None) => "it was told to".to_owned(),
        };
        let why = format!("the process that holds the connection ended ({how})");
        Failure::new(FailureKind::Connection, why).reason(Reason::Lost)
    }

    /// Lets it end by itself for a moment.
    pub(super) async fn end(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        if timeout(LAST, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }
}

/// Ends the process, and with it the call on the server, unless its answer came.
struct EndUnlessDone(Option<Pid>);

impl EndUnlessDone {
    /// Nothing else has the number of the process until it is waited for.
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for EndUnlessDone {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// The first words that the process writes about itself, when it ends. It may go on writing.
fn listen(from: ChildStderr) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut first = Vec::new();
        let mut from = from.take(REMARKS);
        let _ = from.read_to_end(&mut first).await;
        let mut rest = from.into_inner();
        tokio::spawn(async move { tokio::io::copy(&mut rest, &mut tokio::io::sink()).await });
        String::from_utf8_lossy(&first).trim().to_owned()
    })
}
