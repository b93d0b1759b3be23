//! Servers of other kinds than the one of all cases: a replica, a pooler.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use drydock::model::endpoint::Endpoint;
use drydock::product::postgres::local::Local;

use super::{Case, SERVER, Session};
use crate::support::Home;

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Makes an empty file that the server's own user reads.
fn write_as_server(path: &Path) {
    std::fs::write(path, "").unwrap();
    if is_root() {
        let owner = nix::unistd::User::from_name("postgres").unwrap().unwrap();
        std::os::unix::fs::chown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).unwrap();
    }
}

/// A server that is in recovery: it waits for a log that never comes.
pub struct Replica {
    endpoint: Endpoint,
    _home: Home,
}

impl Replica {
    /// With an empty database of this name and the user of all cases.
    pub fn start(database: &str) -> Self {
        let home = Home::new("standby");
        let folder = home.folder.join("server");
        let start = || {
            SERVER.runtime.block_on(async { Local::find().await.unwrap().production(&folder).await.unwrap() })
        };
        let endpoint = start();
        let user = super::session_at(&endpoint, "postgres");
        let secret = SERVER.endpoint.password.as_ref().unwrap().expose().to_owned();
        user.rows(&format!("create database {database}"));
        user.rows(&format!("alter role {} password '{secret}'", endpoint.user));
        SERVER.runtime.block_on(async { Local::find().await.unwrap().stop(&folder).await.unwrap() });
        write_as_server(&folder.join("data/standby.signal"));
        Self { endpoint: start(), _home: home }
    }

    pub fn place(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }
}

/// A server of its own, with the rows of a case in a database of the same name.
pub struct Primary {
    endpoint: Endpoint,
    home: Home,
}

impl Primary {
    pub fn start(case: &Case, database: &str) -> Self {
        let home = Home::new("primary");
        let folder = home.folder.join("server");
        let endpoint = SERVER
            .runtime
            .block_on(async { Local::find().await.unwrap().production(&folder).await.unwrap() });
        let secret = SERVER.endpoint.password.as_ref().unwrap().expose().to_owned();
        let user = super::session_at(&endpoint, "postgres");
        user.rows(&format!("create database {database}"));
        user.rows(&format!("alter role {} password '{secret}'", endpoint.user));
        let primary = Self { endpoint, home };
        let setup = std::fs::read_to_string(case.folder().join("setup.sql")).unwrap();
        primary.session(database).rows(&setup);
        primary
    }

    pub fn place(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }

    pub fn session(&self, database: &str) -> Session {
        let password = SERVER.endpoint.password.clone();
        super::session_at(&Endpoint { password, ..self.endpoint.clone() }, database)
    }

    /// Starts it anew with these settings.
    pub fn restart(&mut self, settings: &[&str]) {
        for set in settings {
            self.session("postgres").rows(&format!("alter system set {set}"));
        }
        self.stop();
        self.start_again();
    }

    /// Another server takes over, as far as the log can tell: it goes on with another timeline.
    pub fn fail_over(&mut self) {
        self.stop();
        write_as_server(&self.home.folder.join("server/data/standby.signal"));
        self.start_again();
        self.session("postgres").rows("select pg_promote()");
    }

    fn start_again(&mut self) {
        let folder = self.home.folder.join("server");
        self.endpoint = SERVER
            .runtime
            .block_on(async { Local::find().await.unwrap().production(&folder).await.unwrap() });
    }

    pub fn stop(&self) {
        let folder = self.home.folder.join("server");
        SERVER.runtime.block_on(async { Local::find().await.unwrap().stop(&folder).await.unwrap() });
    }
}

/// PgBouncer in transaction mode, in front of the server of all cases.
pub struct Pooler {
    child: Child,
    port: u16,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pooler {
    /// `ignored`: startup parameters that it drops. `None`: it is not installed.
    pub fn start(case: &Case, ignored: &str) -> Option<Self> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = program.map(PathBuf::from).into_iter().find(|p| p.is_file())?;
        let port = free_port();
        let Endpoint { host, port: server, user, password, .. } = &SERVER.endpoint;
        let secret = password.as_ref().unwrap().expose();
        let settings = format!(
            "[databases]\n* = host={host} port={server} user={user} password={secret}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 5\n\
             ignore_startup_parameters = {ignored}\nunix_socket_dir =\nlogfile = /dev/null\n"
        );
        let file = case.folder().join(format!("pgbouncer-{port}.ini"));
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        if is_root() {
            command.args(["-u", "postgres"]);
        }
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let pooler = Self { child, port };
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(pooler);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("pgbouncer does not start");
    }

    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Rows of one text column, as a service gets them through the pooler.
    pub fn column(&self, database: &str, sql: &str) -> Vec<String> {
        let endpoint = Endpoint { port: self.port, host: "127.0.0.1".to_owned(), ..SERVER.endpoint.clone() };
        let rows = super::session_at(&endpoint, database).rows(sql);
        rows.into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect()
    }
}
