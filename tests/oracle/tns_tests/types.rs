//! Each type there and back.

use oracledb::{Lob, OracleNumber, OracleTimestamp, Row, ToDbValue};
use std::io::{Read, Write};

use super::{VERSIONS, connect, start};
use drydock_oracle_standin::Config;
use drydock_oracle_standin::{Call, Moment, Outcome, Server, Session, Value};

/// Answers any statement with these rows.
fn rows(columns: &'static [&'static str], rows: Vec<Vec<Value>>) -> Server {
    start(move |_: &Session, _: &str, _: &[Value]| Outcome::rows(columns, rows.clone()))
}

fn only_row(server: &Server) -> Row {
    connect(server).query_row("select * from t", &[]).unwrap()
}

#[test]
fn characters() {
    let long = "lang ".repeat(800);
    let columns = ["A VARCHAR2(30)", "B NVARCHAR2(30)", "C CHAR(4)", "D VARCHAR2(4000)", "E LONG"];
    let texts = ["Ünï €", "𝄞 nation", "ab  ", long.as_str(), "0"];
    for version in VERSIONS {
        let row = texts.iter().map(|text| Value::from(*text)).collect();
        let outcome = Outcome::rows(&columns, vec![row]);
        let server =
            Server::start(Config::default().version(version), move |_: &Session, _: &str, _: &[Value]| {
                outcome.clone()
            });
        let row = only_row(&server);
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(row.get::<String>(at).unwrap(), *text);
        }
    }
}

#[test]
fn numbers() {
    let texts = [
        "0",
        "1",
        "-1",
        "100",
        "-12.5",
        "0.000001",
        "99999999999999999999999999999999999999",
        "-99999999999999999999999999999999999999",
        "1234567890.0987654321",
    ];
    let server = rows(&["N NUMBER"], texts.iter().map(|text| vec![Value::number(text)]).collect());
    let found: Vec<String> = connect(&server)
        .query("select n from t", &[])
        .unwrap()
        .map(|row| row.unwrap().get::<OracleNumber>(0).unwrap().to_string())
        .collect();
    assert_eq!(found, texts);
}

#[test]
fn floating_point() {
    let doubles = [0.0, -1.5, 1e300, f64::MIN_POSITIVE];
    let server = rows(
        &["D BINARY_DOUBLE", "F BINARY_FLOAT"],
        doubles.iter().map(|number| vec![Value::Double(*number), Value::Double(0.25)]).collect(),
    );
    let found: Vec<(f64, f32)> = connect(&server)
        .query("select d, f from t", &[])
        .unwrap()
        .map(|row| row.map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).unwrap())
        .collect();
    assert_eq!(found, doubles.map(|number| (number, 0.25)));
}

/// The driver drops the offset of a TIMESTAMP WITH TIME ZONE: it shows the moment in UTC.
#[test]
fn moments() {
    let moment = |text: &str| Value::moment(text).unwrap();
    let server = rows(
        &["A DATE", "B TIMESTAMP(6)", "C TIMESTAMP(9) WITH TIME ZONE", "D TIMESTAMP(3) WITH LOCAL TIME ZONE"],
        vec![vec![
            moment("2026-02-28 23:59:58"),
            moment("0004-12-31 00:00:00.000001"),
            moment("2026-11-25 01:30:00.123456789+05:30"),
            moment("2026-11-25 10:20:30.5"),
        ]],
    );
    let row = only_row(&server);
    let found: Vec<String> = (0..4).map(|at| row.get::<OracleTimestamp>(at).unwrap().to_string()).collect();
    assert_eq!(
        found,
        [
            "2026-02-28T23:59:58.000000000",
            "0004-12-31T00:00:00.000001000",
            "2026-11-24T20:00:00.123456789Z",
            "2026-11-25T10:20:30.500000000"
        ]
    );
}

#[test]
fn bytes_and_rowids() {
    let server = rows(
        &["R RAW(2000)", "I ROWID"],
        vec![vec![Value::Raw(vec![0, 255, 29, 1]), Value::Rowid("AAAR3sAAEAAAACXAAA".into())]],
    );
    let row = only_row(&server);
    assert_eq!(row.get::<Vec<u8>>(0).unwrap(), [0, 255, 29, 1]);
    assert_eq!(row.get::<String>(1).unwrap(), "AAAR3sAAEAAAACXAAA");
}

#[test]
fn truth() {
    for version in VERSIONS {
        let outcome =
            Outcome::rows(&["A BOOLEAN", "B BOOLEAN"], vec![vec![Value::Boolean(true), Value::Null]]);
        let server =
            Server::start(Config::default().version(version), move |_: &Session, _: &str, _: &[Value]| {
                outcome.clone()
            });
        let row = only_row(&server);
        assert!(row.get::<bool>(0).unwrap());
        assert_eq!(row.get::<Option<bool>>(1).unwrap(), None);
    }
}

const LOB_COLUMNS: [&str; 4] = ["A CLOB", "B BLOB", "C NCLOB", "D CLOB"];

fn lobs() -> (Server, String, Vec<u8>) {
    let text = "Größe € ".repeat(6_000);
    let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
    let row = vec![
        Value::Clob(text.clone()),
        Value::Blob(bytes.clone()),
        Value::Clob("national ß".into()),
        Value::Null,
    ];
    let server = start(move |_: &Session, _: &str, _: &[Value]| {
        Outcome::rows(&LOB_COLUMNS, vec![row.clone(), row.clone(), row.clone()])
    });
    (server, text, bytes)
}

