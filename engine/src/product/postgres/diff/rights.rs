//! What roles may not do any more: by grants that went, by roles they have left, by owning nothing any more.
//!
//! A role has a right by owning the object, by a grant of its own, by one to everybody, or through a role that it is a member of
//! ([Privileges](https://www.postgresql.org/docs/current/ddl-priv.html)). One of these is enough.

use std::collections::BTreeSet;

use crate::model::change::{Effect, Revoked, Right};
use crate::model::schema::SchemaSnapshot;
use crate::product::postgres::diff::Found;
use crate::product::postgres::diff::names::{identifiers, joined};
use crate::product::postgres::diff::object_ids::OWNER;

/// Everybody, as grants name them. No role can be called so.
const PUBLIC: &str = "public";

impl Found<'_> {
    /// A grant that is another one now: `on table s.t to role`.
    pub(super) fn grant(&mut self, rest: &str, was: Option<&str>, is: Option<&str>) {
        let Some((what, role)) = rest.strip_prefix("on ").and_then(|r| r.rsplit_once(" to ")) else { return };
        let now: Vec<&str> = is.into_iter().flat_map(|d| d.split(", ")).collect();
        let gone = was.into_iter().flat_map(|d| d.split(", ")).filter(|right| !now.contains(right));
        let gone: Vec<String> = gone.map(str::to_owned).collect();
        self.lose(what, role, gone);
    }

    /// What roles had by being members of others.
    pub(super) fn left_roles(&mut self, before: &SchemaSnapshot) {
        let none = BTreeSet::new();
        for (role, was) in &before.members {
            let is = self.now.members.get(role).unwrap_or(&none);
            for left in was.difference(is) {
                let end = format!(" to {left}");
                for (identity, definition) in &before.schema.objects {
                    let what = identity.strip_prefix("grant on ").and_then(|rest| rest.strip_suffix(&end));
                    let Some(what) = what else { continue };
                    self.lose(what, role, definition.split(", ").map(str::to_owned).collect());
                }
                for (what, owner) in owners(before) {
                    if owner == left {
                        self.lose(what, role, all_of(what));
                    }
                }
            }
        }
    }

    /// What those could do who may not do everything any more.
    pub(super) fn left_superusers(&mut self, before: &SchemaSnapshot) {
        for role in before.superusers.difference(&self.now.superusers) {
            for (what, _) in owners(before) {
                self.lose(what, role, all_of(what));
            }
        }
    }

    /// Rows that policies hide from roles now, or do not hide any more.
    pub(super) fn row_security(&mut self, before: &SchemaSnapshot) {
        let (was, is) = (&before.unbound, &self.now.unbound);
        if was == is {
            return;
        }
        let tables = self.after.objects.iter().filter(|(_, definition)| definition.contains("row security"));
        let tables =
            tables.filter_map(|(identity, _)| Some(joined(&identifiers(identity.strip_prefix("table ")?))));
        for table in tables.collect::<Vec<_>>() {
            for (roles, binds) in
                [(is.difference(was), "binds it no more"), (was.difference(is), "binds it now")]
            {
                for role in roles.filter_map(|role| grantee(role)) {
                    let reason = format!("{role} sees other rows of {table}: row security {binds}");
                    self.add(&table, &[], Effect::RowSecurity { role }, reason);
                }
            }
        }
    }

    /// What belongs to somebody else now: what its owner may not do any more, and those who were members of it; and what runs with its
    /// owner's rights.
    pub(super) fn left_owners(&mut self, before: &SchemaSnapshot) {
        // Most stay, and names in order need not be looked up.
        let mut now = owners(self.now).peekable();
        for (what, was) in owners(before) {
            while now.next_if(|(other, _)| *other < what).is_some() {}
            if now.peek().is_none_or(|(other, is)| *other != what || *is == was) {
                continue;
            }
            let members =
                before.members.iter().filter(|(_, of)| of.contains(was)).map(|(role, _)| role.as_str());
            for role in members.chain([was]) {
                self.lose(what, role, all_of(what));
            }
            let Some((kind, name)) = what.split_once(' ') else { continue };
            let subject = joined(&identifiers(name.split('(').next().unwrap_or(name)));
            let defined = |key: &str| self.after.objects.get(key);
            if defined(&format!("view {name}")).is_some() {
                for effect in [Effect::Reads, Effect::Refuses] {
                    self.add_predicate(&subject, effect, "now reads its tables with another owner's rights");
                }
            } else if kind == "function" && defined(what).is_some_and(|d| d.contains(" security definer")) {
                self.add_predicate(&subject, Effect::Routine, "now runs with another owner's rights");
            }
        }
    }

    /// Tells those of the rights that the role does not have by anything else.
    fn lose(&mut self, what: &str, role: &str, mut rights: Vec<String>) {
        let Some((kind, name)) = what.split_once(' ') else { return };
        let there = kind == "column"
            || self.after.objects.contains_key(what)
            || ["view", "materialized view"]
                .iter()
                .any(|k| self.after.objects.contains_key(&format!("{k} {name}")));
        rights.retain(|right| !self.holds(what, role, right));
        let of_sequence = kind == "sequence";
        // Either is enough to draw from it.
        if of_sequence && ["usage", "update"].iter().any(|right| self.holds(what, role, right)) {
            rights.clear();
        }
        if !there || rights.is_empty() {
            return;
        }
        if kind == "schema" {
            self.closed(name, role, &rights);
            return;
        }
        let parts = identifiers(name.split('(').next().unwrap_or(name));
        let subject = joined(parts.get(..2).unwrap_or_default());
        // Some columns may be left.
        let (start, end) = (format!("grant on column {name}."), format!(" to {role}"));
        let some = self.after.objects.keys().any(|k| k.starts_with(&start) && k.ends_with(&end));
        let of = if some { "all of " } else { "" };
        let reason = format!("{role} may no longer {} {of}{name}", rights.join(", "));
        let lost = rights;
        let rights = match of_sequence {
            true => BTreeSet::from([Right::Use]),
            false => lost.iter().map(|text| right(text)).collect(),
        };
        let kept_by = if role == PUBLIC { self.holders(what, &lost) } else { BTreeSet::new() };
        let revoked = Revoked { role: grantee(role), kept_by, rights, columns_left: some };
        self.add(&subject, &[], Effect::Privilege(revoked), reason);
    }

    /// Roles that have all of these rights now, as far as something names them.
    fn holders(&self, what: &str, rights: &[String]) -> BTreeSet<String> {
        let start = format!("grant on {what} to ");
        let granted = self.after.objects.keys().filter_map(|identity| identity.strip_prefix(&start));
        let owner = self.owner_of(what);
        let others = self.now.members.keys().chain(&self.now.superusers).map(String::as_str);
        let all = granted.chain(owner).chain(others).filter(|role| *role != PUBLIC);
        let holding = all.filter(|role| rights.iter().all(|right| self.holds(what, role, right)));
        holding.filter_map(grantee).collect()
    }

    fn owner_of(&self, what: &str) -> Option<&str> {
        self.now.objects.get(&format!("{OWNER}{what}")).map(|owner| owner.digest.as_str())
    }

    /// Whether the role has the right now, by whatever.
    fn holds(&self, what: &str, role: &str, right: &str) -> bool {
        let granted = |holder: &str| {
            let grant = self.after.objects.get(&format!("grant on {what} to {holder}"));
            grant.is_some_and(|rights| {
                rights.split(", ").any(|own| own.split(' ').next() == right.split(' ').next())
            })
        };
        let owner = self.owner_of(what);
        let groups = self.now.members.get(role).into_iter().flatten().map(String::as_str);
        let own = |holder: &str| holder != PUBLIC && owner == Some(holder) || granted(holder);
        self.now.superusers.contains(role) || groups.chain([role, PUBLIC]).any(own)
    }

    /// What lies in a schema that a role may not look into any more.
    fn closed(&mut self, schema: &str, role: &str, lost: &[String]) {
        if !lost.iter().any(|right| right == "usage") {
            return;
        }
        let kinds = ["table ", "view ", "materialized view "];
        let relation =
            |identity: &String| kinds.iter().find_map(|k| identity.strip_prefix(k)).map(identifiers);
        let own = identifiers(schema);
        let what = format!("schema {schema}");
        let kept_by = if role == PUBLIC { self.holders(&what, lost) } else { BTreeSet::new() };
        let inside = self.after.objects.keys().filter_map(relation).filter(|r| r.starts_with(&own));
        for name in inside.map(|r| joined(&r)).collect::<Vec<_>>() {
            let rights = BTreeSet::from([Right::Use]);
            let revoked =
                Revoked { role: grantee(role), kept_by: kept_by.clone(), rights, columns_left: false };
            let reason = format!("{role} may no longer use {name}: the schema is closed");
            self.add(&name, &[], Effect::Privilege(revoked), reason);
        }
    }
}

