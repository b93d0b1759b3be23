//! Everything that asks a running server.

pub mod activity;
pub mod batch;
pub mod catalog;
pub mod choice;
pub mod claim;
pub mod client;
pub mod connect;
pub mod data_at_risk;
pub mod error_codes;
pub mod facts;
mod grouped_constants;
mod parameter_inference;
mod pgpass;
pub mod plans;
pub mod pooler;
pub mod preflight;
pub mod resolve;
pub mod routine_names;
pub mod row_writers;
pub mod session;
pub mod session_defaults;
pub mod statement_stats;
pub mod text;
pub mod tls;
pub mod trial;
pub mod url;
