//! What all databases of a server have in common and changesets change beside the schema: settings, memberships and attributes of
//! roles, and who may connect to the database. A copy of a database does not bring them back, so they are kept and restored.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use crate::error::{Context, Result};
use crate::product::postgres::local::restore::grantee;
use crate::product::postgres::local::tools::Tools;
use crate::product::postgres::{ServerContext, literal, quoted};

const WHAT: &str = "cannot keep the settings of roles";
const FILE: &str = "roles.json";
const READ: &str = "SELECT 'setting', coalesce(r.rolname::text, ''), unnest(s.setconfig), coalesce(d.datname::text, '')
       FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
       WHERE s.setdatabase = 0 OR d.datname = $2
     UNION ALL SELECT 'member', m.rolname::text, g.rolname::text, '' FROM pg_auth_members a
       JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
       WHERE g.rolname !~ '^pg_' AND m.rolname <> ALL ($1)
     UNION ALL SELECT 'attribute', rolname::text, unnest(ARRAY[
         CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END, CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
         CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, 'CONNECTION LIMIT ' || rolconnlimit,
         'VALID UNTIL ' || quote_literal(coalesce(rolvaliduntil, 'infinity'))]), ''
       FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL ($1)
     UNION ALL SELECT 'grant', coalesce((SELECT rolname::text FROM pg_roles r WHERE r.oid = e.grantee), ''), e.privilege_type, ''
       FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) e
       WHERE d.datname = $2 AND e.grantee <> d.datdba";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Fact {
    /// `name=value`, of a role or all, everywhere or in one database.
    Setting {
        role: Option<String>,
        database: Option<String>,
        setting: String,
    },
    Member {
        group: String,
        role: String,
    },
    /// As `ALTER ROLE` has it. Each role has one of each kind.
    Attribute {
        role: String,
        attribute: String,
    },
    /// What a role, or everybody, may do with the database.
    Grant {
        role: Option<String>,
        right: String,
    },
}

async fn read(admin: &Client, template: &str, without: &[&str]) -> Result<BTreeSet<Fact>> {
    let mut facts = BTreeSet::new();
    let some = |text: String| Some(text).filter(|t| !t.is_empty());
    for row in admin.query(READ, &[&without, &template]).await.server_context(WHAT)? {
        let text = |at: usize| row.try_get::<_, String>(at).server_context(WHAT);
        facts.insert(match text(0)?.as_str() {
            "setting" => Fact::Setting { role: some(text(1)?), database: some(text(3)?), setting: text(2)? },
            "attribute" => Fact::Attribute { role: text(1)?, attribute: text(2)? },
            "grant" => Fact::Grant { role: some(text(1)?), right: text(2)? },
            _ => Fact::Member { group: text(2)?, role: text(1)? },
        });
    }
    Ok(facts)
}

/// Keeps them in the server's folder.
pub async fn keep(admin: &Client, template: &str, tools: &Tools, folder: &Path) -> Result<()> {
    let text = serde_json::to_string(&read(admin, template, &[]).await?).context(WHAT)?;
    tools.write(&folder.join(FILE), &text)
}

/// Puts them back; whether there was anything to do. `without`: roles of our own, which came later.
pub async fn restore(admin: &Client, template: &str, folder: &Path, without: &[&str]) -> Result<bool> {
    let text = std::fs::read_to_string(folder.join(FILE)).context(WHAT)?;
    let kept: BTreeSet<Fact> = serde_json::from_str(&text).context(WHAT)?;
    let now = read(admin, template, without).await?;
    let gone = now.difference(&kept).filter_map(|fact| match fact {
        // The kept one of its kind comes in its place.
        Fact::Attribute { .. } => None,
        Fact::Grant { role, right } => {
            Some(format!("REVOKE {right} ON DATABASE {} FROM {}", quoted(template), grantee(role.as_deref())))
        }
        Fact::Setting { role, database, setting } => {
            Some(format!("ALTER {} RESET {}", whose(role, database), name(setting)))
        }
        Fact::Member { group, role } => Some(format!("REVOKE {} FROM {}", quoted(group), quoted(role))),
    });
    let back = kept.difference(&now).map(|fact| match fact {
        Fact::Setting { role, database, setting } => {
            format!("ALTER {} SET {} TO {}", whose(role, database), name(setting), value(setting))
        }
        Fact::Member { group, role } => format!("GRANT {} TO {}", quoted(group), quoted(role)),
        Fact::Attribute { role, attribute } => format!("ALTER ROLE {} {attribute}", quoted(role)),
        Fact::Grant { role, right } => {
            format!("GRANT {right} ON DATABASE {} TO {}", quoted(template), grantee(role.as_deref()))
        }
    });
    for sql in gone.chain(back) {
        // A setting of a library that is not here, or a role that a changeset has dropped.
        if let Err(error) = admin.batch_execute(&sql).await {
            tracing::debug!(%sql, %error, "not restored");
        }
    }
    Ok(now != kept)
}

fn whose(role: &Option<String>, database: &Option<String>) -> String {
    match (role, database) {
        (Some(role), Some(database)) => format!("ROLE {} IN DATABASE {}", quoted(role), quoted(database)),
        (Some(role), None) => format!("ROLE {}", quoted(role)),
        (None, Some(database)) => format!("DATABASE {}", quoted(database)),
        (None, None) => "ROLE ALL".to_owned(),
    }
}

fn name(setting: &str) -> String {
    let name = setting.split_once('=').map_or(setting, |(name, _)| name);
    name.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// Lists of names are kept quoted as they have to be written; everything else is one value.
fn value(setting: &str) -> String {
    match setting.split_once('=') {
        Some(("search_path", value)) if !value.is_empty() => value.to_owned(),
        Some((_, value)) => literal(value),
        None => "DEFAULT".to_owned(),
    }
}
