//! A running Oracle database, for which the stand-in stands: Liquibase comes over Oracle's driver for Java, and Drydock by its sessions.

use std::path::Path;
use std::process::Command;
use std::sync::Once;

use drydock_oracle_standin::{
    Account, Answers, Config, DictionaryViews, LiquibaseTables, Outcome, Server, Session, SharedDictionary,
    Value as Cell,
};
use serde_json::Value;

use super::oracle::demo;
use crate::support::{Home, repository};

const PASSWORD: &str = "Secret_12345678";

/// Nothing of this package needs the program that holds a session, so cargo does not build it with these tests.
fn build_program() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--quiet", "-p", "drydock-oracle"])
            .current_dir(repository())
            .status()
            .unwrap();
        assert!(built.success(), "the program does not build");
    });
}

const HISTORY: &str = "CREATE TABLE LOGISTICS.DATABASECHANGELOG (ID VARCHAR2(255) NOT NULL, AUTHOR VARCHAR2(255) NOT NULL, \
    FILENAME VARCHAR2(255) NOT NULL, DATEEXECUTED TIMESTAMP NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE VARCHAR2(10) NOT \
    NULL, MD5SUM VARCHAR2(35), DESCRIPTION VARCHAR2(255), COMMENTS VARCHAR2(255), TAG VARCHAR2(255), LIQUIBASE VARCHAR2(20), \
    CONTEXTS VARCHAR2(255), LABELS VARCHAR2(255), DEPLOYMENT_ID VARCHAR2(10))";
const LOCK: &str = "CREATE TABLE LOGISTICS.DATABASECHANGELOGLOCK (ID INTEGER NOT NULL, LOCKED NUMBER(1) NOT NULL, LOCKGRANTED \
    TIMESTAMP, LOCKEDBY VARCHAR2(255), CONSTRAINT PK_DATABASECHANGELOGLOCK PRIMARY KEY (ID))";

/// What is in `file` with its history beside it, as a server has it.
fn serve(file: &Path) -> Server {
    build_program();
    let dictionary = SharedDictionary::parse(&std::fs::read_to_string(file).unwrap());
    let nobody = |_: &Session, sql: &str, _: &[Cell]| match sql {
        sql if sql.to_uppercase().starts_with("ALTER SESSION") => Outcome::Done,
        sql if sql.starts_with("BEGIN DBMS_APPLICATION_INFO.SET_MODULE('drydock'") => Outcome::Done,
        sql => Outcome::error(900, &format!("nobody answers {sql}")),
    };
    let mut answers = LiquibaseTables::before(DictionaryViews::before(dictionary, nobody));
    let session =
        Session { user: "LOGISTICS".into(), current_schema: "LOGISTICS".into(), ..Session::default() };
    let history = std::fs::read_to_string(format!("{}.history.csv", file.display())).unwrap();
    let mut made = vec![HISTORY.to_owned(), LOCK.to_owned()];
    made.push("INSERT INTO LOGISTICS.DATABASECHANGELOGLOCK (ID, LOCKED) VALUES (1, 0)".to_owned());
    for line in history.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [id, author, path, _, order, kind, checksum, ..] = cells.as_slice() else { panic!("{line}") };
        made.push(format!(
            "INSERT INTO LOGISTICS.DATABASECHANGELOG (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, EXECTYPE, MD5SUM, \
             LIQUIBASE, DEPLOYMENT_ID) VALUES ('{id}', '{author}', '{path}', SYSTIMESTAMP, {order}, '{kind}', '{checksum}', \
             '4.33.0', '0000000001')"
        ));
    }
    for sql in made {
        let outcome = answers.execute(&session, &sql, &[]);
        assert!(matches!(outcome, Outcome::Done | Outcome::Changed(1)), "{sql}: {outcome:?}");
    }
    Server::start(Config::default().user("LOGISTICS", PASSWORD, Account::Open), answers)
}

fn run(home: &Home, arguments: &[&str], server: Option<&Server>) -> Value {
    let output = home.command(arguments).args(["--format", "json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        let asked = server.map(|server| server.log().statements().join("\n")).unwrap_or_default();
        panic!("{said}\n{asked}")
    })
}

