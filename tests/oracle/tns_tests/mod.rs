//! Oracle's own driver in Rust, the crate `oracledb`, unmodified, against the stand-in.

mod liquibase;
mod logon;
mod statements;
mod trouble;
mod types;

use oracledb::{Config as ClientConfig, Connection, DbError, Error, ErrorKind};

use drydock_oracle_standin::{Answers, Config, Outcome, Server, Version};

const USER: &str = "app";
const PASSWORD: &str = "Secret_12345678";

/// Each of them has another way of logging on or another form of messages.
const VERSIONS: [Version; 3] = [Version::V19, Version::V21, Version::V23];

fn start(answers: impl Answers + 'static) -> Server {
    Server::start(Config::default(), answers)
}

/// For tests that run no statement.
fn silent(version: Version) -> Server {
    let nothing = |_: &drydock_oracle_standin::Session,
                   sql: &str,
                   _: &[drydock_oracle_standin::Value]|
     -> Outcome { Outcome::error(900, &format!("nothing is answered here: {sql}")) };
    Server::start(Config::default().version(version), nothing)
}

fn connect_as(server: &Server, user: &str, password: &str) -> Result<Connection, Error> {
    connect_to(&server.connect_string(), user, password)
}

fn connect_to(connect_string: &str, user: &str, password: &str) -> Result<Connection, Error> {
    let config = ClientConfig::default().set_credentials(user, password);
    oracledb::connect(config.set_connect_string(connect_string)?)
}

fn connect(server: &Server) -> Connection {
    connect_as(server, USER, PASSWORD).unwrap()
}

fn refused<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => error,
    }
}

/// What the server said of an error.
fn said(error: &Error) -> &DbError {
    match error.kind() {
        ErrorKind::DbError(said) => said,
        other => panic!("no error of the server: {other:?}"),
    }
}
