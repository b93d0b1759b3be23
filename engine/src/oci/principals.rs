//! As whom requests are signed: a user with a key, a session of one, or what runs the process (an instance, a function, a pod).
//!
//! Source: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/sdk_authentication_methods.htm>.

mod instance;
mod workload;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

pub(super) use instance::Instance;
pub(super) use workload::Workload;

use super::key::PrivateKey;
use super::signature::Signer;
use super::{failure::Failure, token};
use crate::error::{Context, Error, Result};

/// Text that is given itself, or by the file that holds it, which others may renew.
#[derive(Clone)]
pub(super) enum Given {
    Text(String),
    File(PathBuf),
}

impl Given {
    async fn read(&self, what: &str) -> Result<String> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::File(path) => tokio::fs::read_to_string(path)
                .await
                .input(format!("{what} cannot be read from {}", path.display()))?,
        };
        Ok(text.trim().to_owned())
    }
}

pub(super) struct Key {
    pub pem: Given,
    pub passphrase: Option<String>,
}

impl Key {
    async fn read(&self) -> Result<PrivateKey> {
        let pem = self.pem.read("the private key").await?;
        let from = match &self.pem {
            Given::File(path) => format!("{} cannot be used", path.display()),
            Given::Text(_) => "the private key cannot be used".to_owned(),
        };
        PrivateKey::read(&pem, self.passphrase.as_deref()).context(from)
    }
}

pub(super) enum Principal {
    User {
        tenancy: String,
        user: String,
        fingerprint: String,
        key: Key,
    },
    /// A session that somebody has begun with `oci session authenticate`, or a token that a service hands to what it runs.
    Token {
        token: Given,
        key: Key,
        /// How one comes to another, for people.
        renew: &'static str,
    },
    Instance(Instance),
    Workload(Workload),
}

/// The principal, and with what it signs now.
pub(super) struct Credentials {
    principal: Principal,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    signer: Arc<Signer>,
    end: Option<Timestamp>,
}

impl Credentials {
    pub(super) fn of(principal: Principal) -> Self {
        Self { principal, current: Mutex::new(None) }
    }

    pub(super) fn instance(&self) -> Option<&Instance> {
        match &self.principal {
            Principal::Instance(instance) => Some(instance),
            _ => None,
        }
    }

    /// What to sign with now. `refused`: what a service has just not taken, so that another is fetched.
    pub(super) async fn signer(&self, refused: Option<&Arc<Signer>>) -> Result<Arc<Signer>, Failure> {
        let mut current = self.current.lock().await;
        if let Some(known) = current.as_ref() {
            let is_refused = refused.is_some_and(|signer| Arc::ptr_eq(signer, &known.signer));
            if !is_refused && token::is_good(known.end, Timestamp::now()) {
                return Ok(Arc::clone(&known.signer));
            }
        }
        let fetched = self.fetch().await?;
        let signer = Arc::clone(&fetched.signer);
        *current = Some(fetched);
        Ok(signer)
    }

    /// Whether fetching anew may give something else than before.
    pub(super) fn renews(&self) -> bool {
        !matches!(self.principal, Principal::User { .. })
    }

    async fn fetch(&self) -> Result<Current, Failure> {
        let of_token = |token: &str, key| Current {
            signer: Arc::new(Signer { key_id: format!("ST${token}"), key }),
            end: token::end(token),
        };
        match &self.principal {
            Principal::User { tenancy, user, fingerprint, key } => {
                let signer =
                    Signer { key_id: format!("{tenancy}/{user}/{fingerprint}"), key: key.read().await? };
                Ok(Current { signer: Arc::new(signer), end: None })
            }
            Principal::Token { token, key, renew } => {
                let token = token.read("the session's token").await?;
                let end = token::end(&token);
                if !token::is_good(end, Timestamp::now()) {
                    let end = end.map(|e| format!(" since {e:.0}")).unwrap_or_default();
                    return Err(Error::input(format!("the session's token has expired{end}"))
                        .hint(*renew)
                        .into());
                }
                Ok(of_token(&token, key.read().await?))
            }
            Principal::Instance(instance) => {
                let key = PrivateKey::for_session()?;
                let token = instance.token(&key).await?;
                Ok(of_token(&token, key))
            }
            Principal::Workload(workload) => {
                let key = PrivateKey::for_session()?;
                let token = workload.token(&key).await?;
                Ok(of_token(&token, key))
            }
        }
    }
}
