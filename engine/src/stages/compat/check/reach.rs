//! Which queries a changeset may reach.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Checker;
use crate::model::changeset::Changeset;
use crate::model::query::Usage;
use crate::model::relation_name;
use crate::model::schema::SchemaSnapshot;
use crate::stages::compat::unreached::UsedNames;

impl Checker<'_> {
    /// Tables of the queries that these changesets may reach; `None`: they reach no query.
    pub fn reachable(&self, changesets: &[Changeset]) -> Option<BTreeSet<String>> {
        let touched: BTreeSet<String> = changesets.iter().flat_map(Changeset::touches).collect();
        let everything = changesets.iter().flat_map(|c| &c.statements).any(|s| s.touches.is_empty());
        let reached = self.texts.iter().map(|t| &t.now.usage);
        let reached: Vec<_> =
            reached.filter(|u| everything || u.runs_opaque || !u.uses.is_disjoint(&touched)).collect();
        if reached.is_empty() {
            return None;
        }
        let used: BTreeSet<&String> = reached.iter().flat_map(|u| &u.uses).collect();
        // What is in a partition is in its root; of one that goes or changes, some is to be there for certain.
        let told = |name: &&String| {
            self.catalog.tables.get(*name).is_some_and(|t| t.parent.is_none() || touched.contains(*name))
        };
        Some(used.into_iter().filter(told).cloned().collect())
    }

    pub(super) fn is_reached_by(&self, changeset: &Changeset) -> bool {
        let usages = self.texts.iter().map(|text| &text.now.usage);
        UsedNames::of(usages, self.fields.tables()).are_reached_by(changeset)
    }

    /// For each text whether a changeset that touched these relations may reach it. `renamed`: names may mean other objects now.
    pub(super) fn surely_reached(&self, touched: &BTreeSet<String>, renamed: bool) -> Vec<bool> {
        // What a bare name means may be another object of that name now.
        let shadowing = bare_names(touched.iter().filter(|_| renamed));
        let reached = self.texts.iter().map(|t| {
            let Usage { uses, runs_opaque, .. } = &t.now.usage;
            *runs_opaque
                || !uses.is_disjoint(touched)
                || !shadowing.is_disjoint(&bare_names(uses.iter()))
                || self.sessions.new_start(t.role).is_some()
        });
        reached.collect()
    }
}

/// Whether names may mean something else: objects came, went or were renamed. Who may look into a schema is part of it.
pub(super) fn names_may_differ(before: &SchemaSnapshot, after: &SchemaSnapshot) -> bool {
    let (was, is) = (before.objects.iter(), after.objects.iter());
    before.schema.objects.keys().ne(after.schema.objects.keys())
        || was.map(|(identity, o)| (identity, &o.number)).ne(is.map(|(identity, o)| (identity, &o.number)))
}

fn bare_names<'n>(names: impl Iterator<Item = &'n String>) -> BTreeSet<Cow<'n, str>> {
    names.map(|name| relation_name::bare(name)).collect()
}
