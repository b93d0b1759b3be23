//! Sessions of others, and what changes the database outside Liquibase.

use drydock_oracle_standin::Call;

use super::*;
use crate::model::endpoint::Limits;
use crate::model::session::LiquibaseLock;
use crate::product::oracle::grammar::{self, Context};
use crate::product::oracle::server::sessions;
use crate::product::{Database, Execute, Inspect, Sessions};

fn named(sql: &str) -> &str {
    sql.strip_prefix("/* drydock ").and_then(|rest| rest.split(" */").next()).unwrap_or(sql)
}

/// A server whose user may see sessions, and what it answers.
fn seen(mut others: impl FnMut(&str, &[Value]) -> Outcome + Send + 'static) -> Server {
    let answers = move |_: &Seen, sql: &str, binds: &[Value]| match named(sql) {
        name if name.starts_with("ALTER SESSION") => Outcome::Done,
        "server" => Outcome::rows(
            &[
                "SESSION_USER VARCHAR2(9)",
                "DATABASE_ROLE VARCHAR2(30)",
                "CHARACTER_SET VARCHAR2(30)",
                "ADMINISTRATOR NUMBER",
                "SEES_SESSIONS NUMBER",
                "BYTES NUMBER",
            ],
            vec![vec!["APP".into(), "PRIMARY".into(), "AL32UTF8".into(), 0.into(), 1.into(), Value::Null]],
        ),
        name => others(name, binds),
    };
    Server::start(Config::default(), answers)
}

#[test]
fn each_query_over_sessions_is_one_that_oracle_reads() {
    for sql in sessions::all_queries() {
        let pieces = grammar::pieces(&sql, &Context::new("19c", &Default::default())).unwrap();
        let [piece] = pieces.as_slice() else { panic!("{sql}") };
        let read = piece.read.as_ref().unwrap();
        assert_eq!(read.kind, "select", "{sql}");
        for relation in &read.relations {
            let bare = relation.rsplit('.').next().unwrap().to_uppercase();
            let granted = ["GV$SESSION", "GV$TRANSACTION", "GV$LOCKED_OBJECT", "GV$SQLSTATS", "ALL_OBJECTS"];
            assert!(granted.contains(&bare.as_str()), "{relation} in {sql}");
        }
    }
}

#[tokio::test]
async fn whether_sessions_are_shown_is_asked_of_each_database() {
    let hidden = serve(Config::default(), &Dictionary::default(), unasked);
    let database = oracle(&hidden, "");
    assert!(!database.capabilities().shows_sessions, "before it was asked");
    database.server().await.unwrap();
    assert!(!database.capabilities().shows_sessions);
    let lock = LiquibaseLock { by: "here (10.0.0.1)".into(), since: String::new() };
    assert!(
        database.liquibase_alive(&lock, "drydock").await.unwrap(),
        "nobody takes away what cannot be seen"
    );
    assert_eq!(database.end_sessions("drydock").await.unwrap(), 0);
    let shown = seen(unasked);
    let database = oracle(&shown, "");
    database.server().await.unwrap();
    assert!(database.capabilities().shows_sessions);
    assert!(
        database.at(database.endpoint().clone()).capabilities().shows_sessions,
        "a copy has the same grants"
    );
}

