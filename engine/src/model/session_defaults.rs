//! What the sessions of a role begin with.

use std::collections::BTreeMap;

/// What a new session of a role is set to before it has said anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionDefaults {
    /// Schemas searched for bare names, in order: those that are there and that the role may look into.
    pub search_path: Vec<String>,
    /// Every other setting that the role or the database has of its own, by name.
    pub settings: BTreeMap<String, String>,
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
