//! What went wrong, in one sentence that fits after "error: ", with its causes and what to do next.

use std::fmt;

/// The result of everything in the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What to do about a full disk, whoever found it.
pub const DISK_FULL: &str = "the disk is full: free some space, or set DRYDOCK_HOME to a larger disk";

/// Which way a run ends when this error reaches the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command, the configuration, a contract or the changelog is wrong, or a tool is missing (exit code 2).
    Input,
    /// Production was not touched, and will not be by this run (exit code 1).
    Refused,
    /// A limit was reached that may be free a moment later: a lock timeout, a cancelled statement.
    Busy,
    /// Somebody asked for it to stop.
    Interrupted,
    /// The outside world failed: a connection, a disk, a program.
    Failed,
    /// It cannot be told what happened; a person decides (exit code 5).
    Stuck,
}

/// An error with its kind, a hint and the chain of causes.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: ErrorKind,
    message: String,
    hint: Option<String>,
    /// The database's own code for it, where there is one.
    pub code: Option<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, code: None, source: None }
    }
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Busy, message)
    }
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }
    pub fn stuck(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Stuck, message)
    }
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted")
            .hint("run the same command again: the run goes on where it stopped")
    }

    /// What to do next, shown after `hint:`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    #[must_use]
    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The sentence and every cause, joined by ": ", each once.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let next = error.to_string();
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            cause = error.source();
        }
        text
    }
}

/// Gives a foreign error a sentence of ours and keeps it as the cause.
pub trait Context<T> {
    fn context(self, message: impl fmt::Display) -> Result<T>;
    fn input(self, message: impl fmt::Display) -> Result<T>;
}

impl<T, E> Context<T> for std::result::Result<T, E>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn context(self, message: impl fmt::Display) -> Result<T> {
        self.map_err(|e| wrap(ErrorKind::Failed, message, e.into()))
    }
    fn input(self, message: impl fmt::Display) -> Result<T> {
        self.map_err(|e| wrap(ErrorKind::Input, message, e.into()))
    }
}

/// An error of ours keeps its kind, code and hint when it is given more context.
fn wrap(
    kind: ErrorKind,
    message: impl fmt::Display,
    source: Box<dyn std::error::Error + Send + Sync>,
) -> Error {
    match source.downcast::<Error>() {
        Ok(ours) => Error {
            kind: ours.kind,
            message: message.to_string(),
            hint: ours.hint.clone(),
            code: ours.code.clone(),
            source: Some(ours),
        },
        Err(source) => {
            let full = source
                .downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::StorageFull);
            let error = Error::new(kind, message.to_string()).because(source);
            if full { error.hint(DISK_FULL) } else { error }
        }
    }
}
