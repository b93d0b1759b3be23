//! Statements and what comes of them.

use oracledb::{BindParameters, DB_TYPE_NUMBER, ToDbValue};

use super::{VERSIONS, connect, refused, said, start};
use drydock_oracle_standin::Config;
use drydock_oracle_standin::{Call, Fixtures, Outcome, Server, Session, Value, Version};

fn count_to(last: i64) -> Outcome {
    let name = |number: i64| (number % 10 != 0).then(|| Value::text(format!("name {number}")));
    let rows = (1..=last).map(|number| vec![Value::number(number), Value::from(name(number))]).collect();
    Outcome::rows(&["ID NUMBER(10) NOT NULL", "NAME VARCHAR2(30)"], rows)
}

#[test]
fn ten_thousand_rows_come_in_pages() {
    for version in VERSIONS {
        let server =
            Server::start(Config::default().version(version), |_: &Session, _: &str, _: &[Value]| {
                count_to(10_000)
            });
        let connection = connect(&server);
        let statement = connection.statement("select id, name from t").unwrap();
        let cursor = statement.prefetch_rows(50).fetch_array_size(1_000).build().unwrap().query(&[]).unwrap();
        let mut next = 0;
        for row in cursor {
            let row = row.unwrap();
            next += 1;
            assert_eq!(row.get::<i64>("ID").unwrap(), next);
            let name = row.get::<Option<String>>("NAME").unwrap();
            assert_eq!(name.is_none(), next % 10 == 0);
        }
        assert_eq!(next, 10_000);
        assert_eq!(server.log().count(|call| *call == Call::Fetch), 10);
    }
}

#[test]
fn no_rows() {
    let server = start(|_: &Session, _: &str, _: &[Value]| count_to(0));
    let connection = connect(&server);
    assert_eq!(connection.query("select id, name from t", &[]).unwrap().count(), 0);
    assert!(connection.query_row("select id, name from t", &[]).is_err());
}

/// Nothing runs: the test's answers are asked for the columns.
#[test]
fn columns_without_running() {
    for version in VERSIONS {
        let columns = [
            "ID NUMBER(10) NOT NULL",
            "PRICE NUMBER(12,2)",
            "ANY_NUMBER NUMBER",
            "NAME VARCHAR2(30)",
            "CODE CHAR(3) NOT NULL",
            "TEXT NVARCHAR2(20)",
            "AT TIMESTAMP(3)",
            "R RAW(16)",
            "C CLOB",
        ];
        let server =
            Server::start(Config::default().version(version), move |_: &Session, _: &str, _: &[Value]| {
                Outcome::rows(&columns, Vec::new())
            });
        let connection = connect(&server);
        let mut statement = connection.statement("select * from t where id = :1").unwrap().build().unwrap();
        assert_eq!(statement.bind_names(), ["1"]);
        statement.ensure_fully_parsed().unwrap();
        let found: Vec<(String, bool)> = statement
            .out_metadata()
            .iter()
            .map(|column| (format!("{} {}", column.name(), column.data_type()), column.nullable()))
            .collect();
        let found: Vec<(&str, bool)> =
            found.iter().map(|(text, nullable)| (text.as_str(), *nullable)).collect();
        assert_eq!(
            found,
            [
                ("ID NUMBER(10)", false),
                ("PRICE NUMBER(12,2)", true),
                ("ANY_NUMBER NUMBER", true),
                ("NAME VARCHAR2(30)", true),
                ("CODE CHAR(3)", false),
                ("TEXT NVARCHAR2(20)", true),
                ("AT TIMESTAMP(3)", true),
                ("R RAW(16)", true),
                ("C LONG", true),
            ]
        );
        assert!(server.log().statements().is_empty());
        assert_eq!(server.log().count(|call| matches!(call, Call::Describe { .. })), 1);
    }
}

#[test]
fn binds_by_position_and_by_name() {
    let echo = |_: &Session, _: &str, binds: &[Value]| {
        Outcome::rows(&["A VARCHAR2(30)", "B NUMBER"], vec![binds.to_vec()])
    };
    let server = start(echo);
    let connection = connect(&server);
    let row = connection.query_row("select :1, :2 from dual", &[&"one", &2]).unwrap();
    assert_eq!((row.get::<String>(0).unwrap(), row.get::<i64>(1).unwrap()), ("one".into(), 2));
    let row = connection
        .query_row_named("select :word, :number from dual", &[("number", &3), ("word", &"two")])
        .unwrap();
    assert_eq!((row.get::<String>(0).unwrap(), row.get::<i64>(1).unwrap()), ("two".into(), 3));
}

#[test]
fn counts_of_rows_and_transactions() {
    for version in VERSIONS {
        let server =
            Server::start(Config::default().version(version), |_: &Session, _: &str, _: &[Value]| {
                Outcome::Changed(42)
            });
        let mut connection = connect(&server);
        assert_eq!(connection.execute("update t set a = 1", &[]).unwrap().rows_affected(), 42);
        connection.commit().unwrap();
        connection.execute("delete from t", &[]).unwrap();
        connection.rollback().unwrap();
        connection.execute("delete from t", &[]).unwrap();
        // A client that leaves with a transaction open rolls it back.
        connection.close().unwrap();
        let ends: Vec<Call> = server
            .received()
            .into_iter()
            .map(|received| received.call)
            .filter(|call| matches!(call, Call::Commit | Call::Rollback))
            .collect();
        assert_eq!(ends, [Call::Commit, Call::Rollback, Call::Rollback]);
    }
}

