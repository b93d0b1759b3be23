//! What is told before anything is done.

use super::*;
use crate::model::preflight::Weight;
use crate::product::Inspect;

#[tokio::test]
async fn facts_are_told_before_anything_is_done() {
    let config = Config::default().user("expiring", PASSWORD, Account::Expiring);
    let server = serve(config, &Dictionary::default(), unasked);
    let facts = oracle(&server, "").preflight().await.unwrap();
    let told: Vec<String> = facts.iter().map(|fact| fact.finding.to_string()).collect();
    assert_eq!(facts.iter().filter(|fact| fact.weight != Weight::Known).count(), 0, "{told:?}");
    assert!(told[0].contains("Oracle 19"), "{told:?}");
    let info = oracle(&server, "").server().await.unwrap();
    assert_eq!(
        (info.major, info.user.as_str(), info.database_bytes, info.superuser),
        (19, "APP", 8_192, false)
    );
    // The password of another user expires soon.
    build_program();
    let url = format!("oracle://expiring:{PASSWORD}@{}", server.connect_string());
    let facts = Oracle::at(parse_url(&url).unwrap()).preflight().await.unwrap();
    assert!(facts.iter().any(|fact| fact.finding.to_string().contains("expires soon")), "{facts:?}");
}

#[tokio::test]
async fn what_keeps_a_database_from_being_worked_with_is_told() {
    for (role, set, open, expected) in [
        ("PRIMARY", "AL32UTF8", Some(("READ WRITE", "ALLOWED")), vec![]),
        ("PHYSICAL STANDBY", "AL32UTF8", None, vec!["Replica"]),
        ("SNAPSHOT STANDBY", "AL32UTF8", None, vec![]),
        ("PRIMARY", "WE8ISO8859P15", None, vec!["NarrowEncoding"]),
        ("PRIMARY", "AL32UTF8", Some(("READ ONLY", "ALLOWED")), vec!["ReadOnlySession"]),
        ("PRIMARY", "AL32UTF8", Some(("READ WRITE", "RESTRICTED")), vec!["RestrictedServer"]),
    ] {
        let answers = move |_: &Seen, sql: &str, _: &[Value]| -> Outcome {
            match sql.strip_prefix("/* drydock ").and_then(|rest| rest.split(' ').next()) {
                Some("server") => Outcome::rows(
                    &[
                        "SESSION_USER VARCHAR2(9)",
                        "DATABASE_ROLE VARCHAR2(30)",
                        "CHARACTER_SET VARCHAR2(30)",
                        "ADMINISTRATOR NUMBER",
                        "SEES_SESSIONS NUMBER",
                        "BYTES NUMBER",
                    ],
                    vec![vec!["APP".into(), role.into(), set.into(), 0.into(), 0.into(), Value::Null]],
                ),
                Some("open") => match open {
                    Some((mode, logins)) => Outcome::rows(
                        &["OPEN_MODE VARCHAR2(20)", "LOGINS VARCHAR2(10)"],
                        vec![vec![mode.into(), logins.into()]],
                    ),
                    None => Outcome::error(942, "table or view does not exist"),
                },
                _ => Outcome::Done,
            }
        };
        let server = Server::start(Config::default(), answers);
        let facts = oracle(&server, "").preflight().await.unwrap();
        let told: Vec<String> = facts.iter().skip(1).map(|fact| format!("{:?}", fact.finding)).collect();
        let told: Vec<&str> = told.iter().map(|text| text.split(' ').next().unwrap()).collect();
        assert_eq!(told, expected, "{role} {set} {open:?}");
    }
}
