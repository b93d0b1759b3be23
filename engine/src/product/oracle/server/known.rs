//! The dictionary as it was read last, as long as nobody has changed anything.

use std::sync::Arc;

use super::Oracle;
use super::dictionary::{Named, read, table};
use crate::error::Result;
use crate::product::oracle::Speaks;
use crate::product::oracle::dictionary::Dictionary;
use crate::product::oracle::grammar::Context;

/// How many objects there are and when one was changed last. That is told to the second: a change of just now may be followed by another.
const STAMP: Named = Named::new(
    "stamp",
    "SELECT COUNT(*) || ' ' || TO_CHAR(MAX(o.last_ddl_time), 'YYYYMMDDHH24MISS') AS stamp,
       CASE WHEN MAX(o.last_ddl_time) < SYSDATE - 2 / 86400 THEN 'Y' ELSE 'N' END AS settled
     FROM all_objects o WHERE o.owner IN {users}",
);

/// A dictionary, and what the reader has to know of it.
pub struct Known {
    pub dictionary: Dictionary,
    pub context: Context,
}

/// What was read last, and the stamp that it was read at.
pub type Last = Option<(String, Arc<Known>)>;

impl Oracle {
    /// The dictionary, read anew where anything has changed since.
    ///
    /// # Errors
    /// As of `connect`, and as the server has it.
    pub(super) async fn known(&self) -> Result<Arc<Known>> {
        let mut last = self.shared.last.lock().await;
        let mut session = self.looking().await?;
        let told = table(&mut session, STAMP).await?;
        let row = told.one()?;
        let (stamp, settled) = (row.maybe("STAMP")?.unwrap_or_default().to_owned(), row.is("SETTLED", "Y")?);
        if let Some((_, known)) = last.as_ref().filter(|(of, _)| settled && *of == stamp) {
            let known = Arc::clone(known);
            self.give_back(session).await;
            return Ok(known);
        }
        let dictionary = read(&mut session, self.version()).await?;
        let context = Context::new(self.version().name(), &dictionary.catalog());
        let known = Arc::new(Known { dictionary, context });
        self.give_back(session).await;
        *last = settled.then(|| (stamp, Arc::clone(&known)));
        Ok(known)
    }
}
