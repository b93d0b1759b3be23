//! Values there and back, as text in Oracle's forms.

use drydock_oracle_protocol::BindType;
use drydock_oracle_standin::{Call, Moment};

use super::*;

/// Columns, what the server has in them, and how that comes.
fn cases() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let moment = |text: &str| Value::Moment(Moment::parse(text).unwrap());
    vec![
        ("A VARCHAR2(30)", "Größe €, 'quoted'\n".into(), Some("Größe €, 'quoted'\n")),
        ("B NVARCHAR2(30) NOT NULL", "national ß".into(), Some("national ß")),
        ("C CHAR(3)", "x  ".into(), Some("x  ")),
        ("D NUMBER", Value::number("-0.000001"), Some("-0.000001")),
        (
            "E NUMBER(38)",
            Value::number("99999999999999999999999999999999999999"),
            Some("99999999999999999999999999999999999999"),
        ),
        ("F NUMBER(7,2)", Value::number("12.5"), Some("12.5")),
        ("G BINARY_DOUBLE", Value::Double(1e300), Some("1e300")),
        ("H BINARY_FLOAT", Value::Double(0.25), Some("0.25")),
        ("I DATE", moment("2026-02-28 23:59:58"), Some("2026-02-28 23:59:58")),
        ("J TIMESTAMP(6)", moment("0004-12-31 00:00:00.000001"), Some("0004-12-31 00:00:00.000001000")),
        // The same moment: the driver leaves the offset out.
        (
            "K TIMESTAMP(9) WITH TIME ZONE",
            moment("2026-11-25 01:30:00.123456789+05:30"),
            Some("2026-11-24 20:00:00.123456789 +00:00"),
        ),
        (
            "L TIMESTAMP(3) WITH LOCAL TIME ZONE",
            moment("2026-11-25 10:20:30.5"),
            Some("2026-11-25 10:20:30.500000000"),
        ),
        ("M RAW(2000)", Value::Raw(vec![0, 255, 29, 1]), Some("00FF1D01")),
        ("N ROWID", Value::Rowid("AAAR3sAAEAAAACXAAA".into()), Some("AAAR3sAAEAAAACXAAA")),
        ("O LONG", "long".into(), Some("long")),
        ("P VARCHAR2(30)", Value::Null, None),
        ("Q NUMBER(5)", Value::Null, None),
        ("R DATE", Value::Null, None),
        ("S RAW(3)", Value::Null, None),
        ("T TIMESTAMP(6) WITH TIME ZONE", Value::Null, None),
    ]
}

#[tokio::test]
async fn every_type_comes_as_text() {
    for version in VERSIONS {
        let mut cases = cases();
        if version == Version::V23 {
            cases.push(("U BOOLEAN", Value::Boolean(true), Some("TRUE")));
            cases.push(("V BOOLEAN", Value::Boolean(false), Some("FALSE")));
            cases.push(("W BOOLEAN", Value::Null, None));
        }
        let declared: Vec<&str> = cases.iter().map(|(column, ..)| *column).collect();
        let row: Vec<Value> = cases.iter().map(|(_, value, _)| value.clone()).collect();
        // Twice: a server may leave out what the row before had.
        let outcome = Outcome::rows(&declared, vec![row.clone(), row]);
        let server = start(version, move |_, _| outcome.clone());
        let mut session = connect(&server).await;
        let found = session.query(query("select * from t"), LONG).await.unwrap();
        assert_eq!(found.rows.len(), 2);
        for ((column, _, expected), (at, described)) in cases.iter().zip(found.columns.iter().enumerate()) {
            let null = if described.nullable { "" } else { " NOT NULL" };
            assert_eq!(format!("{} {}{null}", described.name, described.type_name), *column);
            for row in &found.rows {
                assert_eq!(row[at].as_deref(), *expected, "{column}");
            }
        }
        assert!(!found.more);
    }
}

