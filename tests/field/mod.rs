//! What people reported of tools of this trade, on databases that Drydock did not make. `cases/NAME` has what a case needs: the
//! schema and rows (`setup.sql`), the changelog and the contracts. The tests say what is right, and whose report it goes back to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod backfills;
mod changelogs;
mod copies;
mod foreign;
mod kept;
mod locks;
mod looks;
mod meanings;
mod moments;
mod opaque;
mod oracle;
mod oracle_server;
mod preflight;
mod quiet;
mod readers;
mod rehearsals;
mod reruns;
mod restores;
mod rights;
mod rollbacks;
mod servers;
mod sockets;
mod waits;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use drydock::model::endpoint::Endpoint;
use drydock::product;
use drydock::product::postgres::local::Local;
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::support::{Home, Ran, copy, repository};

/// One server for all cases, each of which has a database of its own.
struct Server {
    endpoint: Endpoint,
    runtime: tokio::runtime::Runtime,
    _home: Home,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let home = Home::new("field");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = home.folder.join("server");
    let start =
        || runtime.block_on(async { Local::find().await.unwrap().production(&folder).await.unwrap() });
    let endpoint = start();
    // What people have: transactions that a coordinator prepares. And room for what all cases ask.
    for set in ["max_prepared_transactions = 10", "pg_stat_statements.max = 50000"] {
        let set = format!("alter system set {set}");
        runtime.block_on(product::embedded(endpoint.clone()).execute_script(&set)).unwrap();
    }
    let lock = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let pid = nix::unistd::Pid::from_raw(lock.lines().next().unwrap().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    while folder.join("data/postmaster.pid").exists() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let endpoint = start();
    Server { endpoint, runtime, _home: home }
});

/// A database, its changelog and its services.
pub struct Case {
    home: Home,
    database: String,
}

/// A session of somebody who is no part of Drydock.
pub struct Session(tokio_postgres::Client);

impl Session {
    /// Runs statements and gives the rows of all of them as text.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let answer = SERVER.runtime.block_on(self.0.simple_query(sql)).unwrap();
        answer
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
                }
                _ => None,
            })
            .collect()
    }

    /// Whether a statement goes through.
    pub fn tries(&self, sql: &str) -> bool {
        SERVER.runtime.block_on(self.0.simple_query(sql)).is_ok()
    }
}

fn session_at(endpoint: &Endpoint, database: &str) -> Session {
    try_session_at(endpoint, database).unwrap()
}

fn try_session_at(endpoint: &Endpoint, database: &str) -> Result<Session, tokio_postgres::Error> {
    let Endpoint { host, port, user, password, .. } = endpoint;
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(*port).user(user).dbname(database).application_name("somebody");
    if let Some(password) = password {
        config.password(password.expose());
    }
    let (client, connection) = SERVER.runtime.block_on(config.connect(tokio_postgres::NoTls))?;
    SERVER.runtime.spawn(connection);
    Ok(Session(client))
}

