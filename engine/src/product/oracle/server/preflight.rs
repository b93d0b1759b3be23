//! Facts that are asked of a server before anything is done.

use super::dictionary::{Named, Table, table};
use crate::error::Result;
use crate::model::endpoint::Endpoint;
use crate::model::preflight::{Fact, Finding};
use crate::model::server::ServerInfo;
use crate::product::oracle::session::Session;
use crate::product::oracle::url;

/// What every user may ask.
pub const SERVER: Named = Named::new(
    "server",
    "SELECT SYS_CONTEXT('USERENV', 'SESSION_USER') AS session_user, SYS_CONTEXT('USERENV', 'DATABASE_ROLE') AS database_role,
       (SELECT p.value FROM nls_database_parameters p WHERE p.parameter = 'NLS_CHARACTERSET') AS character_set,
       (SELECT COUNT(*) FROM session_roles r WHERE r.role IN ('DBA', 'PDB_DBA')) AS administrator,
       (SELECT COUNT(*) FROM session_privs s WHERE s.privilege = 'SELECT ANY DICTIONARY')
         + (SELECT COUNT(*) FROM session_roles r WHERE r.role = 'SELECT_CATALOG_ROLE')
         + (SELECT FLOOR(COUNT(DISTINCT g.table_name) / 4) FROM all_tab_privs g WHERE g.table_schema = 'SYS'
             AND g.table_name IN ('GV_$SESSION', 'GV_$TRANSACTION', 'GV_$LOCKED_OBJECT', 'GV_$SQLSTATS')) AS sees_sessions,
       (SELECT SUM(b.bytes) FROM user_segments b) AS bytes
     FROM dual",
);

/// What needs a grant. Where it is not given, nothing is told.
pub const OPEN: Named =
    Named::new("open", "SELECT d.open_mode, i.logins FROM v$database d CROSS JOIN v$instance i");

/// Character sets that have every character of Unicode. UTF8 has those beyond the first plane in pairs.
const WHOLE: &[&str] = &["AL32UTF8", "UTF8"];

pub async fn read(session: &mut Session, endpoint: &Endpoint) -> Result<Vec<Fact>> {
    let version = name(session);
    let told = table(session, SERVER).await?;
    let row = told.one()?;
    let encoding = row.maybe("CHARACTER_SET")?.unwrap_or_default().to_owned();
    let mut facts = vec![Fact::new(Finding::Server { version, encoding: encoding.clone() })];
    if row.maybe("DATABASE_ROLE")?.is_some_and(|role| role.ends_with("STANDBY") && role != "SNAPSHOT STANDBY")
    {
        facts.push(Fact::new(Finding::Replica { primary: None }).remedy("name the primary database"));
    } else if let Some(open) = open(session).await {
        facts.extend(how_open(&open)?);
    }
    if !WHOLE.contains(&encoding.as_str()) {
        let remedy = "write what is not in it into columns of NVARCHAR2, or move the database to AL32UTF8";
        facts.push(Fact::new(Finding::NarrowEncoding { encoding }).remedy(remedy));
    }
    facts.extend(url::service_fact(endpoint));
    facts.extend(session.facts());
    Ok(facts)
}

/// `None` where the user may not ask.
async fn open(session: &mut Session) -> Option<Table> {
    table(session, OPEN).await.ok()
}

fn how_open(open: &Table) -> Result<Vec<Fact>> {
    let row = open.one()?;
    let mut facts = Vec::new();
    if row.text("OPEN_MODE")?.starts_with("READ ONLY") {
        let remedy = "open the database for writing: after a restore in place it is read-only until it is started anew";
        facts.push(Fact::new(Finding::ReadOnlySession).remedy(remedy));
    }
    if row.is("LOGINS", "RESTRICTED")? {
        let remedy = "ALTER SYSTEM DISABLE RESTRICTED SESSION, once services may work again";
        facts.push(Fact::new(Finding::RestrictedServer).remedy(remedy));
    }
    Ok(facts)
}

pub async fn server(session: &mut Session) -> Result<ServerInfo> {
    let version = name(session);
    let major = session.server().version.split('.').next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let told = table(session, SERVER).await?;
    let row = told.one()?;
    let count = |column: &str| Ok::<_, crate::error::Error>(row.number(column)?.unwrap_or(0));
    Ok(ServerInfo {
        version,
        major,
        system_id: None,
        user: row.text("SESSION_USER")?.to_owned(),
        superuser: count("ADMINISTRATOR")? > 0,
        replication: false,
        sees_activity: count("SEES_SESSIONS")? > 0,
        database_bytes: u64::try_from(count("BYTES")?).unwrap_or(0),
    })
}

fn name(session: &Session) -> String {
    format!("Oracle {}", session.server().version)
}
