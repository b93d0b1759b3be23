//! Ending sessions, and breaking off what they run.

use std::time::Duration;

use drydock_oracle_protocol::{Bind, Execute};

use super::named;
use crate::error::{Error, Result};
use crate::product::oracle::server::dictionary::query_with;
use crate::product::oracle::session::Session;

const LIMIT: Duration = Duration::from_secs(20);
/// How long a session may take to go, in looks of a tenth of a second.
const LOOKS: u32 = 300;
/// It has gone already: ORA-00030, and ORA-00031 while it is marked.
const GONE: &[&str] = &["ORA-00030", "ORA-00031"];

/// `sid, serial, @instance` of sessions by name, our own left out.
pub fn sessions_sql() -> String {
    format!(
        "/* drydock sessions */ SELECT s.sid || ', ' || s.serial# || ', @' || s.inst_id AS place FROM gv$session s
         WHERE s.type = 'USER' AND s.status <> 'KILLED' AND {} LIKE :1 ESCAPE '~'
           AND NOT (s.sid = SYS_CONTEXT('USERENV', 'SID') AND s.inst_id = SYS_CONTEXT('USERENV', 'INSTANCE'))",
        named("s")
    )
}

fn pattern(prefix: &str) -> String {
    let escaped = prefix.replace('~', "~~").replace('_', "~_").replace('%', "~%");
    format!("{escaped}%")
}

async fn places(session: &mut Session, pattern: String) -> Result<Vec<String>> {
    let rows = query_with(session, "sessions", sessions_sql(), vec![Bind::text(pattern)]).await?;
    rows.rows().map(|row| Ok(row.text("PLACE")?.to_owned())).collect()
}

async fn each(session: &mut Session, places: &[String], how: &str, after: &str) -> Result<()> {
    for place in places {
        let sql = format!("ALTER SYSTEM {how} '{place}'{after}");
        match session.execute(Execute { sql, rows: Vec::new() }, LIMIT).await {
            Err(e) if !e.code.as_deref().is_some_and(|code| GONE.contains(&code)) => {
                let code = e.code.clone().unwrap_or_default();
                return Err(Error::failed("a session cannot be ended or broken off")
                    .because(e)
                    .code(code)
                    .hint("it needs the system privilege ALTER SYSTEM, or a DBA who does it"));
            }
            _ => {}
        }
    }
    Ok(())
}

pub async fn end(session: &mut Session, prefix: &str) -> Result<u64> {
    let found = places(session, pattern(prefix)).await?;
    each(session, &found, "KILL SESSION", " IMMEDIATE").await?;
    for _ in 0..LOOKS {
        if found.is_empty() || places(session, pattern(prefix)).await?.is_empty() {
            return Ok(u64::try_from(found.len()).unwrap_or(u64::MAX));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::busy("sessions that were ended do not go"))
}

pub async fn cancel(session: &mut Session, application: &str) -> Result<()> {
    let exact = pattern(application).trim_end_matches('%').to_owned();
    let found = places(session, exact).await?;
    each(session, &found, "CANCEL SQL", "").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_meant_as_it_stands() {
        assert_eq!(pattern("drydock r_1 50%~"), "drydock r~_1 50~%~~%");
    }
}
