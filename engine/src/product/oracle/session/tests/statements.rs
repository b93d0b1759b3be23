//! Statements and their answers.

use drydock_oracle_protocol::{BindType, COMPILED_WITH_ERRORS};
use drydock_oracle_standin::Call;

use super::*;
use crate::error::ErrorKind;
use crate::product::oracle::session::failure::offset;

#[tokio::test]
async fn rows_come_in_pages_and_no_more_than_asked_for() {
    for version in VERSIONS {
        let rows: Vec<Vec<Value>> = (0..1_001).map(|number| vec![Value::number(number)]).collect();
        let outcome = Outcome::rows(&["N NUMBER"], rows);
        let server = start(version, move |_, _| outcome.clone());
        let mut session = connect(&server).await;
        for (most, count, more) in [
            (0, 0, true),
            (1, 1, true),
            (199, 199, true),
            (200, 200, true),
            (1_000, 1_000, true),
            (1_001, 1_001, false),
            (5_000, 1_001, false),
        ] {
            let asked = Query { max_rows: most, ..query("select n from t") };
            let found = session.query(asked, LONG).await.unwrap();
            let numbers: Vec<String> =
                found.rows.into_iter().map(|mut row| row.pop().unwrap().unwrap()).collect();
            let expected: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            assert_eq!((numbers, found.more), (expected, more), "{most} on {version:?}");
        }
        assert!(server.log().count(|call| *call == Call::Fetch) > 4, "there were no pages");
    }
}

#[tokio::test]
async fn a_placeholder_that_stands_twice_has_one_value() {
    let server = start(Version::V19, |_, _| Outcome::rows(&["A NUMBER"], vec![]));
    let mut session = connect(&server).await;
    let sql = "select a from t where a = :2 or b = :1 or c = :2";
    let asked = Query { binds: vec![Bind::text("two"), Bind::text("one")], ..query(sql) };
    assert_eq!(session.query(asked, LONG).await.unwrap().rows.len(), 0);
    let bound = server.received().into_iter().find_map(|received| match received.call {
        Call::Execute { sql: seen, binds } if seen == sql => Some(binds),
        _ => None,
    });
    assert_eq!(bound.unwrap(), ["two".into(), "one".into(), "two".into()]);
}

#[tokio::test]
async fn many_rows_of_binds_are_one_call() {
    for version in VERSIONS {
        let server = start(version, |_, binds| match binds {
            [_, Value::Text(name)] if name == "taken" => {
                Outcome::error(1, "unique constraint (APP.T_PK) violated")
            }
            _ => Outcome::Changed(1),
        });
        let mut session = connect(&server).await;
        let row = |number: usize, name: Option<&str>| {
            let name = name.map_or(Bind::null(BindType::Text), Bind::text);
            vec![Bind::new(BindType::Number, number.to_string()), name]
        };
        let sql = "insert into t values (:1, :2)";
        let rows: Vec<_> = (0..500).map(|number| row(number, (number % 2 == 0).then_some("even"))).collect();
        assert_eq!(session.execute(with(sql, rows), LONG).await.unwrap().count, 500);
        let error = session
            .execute(with(sql, vec![row(1, Some("a")), row(2, Some("taken"))]), LONG)
            .await
            .unwrap_err();
        assert_eq!(error.code.as_deref(), Some("ORA-00001"));
        session.rollback(LONG).await.unwrap();
        session.execute(with(sql, vec![row(1, Some("a"))]), LONG).await.unwrap();
        session.commit(LONG).await.unwrap();
        assert_eq!(server.log().count(|call| matches!(call, Call::Commit | Call::Rollback)), 2);
        assert!(!server.sessions()[0].in_transaction);
    }
}

#[tokio::test]
async fn errors_have_a_code_a_place_and_a_hint() {
    for version in VERSIONS {
        let server = start(version, |sql, _| {
            let code: u32 = sql.split_whitespace().last().unwrap().parse().unwrap();
            let message = format!(
                "ORA-{code:05}: what Oracle says\nHelp: https://docs.oracle.com/error-help/db/ora-{code:05}/"
            );
            Outcome::Error { code, message, position: 14 }
        });
        let mut session = connect(&server).await;
        for (code, kind, said, hint) in [
            (942, ErrorKind::Failed, "ORA-00942: what Oracle says", ""),
            (54, ErrorKind::Busy, "another session holds a lock", "V$LOCK"),
            (60, ErrorKind::Busy, "in each other's way", "tried again"),
            (1031, ErrorKind::Input, "app may not do this", "grant"),
            (16_000, ErrorKind::Failed, "is read-only", "primary"),
            (12_838, ErrorKind::Failed, "wrote in parallel", "_tp"),
            (20_001, ErrorKind::Failed, "ORA-20001: what Oracle says", ""),
        ] {
            let sql = format!("delete from t where a = {code}");
            for error in [
                session.execute(statement(&sql), LONG).await.unwrap_err(),
                session.query(query(&format!("select * from t where a = {code}")), LONG).await.unwrap_err(),
            ] {
                assert_eq!(
                    (error.kind, error.code.as_deref()),
                    (kind, Some(format!("ORA-{code:05}").as_str())),
                    "{error}"
                );
                assert!(error.to_string().contains(said), "{error}");
                assert!(
                    error.chain().contains("what Oracle says") && !error.chain().contains("Help:"),
                    "{}",
                    error.chain()
                );
                assert!(error.hint_text().unwrap_or_default().contains(hint), "{error}");
                assert_eq!(offset(&error), Some(14), "{error}");
            }
        }
        assert!(session.is_alive(LONG).await);
    }
}

