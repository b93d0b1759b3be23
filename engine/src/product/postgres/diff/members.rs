//! Roles that are members of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
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

const ATTRIBUTES: &str = "SELECT quote_ident(rolname), rolsuper FROM pg_roles WHERE rolsuper OR rolbypassrls";

/// Role -> roles whose rights it has besides its own.
pub type Members = BTreeMap<String, BTreeSet<String>>;

/// What roles may do whatever is granted.
#[derive(Default)]
pub struct Roles {
    pub members: Members,
    pub superusers: BTreeSet<String>,
    pub unbound: BTreeSet<String>,
}

pub async fn read(client: &Connection) -> Result<Roles> {
    let mut members = Members::new();
    for row in client.look(MEMBERS, &[]).await.server_context(READ)? {
        let role = row.try_get(0).server_context(READ)?;
        members.entry(role).or_default().insert(row.try_get(1).server_context(READ)?);
    }
    let mut roles = Roles { members, ..Roles::default() };
    for row in client.look(ATTRIBUTES, &[]).await.server_context(READ)? {
        let role: String = row.try_get(0).server_context(READ)?;
        if row.try_get(1).server_context(READ)? {
            roles.superusers.insert(role.clone());
        }
        roles.unbound.insert(role);
    }
    Ok(roles)
}