/// What is said of the database and of the moment differs.
fn without_the_place(mut document: Value) -> Value {
    let object = document.as_object_mut().unwrap();
    for differs in ["server", "facts", "preflight", "database", "environment"] {
        object.remove(differs);
    }
    if let Some(checked) = object.get_mut("checked").and_then(Value::as_object_mut) {
        checked.remove("seconds");
    }
    // Why a precondition cannot be told: a dictionary has no sessions, and the stand-in no rows.
    for note in object.get_mut("notes").and_then(Value::as_array_mut).into_iter().flatten() {
        let text = note["text"].as_str().unwrap().to_owned();
        if let Some((told, (_, rest))) =
            text.split_once(" to hold: ").and_then(|(t, r)| Some((t, r.split_once(", and it")?)))
        {
            assert!(!text.contains("error-help"), "{text}");
            note["text"] = format!("{told} to hold, and it{rest}").into();
        }
    }
    document
}

/// Where two documents differ.
fn differences(is: &Value, should: &Value, at: &str, found: &mut Vec<String>) {
    match (is, should) {
        (Value::Object(is), Value::Object(should)) => {
            for key in is.keys().chain(should.keys().filter(|key| !is.contains_key(*key))) {
                let at = format!("{at}.{key}");
                differences(
                    is.get(key).unwrap_or(&Value::Null),
                    should.get(key).unwrap_or(&Value::Null),
                    &at,
                    found,
                );
            }
        }
        (Value::Array(is), Value::Array(should)) if is.len() == should.len() => {
            for (number, (is, should)) in is.iter().zip(should).enumerate() {
                differences(is, should, &format!("{at}[{number}]"), found);
            }
        }
        _ if is != should => found.push(format!("{at}: {is} instead of {should}")),
        _ => {}
    }
}

fn assert_same(is: &Value, should: &Value) {
    let mut found = Vec::new();
    differences(is, should, "", &mut found);
    found.truncate(20);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_running_database_is_judged_as_its_dictionary_is() {
    let home = Home::new("oracle-server");
    let offline = demo(&home);
    let file = Path::new(offline.strip_prefix("oracle-dictionary://").unwrap());
    let server = serve(file);
    let live = format!("oracle://logistics:{PASSWORD}@{}", server.connect_string());
    let plan = |database: &str, server: Option<&Server>| {
        let changelog = "changelogs-oracle/changelog.yaml";
        let arguments =
            ["plan", "--database", database, "--changelog", changelog, "--contracts", "changelogs-oracle"];
        run(&home, &arguments, server)
    };
    let compat = |database: &str, server: Option<&Server>| {
        let changelog = "changelogs-oracle/changelog.yaml";
        let arguments =
            ["compat", "--database", database, "--changelog", changelog, "--contracts", "changelogs-oracle"];
        run(&home, &arguments, server)
    };
    let planned = without_the_place(plan(&live, Some(&server)));
    assert_same(&planned, &without_the_place(plan(&offline, None)));
    let judged = without_the_place(compat(&live, Some(&server)));
    assert_same(&judged, &without_the_place(compat(&offline, None)));
    let drivers: Vec<String> =
        server.received().into_iter().map(|received| received.session.driver).collect();
    assert!(drivers.iter().any(|driver| driver.contains("jdbc")), "Liquibase did not come by JDBC");
    let unanswered: Vec<String> = server
        .log()
        .statements()
        .into_iter()
        .filter(|sql| sql.contains("INSERT INTO") || sql.contains("CREATE"))
        .collect();
    assert!(unanswered.is_empty(), "plan and compat write: {unanswered:?}");
}

#[test]
fn what_has_to_be_granted_is_told_without_a_connection() {
    let home = Home::new("oracle-grants");
    // Nobody listens there.
    let asked =
        ["doctor", "--print-grants", "--database", "oracle://app@127.0.0.1:1/s", "--changelog", "none.yaml"];
    let output = home.command(&asked).output().unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(script.contains("GRANT SELECT ON SYS.GV_$SESSION TO \"APP\";"), "{script}");
    let asked = [
        "doctor",
        "--print-grants",
        "--database",
        "postgresql://app@127.0.0.1:1/s",
        "--changelog",
        "none.yaml",
    ];
    let output = home.command(&asked).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no script of grants for PostgreSQL"));
}
