//! Liquibase's own two tables, by the statements that Liquibase 4.33.0 sends through ojdbc. That Liquibase itself gets through is
//! tried by hand ([README](../README.md)).

use super::{connect, refused, said, start};
use drydock_oracle_standin::{Fixtures, LiquibaseTables, Server};

fn server() -> Server {
    let others = Fixtures::parse(r#"{ "~create table parcels.*": { "done": true } }"#).unwrap();
    start(LiquibaseTables::before(others))
}

const HISTORY: &str = "CREATE TABLE APP.DATABASECHANGELOG (ID VARCHAR2(255) NOT NULL, AUTHOR VARCHAR2(255) NOT NULL, \
    FILENAME VARCHAR2(255) NOT NULL, DATEEXECUTED TIMESTAMP NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE VARCHAR2(10) NOT \
    NULL, MD5SUM VARCHAR2(35), TAG VARCHAR2(255))";
const LOCK: &str = "CREATE TABLE APP.DATABASECHANGELOGLOCK (ID INTEGER NOT NULL, LOCKED NUMBER(1) NOT NULL, LOCKGRANTED \
    TIMESTAMP, LOCKEDBY VARCHAR2(255), CONSTRAINT PK_DATABASECHANGELOGLOCK PRIMARY KEY (ID))";

#[test]
fn the_history_is_kept() {
    let server = server();
    let connection = connect(&server);
    let error = refused(connection.query("SELECT COUNT(*) FROM APP.DATABASECHANGELOG", &[]));
    assert_eq!(said(&error).code(), 942);
    connection.execute(HISTORY, &[]).unwrap();
    for order in 1..=2 {
        let sql = format!(
            "INSERT INTO APP.DATABASECHANGELOG (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, EXECTYPE) VALUES \
             ('{order}', 'o''neil, a', 'c.sql', SYSTIMESTAMP, {order}, '9:ab', 'EXECUTED')"
        );
        assert_eq!(connection.execute(&sql, &[]).unwrap().rows_affected(), 1);
    }
    let number = |sql: &str| connection.query_row(sql, &[]).unwrap().get::<i64>(0).unwrap();
    assert_eq!(number("SELECT COUNT(*) FROM APP.DATABASECHANGELOG"), 2);
    assert_eq!(number("SELECT MAX(ORDEREXECUTED) FROM APP.DATABASECHANGELOG"), 2);
    let sql = "SELECT * FROM APP.DATABASECHANGELOG ORDER BY DATEEXECUTED ASC, ORDEREXECUTED ASC";
    let row = connection.query_row(sql, &[]).unwrap();
    assert_eq!(row.get::<String>("AUTHOR").unwrap(), "o'neil, a");
    let sql = "SELECT MD5SUM FROM APP.DATABASECHANGELOG WHERE MD5SUM IS NOT NULL AND MD5SUM NOT LIKE '9:%'";
    assert_eq!(connection.query(sql, &[]).unwrap().count(), 0);
    let sql =
        "DELETE FROM APP.DATABASECHANGELOG WHERE ID = '2' AND AUTHOR = 'o''neil, a' AND FILENAME = 'c.sql'";
    assert_eq!(connection.execute(sql, &[]).unwrap().rows_affected(), 1);
    assert_eq!(number("SELECT COUNT(*) FROM APP.DATABASECHANGELOG"), 1);
}

#[test]
fn the_lock_is_taken_once() {
    let server = server();
    let connection = connect(&server);
    connection.execute(LOCK, &[]).unwrap();
    connection.execute("INSERT INTO APP.DATABASECHANGELOGLOCK (ID, LOCKED) VALUES (1, 0)", &[]).unwrap();
    let take = "UPDATE APP.DATABASECHANGELOGLOCK SET LOCKED = 1, LOCKEDBY = 'here (::1)', LOCKGRANTED = SYSTIMESTAMP WHERE ID \
                = 1 AND LOCKED = 0";
    assert_eq!(connection.execute(take, &[]).unwrap().rows_affected(), 1);
    assert_eq!(connect(&server).execute(take, &[]).unwrap().rows_affected(), 0);
    let sql = "SELECT LOCKED FROM APP.DATABASECHANGELOGLOCK WHERE ID=1 FOR UPDATE";
    assert_eq!(connection.query_row(sql, &[]).unwrap().get::<i64>(0).unwrap(), 1);
}

#[test]
fn other_tables_are_the_fixtures_business() {
    let server = server();
    let connection = connect(&server);
    connection.execute("CREATE TABLE parcels (id NUMBER(10))", &[]).unwrap();
    let error = refused(connection.query("SELECT * FROM DATABASECHANGELOG_ACTIONS", &[]));
    assert_eq!(said(&error).code(), 900);
}
