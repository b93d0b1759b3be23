//! What exists in an Oracle database, as its dictionary has it, and what statements make of it.
//!
//! The same type is read from a server (`server/`) and from a file: a database can be looked at without one. Schemas other than those that
//! users made are no part of it, nor are Liquibase's tables.

mod apply;
mod as_catalog;
mod diff;
mod fingerprint;
mod objects;
mod texts;
mod types;
mod uses;

pub use diff::{between, definition_change};
pub use objects::{
    Code, CodeKind, Column, Constraint, ConstraintKind, Dictionary, Identity, Index, Sequence, Table,
    Trigger, Version, View, split,
};
pub use types::{canonical, column_type, max_length};
pub use uses::{Missing, Uses};
