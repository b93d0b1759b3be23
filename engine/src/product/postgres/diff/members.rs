//! Roles that are members of others, and what they may not do any more when they have left them.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::model::schema::SchemaSnapshot;
use crate::product::postgres::diff::Found;
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::connection::Connection;

const READ: &str = "cannot read the members of roles";
/// Memberships that give a role what the other one may do without a `SET ROLE`: since version 16 each of them says so itself.
const MEMBERS: &str = "WITH RECURSIVE inherited AS (
       SELECT a.member, a.roleid FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.member
       WHERE coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, r.rolinherit)),
     m AS (
       SELECT member AS role, roleid AS whole FROM inherited
       UNION SELECT m.role, a.roleid FROM m JOIN inherited a ON a.member = m.whole)
     SELECT quote_ident(r.rolname), quote_ident(g.rolname) FROM m JOIN pg_roles r ON r.oid = m.role JOIN pg_roles g ON g.oid = m.whole
     WHERE g.rolname !~ '^pg_'";

pub async fn read(client: &Connection) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in client.look(MEMBERS, &[]).await.server_context(READ)? {
        let role = row.try_get(0).server_context(READ)?;
        members.entry(role).or_default().insert(row.try_get(1).server_context(READ)?);
    }
    Ok(members)
}

impl Found<'_> {
    /// What roles had by being members of others and have by nothing else.
    pub(super) fn left_roles(&mut self, before: &SchemaSnapshot, after: &SchemaSnapshot) {
        let none = BTreeSet::new();
        for (role, was) in &before.members {
            let is = after.members.get(role).unwrap_or(&none);
            let rights = |what: &str, holder: &str| -> BTreeSet<String> {
                let held = after.schema.objects.get(&format!("grant on {what} to {holder}"));
                held.into_iter().flat_map(|d| d.split(", ")).map(str::to_owned).collect()
            };
            for left in was.difference(is) {
                let end = format!(" to {left}");
                let through = before.schema.objects.iter().filter_map(|(identity, definition)| {
                    Some((identity.strip_prefix("grant on ")?.strip_suffix(&end)?, definition))
                });
                for (what, definition) in through {
                    let others = is.iter().map(String::as_str).chain([role.as_str(), "public"]);
                    let kept: BTreeSet<String> = others.flat_map(|holder| rights(what, holder)).collect();
                    let lost: Vec<&str> =
                        definition.split(", ").filter(|right| !kept.contains(*right)).collect();
                    if !lost.is_empty() {
                        self.grant(&format!("on {what} to {role}"), Some(&lost.join(", ")), None);
                    }
                }
            }
        }
    }
}
