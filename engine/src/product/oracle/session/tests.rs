//! Sessions against the stand-in for an Oracle server (`tests/oracle`): what is proven is the wiring, not what a statement means.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod login;
mod network;
mod statements;
mod tls;
mod trouble;
mod values;

use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use drydock_oracle_protocol::{Application, Bind, Execute, Query};
use drydock_oracle_standin::{Answers, Config, Outcome, Server, Session as Seen, Value, Version};

use super::setup::Setup;
use super::{Login, Session, program};
use crate::product::oracle::url::parse_url;

pub(crate) const PASSWORD: &str = "Secret_12345678";
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);
const VERSIONS: [Version; 3] = [Version::V19, Version::V21, Version::V23];

/// Builds the program where nobody has, or where it is older than its sources: `cargo test --workspace` builds it, and
/// `cargo test -p drydock` does not.
pub(crate) fn build_program() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let built = program::find().ok().and_then(|program| program.metadata().ok()?.modified().ok());
        if built
            .is_none_or(|built| newest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle")) > Some(built))
        {
            let mut cargo = Command::new(env!("CARGO"));
            let built =
                cargo.args(["build", "--locked", "--quiet", "-p", "drydock-oracle"]).status().unwrap();
            assert!(built.success(), "the program does not build");
        }
    });
}

/// When the youngest file of a folder was written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter_map(
            |path| if path.is_dir() { newest(&path) } else { path.metadata().unwrap().modified().ok() },
        )
        .max()
}

fn login_as(server: &Server, user: &str, password: &str, options: &str) -> Login {
    let url = format!("oracle://{user}:{password}@{}{options}", server.connect_string());
    let endpoint = parse_url(&url).unwrap();
    let application =
        Application { module: "drydock".into(), action: "shadow".into(), client_identifier: "run 7".into() };
    Login { setup: Setup::of(&endpoint), endpoint, wallet_password: None, application }
}

fn login(server: &Server) -> Login {
    login_as(server, "app", PASSWORD, "")
}

async fn connect(server: &Server) -> Session {
    build_program();
    Session::connect(&login(server)).await.expect("the session begins")
}

/// A server that lets sessions be set up, and asks about everything else.
fn start(version: Version, mut answer: impl FnMut(&str, &[Value]) -> Outcome + Send + 'static) -> Server {
    let answers = move |_: &Seen, sql: &str, binds: &[Value]| match sql {
        sql if sql.starts_with("ALTER SESSION") => Outcome::Done,
        sql => answer(sql, binds),
    };
    serve(Config::default().version(version), answers)
}

fn serve(config: Config, answers: impl Answers + 'static) -> Server {
    Server::start(config, answers)
}

fn query(sql: &str) -> Query {
    Query { sql: sql.into(), max_rows: 1_000, ..Default::default() }
}

fn statement(sql: &str) -> Execute {
    Execute { sql: sql.into(), rows: Vec::new() }
}

fn with(sql: &str, rows: Vec<Vec<Bind>>) -> Execute {
    Execute { sql: sql.into(), rows }
}
