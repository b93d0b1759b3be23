//! A run: the saga decides, the driver does, the journal keeps the record.

pub mod drive;
pub mod files;
mod half_built;
mod half_done;
pub mod handover;
pub mod inject;
pub mod journal;
pub mod kept_files;
pub mod last_schema;
pub mod liquibase_lock;
pub mod owner;
pub mod preflight;
pub mod record;
pub mod saga;
pub mod select;
pub mod session;
pub mod storage;
pub mod target;
pub mod trace;
pub mod wait_watch;

pub use session::{Run, RunOptions};
