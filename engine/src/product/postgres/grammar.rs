//! SQL text to syntax trees, and what the names in it are.

pub mod names;
pub mod not_null;
pub mod pending_indexes;
pub mod relations;
pub mod scope;
pub mod sql;
