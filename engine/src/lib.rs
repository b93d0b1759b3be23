//! Drydock's engine: changes the schema of a database many services share, and takes the change back by itself.
//!
//! The library never touches the terminal; `cli` prints. See ARCHITECTURE.md for the map.

pub mod cli;
pub mod config;
pub mod contract;
pub mod demo;
pub mod error;
pub mod liquibase;
pub mod load;
pub mod model;
pub mod oci;
pub mod operations;
pub mod product;
pub mod report;
pub mod run;
pub mod stages;
pub mod user_cache;
pub mod variables;
pub mod watcher;