#[tokio::test]
async fn sessions_are_told_by_their_names() {
    let server = seen(|name, _| match name {
        "blocked" => Outcome::rows(
            &["MICROS NUMBER", "WAITS VARCHAR2(64)", "BLOCKS VARCHAR2(64)"],
            vec![
                vec![2_000_000.into(), "orders".into(), "drydock rollout 7".into()],
                vec![500_000.into(), "billing".into(), "batch".into()],
                vec![9_000_000.into(), "drydock rollout 7".into(), "batch".into()],
            ],
        ),
        "transactions" => Outcome::rows(
            &["SID NUMBER", "APPLICATION VARCHAR2(64)", "SECONDS NUMBER", "HOLDS VARCHAR2(4000)"],
            vec![
                vec![41.into(), "batch".into(), 90.into(), "APP.A,APP.B".into()],
                vec![42.into(), "drydock rollout 7".into(), 80.into(), Value::Null],
                vec![43.into(), Value::Null, 5.into(), Value::Null],
            ],
        ),
        "waits" => Outcome::rows(
            &[
                "WAITER VARCHAR2(64)",
                "APPLICATION VARCHAR2(64)",
                "MICROS NUMBER",
                "SID NUMBER",
                "BLOCKER VARCHAR2(64)",
                "USERNAME VARCHAR2(64)",
                "SECONDS NUMBER",
                "QUERY VARCHAR2(1000)",
            ],
            vec![
                vec![
                    "7,1".into(),
                    "drydock rollout 7".into(),
                    3_000_000.into(),
                    41.into(),
                    "batch".into(),
                    "JOBS".into(),
                    90.into(),
                    "update a set b = 'secret' where c = 5".into(),
                ],
                vec![
                    "8,1".into(),
                    "orders".into(),
                    1.into(),
                    41.into(),
                    "batch".into(),
                    "JOBS".into(),
                    90.into(),
                    Value::Null,
                ],
            ],
        ),
        "liquibase" => Outcome::rows(&["APPLICATION VARCHAR2(64)"], vec![vec!["drydock rollout 7".into()]]),
        other => unasked(other, &[]),
    });
    let database = oracle(&server, "");
    database.server().await.unwrap();
    let activity = database.activity("drydock rollout 7").await.unwrap();
    assert_eq!((activity.blocked, activity.blocked_by_us), (2, 1));
    assert_eq!((activity.longest_wait.as_secs(), activity.longest_wait_for_us.as_secs()), (2, 2));
    let long: Vec<_> = activity.long_transactions.iter().map(|t| (t.pid, t.holds.join(" "))).collect();
    assert_eq!(long, [(41, "APP.A APP.B".to_owned()), (43, String::new())]);
    let waits = database.waits().await.unwrap();
    assert_eq!(waits.len(), 1, "{waits:?}");
    let who = waits[0].who();
    assert!(who.contains("batch (pid 41, user JOBS, transaction open for 90 s"), "{who}");
    assert!(!who.contains("secret") && who.contains("UPDATE A SET B = ?"), "{who}");
    let lock = LiquibaseLock { by: "here (10.0.0.1)".into(), since: String::new() };
    assert!(!database.liquibase_alive(&lock, "drydock rollout 7").await.unwrap());
    assert!(database.liquibase_alive(&lock, "drydock rollout 8").await.unwrap());
}

#[tokio::test]
async fn sessions_are_ended_and_waited_for() {
    let mut looks = 0;
    let server = seen(move |name, binds| match name {
        "sessions" => {
            let Value::Text(pattern) = &binds[0] else { panic!("{binds:?}") };
            assert!(pattern == "drydock r~_7%" || pattern == "drydock r~_7", "{pattern}");
            looks += 1;
            let there =
                if looks < 3 { vec![vec!["41, 7, @1".into()], vec!["42, 9, @2".into()]] } else { Vec::new() };
            Outcome::rows(&["PLACE VARCHAR2(64)"], there)
        }
        "ALTER SYSTEM KILL SESSION '41, 7, @1' IMMEDIATE" => Outcome::error(31, "session marked for kill"),
        "ALTER SYSTEM KILL SESSION '42, 9, @2' IMMEDIATE" => Outcome::Done,
        other => unasked(other, &[]),
    });
    let database = oracle(&server, "");
    database.server().await.unwrap();
    assert_eq!(database.end_sessions("drydock r_7").await.unwrap(), 2);
    database.cancel("drydock r_7").await.unwrap();
    let refused = seen(|name, _| match name {
        "sessions" => Outcome::rows(&["PLACE VARCHAR2(64)"], vec![vec!["41, 7, @1".into()]]),
        _ => Outcome::error(1_031, "insufficient privileges"),
    });
    let database = oracle(&refused, "");
    database.server().await.unwrap();
    let error = database.cancel("drydock r_7").await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("ORA-01031"));
    assert!(error.hint_text().unwrap().contains("ALTER SYSTEM"));
}

#[tokio::test]
async fn locks_are_watched_until_that_is_over() {
    let server = seen(|name, binds| match name {
        "locks" => {
            assert_eq!(binds, [Value::from("drydock shadow")]);
            Outcome::rows(
                &["OWNER VARCHAR2(64)", "OBJECT_NAME VARCHAR2(64)", "LOCKED_MODE NUMBER"],
                vec![vec!["APP".into(), "T".into(), 6.into()]],
            )
        }
        other => unasked(other, &[]),
    });
    let watch = oracle(&server, "").watch_locks("drydock shadow").await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let locks = watch.stop().await;
    assert_eq!(locks.len(), 1);
    assert_eq!((locks[0].relation.as_str(), locks[0].mode.as_str()), ("APP.T", "exclusive"));
    assert!(locks[0].held_ms >= 100, "{locks:?}");
}

