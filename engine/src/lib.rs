//! Drydock's engine: changes the schema of a database many services share, and takes the change back by itself.
//!
//! The library never touches the terminal; `cli` prints. See ARCHITECTURE.md for the map.

pub mod advice;
pub mod allowed;
pub mod apply;
pub mod changeset;
pub mod cli;
pub mod config;
pub mod contract;
pub mod database;
pub mod demo;
pub mod drive;
pub mod error;
pub mod evidence;
pub mod gate;
pub mod handover;
pub mod inject;
pub mod journal;
pub mod liquibase;
pub mod provider;
pub mod record;
pub mod report;
pub mod run;
pub mod saga;
pub mod stage;
pub mod stages;
pub mod storage;
pub mod traffic;
pub mod variables;
pub mod watcher;
