//! Oracle's SQL and PL/SQL as facts. The grammar is ANTLR's, and its parser is Java (`engine/plsql/`): it runs as a process beside
//! this one, which is started with the first question and ends with this process.

pub mod facts;
mod pieces;
mod process;
mod program;
mod reader;

pub use facts::Read;
pub use pieces::stand_alone;
pub use reader::{Context, pieces, read};
