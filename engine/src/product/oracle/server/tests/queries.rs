//! Queries as services run them, and rows.

use drydock_oracle_standin::Call as Seen;

use super::*;
use crate::model::endpoint::ClientSettings;
use crate::model::error_class::ErrorClass;
use crate::model::query::{Asker, Call, Ending, QueryShape};
use crate::product::{Client, Database, Dialect, Inspect};

const TABLE: &[&str] =
    &["create table t (id number(9) primary key, name varchar2(40), code char(3), at date, body clob)"];

/// What a description of a query gives: its columns as `name code length`.
fn described(columns: &[(&str, u32, u32)]) -> Outcome {
    let records: String = columns
        .iter()
        .map(|(name, code, length)| {
            format!("{name}\u{1f}{code}\u{1f}{length}\u{1f}0\u{1f}0\u{1f}1\u{1f}1\u{1f}\u{1f}\u{1e}")
        })
        .collect();
    let total = columns.len().to_string();
    Outcome::Out(vec![
        (3, Value::Null),
        (4, Value::Null),
        (5, records.as_str().into()),
        (6, total.as_str().into()),
    ])
}

fn refused(message: &str, place: &str) -> Outcome {
    Outcome::Out(vec![(3, message.into()), (4, place.into()), (5, Value::Null), (6, Value::Null)])
}

/// A block that describes: the statement that it is about.
fn asked(sql: &str, binds: &[Value]) -> Option<String> {
    match binds.get(1) {
        Some(Value::Text(statement)) if sql.contains("dbms_sql.parse") => Some(statement.clone()),
        _ => None,
    }
}

fn answer(sql: &str, binds: &[Value]) -> Outcome {
    if let Some(statement) = asked(sql, binds) {
        return match statement.as_str() {
            "select gone from t" => refused("ORA-00904: \"GONE\": invalid identifier", "7"),
            "select a from gone" => refused("ORA-00942: table or view does not exist", "14"),
            sql if sql.to_lowercase().starts_with("select") => {
                described(&[("ID", 2, 22), ("NAME", 1, 40), ("CODE", 96, 3)])
            }
            _ => described(&[]),
        };
    }
    let row = |id: i64| vec![id.into(), "a".into(), Value::Null];
    match sql {
        sql if sql.starts_with("/* drydock stamp */") => Outcome::rows(
            &["STAMP VARCHAR2(40)", "SETTLED VARCHAR2(1)"],
            vec![vec!["1 20260101".into(), "Y".into()]],
        ),
        sql if sql.contains("COUNT(DISTINCT") => Outcome::rows(&["C NUMBER"], vec![vec![2.into()]]),
        sql if sql.starts_with("/* drydock rows */") => {
            let sum = Value::number("1234567890123456789012345");
            Outcome::rows(&["C NUMBER", "A NUMBER", "B NUMBER"], vec![vec![7.into(), sum.clone(), sum]])
        }
        sql if sql.to_lowercase().starts_with("select") => {
            Outcome::rows(&["ID NUMBER(9)", "NAME VARCHAR2(40)", "CODE CHAR(3)"], vec![row(1), row(2)])
        }
        sql if sql.contains("taken") => Outcome::error(1, "unique constraint (APP.T_PK) violated"),
        sql if sql.starts_with("begin") => Outcome::Done,
        sql if sql.to_lowercase().starts_with("update") || sql.to_lowercase().starts_with("delete") => {
            Outcome::Changed(3)
        }
        sql if sql.starts_with("insert") => Outcome::Changed(1),
        other => Outcome::error(900, other),
    }
}

async fn client(server: &Server) -> Box<dyn Client> {
    oracle(server, "").client_with("drydock shadow", &ClientSettings::default()).await.unwrap()
}

/// What came to the server after the sessions were set up: statements, and how transactions ended.
fn came(server: &Server) -> Vec<String> {
    let calls = server.received().into_iter().filter_map(|received| match received.call {
        Seen::Execute { sql, .. } if sql.starts_with("ALTER SESSION SET") || sql.contains("PARALLEL DML") => {
            None
        }
        Seen::Execute { sql, .. } => Some(sql),
        Seen::Commit => Some("commit".to_owned()),
        Seen::Rollback => Some("rollback".to_owned()),
        _ => None,
    });
    calls.collect()
}