pub fn java(arguments: &[&str], classpath: &str) {
    let java = std::env::var("JAVA_HOME").map_or("java".to_owned(), |home| format!("{home}/bin/java"));
    let ran = Command::new(java).args(arguments).env("CLASSPATH", classpath).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// Physical backups copy all databases of the server.
impl Drop for Case {
    fn drop(&mut self) {
        let drop = format!("drop database if exists {} with (force)", self.database);
        let session = Self::session_on("postgres");
        // One that is held by a prepared transaction stays.
        let _ = SERVER.runtime.block_on(session.0.simple_query(&drop));
    }
}

impl Case {
    /// Two databases of one case: the case itself, and another one with the rows of `remote.sql`.
    pub fn with_remote(name: &str) -> Self {
        let text =
            std::fs::read_to_string(repository().join("tests/field/cases").join(name).join("remote.sql"));
        let remote = format!("{}_remote", name.replace('-', "_"));
        Self::session_on("postgres").rows(&format!("create database {remote}"));
        Self::session_on(&remote).rows(&text.unwrap());
        Self::new(name)
    }

    /// The version of the server that all cases share.
    pub fn major() -> u32 {
        let rows = Self::session_on("postgres").rows("show server_version_num");
        rows[0][0].as_ref().unwrap().parse::<u32>().unwrap() / 10_000
    }

    /// A session on the other database.
    pub fn remote(&self) -> Session {
        Self::session_on(&format!("{}_remote", self.database))
    }

    /// Brings the other database up to date with Liquibase itself, by the case's `Update.java`.
    pub fn update_remote(&self, root: &str, file: &str, contexts: &str) {
        let Endpoint { host, port, user, password, .. } = &SERVER.endpoint;
        let url = format!("jdbc:postgresql://{host}:{port}/{}_remote", self.database);
        let secret = password.as_ref().map(|p| p.expose()).unwrap_or_default();
        let path = |name: &str| self.folder().join(name).display().to_string();
        let jars = repository().join("target/liquibase/lib").display().to_string();
        java(&[&path("Update.java"), &url, user, secret, &path(root), file, contexts], &format!("{jars}/*"));
    }

    pub fn new(name: &str) -> Self {
        Self::in_database(name, "")
    }

    /// A second case with the files of another one.
    pub fn named(name: &str, of: &str) -> Self {
        Self::made(name, of, "")
    }

    /// `options`: of `create database`.
    pub fn in_database(name: &str, options: &str) -> Self {
        Self::made(name, name, options)
    }

    fn made(name: &str, of: &str, options: &str) -> Self {
        let home = Home::new(name);
        copy(&repository().join("tests/field/cases").join(of), &home.folder);
        let database = name.replace('-', "_");
        let case = Self { home, database };
        Self::session_on("postgres").rows(&format!("create database {} {options}", case.database));
        let setup = std::fs::read_to_string(case.home.folder.join("setup.sql")).unwrap();
        let Endpoint { host, port, user, password, .. } = &SERVER.endpoint;
        let secret = password.as_ref().map(|p| p.expose().to_owned()).unwrap_or_default();
        let here = [
            ("{host}", host.clone()),
            ("{port}", port.to_string()),
            ("{user}", user.clone()),
            ("{password}", secret.clone()),
            ("{told}", case.home.folder.join("told").display().to_string()),
        ];
        let filled = |text: String| here.iter().fold(text, |text, (name, value)| text.replace(name, value));
        case.rows(&filled(setup));
        for file in std::fs::read_dir(&case.home.folder).unwrap().flatten().map(|entry| entry.path()) {
            if file.extension().is_some_and(|end| end == "sql") {
                std::fs::write(&file, filled(std::fs::read_to_string(&file).unwrap())).unwrap();
            }
        }
        let text = format!(
            "[environments.field]\ndatabase = \"postgresql://{user}:{secret}@{host}:{port}/{}\"\n\
             changelog = \"changelog.sql\"\ncontracts = \"contracts\"\n\
             [environments.field.gates]\nsettle_seconds = 0.2\nblocked = 60\n\
             [environments.field.limits]\nlock_attempts = 3\nstall_ms = 300\n",
            case.database
        );
        std::fs::write(case.home.folder.join("drydock.toml"), text).unwrap();
        case
    }

    fn session_on(database: &str) -> Session {
        session_at(&SERVER.endpoint, database)
    }

    pub fn session(&self) -> Session {
        Self::session_on(&self.database)
    }

    /// One statement in a session of its own, as a service that may be refused.
    pub fn attempt(&self, sql: &str) {
        let _ = try_session_at(&SERVER.endpoint, &self.database).map(|session| session.tries(sql));
    }

    /// A session of a role of `as_role`; `None`: of the superuser.
    pub fn session_as(&self, role: Option<&str>) -> Session {
        let Some(role) = role else { return self.session() };
        let password = Some(drydock::model::endpoint::Secret::new("secret".to_owned()));
        session_at(&Endpoint { user: role.to_owned(), password, ..SERVER.endpoint.clone() }, &self.database)
    }

    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.session().rows(sql)
    }

    /// Rows of one text column, for short expectations.
    pub fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql).into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect()
    }

    /// Liquibase's history, whole.
    pub fn history(&self) -> Vec<String> {
        self.column("select t::text from databasechangelog t order by orderexecuted")
    }

    /// Drydock comes as this role, which is made and owns the database.
    pub fn as_role(&self, role: &str) {
        self.rows(&format!("create role {role} login password 'secret'"));
        let Endpoint { user, password, .. } = &SERVER.endpoint;
        let secret = password.as_ref().map(|p| p.expose().to_owned()).unwrap_or_default();
        self.home.edit("drydock.toml", |text| {
            text.replace(&format!("//{user}:{secret}@"), &format!("//{role}:secret@"))
        });
    }

    /// Host and port of the server of all cases.
    pub fn place(&self) -> String {
        format!("{}:{}", SERVER.endpoint.host, SERVER.endpoint.port)
    }

    /// The user of all cases at other places, as a URL up to its path.
    pub fn url_at(&self, places: &str) -> String {
        let Endpoint { user, password, .. } = &SERVER.endpoint;
        let secret = password.as_ref().map(|p| p.expose()).unwrap_or_default();
        format!("postgresql://{user}:{secret}@{places}")
    }

    /// Another place than the server of all cases.
    pub fn at(&self, place: &str) {
        self.home.edit("drydock.toml", |text| {
            let (before, after) = text.split_once('@').unwrap();
            let (_, after) = after.split_once('/').unwrap();
            format!("{before}@{place}/{after}")
        });
    }

    /// The socket of the server of all cases.
    pub fn socket(&self) -> String {
        let folder = self.column("select current_setting('unix_socket_directories')");
        format!("{}/.s.PGSQL.{}", folder[0], SERVER.endpoint.port)
    }

    /// Drydock comes as this superuser, whom the server lets in by its socket only, and only if a user of this machine asks who is one of
    /// these.
    pub fn let_in_by_socket(&self, role: &str, users: &[&str]) {
        self.rows(&format!("create role {role} login superuser"));
        let data = self.column("select current_setting('data_directory')").remove(0);
        let prepend = |file: &str, lines: &str| {
            let path = Path::new(&data).join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, format!("{lines}{text}")).unwrap();
        };
        let map: String = users.iter().map(|user| format!("{role} {user} {role}\n")).collect();
        prepend("pg_ident.conf", &map);
        let local =
            format!("local all,replication {role} peer map={role}\nhost all,replication {role} all reject\n");
        prepend("pg_hba.conf", &local);
        self.rows("select pg_reload_conf()");
        let folder = self.column("select current_setting('unix_socket_directories')").remove(0);
        let (database, port) = (&self.database, SERVER.endpoint.port);
        let url = format!("database = \"postgresql:///{database}?host={folder}&port={port}&user={role}\"");
        self.home.edit("drydock.toml", |text| {
            let line =
                |line: &str| if line.starts_with("database = ") { url.clone() } else { line.to_owned() };
            text.lines().map(|text| line(text) + "\n").collect()
        });
    }

    pub fn edit_settings(&self, change: impl FnOnce(String) -> String) {
        self.home.edit("drydock.toml", change);
    }

    /// Another file than `changelog.sql`, or than the one before.
    pub fn with_changelog(self, file: &str) -> Self {
        self.home.edit("drydock.toml", |text| {
            let other = |line: &str| match line.starts_with("changelog = ") {
                true => format!("changelog = \"{file}\""),
                false => line.to_owned(),
            };
            text.lines().map(|line| other(line) + "\n").collect()
        });
        self
    }

    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        self.home.edit(file, change);
    }

    /// Evidence of the latest run.
    pub fn evidence(&self, stage: &str) -> Value {
        let runs = self.home.folder.join("home/field/runs");
        let latest = std::fs::read_dir(runs).unwrap().flatten().map(|e| e.path()).max().unwrap();
        let text = std::fs::read_to_string(latest.join(format!("evidence/{stage}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub fn folder(&self) -> &Path {
        &self.home.folder
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        command.env("DRYDOCK_ENV", "field");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Without the environment of the case: the arguments name a database.
    pub fn run_anywhere(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.home.command(arguments).output().unwrap())
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Ran::of(command.output().unwrap())
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Puts another version of the changelog in the place of the one there.
    pub fn release(&self, file: &str) {
        let from: &Path = &self.home.folder;
        std::fs::copy(from.join(file), from.join("changelog.sql")).unwrap();
    }

    /// Waits until the run has begun to apply a changeset to production.
    pub fn wait_for_apply(&self, child: &mut Child) {
        self.wait_for(child, "\"apply\"");
    }

    /// Waits until the run has begun an act whose name contains this.
    pub fn wait_for(&self, child: &mut Child, act: &str) {
        self.home.wait_for_in("field", child, act);
    }
}