#[test]
fn many_rows_of_binds_in_one_call() {
    let server = start(|_: &Session, _: &str, _: &[Value]| Outcome::Changed(1));
    let connection = connect(&server);
    let rows: [[&dyn ToDbValue; 2]; 3] = [[&1, &"a"], [&2, &"b"], [&3, &"c"]];
    let rows: Vec<&[&dyn ToDbValue]> = rows.iter().map(|row| row.as_slice()).collect();
    let result =
        connection.execute_batch("insert into t values (:1, :2)", BindParameters::Slice(&rows)).unwrap();
    assert_eq!(result.rows_affected(), 3);
    let seen: Vec<Call> = server
        .received()
        .into_iter()
        .map(|received| received.call)
        .filter(|call| matches!(call, Call::Execute { .. }))
        .collect();
    assert_eq!(seen.len(), 3);
    let binds = vec![Value::number(2), Value::from("b")];
    assert_eq!(seen[1], Call::Execute { sql: "insert into t values (:1, :2)".into(), binds });
}

#[test]
fn returning_gives_values() {
    for version in VERSIONS {
        let returned = |_: &Session, _: &str, binds: &[Value]| {
            assert_eq!(binds, [Value::number(5)]);
            Outcome::Returned(vec![
                vec![Value::number(1), Value::from("a")],
                vec![Value::number(2), Value::Null],
            ])
        };
        let server = Server::start(Config::default().version(version), returned);
        let connection = connect(&server);
        let sql = "update t set a = :a returning id, name into :id, :name";
        let name = " ".repeat(30);
        for _ in 0..2 {
            let mut result = connection
                .execute_named(sql, &[("a", &5), ("id", &DB_TYPE_NUMBER), ("name", &name)])
                .unwrap();
            assert_eq!(result.rows_affected(), 2);
            let rows: Vec<(i64, Option<String>)> =
                result.returned_data().iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
            assert_eq!(rows, [(1, Some("a".into())), (2, None)]);
        }
    }
}

#[test]
fn blocks_give_values_back() {
    for version in VERSIONS {
        let doubled = |_: &Session, _: &str, binds: &[Value]| {
            assert_eq!(binds.first(), Some(&Value::number(100)));
            Outcome::Out(vec![(1, Value::number(200))])
        };
        let server = Server::start(Config::default().version(version), doubled);
        let connection = connect(&server);
        for _ in 0..2 {
            let mut result = connection.execute("begin p(:1, :2); end;", &[&100, &DB_TYPE_NUMBER]).unwrap();
            assert_eq!(result.out_bind_data().get::<i64>(0).unwrap(), 200);
        }
    }
}

#[test]
fn blocks_and_ddl_that_say_nothing() {
    let server = start(|_: &Session, _: &str, _: &[Value]| Outcome::Done);
    let connection = connect(&server);
    connection.execute("begin null; end;", &[]).unwrap();
    connection.execute("begin p(:1); end;", &[&1]).unwrap();
    connection.execute("alter table t add x number", &[]).unwrap();
    connection.execute("alter session set current_schema = shop", &[]).unwrap();
    assert_eq!(server.sessions()[0].current_schema, "SHOP");
    assert_eq!(connection.last_warning().unwrap(), None);
}

#[test]
fn a_cursor_is_used_again_and_closed() {
    let server = start(|_: &Session, _: &str, binds: &[Value]| {
        let rows = vec![vec![binds[0].clone()]; 3];
        Outcome::rows(&["A NUMBER"], rows)
    });
    let connection = connect(&server);
    for number in 0..100 {
        let rows = connection.query("select :1 from t", &[&number]).unwrap();
        let found: Vec<i64> = rows.map(|row| row.unwrap().get(0).unwrap()).collect();
        assert_eq!(found, [number; 3]);
        // More statements than the driver keeps open.
        connection.query(&format!("select :1 + {number} from t"), &[&number]).unwrap();
    }
    assert_eq!(server.log().statements().len(), 200);
}

#[test]
fn fixtures_from_json() {
    let fixtures = Fixtures::parse(
        r#"{
        "select user from dual": { "columns": ["USER VARCHAR2(128) NOT NULL"], "rows": [["APP"]] },
        "~select .* from all_tables.*": {
            "columns": ["NAME VARCHAR2(128)", "NUM_ROWS NUMBER", "AT DATE", "ID RAW(4)"],
            "rows": [["T", 12345678901, "2026-11-25 10:00:00", "00FF"], ["U", null, null, null]] },
        "drop table t": [ { "error": [54, "ORA-00054: resource busy", 11] }, { "done": true } ],
        "~create .*": { "warning": true },
        "~update .*": { "changed": 7 }
        }"#,
    )
    .unwrap();
    let server = Server::start(Config::default().version(Version::V19), fixtures);
    let connection = connect(&server);
    let row = connection.query_row("SELECT  user\n  FROM dual".to_lowercase().as_str(), &[]).unwrap();
    assert_eq!(row.get::<String>(0).unwrap(), "APP");
    let row = connection.query_row("select name from ALL_TABLES order by 1", &[]).unwrap();
    assert_eq!(row.get::<i64>(1).unwrap(), 12_345_678_901);
    assert_eq!(row.get::<Vec<u8>>(3).unwrap(), [0, 255]);
    let error = refused(connection.execute("drop table t", &[]));
    assert_eq!((said(&error).code(), said(&error).offset()), (54, 11));
    connection.execute("drop table t", &[]).unwrap();
    assert_eq!(connection.execute("update t set a = 1", &[]).unwrap().rows_affected(), 7);
    let error = refused(connection.execute("delete from forgotten", &[]));
    assert_eq!(said(&error).code(), 900);
    assert!(said(&error).message().ends_with("delete from forgotten"), "{error}");
}