/// The driver asks for LOBs as LONG unless it is told otherwise.
#[test]
fn lobs_as_values() {
    let (server, text, bytes) = lobs();
    let connection = connect(&server);
    for _ in 0..2 {
        let rows: Vec<Row> =
            connection.query("select * from t", &[]).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[2].get::<String>(0).unwrap(), text);
        assert_eq!(rows[2].get::<Vec<u8>>(1).unwrap(), bytes);
        assert_eq!(rows[2].get::<String>(2).unwrap(), "national ß");
        assert_eq!(rows[2].get::<Option<String>>(3).unwrap(), None);
    }
}

#[test]
fn lobs_through_locators() {
    let (server, text, bytes) = lobs();
    let connection = connect(&server);
    let statement = connection.statement("select * from t").unwrap().fetch_lobs().build().unwrap();
    let mut row = statement.query_row(&[]).unwrap();
    let mut lob: Lob = row.take(0).unwrap();
    assert_eq!(lob.get_size().unwrap(), text.encode_utf16().count());
    assert_eq!(in_large_pieces(&mut lob), text);
    let mut lob: Lob = row.take(1).unwrap();
    let mut read = Vec::new();
    lob.read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes);
    let mut lob: Lob = row.take(2).unwrap();
    assert_eq!(in_large_pieces(&mut lob), "national ß");
}

/// The driver's `read_to_string` fails wherever the buffer has less room than a character takes.
fn in_large_pieces(lob: &mut Lob) -> String {
    let mut text = Vec::new();
    let mut piece = vec![0; 8_192];
    loop {
        match lob.read(&mut piece).unwrap() {
            0 => return String::from_utf8(text).unwrap(),
            read => text.extend(&piece[..read]),
        }
    }
}

#[test]
fn a_temporary_lob_is_written_and_trimmed() {
    let (server, ..) = lobs();
    let connection = connect(&server);
    let mut lob = connection.create_lob(oracledb::DB_TYPE_CLOB).unwrap();
    lob.write_all("Hallo Größe".as_bytes()).unwrap();
    assert_eq!(lob.get_size().unwrap(), 11);
    lob.trim(5).unwrap();
    drop(lob);
    connection.ping().unwrap();
}

#[test]
fn nothing_is_null_in_every_type() {
    let columns = [
        "A VARCHAR2(30)",
        "B NUMBER(5,2)",
        "C DATE",
        "D RAW(3)",
        "E ROWID",
        "F BINARY_DOUBLE",
        "G TIMESTAMP WITH TIME ZONE",
        "H LONG",
        "I NUMBER",
    ];
    let mut row = vec![Value::Null; 8];
    row.push(Value::number(7));
    let outcome = Outcome::rows(&columns, vec![row]);
    let server = start(move |_: &Session, _: &str, _: &[Value]| outcome.clone());
    let row = only_row(&server);
    assert_eq!(row.get::<Option<String>>(0).unwrap(), None);
    assert_eq!(row.get::<Option<i64>>(1).unwrap(), None);
    assert_eq!(row.get::<Option<OracleTimestamp>>(2).unwrap(), None);
    assert_eq!(row.get::<Option<Vec<u8>>>(3).unwrap(), None);
    assert_eq!(row.get::<Option<String>>(4).unwrap(), None);
    assert_eq!(row.get::<Option<f64>>(5).unwrap(), None);
    assert_eq!(row.get::<Option<OracleTimestamp>>(6).unwrap(), None);
    assert_eq!(row.get::<Option<String>>(7).unwrap(), None);
    assert_eq!(row.get::<i64>(8).unwrap(), 7);
}

/// The values of the binds of the last statement, as the server got them.
fn bound(server: &Server) -> Vec<Value> {
    let last = server.received().into_iter().rev().find_map(|received| match received.call {
        Call::Execute { binds, .. } => Some(binds),
        _ => None,
    });
    last.unwrap()
}

#[test]
fn binds_of_every_type() {
    let server = start(|_: &Session, _: &str, _: &[Value]| Outcome::Changed(1));
    let connection = connect(&server);
    let long = "x".repeat(40_000);
    let number: OracleNumber = "-12345678901234567890.0123456789".parse().unwrap();
    let timestamp = OracleTimestamp::new_timestamp(2026, 11, 25, 10, 20, 30, 123_000_000);
    let values: [&dyn ToDbValue; 9] =
        [&long, &"Ünï", &-7_i64, &number, &2.5_f64, &timestamp, &vec![1_u8, 0, 255], &None::<String>, &true];
    let expected = [
        Value::from(long.as_str()),
        Value::from("Ünï"),
        Value::number(-7),
        Value::number("-12345678901234567890.0123456789"),
        Value::Double(2.5),
        Value::Moment(Moment::parse("2026-11-25 10:20:30.123").unwrap()),
        Value::Raw(vec![1, 0, 255]),
        Value::Null,
        Value::Boolean(true),
    ];
    let sql = "insert into t values (:1, :2, :3, :4, :5, :6, :7, :8, :9)";
    connection.execute(sql, &values).unwrap();
    assert_eq!(bound(&server), expected);
    // The second time there is a cursor, and the types are known.
    connection.execute(sql, &values).unwrap();
    assert_eq!(bound(&server), expected);
}
