//! The process that reads: one request and its answer at a time, each a line of JSON.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::{Context, Error, Result};

/// Whatever is asked is read in far less; a process that says nothing for so long is ended.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<std::io::Result<String>>,
}

impl Process {
    pub fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .input("the reader of Oracle's SQL cannot be started")
            .map_err(|e| e.hint("install a Java 17 runtime (ci/setup does)"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::failed("the reader of Oracle's SQL has no pipes"));
        };
        let (sender, lines) = channel();
        // A read has no limit of its own. The thread ends with the process.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, input, lines })
    }

    /// The answer to one request. After an error the process is of no use any more.
    pub fn ask(&mut self, request: &str) -> Result<String> {
        const ENDED: &str = "the reader of Oracle's SQL ended";
        self.input.write_all(request.as_bytes()).context(ENDED)?;
        self.input.write_all(b"\n").context(ENDED)?;
        self.input.flush().context(ENDED)?;
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => line.context(ENDED),
            Err(RecvTimeoutError::Disconnected) => Err(Error::failed(ENDED)),
            Err(RecvTimeoutError::Timeout) => Err(Error::failed(format!(
                "the reader of Oracle's SQL did not answer within {} s",
                LIMIT.as_secs()
            ))),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
