//! Sessions that begin as those of the services' roles do: the traffic has as many kinds as there are different beginnings.

use std::borrow::Cow;

use crate::contract::role_sessions::{self, RoleSessions};
use crate::error::{Error, Result};
use crate::load::source::Source;
use crate::model::catalog::Catalog;
use crate::model::endpoint::ClientSettings;
use crate::model::session_defaults::SessionDefaults;
use crate::product::Client;

/// One kind of session, and one of it.
struct Kind {
    /// What is set in it; `None`: nothing, it is as our own.
    session: Option<SessionDefaults>,
    client: Option<Box<dyn Client>>,
}

pub(super) struct Sessions<'a> {
    source: &'a dyn Source,
    application: &'a str,
    known: RoleSessions,
    kinds: Vec<Kind>,
}

impl<'a> Sessions<'a> {
    pub fn new(source: &'a dyn Source, application: &'a str, known: RoleSessions) -> Self {
        Self { source, application, known, kinds: Vec::new() }
    }

    /// The kind of a role's sessions, by its place.
    pub fn kind(&mut self, role: Option<&str>) -> usize {
        let session = self.known.of(role);
        if let Some(place) = self.kinds.iter().position(|kind| kind.session.as_ref() == session) {
            return place;
        }
        self.kinds.push(Kind { session: session.cloned(), client: None });
        self.kinds.len() - 1
    }

    /// The one session of this kind.
    ///
    /// # Errors
    /// `Failed` when it cannot be had.
    pub async fn client(&mut self, kind: usize) -> Result<&mut Box<dyn Client>> {
        let Some(Kind { session, client }) = self.kinds.get_mut(kind) else {
            return Err(Error::failed("a session of the traffic is lost"));
        };
        let own = match client.take() {
            Some(own) => own,
            None => {
                let settings = role_sessions::settings(session.as_ref());
                self.source.client(self.application, &settings).await?
            }
        };
        Ok(client.insert(own))
    }

    /// Whoever asks next gets a new one.
    pub fn drop_client(&mut self, kind: usize) {
        if let Some(kind) = self.kinds.get_mut(kind) {
            kind.client = None;
        }
    }

    /// The catalog as sessions of this kind find their names in it.
    pub fn catalog<'c>(&self, kind: usize, catalog: &'c Catalog) -> Cow<'c, Catalog> {
        role_sessions::catalog(self.kinds.get(kind).and_then(|kind| kind.session.as_ref()), catalog)
    }

    /// What sessions of each kind are set to.
    pub fn settings(&self) -> Vec<ClientSettings> {
        self.kinds.iter().map(|kind| role_sessions::settings(kind.session.as_ref())).collect()
    }
}