#[test]
fn a_session_of_liquibases_has_its_limits_and_its_name() {
    let url = "oracle://app@h/s";
    let database = Oracle::at(parse_url(url).unwrap());
    for (wait, seconds) in [
        (Some(Duration::from_millis(100)), "1"),
        (Some(Duration::from_millis(1_500)), "2"),
        (Some(Duration::ZERO), "1"),
        (None, "1000000"),
    ] {
        let limits = Limits { lock_wait: wait, statement: None };
        let setup = database.session_setup(&limits, "drydock o'neil");
        assert_eq!(setup[0], format!("ALTER SESSION SET DDL_LOCK_TIMEOUT = {seconds}"));
        assert_eq!(
            setup[1],
            "BEGIN DBMS_APPLICATION_INFO.SET_MODULE('drydock', 'o''neil'); DBMS_SESSION.SET_IDENTIFIER('drydock o''neil'); END;"
        );
    }
}

#[tokio::test]
async fn what_a_failed_build_left_is_taken_away() {
    for (status, journals, dropped, expected) in [
        ("VALID", 0, Outcome::Done, Ok(false)),
        ("UNUSABLE", 0, Outcome::Done, Ok(true)),
        ("VALID", 1, Outcome::Done, Ok(true)),
        (
            "VALID",
            1,
            Outcome::error(8_104, "this index object 7 is being online built or rebuilt"),
            Err("ORA-08104"),
        ),
    ] {
        let server = seen(move |name, binds| match name {
            "left index" => {
                assert_eq!(binds, [Value::from("APP"), Value::from("I")]);
                let row = vec![status.into(), journals.into()];
                Outcome::rows(&["STATUS VARCHAR2(8)", "JOURNALS NUMBER"], vec![row])
            }
            "DROP INDEX \"APP\".\"I\"" => dropped.clone(),
            other => unasked(other, &[]),
        });
        let found = oracle(&server, "").before_retry("APP.I").await;
        let found = found.map_err(|e| e.code.unwrap_or_default());
        assert_eq!(found, expected.map_err(str::to_owned), "{status} {journals}");
    }
}

#[tokio::test]
async fn an_index_is_looked_for_and_dropped_whatever_its_state() {
    let server = seen(|name, _| match name {
        "left index" => Outcome::rows(&["STATUS VARCHAR2(8)", "JOURNALS NUMBER"], vec![]),
        other => unasked(other, &[]),
    });
    assert!(!oracle(&server, "").has_index("APP.I").await.unwrap());
    let server = seen(|name, _| match name {
        "left index" => {
            Outcome::rows(&["STATUS VARCHAR2(8)", "JOURNALS NUMBER"], vec![vec!["VALID".into(), 0.into()]])
        }
        "DROP INDEX \"APP\".\"I\"" => Outcome::Done,
        other => unasked(other, &[]),
    });
    assert!(oracle(&server, "").has_index("APP.I").await.unwrap());
    oracle(&server, "").drop_index("APP.I").await.unwrap();
    assert!(server.log().statements().iter().any(|sql| sql == "DROP INDEX \"APP\".\"I\""));
}

#[tokio::test]
async fn statistics_are_renewed_and_scripts_run_statement_by_statement() {
    let server = seen(|name, _| match name {
        "create table broken (a number)" => Outcome::error(955, "name is already used by an existing object"),
        _ => Outcome::Done,
    });
    let database = oracle(&server, "");
    database.refresh_statistics(&["APP.T".into(), "APP.U".into()], &["APP.T".into()]).await.unwrap();
    let gathered: Vec<Vec<Value>> = server
        .received()
        .into_iter()
        .filter_map(|received| match received.call {
            Call::Execute { sql, binds } if sql.contains("GATHER_TABLE_STATS") => Some(binds),
            _ => None,
        })
        .collect();
    let names = |table: &str| vec![Value::from("\"APP\""), Value::from(format!("\"{table}\"").as_str())];
    assert_eq!(gathered, [names("T"), names("U")]);
    let script = "create table a (b number);\ncreate or replace procedure p is begin null; end;\n/\ncreate table broken (a number);";
    let error = database.execute_script(script).await.unwrap_err();
    assert!(error.to_string().contains("line 4"), "{error}");
    let ran: Vec<String> =
        server.log().statements().into_iter().filter(|sql| sql.starts_with("create")).collect();
    assert_eq!(
        ran,
        [
            "create table a (b number)",
            "create or replace procedure p is begin null; end;",
            "create table broken (a number)"
        ]
    );
}
