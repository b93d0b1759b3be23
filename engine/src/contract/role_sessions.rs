//! What sessions of the services' roles begin with: bare names are found through the search path of the role, and its settings hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::contract::Contract;
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::endpoint::ClientSettings;
use crate::model::session_defaults::SessionDefaults;
use crate::product::Database;

/// Nothing where the product has no such thing.
#[derive(Debug, Clone, Default)]
pub struct RoleSessions {
    /// Of the roles that are there.
    roles: BTreeMap<String, SessionDefaults>,
    /// Ours, which stand for those of a service whose role is not known.
    own: Option<SessionDefaults>,
}

/// The roles that contracts name.
pub fn roles(contracts: &[Contract]) -> BTreeSet<String> {
    contracts.iter().filter_map(|c| c.role.clone()).collect()
}

impl RoleSessions {
    /// # Errors
    /// `Failed` when the database cannot be asked.
    pub async fn read(database: &dyn Database, roles: &BTreeSet<String>) -> Result<Self> {
        let Some(resolve) = database.resolve() else { return Ok(Self::default()) };
        let own = database.endpoint().user.as_str();
        let asked: Vec<&str> = roles.iter().map(String::as_str).chain([own]).collect();
        let mut known = resolve.session_defaults(&asked).await?;
        let own = known.get(own).cloned();
        known.retain(|role, _| roles.contains(role));
        Ok(Self { roles: known, own })
    }

    pub fn own(&self) -> Option<&SessionDefaults> {
        self.own.as_ref()
    }

    /// `None`: the role is not there, or nobody knows.
    pub fn known(&self, role: Option<&str>) -> Option<&SessionDefaults> {
        match role {
            Some(role) => self.roles.get(role),
            None => self.own.as_ref(),
        }
    }

    /// What has to be set in a session of ours; see `other_than`.
    pub fn of(&self, role: Option<&str>) -> Option<&SessionDefaults> {
        self.other_than(self.own(), role)
    }

    /// What has to be set in a session that began as `opened`; `None`: nothing. A role that is not there is asked for as one that is
    /// not known.
    pub fn other_than(
        &self,
        opened: Option<&SessionDefaults>,
        role: Option<&str>,
    ) -> Option<&SessionDefaults> {
        self.known(role).or(self.own.as_ref()).filter(|known| Some(*known) != opened)
    }
}

/// As a session of the role has it.
pub fn settings(session: Option<&SessionDefaults>) -> ClientSettings {
    session.map_or_else(ClientSettings::default, |session| ClientSettings {
        search_path: Some(session.search_path.clone()),
        settings: session.settings.clone(),
        ..ClientSettings::default()
    })
}

/// The catalog with the search path of a session.
pub fn catalog<'c>(session: Option<&SessionDefaults>, catalog: &'c Catalog) -> Cow<'c, Catalog> {
    match session.map(|own| &own.search_path).filter(|path| **path != catalog.search_path) {
        None => Cow::Borrowed(catalog),
        Some(path) => Cow::Owned(Catalog { search_path: path.clone(), ..catalog.clone() }),
    }
}
