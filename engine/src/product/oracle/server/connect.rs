//! Sessions of ours.

use std::time::Duration;

use drydock_oracle_protocol::Application;

use super::Oracle;
use crate::error::{Error, Result};
use crate::product::oracle::dictionary::Version;
use crate::product::oracle::session::setup::Setup;
use crate::product::oracle::session::{Login, Session};

/// What sessions are called that only look.
const INSPECT: &str = "drydock";
/// A session that was not asked for a while may be gone.
const ALIVE: Duration = Duration::from_secs(5);

impl Oracle {
    /// A new session. `application`: what it is called in `V$SESSION`, as module and action.
    ///
    /// # Errors
    /// `Input` when something about the URL, the user or the version is wrong, `Failed` when the server is not reached.
    pub(super) async fn connect(&self, application: &str) -> Result<Session> {
        let (module, action) = application.split_once(' ').unwrap_or((application, ""));
        let login = Login {
            endpoint: self.endpoint.clone(),
            wallet_password: None,
            application: Application {
                module: module.to_owned(),
                action: action.to_owned(),
                client_identifier: application.to_owned(),
            },
            setup: Setup::of(&self.endpoint),
        };
        let session = Session::connect(&login).await?;
        let number = &session.server().version;
        let major = number.split('.').next().and_then(|part| part.parse().ok()).unwrap_or(0);
        let Some(version) = Version::of(major) else {
            return Err(Error::input(format!("Oracle {number} is older than what Drydock works with"))
                .hint("Drydock works with 19c, 21c and 23ai"));
        };
        let _ = self.shared.version.set(version);
        Ok(session)
    }

    /// A session that looks at things: one of before, or a new one. Whoever is done with it gives it back; one that failed is dropped.
    ///
    /// # Errors
    /// As of `connect`.
    pub(super) async fn looking(&self) -> Result<Session> {
        let idle = self.shared.idle.lock().await.take();
        if let Some(mut session) = idle
            && session.is_alive(ALIVE).await
        {
            return Ok(session);
        }
        self.connect(INSPECT).await
    }

    pub(super) async fn give_back(&self, session: Session) {
        *self.shared.idle.lock().await = Some(session);
    }
}
