//! What an administrator grants to Drydock's user.

use super::sql::quoted;
use crate::model::endpoint::Endpoint;

/// A right, what it is for, and whether Drydock does without.
const GRANTS: &[(&str, &[&str])] = &[
    ("To connect.", &["GRANT CREATE SESSION TO {user}"]),
    (
        "One run keeps others away by a lock of the server's. plan, compat and doctor take none.",
        &["GRANT EXECUTE ON SYS.DBMS_LOCK TO {user}"],
    ),
    (
        "Who waits for whom, which locks are held, who is in the way. Without these four, gates judge by the traffic alone.",
        &[
            "GRANT SELECT ON SYS.GV_$SESSION TO {user}",
            "GRANT SELECT ON SYS.GV_$TRANSACTION TO {user}",
            "GRANT SELECT ON SYS.GV_$LOCKED_OBJECT TO {user}",
            "GRANT SELECT ON SYS.GV_$SQLSTATS TO {user}",
        ],
    ),
    (
        "Whether the database is open for writing, and for everybody. Without these two, nobody warns.",
        &["GRANT SELECT ON SYS.V_$DATABASE TO {user}", "GRANT SELECT ON SYS.V_$INSTANCE TO {user}"],
    ),
];

/// What is not granted without a thought.
const WITH_CARE: &[(&str, &str)] = &[
    (
        "To end sessions of an earlier, killed run and to break off statements of its own that wait too long. It is a strong privilege: \
         without it, a DBA does so when Drydock asks for it.",
        "GRANT ALTER SYSTEM TO {user}",
    ),
    (
        "Where the objects are another user's: that user's schema, from 23ai on. Before, name each object, or let Drydock connect as \
         their owner.",
        "GRANT SELECT ANY TABLE ON SCHEMA <schema> TO {user}",
    ),
];

/// SQL for SQL*Plus or SQLcl, to be run by an administrator in the database (not in the root container).
pub fn script(endpoint: &Endpoint) -> String {
    // A proxy user comes as `proxy[owner]`: the owner is who works.
    let user = match endpoint.user.split_once('[') {
        Some((_, owner)) => owner.trim_end_matches(']'),
        None => &endpoint.user,
    };
    let user = match user.strip_prefix('"') {
        Some(quoted) => quoted.trim_end_matches('"').to_owned(),
        None => user.to_uppercase(),
    };
    let name = quoted(&user);
    let mut script = format!("-- What Drydock needs as {user}. Services and Liquibase may need more.\n");
    for (what_for, grants) in GRANTS {
        script.push_str(&format!("\n-- {what_for}\n"));
        for grant in *grants {
            script.push_str(&format!("{};\n", grant.replace("{user}", &name)));
        }
    }
    script.push_str("\n-- Not granted by this script; decide for yourself.\n");
    for (what_for, grant) in WITH_CARE {
        script.push_str(&format!("\n-- {what_for}\n-- {};\n", grant.replace("{user}", &name)));
    }
    script
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::catalog::Catalog;
    use crate::product::oracle::grammar::{self, Context};
    use crate::product::oracle::url::parse_url;

    #[test]
    fn the_script_is_sql_and_grants_nothing_strong() {
        for (url, user) in [
            ("oracle://app@h/s", "\"APP\""),
            ("oracle://%22App%22@h/s", "\"App\""),
            ("oracle://proxy%5Bapp%5D@h/s", "\"APP\""),
        ] {
            let script = script(&parse_url(url).unwrap());
            let pieces = grammar::pieces(&script, &Context::new("19c", &Catalog::default())).unwrap();
            let grants: usize = GRANTS.iter().map(|(_, grants)| grants.len()).sum();
            assert_eq!(pieces.len(), grants, "{script}");
            for piece in &pieces {
                assert_eq!(piece.read.as_ref().unwrap().kind, "grant");
                let sql = script.get(piece.start..piece.end).unwrap();
                assert!(sql.ends_with(&format!("TO {user}")), "{sql}");
                let narrow = [
                    "GRANT CREATE SESSION ",
                    "GRANT SELECT ON SYS.GV_$",
                    "GRANT SELECT ON SYS.V_$",
                    "GRANT EXECUTE ON SYS.DBMS_LOCK ",
                ];
                assert!(narrow.iter().any(|begin| sql.starts_with(begin)), "{sql}");
            }
        }
    }
}