/// What is owned, as grants name it, and by whom.
fn owners(look: &SchemaSnapshot) -> impl Iterator<Item = (&str, &str)> {
    let all = look.objects.range(OWNER.to_owned()..);
    let all = all.map_while(|(identity, owner)| Some((identity.strip_prefix(OWNER)?, owner.digest.as_str())));
    all.filter(|(_, owner)| !owner.is_empty())
}

/// What an owner may do and may lose with it. Only rights that queries need.
fn all_of(what: &str) -> Vec<String> {
    let rights: &[&str] = match what.split(' ').next() {
        Some("table") => &["delete", "insert", "select", "update"],
        Some("function") => &["execute"],
        _ => &["usage"],
    };
    rights.iter().map(|right| (*right).to_owned()).collect()
}

/// The role of a grant's identity; `None` for everybody.
fn grantee(role: &str) -> Option<String> {
    (role != PUBLIC).then(|| identifiers(role).join("."))
}

/// A privilege as the fingerprint spells it, with or without its grant option.
fn right(privilege: &str) -> Right {
    match privilege.split(' ').next() {
        Some("select") => Right::Read,
        Some("insert") => Right::Insert,
        Some("update") => Right::Update,
        Some("delete") => Right::Delete,
        _ => Right::Use,
    }
}
