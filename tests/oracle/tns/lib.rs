//! A stand-in for an Oracle server, for tests: it speaks TNS and TTC to unmodified clients, and answers what a test tells it to.
//! It knows no SQL. What it proves is that a client is wired up rightly, and never what a statement means ([README](../README.md)).
//!
//! There is no public description of the protocol. What is known of it here was read from the clients that Oracle publishes as
//! source: the crate `oracledb` 26.0.0-beta.5 and python-oracledb 26.1 (both UPL-1.0 or Apache-2.0). Each file names the place.

mod accounts;
mod answers;
mod calls;
mod column;
mod connect;
mod conversation;
mod cursor;
mod dictionary_views;
mod fixtures;
mod liquibase_catalog;
mod liquibase_tables;
mod lob;
mod log;
mod logon;
mod moment;
mod negotiate;
mod number;
mod packet;
mod read;
mod reply;
mod request;
mod rowid;
mod server;
mod session;
mod sql;
mod statements;
mod value;
mod version;
mod wire_type;
mod write;

pub use answers::{Answers, Outcome};
pub use dictionary_views::{DictionaryViews, SharedDictionary};
pub use fixtures::Fixtures;
pub use liquibase_tables::LiquibaseTables;
pub use log::Call;
pub use moment::Moment;
pub use server::{Account, Config, Server};
pub use session::Session;
pub use value::Value;
pub use version::Version;
