//! Coming and going.

use oracledb::ErrorKind;

use super::{PASSWORD, USER, VERSIONS, connect, connect_as, connect_to, refused, said, silent};
use drydock_oracle_standin::{Account, Call, Config, Outcome, Server, Session, Value, Version};

#[test]
fn a_client_logs_on_and_off() {
    for version in VERSIONS {
        let server = silent(version);
        let mut connection = connect(&server);
        let major = match version {
            Version::V19 => 19,
            Version::V21 => 21,
            Version::V23 => 23,
        };
        assert_eq!(connection.version().unwrap().0, major);
        assert_eq!(connection.service_name().unwrap(), "standin");
        assert_eq!(connection.instance_name().unwrap(), "standin1");
        assert_eq!(connection.max_identifier_length().unwrap(), 128);
        connection.ping().unwrap();
        connection.close().unwrap();
        let calls: Vec<Call> = server.received().into_iter().map(|received| received.call).collect();
        assert_eq!(calls, [Call::LogOn, Call::Ping, Call::LogOff]);
    }
}

#[test]
fn the_server_sees_who_has_come() {
    let server = silent(Version::V19);
    let connection = connect(&server);
    let session = server.sessions().remove(0);
    assert_eq!(session.user, "APP");
    assert!(session.driver.starts_with("rust-oracledb"), "{}", session.driver);
    assert_eq!(session.current_schema, "APP");
    assert!(!session.time_zone.is_empty() && !session.program.is_empty());
    drop(connection);
}

#[test]
fn a_wrong_password_is_refused() {
    for version in VERSIONS {
        let server = silent(version);
        for (user, password) in [(USER, "wrong"), ("nobody", PASSWORD)] {
            let error = refused(connect_as(&server, user, password));
            assert_eq!(said(&error).code(), 1017, "{error}");
        }
        assert_eq!(server.log().count(|call| *call == Call::LogOn), 0);
    }
}

#[test]
fn accounts_that_do_not_let_in() {
    let config = Config::default()
        .user("locked", PASSWORD, Account::Locked)
        .user("expired", PASSWORD, Account::Expired)
        .user("expiring", PASSWORD, Account::Expiring);
    let server = Server::start(config, |_: &Session, _: &str, _: &[Value]| Outcome::Done);
    let code = |user: &str| said(&refused(connect_as(&server, user, PASSWORD))).code();
    assert_eq!((code("locked"), code("expired")), (28000, 28001));
    let connection = connect_as(&server, "expiring", PASSWORD).unwrap();
    assert!(connection.last_warning().unwrap().unwrap().starts_with("ORA-28002"));
}

#[test]
fn a_wrong_service_is_refused() {
    let server = silent(Version::V19);
    let error = refused(connect_to(&format!("{}/elsewhere", server.address()), USER, PASSWORD));
    assert!(matches!(error.kind(), ErrorKind::InvalidServiceName(..)), "{error}");
}

/// More than 230 bytes of it come in a packet of their own.
#[test]
fn a_long_description_is_read() {
    let server = silent(Version::V19);
    let address = format!("(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={}))", server.address().port());
    let description =
        format!("(DESCRIPTION=(ADDRESS_LIST={})(CONNECT_DATA=(SERVICE_NAME=standin)))", address.repeat(6));
    connect_to(&description, USER, PASSWORD).unwrap().ping().unwrap();
}

#[test]
fn module_action_and_client_are_seen() {
    for version in VERSIONS {
        let server = silent(version);
        let connection = connect(&server);
        connection.set_module("shipping").unwrap();
        connection.set_action("label").unwrap();
        connection.set_client_identifier("run-17").unwrap();
        connection.set_client_info("über uns").unwrap();
        connection.ping().unwrap();
        let ping = server.received().into_iter().find(|received| received.call == Call::Ping).unwrap();
        let session = ping.session;
        assert_eq!(
            [&session.module, &session.action, &session.client_identifier, &session.client_info],
            ["shipping", "label", "run-17", "über uns"]
        );
    }
}

#[test]
fn twenty_clients_at_once() {
    let user = |session: &Session, _: &str, _: &[Value]| {
        Outcome::rows(&["ID NUMBER"], vec![vec![Value::number(session.id)]])
    };
    let server = Server::start(Config::default(), user);
    let ids: Vec<u32> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let connection = connect(&server);
                    let id = connection.query_row("select id from me", &[]).unwrap().get::<u32>(0).unwrap();
                    (connection, id)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap().1).collect()
    });
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 20, "{ids:?}");
}
