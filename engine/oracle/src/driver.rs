//! What is asked of a driver, so that there may be two.

use std::time::Duration;

use drydock_oracle_protocol::{
    Application, Bind, Connect, Connected, Execute, Executed, Failure, FailureKind, Query, Rows,
};

pub type Result<T> = std::result::Result<T, Failure>;

/// # Errors
/// As the server, the listener, the network or the wallet has it.
pub fn connect(to: &Connect) -> Result<Box<dyn Connection>> {
    #[cfg(feature = "odpi")]
    return crate::odpi::connect(to);
    #[cfg(not(feature = "odpi"))]
    crate::thin::connect(to)
}

/// Every method fails as the server has it.
pub trait Connection {
    fn facts(&self) -> Result<Connected>;
    fn name(&mut self, application: &Application) -> Result<()>;
    /// How long each call may wait for the server from now on.
    fn limit(&mut self, limit: Duration) -> Result<()>;
    fn query(&mut self, query: &Query) -> Result<Rows>;
    fn execute(&mut self, statement: &Execute) -> Result<Executed>;
    /// Runs a block of PL/SQL. What it puts into the placeholders `taken`, as text of up to 4,000 bytes.
    fn block(&mut self, sql: &str, given: &[(&str, Bind)], taken: &[&str]) -> Result<Vec<Option<String>>>;
    fn commit(&mut self) -> Result<()>;
    fn rollback(&mut self) -> Result<()>;
    fn ping(&mut self) -> Result<()>;
    /// Logs off.
    fn close(self: Box<Self>) -> Result<()>;
}

/// What the server's code is about.
pub fn kind_of_code(code: usize) -> FailureKind {
    match code {
        // Wrong, null, locked, expired, without CREATE SESSION, not allowed at this time or from this place.
        1005 | 1017 | 1045 | 28000..=28003 | 28009 | 28030 | 28040 => FailureKind::Login,
        // Killed, not logged on, starting or shut down, not open, idle too long, cut off.
        28 | 1012 | 1033 | 1034 | 1089 | 1090 | 1092 | 1109 | 2396 | 3113 | 3114 | 3135 | 12537 | 12547 => {
            FailureKind::Connection
        }
        1013 => FailureKind::Timeout,
        // What the driver says of an answer that it does not understand, and the server of a request.
        3137 => FailureKind::Internal,
        _ => FailureKind::Statement,
    }
}

/// Without the line that names a page of Oracle's help, and the space around.
pub fn without_help(message: &str) -> String {
    let lines = message.lines().filter(|line| !line.trim_start().starts_with("Help: http"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::without_help;

    #[test]
    fn the_link_to_help_is_left_out() {
        for (message, text) in [
            (
                "ORA-00942: table or view does not exist\nHelp: https://docs.oracle.com/error-help/db/ora-00942/",
                "ORA-00942: table or view does not exist",
            ),
            ("ORA-06550: line 1\nPLS-00103: x\n", "ORA-06550: line 1\nPLS-00103: x"),
            ("ORA-20000: Help: http://ours", "ORA-20000: Help: http://ours"),
        ] {
            assert_eq!(without_help(message), text);
        }
    }
}