#[tokio::test]
async fn stored_code_that_does_not_compile_is_a_warning() {
    for version in VERSIONS {
        let server = start(version, |sql, _| match sql {
            sql if sql.contains("broken") => Outcome::CompileWarning,
            sql if sql.starts_with("create") => Outcome::Done,
            _ => Outcome::Changed(1),
        });
        let mut session = connect(&server).await;
        let mut warned = Vec::new();
        for sql in [
            "create procedure fine",
            "create procedure broken",
            "delete from t",
            "create procedure fine",
            "create procedure broken",
        ] {
            let done = session.execute(statement(sql), LONG).await.unwrap();
            warned.extend(done.warnings.into_iter().map(|warning| (sql, warning.code, warning.certain)));
        }
        let code = || COMPILED_WITH_ERRORS.to_owned();
        // The driver keeps the warning, so that it cannot be told whether the later ones have it too.
        let expected = [
            ("create procedure broken", code(), true),
            ("create procedure fine", code(), false),
            ("create procedure broken", code(), false),
        ];
        assert_eq!(warned, expected);
    }
}

#[tokio::test]
async fn describing_parses_and_runs_nothing_else() {
    // A block's placeholders in the order of its text: first, statement, queries, error, place, columns, total.
    let described = |columns: &str, total: &str| {
        Outcome::Out(vec![(3, Value::Null), (4, Value::Null), (5, columns.into()), (6, total.into())])
    };
    for version in VERSIONS {
        let server = start(version, move |sql, binds| {
            assert!(sql.starts_with("declare") && sql.contains("dbms_sql.parse"), "{sql}");
            let [first, statement, queries, ..] = binds else { panic!("{binds:?}") };
            let (Value::Number(first), Value::Text(statement), Value::Number(queries)) =
                (first, statement, queries)
            else {
                panic!("{binds:?}")
            };
            match (statement.as_str(), first.as_str(), queries.as_str()) {
                ("select a, b from t", "1", "1") => {
                    described("A\u{1f}2\u{1f}22\u{1f}7\u{1f}2\u{1f}0\u{1f}1\u{1f}\u{1f}\u{1e}", "2")
                }
                ("select a, b from t", "2", "1") => {
                    described("B\u{1f}1\u{1f}30\u{1f}0\u{1f}0\u{1f}1\u{1f}0\u{1f}\u{1f}\u{1e}", "2")
                }
                ("insert into t values (:1)", "1", "0") => described("", "0"),
                ("select nope from t", ..) => {
                    let message = "ORA-00904: \"NOPE\": invalid identifier";
                    Outcome::Out(vec![
                        (3, message.into()),
                        (4, "7".into()),
                        (5, Value::Null),
                        (6, Value::Null),
                    ])
                }
                other => panic!("{other:?}"),
            }
        });
        let mut session = connect(&server).await;
        let columns = session.describe("select a, b from t", LONG).await.unwrap();
        let shown: Vec<String> =
            columns.iter().map(|c| format!("{} {} {}", c.name, c.type_name, c.nullable)).collect();
        assert_eq!(shown, ["A NUMBER(7,2) true", "B VARCHAR2(30) false"]);
        assert_eq!(session.describe("insert into t values (:1)", LONG).await.unwrap(), []);
        let error = session.describe("select nope from t", LONG).await.unwrap_err();
        assert_eq!(
            (error.code.as_deref(), offset(&error)),
            (Some("ORA-00904"), Some(7)),
            "{}",
            error.chain()
        );

        let before = server.received().len();
        for sql in
            ["create table t (a number)", "/* select */ drop table t", "begin null; end;", "truncate table t"]
        {
            let error = session.describe(sql, LONG).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Input, "{error}");
            // The program refuses it too, whoever asks it.
            let failure =
                session.process.call(drydock_oracle_protocol::Ask::Describe { sql: sql.into() }, LONG).await;
            let failure = failure.unwrap_err();
            assert_eq!(failure.reason, Some(drydock_oracle_protocol::Reason::NotDescribed), "{failure:?}");
        }
        assert_eq!(server.received().len(), before, "something came to the server");
    }
}
