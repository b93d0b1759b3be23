//! Drydock's engine: changes the schema of a database many services share, and takes the change back by itself.
//!
//! The library never touches the terminal; `cli` prints. See ARCHITECTURE.md for the map.

pub mod changeset;
pub mod contract;
pub mod database;
pub mod error;
pub mod evidence;
pub mod provider;