#[tokio::test]
async fn lobs_come_whole_or_as_their_lengths() {
    let text = "Größe € 😀 ".repeat(30_000);
    let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    for version in VERSIONS {
        let row = vec![
            Value::Clob(text.clone()),
            Value::Blob(bytes.clone()),
            Value::Clob("ß".into()),
            Value::Null,
            Value::number(7),
        ];
        let empty = vec![
            Value::Clob(String::new()),
            Value::Blob(Vec::new()),
            Value::Null,
            Value::Null,
            Value::number(8),
        ];
        let columns = ["A CLOB", "B BLOB", "C NCLOB", "D CLOB", "E NUMBER"];
        let outcome = Outcome::rows(&columns, vec![row, empty]);
        let server = start(version, move |_, _| outcome.clone());
        let mut session = connect(&server).await;
        let whole = Query { lobs: true, ..query("select * from t") };
        let found = session.query(whole, LONG).await.unwrap();
        let types: Vec<&str> = found.columns.iter().map(|column| column.type_name.as_str()).collect();
        assert_eq!(types, ["CLOB", "BLOB", "NCLOB", "CLOB", "NUMBER"]);
        assert!(found.columns.iter().all(|column| !column.length_only));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found.rows[0], [some(&text), some(&hex), some("ß"), None, some("7")]);
        assert_eq!(found.rows[1], [some(""), some(""), None, None, some("8")]);

        let found = session.query(query("select * from t"), LONG).await.unwrap();
        let only: Vec<bool> = found.columns.iter().map(|column| column.length_only).collect();
        assert_eq!(only, [true, true, true, true, false]);
        let units = text.encode_utf16().count().to_string();
        assert_eq!(found.rows[0], [some(&units), some("200000"), some("1"), None, some("7")]);
    }
}

#[tokio::test]
async fn binds_of_every_type_arrive() {
    let long = "ä".repeat(40_000);
    let bind = |bind_type, text: &str| Bind::new(bind_type, text);
    let cases = [
        (Bind::text("Ünï"), Value::from("Ünï")),
        (Bind::text(long.as_str()), Value::from(long.as_str())),
        (bind(BindType::Clob, &long), Value::from(long.as_str())),
        (
            bind(BindType::Number, "-12345678901234567890.0123456789"),
            Value::number("-12345678901234567890.0123456789"),
        ),
        (bind(BindType::Number, "0"), Value::number("0")),
        (bind(BindType::Double, "2.5"), Value::Double(2.5)),
        (bind(BindType::Date, "2026-11-25 10:20:30"), Value::from("2026-11-25 10:20:30")),
        (
            bind(BindType::Timestamp, "2026-11-25 10:20:30.123"),
            Value::moment("2026-11-25 10:20:30.123").unwrap(),
        ),
        (
            bind(BindType::TimestampTz, "2026-11-25 10:20:30.123 +02:00"),
            Value::from("2026-11-25 10:20:30.123 +02:00"),
        ),
        (bind(BindType::Raw, "0100FF"), Value::Raw(vec![1, 0, 255])),
        (bind(BindType::Blob, "00"), Value::Raw(vec![0])),
        (Bind::null(BindType::Text), Value::Null),
        (Bind::null(BindType::Number), Value::Null),
        (Bind::null(BindType::Timestamp), Value::Null),
        (Bind::null(BindType::Raw), Value::Null),
    ];
    let places: Vec<String> = (1..=cases.len()).map(|place| format!(":{place}")).collect();
    let sql = format!("insert into t values ({})", places.join(", "));
    for version in VERSIONS {
        let server = start(version, |_, _| Outcome::Changed(1));
        let mut session = connect(&server).await;
        let row: Vec<Bind> = cases.iter().map(|(bind, _)| bind.clone()).collect();
        // Again with the same cursor, and with nothing where there was something.
        let nothing: Vec<Bind> = row.iter().map(|bind| Bind::null(bind.bind_type)).collect();
        for row in [row.clone(), row, nothing] {
            assert_eq!(session.execute(with(&sql, vec![row]), LONG).await.unwrap().count, 1);
        }
        let bound: Vec<Vec<Value>> = server
            .received()
            .into_iter()
            .filter_map(|received| match received.call {
                Call::Execute { sql, binds } if sql.starts_with("insert") => Some(binds),
                _ => None,
            })
            .collect();
        let sent: Vec<Value> = cases.iter().map(|(_, value)| value.clone()).collect();
        let nulls = vec![Value::Null; sent.len()];
        assert_eq!(bound, [sent.clone(), sent, nulls]);
    }
}

#[tokio::test]
async fn a_value_that_is_none_is_refused_and_not_repeated() {
    let server = start(Version::V19, |_, _| Outcome::Changed(1));
    let mut session = connect(&server).await;
    for (bind_type, text) in [
        (BindType::Number, "secret-1"),
        (BindType::Number, "1e400"),
        (BindType::Timestamp, "secret-2"),
        (BindType::Raw, "secret-3"),
        (BindType::Boolean, "secret-4"),
    ] {
        let row = vec![vec![Bind::text("a"), Bind::new(bind_type, text)]];
        let error = session.execute(with("insert into t values (:1, :2)", row), LONG).await.unwrap_err();
        assert!(error.to_string().contains("the value 2 is no"), "{error}");
        assert!(!error.chain().contains("secret"), "{}", error.chain());
    }
    let error = session
        .execute(with("insert into t values (:1, :2)", vec![vec![Bind::text("a")]]), LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("takes 2 values, and 1 were given"), "{error}");
    assert!(session.is_alive(LONG).await);
}
