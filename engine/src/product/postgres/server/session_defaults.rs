//! What the sessions of a role begin with (<https://www.postgresql.org/docs/current/sql-alterrole.html>): the settings of the
//! role in this database, else of the role, else of the database, else of all.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Result;
use crate::model::session_defaults::{SessionDefaults, Shut};
use crate::product::postgres::server::connect::ServerContext;

const READ: &str = "cannot read the settings of roles";
const SEARCH_PATH: &str = "search_path";
/// As the server has it where nobody says otherwise.
const EVERYWHERE: &str = "\"$user\", public";
/// The least that holds comes last. Only what a session may set itself: the rest says nothing about queries. A changeset that names the
/// database names the one that a scratch database is a copy of; what was set last holds.
const SETTINGS: &str = "WITH here AS (
       SELECT oid FROM pg_database WHERE datname IN (current_database(), current_setting('drydock.copy_of', true)))
     SELECT r.rolname::text, lower(split_part(s.setting, '=', 1)), substr(s.setting, strpos(s.setting, '=') + 1)
     FROM pg_roles r JOIN (
       SELECT everywhere, setrole, unnest(setconfig) AS setting FROM (
         SELECT setdatabase = 0 AS everywhere, setrole, setconfig,
           row_number() OVER (PARTITION BY setdatabase = 0, setrole ORDER BY xmin::text::int8 DESC) AS nth
         FROM pg_db_role_setting WHERE setdatabase = 0 OR setdatabase IN (SELECT oid FROM here)) l WHERE nth = 1) s
       ON s.setrole IN (r.oid, 0)
     LEFT JOIN pg_settings p ON lower(p.name) = lower(split_part(s.setting, '=', 1))
     WHERE r.rolname = ANY ($1) AND s.setting NOT LIKE 'drydock.%'
       AND (p.context = 'user' OR p.name IS NULL AND s.setting ~ '^[^=]*[.]')
     ORDER BY 1, 2, s.setrole = 0, s.everywhere";
const SCHEMAS: &str = "SELECT r.rolname::text, n.nspname::text FROM pg_roles r, pg_namespace n
     WHERE r.rolname = ANY ($1) AND has_schema_privilege(r.oid, n.oid, 'USAGE')";
/// Who may begin a session. A changeset that names the database names the one that a scratch database is a copy of.
const SHUT: &str = "SELECT r.rolname::text, NOT r.rolcanlogin,
       NOT (SELECT bool_and(has_database_privilege(r.oid, d.oid, 'CONNECT')) FROM pg_database d
            WHERE d.datname IN (current_database(), current_setting('drydock.copy_of', true))),
       r.rolconnlimit = 0 AND NOT r.rolsuper, coalesce(r.rolvaliduntil < now(), false)
     FROM pg_roles r WHERE r.rolname = ANY ($1)";
/// What a session has that is neither its role's nor its database's own.
const BASE: &str = "SELECT reset_val FROM pg_settings WHERE name = 'search_path' AND source NOT LIKE '%user%'
     AND source NOT LIKE 'database%' AND source NOT IN ('client', 'session')";
/// Settings that say how long something may take or what a client is told, and nothing of what a query means.
const OTHER: &[&str] = &["application_name", "client_min_messages", "session_authorization"];

/// Of the roles that are there.
pub async fn read(client: &Client, roles: &[&str]) -> Result<BTreeMap<String, SessionDefaults>> {
    let names = [(&roles as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT_ARRAY)];
    let (settings, schemas, shut, base) = futures::try_join!(
        client.query_typed(SETTINGS, &names),
        client.query_typed(SCHEMAS, &names),
        client.query_typed(SHUT, &names),
        client.query_typed(BASE, &[])
    )
    .server_context(READ)?;
    let base: Option<String> = base.first().map(|row| row.try_get(0)).transpose().server_context(READ)?;
    let base = base.unwrap_or_else(|| EVERYWHERE.to_owned());
    let mut usable: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in schemas {
        let role = row.try_get(0).server_context(READ)?;
        usable.entry(role).or_default().insert(row.try_get(1).server_context(READ)?);
    }
    let mut why: BTreeMap<String, Shut> = BTreeMap::new();
    for row in shut {
        let ways = [Shut::NoLogin, Shut::NoConnect, Shut::NoConnections, Shut::PasswordExpired];
        for (at, way) in (1..).zip(ways) {
            if row.try_get(at).server_context(READ)? {
                why.entry(row.try_get(0).server_context(READ)?).or_insert(way);
            }
        }
    }
    let mut own: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in settings {
        let settings = own.entry(row.try_get(0).server_context(READ)?).or_default();
        let value = row.try_get(2).server_context(READ)?;
        settings.entry(row.try_get(1).server_context(READ)?).or_insert(value);
    }
    let defaults = usable.into_iter().map(|(role, usable)| {
        let mut settings = own.remove(&role).unwrap_or_default();
        let path = settings.remove(SEARCH_PATH);
        settings.retain(|name, _| !OTHER.contains(&name.as_str()));
        let path = names_in(path.as_deref().unwrap_or(&base));
        let path = path.into_iter().map(|name| if name == "$user" { role.clone() } else { name });
        let search_path = path.filter(|name| usable.contains(name)).collect();
        let shut = why.remove(&role);
        (role, SessionDefaults { search_path, settings, shut })
    });
    Ok(defaults.collect())
}

/// A list of names as a setting has it: `"$user", Public` as `$user`, `public`.
pub fn names_in(list: &str) -> Vec<String> {
    let (mut names, mut name, mut quoted, mut inside) = (Vec::new(), String::new(), false, false);
    for c in list.chars().chain([',']) {
        match c {
            '"' => {
                // Two of them inside quotes are one.
                if !inside && quoted {
                    name.push('"');
                }
                inside = !inside;
                quoted = true;
            }
            ',' if !inside => {
                let whole = std::mem::take(&mut name);
                names.push(whole);
                quoted = false;
            }
            c if inside => name.push(c),
            c if c.is_whitespace() => {}
            c => name.extend(c.to_lowercase()),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::names_in;

    #[test]
    fn a_list_of_names_is_read_as_the_server_reads_it() {
        for (list, names) in [
            ("\"$user\", public", vec!["$user", "public"]),
            ("App , \"My, \"\"Own\"\"\"", vec!["app", "My, \"Own\""]),
            ("", vec![]),
            ("\"\"", vec![]),
        ] {
            assert_eq!(names_in(list), names, "{list}");
        }
    }
}
