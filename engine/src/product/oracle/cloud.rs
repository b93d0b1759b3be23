//! What Oracle's cloud does with a database, without a connection to it: backups, clones, a restore in place, wallets.
//!
//! Everything that is made bears the run's name, and its calls the run's tokens: whoever comes after a process that died finds what that
//! one had begun, and goes on with it. Nothing is made twice, and `discard` leaves nothing that costs money.

pub mod backup;
pub mod clone;
mod names;
mod policy;
pub mod restore;
mod state;
pub mod wallet;

use crate::error::{Error, ErrorKind, Result};
use crate::oci::database::autonomous::{self, AutonomousDatabase};
use crate::oci::{Client, Failure, Pace, Tagged, region_of};
use crate::watcher::Progress;
use policy::Right;

pub use state::ready;

/// A region of the cloud as one principal sees it.
pub struct Cloud {
    client: Client,
    pace: Pace,
    progress: Progress,
}

impl Cloud {
    pub fn new(client: Client, pace: Pace, progress: Progress) -> Self {
        Self { client, pace, progress }
    }

    /// The database as it is now.
    ///
    /// # Errors
    /// `Input` when it lies in another region; else as the service says, with what to do.
    pub async fn database(&self, id: &str) -> Result<AutonomousDatabase> {
        Ok(self.tagged(id).await?.value)
    }

    async fn tagged(&self, id: &str) -> Result<Tagged<AutonomousDatabase>> {
        let read = autonomous::get(&self.client, id).await;
        read.map_err(|e| self.error(e, format!("the database {id} cannot be read"), Right::ReadDatabase, id))
    }

    /// A failure in a sentence. `id`: what was asked for.
    fn error(&self, failure: Failure, sentence: String, right: Right, id: &str) -> Error {
        if let (Some(404), Some(there), Some(here)) = (failure.status(), region_of(id), self.client.region())
            && there != here
        {
            return Error::new(
                ErrorKind::Input,
                format!("{id} is in the region {there}, and {here} was asked"),
            )
            .because(failure)
            .hint(format!("set OCI_CLI_REGION to {there}"));
        }
        failure.into_error(sentence, &right.statement())
    }

    fn tell(&self, text: &str, percent: Option<f32>) {
        // Percents are small and not negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let done = percent.map(|percent| (percent.clamp(0.0, 100.0) as u64, 100));
        (self.progress)(text, done);
    }
}

#[cfg(test)]
mod by_hand_tests;
#[cfg(test)]
mod testing;
