//! Who is at work in the database. The views need grants; where those are missing, `capabilities` says that sessions are not shown.
//!
//! `GV$` views are those of all instances: on one instance they tell what `V$` views do.

mod activity;
mod end;
mod locks;

use async_trait::async_trait;

use super::{Oracle, claim};
use crate::error::Result;
use crate::model::session::{Activity, LiquibaseLock, Wait};
use crate::product::{Claim, Database, LockWatch, Sessions};

/// What a session is called: ours have a client identifier, or come as a program (Liquibase's driver).
fn named(session: &str) -> String {
    format!(
        "CASE WHEN {is_ours} THEN {session}.client_identifier
           WHEN {session}.program LIKE 'drydock %' OR {session}.program LIKE '% (drydock)' THEN {session}.program
           ELSE NVL({session}.module, {session}.program) END",
        is_ours = format_args!(
            "({session}.client_identifier LIKE 'drydock %' OR {session}.client_identifier LIKE '% (drydock)')"
        )
    )
}

/// All queries over sessions.
#[cfg(test)]
pub fn all_queries() -> [String; 6] {
    [
        activity::blocked_sql(),
        activity::long_sql(),
        activity::waits_sql(),
        activity::liquibase_sql(),
        end::sessions_sql(),
        locks::locks_sql(),
    ]
}

#[async_trait]
impl Sessions for Oracle {
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn Claim>>> {
        claim::take(self, name).await
    }
    async fn end_sessions(&self, application_prefix: &str) -> Result<u64> {
        // Nobody is seen, so nobody can be ended.
        if !self.capabilities().shows_sessions {
            return Ok(0);
        }
        let mut session = self.looking().await?;
        let ended = end::end(&mut session, application_prefix).await?;
        self.give_back(session).await;
        Ok(ended)
    }
    async fn activity(&self, ours: &str) -> Result<Activity> {
        let mut session = self.looking().await?;
        let activity = activity::read(&mut session, ours).await?;
        self.give_back(session).await;
        Ok(activity)
    }
    async fn waits(&self) -> Result<Vec<Wait>> {
        let mut session = self.looking().await?;
        let waits = activity::waits(&mut session).await?;
        self.give_back(session).await;
        Ok(waits)
    }
    async fn cancel(&self, application: &str) -> Result<()> {
        let mut session = self.looking().await?;
        end::cancel(&mut session, application).await?;
        self.give_back(session).await;
        Ok(())
    }
    async fn watch_locks(&self, application: &str) -> Result<Box<dyn LockWatch>> {
        let session = self.connect("drydock locks").await?;
        locks::watch(session, application.to_owned()).await
    }
    async fn liquibase_alive(&self, lock: &LiquibaseLock, ours: &str) -> Result<bool> {
        // Nobody takes a lock away whose holder cannot be seen.
        if !self.capabilities().shows_sessions {
            return Ok(true);
        }
        let mut session = self.looking().await?;
        let alive = activity::liquibase_alive(&mut session, lock, ours).await?;
        self.give_back(session).await;
        Ok(alive)
    }
}
