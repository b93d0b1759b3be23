//! Why a function failed, with the exit code that the caller's `dagger` is to end with.

use std::fmt;

/// The result of a function.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A failure as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    pub exit: Option<Exit>,
}

/// A command that ended so; `dagger` ends with the same code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    pub code: i64,
    pub command: Vec<String>,
    pub stdout: String,
    pub stderr: String,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: None }
    }

    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = Some(exit);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Messages of the client hide their causes: the whole chain is told, each sentence once.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let next = error.to_string();
            if !message.contains(&next) {
                message = format!("{message}: {next}");
            }
            cause = error.source();
        }
        Self::new(message)
    }
}
