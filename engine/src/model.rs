//! Facts that pass between the parts: plain types without I/O. Every other room may use them, and they use none.

pub mod backup;
pub mod catalog;
pub mod change;
pub mod changeset;
pub mod column_type;
pub mod data_at_risk;
pub mod database_url;
pub mod difference;
pub mod disarmed;
pub mod endpoint;
pub mod error_class;
pub mod event;
pub mod evidence;
pub mod history;
pub mod isolation;
pub mod kept;
pub mod preflight;
pub mod query;
pub mod query_syntax;
pub mod query_tag;
pub mod relation_name;
pub mod resolved;
pub mod restored_production;
pub mod row_writer;
pub mod sample;
pub mod schema;
pub mod schema_action;
pub mod server;
pub mod session;
pub mod session_defaults;
pub mod stage;
pub mod statement_stats;
pub mod value;
pub mod verdict;

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}
