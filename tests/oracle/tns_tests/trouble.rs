//! What goes wrong, and what the driver makes of it.

use std::time::{Duration, Instant};

use oracledb::ErrorKind;

use super::{VERSIONS, connect, refused, said, start};
use drydock_oracle_standin::{Call, Config, Outcome, Server, Session, Value};

#[test]
fn errors_have_a_code_and_a_place() {
    for version in VERSIONS {
        let server =
            Server::start(Config::default().version(version), |_: &Session, sql: &str, _: &[Value]| {
                if sql.contains("dual") {
                    return Outcome::rows(&["A NUMBER"], vec![vec![Value::number(1)]]);
                }
                let message = "ORA-00942: table or view \"APP\".\"NOPE\" does not exist".into();
                Outcome::Error { code: 942, message, position: 14 }
            });
        let connection = connect(&server);
        for _ in 0..2 {
            let error = refused(connection.query("select * from nope", &[]));
            assert_eq!((said(&error).code(), said(&error).offset()), (942, 14));
            assert!(said(&error).message().contains("NOPE"));
            let error = refused(connection.execute("delete from nope where a = :1", &[&1]));
            assert_eq!(said(&error).code(), 942);
        }
        let row = connection.query_row("select 1 from dual", &[]).unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 1);
    }
}

#[test]
fn stored_code_that_does_not_compile() {
    for version in VERSIONS {
        let server =
            Server::start(Config::default().version(version), |_: &Session, _: &str, _: &[Value]| {
                Outcome::CompileWarning
            });
        let connection = connect(&server);
        connection.execute("create or replace procedure p is begin x; end;", &[]).unwrap();
        assert!(connection.last_warning().unwrap().unwrap().contains("compilation errors"));
    }
}

/// The client breaks in, the server ends the call, and the session goes on.
#[test]
fn a_call_times_out() {
    for version in VERSIONS {
        let server = Server::start(
            Config::default().version(version),
            |_: &Session, sql: &str, _: &[Value]| match sql {
                "begin sleep; end;" => Outcome::hang(Duration::from_secs(60)),
                _ => Outcome::rows(&["A NUMBER"], vec![vec![Value::number(1)]]),
            },
        );
        let connection = connect(&server);
        connection.set_call_timeout(Some(Duration::from_millis(300))).unwrap();
        let began = Instant::now();
        let error = refused(connection.execute("begin sleep; end;", &[]));
        assert_eq!(*error.kind(), ErrorKind::CallTimeoutExceeded);
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!(server.log().count(|call| *call == Call::Break), 1);
        let row = connection.query_row("select 1 from dual", &[]).unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 1);
    }
}

#[test]
fn a_connection_is_cut_in_the_middle() {
    for version in VERSIONS {
        let server = Server::start(
            Config::default().version(version),
            |_: &Session, sql: &str, _: &[Value]| match sql {
                "update t set a = 1" => Outcome::Drop,
                _ => Outcome::rows(&["A NUMBER"], vec![vec![Value::number(1)]; 1_000]),
            },
        );
        let connection = connect(&server);
        let error = refused(connection.execute("update t set a = 1", &[]));
        assert_eq!(*error.kind(), ErrorKind::DeadConnection, "{error}");
        assert!(connection.ping().is_err());

        let connection = connect(&server);
        let mut rows = connection.query("select a from t", &[]).unwrap();
        assert!(rows.next().unwrap().is_ok());
        server.cut();
        assert!(rows.any(|row| row.is_err()));
    }
}

/// What takes long in one session keeps no other waiting.
#[test]
fn others_go_on() {
    let server = start(|_: &Session, sql: &str, _: &[Value]| match sql {
        "lock table t in exclusive mode" => Outcome::hang(Duration::from_secs(60)),
        _ => Outcome::Changed(1),
    });
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let connection = connect(&server);
            connection.execute("lock table t in exclusive mode", &[]).map(drop)
        });
        while server.log().statements().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let connection = connect(&server);
        assert_eq!(connection.execute("update u set a = 1", &[]).unwrap().rows_affected(), 1);
        server.cut();
        assert!(waiting.join().unwrap().is_err());
    });
}
