//! What the sessions of a role begin with.

use std::collections::BTreeMap;
use std::fmt;

/// What a new session of a role is set to before it has said anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionDefaults {
    /// Schemas searched for bare names, in order: those that are there and that the role may look into.
    pub search_path: Vec<String>,
    /// Every other setting that the role or the database has of its own, by name.
    pub settings: BTreeMap<String, String>,
    /// Why none can begin; `None`: it can.
    pub shut: Option<Shut>,
}

/// Why no session of a role can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// It may not log in.
    NoLogin,
    /// It may not connect to the database.
    NoConnect,
    /// It may have no connection at a time.
    NoConnections,
    /// Its password is valid no longer. Who comes without one gets in.
    PasswordExpired,
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLogin => "may not log in",
            Self::NoConnect => "may not connect to the database",
            Self::NoConnections => "may have no connection",
            Self::PasswordExpired => "has a password that is valid no longer",
        })
    }
}

impl SessionDefaults {
    /// What is another now, for people; the search path is left out.
    pub fn changed_settings(&self, now: &Self) -> Vec<String> {
        let names =
            self.settings.keys().chain(now.settings.keys().filter(|n| !self.settings.contains_key(*n)));
        let told = |name: &String| {
            let (was, is) = (self.settings.get(name), now.settings.get(name));
            let is_now = is.map_or("as the server has it".to_owned(), Clone::clone);
            (was != is).then(|| format!("{name} {is_now}"))
        };
        names.filter_map(told).collect()
    }
}
