//! Coming in, and being refused.

use drydock_oracle_standin::Account;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::model::preflight::Finding;

async fn refused(login: &Login) -> Error {
    build_program();
    match Session::connect(login).await {
        Ok(_) => panic!("this should have been refused"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_session_says_who_it_is_and_begins_as_all_do() {
    for (version, number) in VERSIONS.into_iter().zip(["19.", "21.", "23."]) {
        let server = start(version, |sql, _| match sql {
            "select user from dual" => Outcome::rows(&["USER VARCHAR2(128)"], vec![vec!["APP".into()]]),
            other => panic!("{other}"),
        });
        build_program();
        let login = login_as(&server, "app", PASSWORD, "?schema=orders&edition=%22Green%22");
        let mut session = Session::connect(&login).await.unwrap();
        assert!(session.server().version.starts_with(number), "{:?}", session.server());
        assert_eq!(session.server().service, "standin");
        let rows = session.query(query("select user from dual"), LONG).await.unwrap();
        assert_eq!(rows.rows, [[Some("APP".to_owned())]]);
        let seen = server.sessions();
        let seen = &seen[0];
        assert_eq!(
            [
                &seen.user,
                &seen.module,
                &seen.action,
                &seen.client_identifier,
                &seen.current_schema,
                &seen.edition
            ],
            ["APP", "drydock", "shadow", "run 7", "ORDERS", "Green"]
        );
        assert_eq!(seen.time_zone, "+00:00");
        let statements = server.log().statements();
        let setup = Setup::of(&login.endpoint).statements();
        assert_eq!(statements[..setup.len()], setup);
        session.close().await;
        assert!(
            server.sessions().is_empty()
                || server.log().count(|c| *c == drydock_oracle_standin::Call::LogOff) == 1
        );
    }
}

#[tokio::test]
async fn who_may_not_come_in_is_told_why() {
    for version in VERSIONS {
        let config = Config::default().version(version).user("locked", PASSWORD, Account::Locked).user(
            "expired",
            PASSWORD,
            Account::Expired,
        );
        let server = serve(config, |_: &Seen, _: &str, _: &[Value]| Outcome::Done);
        for (user, password, code, said, hint) in [
            ("app", "Wrong_87654321", "ORA-01017", "the user or the password is wrong", "lock an account"),
            ("nobody", PASSWORD, "ORA-01017", "the user or the password is wrong", "lock an account"),
            ("locked", PASSWORD, "ORA-28000", "the account locked is locked", "ACCOUNT UNLOCK"),
            ("expired", PASSWORD, "ORA-28001", "the password of expired has expired", "IDENTIFIED BY"),
        ] {
            let error = refused(&login_as(&server, user, password, "")).await;
            assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Input, Some(code)), "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(error.hint_text().unwrap().contains(hint), "{error}");
            let all = format!("{} {error:?}", error.chain());
            assert!(!all.contains(password) && !all.contains("Help:"), "{all}");
        }
        let mut elsewhere = login(&server);
        elsewhere.endpoint.database = "other".into();
        let error = refused(&elsewhere).await;
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Input, Some("ORA-12514")),
            "{}",
            error.chain()
        );
        assert!(error.to_string().contains("knows no service other"), "{error}");
    }
}

