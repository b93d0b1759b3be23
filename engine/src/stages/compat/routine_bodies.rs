//! What the bodies of routines mean that queries come to call. They are kept as text, so what they mean is found when they run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::changeset::Changeset;
use crate::model::resolved::RoutineNames;
use crate::model::schema::SchemaSnapshot;
use crate::product::Database;
use crate::stages::compat::meanings::{self, Change, Found};
use crate::stages::compat::query_cache::{Text, Texts};
use crate::stages::sessions::Sessions;

/// By the role whose session calls, and the routine.
type Known = BTreeMap<(Option<String>, String), RoutineNames>;

pub struct Bodies {
    now: Known,
    /// After the changeset under check, of what it may reach.
    next: Known,
}

impl Bodies {
    /// # Errors
    /// `Failed` when the server cannot be asked.
    pub async fn begin(
        texts: &Texts<'_>,
        sessions: &Sessions,
        database: &Arc<dyn Database>,
        catalog: &Catalog,
    ) -> Result<Self> {
        let now = known(texts, |_| true, sessions, database, catalog).await?;
        Ok(Self { now, next: Known::new() })
    }

    /// # Errors
    /// `Failed` when the server cannot be asked.
    pub async fn renew(
        &mut self,
        texts: &Texts<'_>,
        reached: impl Fn(usize) -> bool,
        sessions: &Sessions,
        database: &Arc<dyn Database>,
        catalog: &Catalog,
    ) -> Result<()> {
        self.next = known(texts, reached, sessions, database, catalog).await?;
        Ok(())
    }

    /// What became of the bodies that a query comes to.
    pub fn changed(&self, text: &Text<'_>, changeset: &Changeset, after: &SchemaSnapshot) -> Vec<Found> {
        let mut found = Vec::new();
        for routine in &text.now.usage.uses {
            let key = (text.role.map(str::to_owned), routine.clone());
            if let (Some(was), Some(is)) = (self.now.get(&key), self.next.get(&key)) {
                found.extend(meanings::changed_body(routine, was, is, &Change { changeset, after }));
            }
        }
        found
    }

    /// The changeset does not stay.
    pub fn forget(&mut self) {
        self.next.clear();
    }

    /// The changeset stays.
    pub fn accept(&mut self) {
        self.now.append(&mut self.next);
    }
}

async fn known(
    texts: &Texts<'_>,
    reached: impl Fn(usize) -> bool,
    sessions: &Sessions,
    database: &Arc<dyn Database>,
    catalog: &Catalog,
) -> Result<Known> {
    let mut wanted: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
    for (_, text) in texts.iter().enumerate().filter(|(place, _)| reached(*place)) {
        let routines = text.now.usage.uses.iter().filter(|name| catalog.routines.contains_key(*name));
        let mut routines = routines.map(String::as_str).peekable();
        if routines.peek().is_some() {
            wanted.entry(text.role).or_default().extend(routines);
        }
    }
    let mut all = Known::new();
    for (role, routines) in wanted {
        let routines: Vec<&str> = routines.into_iter().collect();
        let names = sessions.routine_names(database, &routines, role).await?;
        all.extend(names.into_iter().map(|(routine, names)| ((role.map(str::to_owned), routine), names)));
    }
    Ok(all)
}