#[tokio::test]
async fn queries_are_described_by_the_server_and_parameters_by_the_dictionary() {
    let server = serve(Config::default(), &dictionary(TABLE), answer);
    let mut client = client(&server).await;
    let shape = client.describe("select id, name, code from t where name = :2 and at > :1").await.unwrap();
    assert_eq!(shape.parameters, ["DATE", "VARCHAR2(40)"]);
    let columns: Vec<String> =
        shape.columns.iter().map(|(name, sql_type)| format!("{name} {sql_type}")).collect();
    assert_eq!(columns, ["ID NUMBER", "NAME VARCHAR2(40)", "CODE CHAR(3)"]);
    let error = client.describe("select gone from t").await.unwrap_err();
    assert_eq!((error.class, error.column.as_deref()), (ErrorClass::UndefinedColumn, Some("GONE")));
    let error = client.describe("select a from gone").await.unwrap_err();
    assert_eq!((error.class, error.table.as_deref()), (ErrorClass::UndefinedObject, Some("GONE")));
    // The dictionary is read once for all of them.
    client.describe("update t set name = :1 where id = :2").await.unwrap();
    let read = server.log().statements().iter().filter(|sql| sql.contains("/* drydock columns */")).count();
    assert_eq!(read, 1);
    // What could be DDL does not come to the server.
    let before = server.received().len();
    for sql in ["drop table t", "/* select */ truncate table t", "grant select on t to u"] {
        let error =
            client.run(sql, &QueryShape { parameters: vec![], columns: vec![] }, &[], Ending::Rollback).await;
        assert_eq!(error.unwrap_err().code, "unread", "{sql}");
    }
    let after: Vec<String> = came(&server);
    assert!(
        !after.iter().any(|sql| sql.contains("drop ") || sql.contains("truncate") || sql.contains("grant ")),
        "{after:?}"
    );
    assert!(server.received().len() > before, "the session was told that code may not commit");
}

#[tokio::test]
async fn a_query_ends_as_it_is_said_and_what_is_taken_back_is_not_committed_by_code() {
    let server = serve(Config::default(), &dictionary(TABLE), answer);
    let mut client = client(&server).await;
    let none = QueryShape { parameters: vec!["NUMBER(9)".into()], columns: vec![] };
    let one = [Some("1".to_owned())];
    let result = client.run("select id from t where id = :1", &none, &one, Ending::Commit).await.unwrap();
    assert_eq!((result.rows, result.first.as_deref()), (2, Some("1")));
    let result =
        client.run("update t set name = 'x' where id = :1", &none, &one, Ending::Rollback).await.unwrap();
    assert_eq!(result.rows, 3);
    let error = client.run("insert into taken values (:1)", &none, &one, Ending::Commit).await.unwrap_err();
    assert_eq!((error.class, error.constraint.as_deref()), (ErrorClass::UniqueViolation, Some("T_PK")));
    assert_eq!(
        came(&server),
        [
            "select id from t where id = :1",
            "commit",
            "ALTER SESSION DISABLE COMMIT IN PROCEDURE",
            "update t set name = 'x' where id = :1",
            "rollback",
            "ALTER SESSION ENABLE COMMIT IN PROCEDURE",
            "insert into taken values (:1)",
            "rollback",
        ]
    );
    assert!(client.alive());
    server.cut();
    let error = client.run("select id from t where id = :1", &none, &one, Ending::Commit).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::ConnectionLost, "connection"));
    assert!(!client.alive());
}

#[tokio::test]
async fn answers_are_taken_back_and_a_row_that_is_in_the_way_goes_first() {
    let server = serve(Config::default(), &dictionary(TABLE), answer);
    let mut client = client(&server).await;
    let shape = QueryShape { parameters: vec!["NUMBER(9)".into()], columns: vec![] };
    let (values, key) = ([Some("1".to_owned())], [("ID".to_owned(), "1".to_owned())]);
    let calls =
        [Call { values: &values, without: Some(("APP.T", &key)) }, Call { values: &values, without: None }];
    let answers = client.answers("insert into t (id) values (:1)", &shape, None, &calls).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|a| a.count == 1)), "{answers:?}");
    let ended: Vec<String> =
        came(&server).into_iter().filter(|c| ["commit", "rollback"].contains(&c.as_str())).collect();
    // One more ends the look at the dictionary.
    assert_eq!(ended, ["rollback", "rollback", "rollback"]);
    let deleted: Vec<Vec<Value>> = server
        .received()
        .into_iter()
        .filter_map(|received| match received.call {
            Seen::Execute { sql, binds } if sql == "DELETE FROM \"APP\".\"T\" WHERE \"ID\" = :1" => {
                Some(binds)
            }
            _ => None,
        })
        .collect();
    assert_eq!(deleted, [[Value::number(1)]]);
    let other = Some(Asker { role: "SOMEBODY", session: None });
    let refused = client.answers("select id from t", &shape, other, &calls).await;
    assert!(refused.iter().all(|answer| answer.as_ref().is_err_and(|e| e.message.contains("as SOMEBODY"))));
}