#[tokio::test]
async fn a_password_that_expires_soon_is_a_warning() {
    for version in VERSIONS {
        let config = Config::default().version(version).user("soon", PASSWORD, Account::Expiring);
        let server = serve(config, |_: &Seen, _: &str, _: &[Value]| Outcome::Done);
        build_program();
        let session = Session::connect(&login_as(&server, "soon", PASSWORD, "")).await.unwrap();
        let facts = session.facts();
        let [fact] = facts.as_slice() else { panic!("{facts:?}") };
        let Finding::ExpiringPassword { user, message } = &fact.finding else { panic!("{fact:?}") };
        assert_eq!(user, "soon");
        assert!(message.contains("ORA-28002") && !message.contains("Help"), "{message}");
        assert!(fact.remedy.is_some());
        let session = connect(&server).await;
        assert_eq!(session.facts(), []);
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told() {
    let server = start(Version::V19, |_, _| Outcome::Done);
    let address = server.address();
    let mut to = login(&server);
    drop(server);
    let error = refused(&to).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Failed, Some("ORA-12541")),
        "{}",
        error.chain()
    );
    assert!(error.to_string().contains(&format!("nothing listens at {address}")), "{error}");

    to.endpoint.host = "nowhere.invalid".into();
    let error = refused(&to).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Input, Some("ORA-12545")),
        "{}",
        error.chain()
    );

    let wallet = tempfile::tempdir().unwrap();
    let folder = wallet.path().display().to_string();
    let with_wallet = |endpoint: &str| {
        let endpoint = parse_url(&format!("{endpoint}?wallet={folder}")).unwrap();
        Login { endpoint, ..to.clone() }
    };
    // No tnsnames.ora, then one without the alias, then one with it and no ewallet.pem.
    let alias = with_wallet("oracle://app:x@db_tp");
    let unread = refused(&alias).await;
    std::fs::write(
        wallet.path().join("tnsnames.ora"),
        "other = (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=h)(PORT=1))(CONNECT_DATA=(SERVICE_NAME=s)))\n",
    )
    .unwrap();
    let unknown = refused(&alias).await;
    for error in [unread, unknown] {
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Input, Some("ORA-12154")),
            "{}",
            error.chain()
        );
        assert!(error.to_string().contains("db_tp is no alias"), "{error}");
    }
}

/// Rather than in another one.
#[tokio::test]
async fn a_schema_or_an_edition_that_does_not_exist_is_told() {
    let server = serve(Config::default(), |_: &Seen, sql: &str, _: &[Value]| match sql {
        sql if sql.contains("CURRENT_SCHEMA") => Outcome::error(1_435, "user does not exist"),
        sql if sql.contains("EDITION") => Outcome::error(38_802, "edition does not exist"),
        _ => Outcome::Done,
    });
    for (options, code, said) in [
        ("?schema=nowhere", "ORA-01435", "the schema that the URL names"),
        ("?edition=none", "ORA-38802", "the edition that the URL names"),
    ] {
        let error = refused(&login_as(&server, "app", PASSWORD, options)).await;
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Input, Some(code)), "{}", error.chain());
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.chain().contains("ALTER SESSION SET"), "{}", error.chain());
    }
}

/// An alias of a wallet's `tnsnames.ora` leads there without TLS as well.
#[tokio::test]
async fn an_alias_is_looked_up() {
    let server = start(Version::V23, |_, _| Outcome::Changed(3));
    let wallet = tempfile::tempdir().unwrap();
    let (host, port) = (server.address().ip(), server.address().port());
    std::fs::write(wallet.path().join("tnsnames.ora"), format!("DB_TP =\n  (DESCRIPTION = (ADDRESS = (PROTOCOL = tcp)(HOST = {host})(PORT = {port}))\n    (CONNECT_DATA = (SERVICE_NAME = standin)))\n")).unwrap();
    let url = format!("oracle://app:{PASSWORD}@db_tp?wallet={}", wallet.path().display());
    build_program();
    let mut session =
        Session::connect(&Login { endpoint: parse_url(&url).unwrap(), ..login(&server) }).await.unwrap();
    assert_eq!(session.execute(statement("delete from t"), LONG).await.unwrap().count, 3);
}

/// What stands in `/proc` is what everybody on the machine may read.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_password_is_in_no_argument_and_no_variable() {
    let server = start(Version::V19, |_, _| Outcome::Done);
    let session = connect(&server).await;
    let process = session.process.pid().unwrap();
    let read = |what: &str| {
        String::from_utf8_lossy(&std::fs::read(format!("/proc/{process}/{what}")).unwrap()).into_owned()
    };
    let (arguments, variables) = (read("cmdline"), read("environ"));
    assert!(arguments.contains("drydock-oracle-session"), "{arguments}");
    assert!(variables.contains("PATH="), "{variables}");
    assert!(!arguments.contains(PASSWORD) && !variables.contains(PASSWORD));
    // Nothing of what this test was started with, either.
    assert!(!variables.contains("CARGO"), "{variables}");
}
