//! What inverses take, put aside before they run, and put back.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Result;
use crate::model::changeset::{ChangesetId, Statement};
use crate::model::data_at_risk::Taken;
use crate::model::kept::{Kept, PutBack};

/// Something that a statement of an inverse takes.
#[derive(Debug, Clone, Copy)]
pub struct ToKeep<'a> {
    pub run: &'a str,
    pub key: &'a ChangesetId,
    /// Which statement of the inverse, counted from 0.
    pub number: u32,
    pub statement: &'a Statement,
    pub taken: &'a Taken,
    /// All statements of the run's changesets: what they write, they will write again.
    pub forward: &'a [&'a Statement],
}

/// Where it goes, and what it may cost.
#[derive(Debug, Clone, Copy)]
pub struct KeepOptions<'a> {
    /// For files, where the database takes no tables of ours. It need not be there.
    pub folder: &'a Path,
    /// The end of the rollback window.
    pub until: Timestamp,
    /// How long one statement may run.
    pub statement: Duration,
    /// How long services may wait for what `Renewed::within` does.
    pub wait: Duration,
}

/// A copy that was brought up to date.
#[derive(Debug, Clone)]
pub struct Renewed {
    pub kept: Kept,
    /// How long it took.
    pub took: Duration,
    /// Statements that do it once more at the beginning of the inverse's own transaction, where services wait no longer for them
    /// than they may. They never fail for anything but a lock.
    pub within: Vec<String>,
}

/// Putting back writes where services work.
#[derive(Debug, Clone, Copy)]
pub struct PutBackOptions<'a> {
    pub folder: &'a Path,
    pub application: &'a str,
    pub lock_wait: Duration,
    pub statement: Duration,
}

/// Keeps for a while what inverses take. Comparisons of schemas and rows see nothing of it.
#[async_trait]
pub trait Keep: Send + Sync {
    /// What a statement takes as the database is now, whatever comes before it.
    ///
    /// # Errors
    /// `Failed` when the database cannot be asked.
    async fn takes(&self, statement: &Statement) -> Result<Vec<Taken>>;
    /// What the database keeps, of one run or of all. Files are not among it.
    async fn kept(&self, run: Option<&str>) -> Result<Vec<Kept>>;
    /// Copies what a statement takes into a table of ours, or into a file where the database takes none. Nobody waits for it.
    ///
    /// # Errors
    /// `Failed` when it cannot be read or written, `Busy` when that takes too long. Nothing is left then.
    async fn keep(&self, thing: ToKeep<'_>, options: KeepOptions<'_>) -> Result<Kept>;
    /// Brings a copy up to date. Nobody waits for it.
    ///
    /// # Errors
    /// See `keep`. The copy is as before then.
    async fn renew(&self, thing: ToKeep<'_>, kept: &Kept, options: KeepOptions<'_>) -> Result<Renewed>;
    /// Puts things back in this order, all of them or none. What was written since stays.
    ///
    /// # Errors
    /// `Refused` when a table or a column is not there; `Busy` when a lock is not to be had; `Failed` when the database refuses rows.
    async fn put_back(&self, kept: &[Kept], options: PutBackOptions<'_>) -> Result<Vec<PutBack>>;
    /// Drops what the database keeps of these, and what it was kept in once that is empty. What is gone already is no error.
    async fn drop_kept(&self, kept: &[Kept]) -> Result<()>;
}