#[tokio::test]
async fn rows_and_values_are_looked_up() {
    let server = serve(Config::default(), &dictionary(TABLE), answer);
    let database = oracle(&server, "");
    let (columns, rows) = database.rows("APP.T", 10).await.unwrap();
    assert_eq!(columns, ["ID", "NAME", "CODE"]);
    assert_eq!(rows[1], [Some("2".to_owned()), Some("a".to_owned()), None]);
    database.samples("APP.T", "NAME", 5).await.unwrap();
    let values: Vec<String> = (0..600).map(|n| n.to_string()).collect();
    assert_eq!(database.count_present("APP.T", "CODE", &values).await.unwrap(), 4, "two lists");
    let data = database.data_fingerprint(Some(&["APP.T".to_owned()])).await.unwrap();
    assert_eq!(data.tables["APP.T"].rows, 7);
    let asked = server.log().statements();
    let has = |text: &str| asked.iter().any(|sql| sql.contains(text));
    assert!(has("SELECT \"ID\", \"NAME\", \"CODE\" FROM \"APP\".\"T\" FETCH FIRST 10 ROWS ONLY"));
    assert!(has("CAST(:500 AS CHAR(3))") && !has(":501"));
    assert!(has("DBMS_LOB.GETLENGTH(\"BODY\")"));
}

#[tokio::test]
async fn what_inverses_take_is_counted() {
    let server = serve(Config::default(), &dictionary(TABLE), answer);
    let database = oracle(&server, "");
    let catalog = database.catalog().await.unwrap();
    let sql = [
        "drop table t",
        "alter table t drop column name",
        "alter table t drop column later",
        "delete from t x where x.id > 5",
        "update t set name = null where code = 'abc'",
        "begin p; end;",
    ];
    let mut told = Vec::new();
    for sql in sql {
        let statements = database.statements(&[sql.to_owned()], &catalog).unwrap();
        let statements: Vec<_> = statements.iter().collect();
        let risks = database.data_at_risk(&statements, Duration::from_secs(5)).await.unwrap();
        told.extend(
            risks.into_iter().flatten().map(|r| format!("{:?} {:?} {}", r.taken, r.rows, r.digest.is_some())),
        );
    }
    assert_eq!(
        told,
        [
            "Table { table: \"APP.T\" } Some(7) true",
            "Column { table: \"APP.T\", column: \"NAME\" } Some(7) true",
            "Column { table: \"APP.T\", column: \"LATER\" } Some(0) false",
            "Rows { table: \"APP.T\" } Some(7) true",
            "Values { table: \"APP.T\", columns: [\"NAME\"] } Some(7) true",
            "Unknown { statement: \"begin p; end;\" } None false",
        ]
    );
    let asked = server.log().statements();
    for text in [
        "FROM \"APP\".\"T\" WHERE \"NAME\" IS NOT NULL)",
        "FROM \"APP\".\"T\" x where x.id > 5)",
        "FROM \"APP\".\"T\" where code = 'abc')",
    ] {
        assert!(asked.iter().any(|sql| sql.contains(text)), "{text}: {asked:#?}");
    }
    assert!(!asked.iter().any(|sql| sql.starts_with("delete") || sql.starts_with("update")), "{asked:#?}");
}

#[tokio::test]
async fn one_claim_keeps_others_away() {
    let mut held = false;
    let server = serve(Config::default(), &Dictionary::default(), move |sql, _| {
        assert!(sql.contains("DBMS_LOCK.REQUEST(:1, 6, 0, FALSE)"), "{sql}");
        match std::mem::replace(&mut held, true) {
            true => Outcome::error(20_991, "claimed"),
            false => Outcome::Done,
        }
    });
    use crate::product::Sessions;
    let database = oracle(&server, "");
    let claim = database.claim("drydock").await.unwrap().unwrap();
    assert!(claim.held().await);
    assert!(database.claim("drydock").await.unwrap().is_none());
    claim.release().await;
    let server = serve(Config::default(), &Dictionary::default(), |_, _| {
        Outcome::error(6_550, "line 1, column 10: PLS-00201: identifier 'DBMS_LOCK' must be declared")
    });
    let error = oracle(&server, "").claim("drydock").await.err().unwrap();
    assert_eq!(error.hint_text(), Some("GRANT EXECUTE ON SYS.DBMS_LOCK TO app"));
}
