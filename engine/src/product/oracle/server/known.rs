//! The dictionary as it was read last, as long as nobody has changed anything.

use std::sync::Arc;

use super::Oracle;
use super::dictionary::{Named, read, table};
use crate::error::Result;
use crate::product::oracle::Speaks;
use crate::product::oracle::dictionary::Dictionary;

/// How many objects there are and when one was changed last. That is told to the second: a change of just now may be followed by another.
const STAMP: Named = Named::new(
    "stamp",
    "SELECT COUNT(*) || ' ' || TO_CHAR(MAX(o.last_ddl_time), 'YYYYMMDDHH24MISS') AS stamp,
       CASE WHEN MAX(o.last_ddl_time) < SYSDATE - 2 / 86400 THEN 'Y' ELSE 'N' END AS settled
     FROM all_objects o WHERE o.owner IN {users}",
);

/// The dictionary and the stamp that it was read at.
pub type Known = Option<(String, Arc<Dictionary>)>;

impl Oracle {
    /// The dictionary, read anew where anything has changed since.
    ///
    /// # Errors
    /// As of `connect`, and as the server has it.
    pub(super) async fn known_dictionary(&self) -> Result<Arc<Dictionary>> {
        let mut known = self.shared.known.lock().await;
        let mut session = self.looking().await?;
        let told = table(&mut session, STAMP).await?;
        let row = told.one()?;
        let (stamp, settled) = (row.maybe("STAMP")?.unwrap_or_default().to_owned(), row.is("SETTLED", "Y")?);
        if let Some((_, dictionary)) = known.as_ref().filter(|(of, _)| settled && *of == stamp) {
            let dictionary = Arc::clone(dictionary);
            self.give_back(session).await;
            return Ok(dictionary);
        }
        let dictionary = Arc::new(read(&mut session, self.version()).await?);
        self.give_back(session).await;
        *known = settled.then(|| (stamp, Arc::clone(&dictionary)));
        Ok(dictionary)
    }
}
