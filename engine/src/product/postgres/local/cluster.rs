//! One server in one folder: `data/`, `socket/`, `server.log`, and `cluster.json` with how to reach it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde::{Deserialize, Serialize};

use crate::error::{Context, Error, Result};
use crate::model::endpoint::{Endpoint, Secret};
use crate::model::isolation::{Network, Obstacle};
use crate::product::postgres::local::server_process::{is_ready, is_server, pid};
use crate::product::postgres::local::tools::{self, Tools};
use crate::product::postgres::local::{empty_cluster, network};

/// The superuser of clusters we initialise as clones; a name that no source has.
pub const ADMIN: &str = "drydock_clone";

/// How initdb is called; the name of the superuser comes last.
const FLAGS: [&str; 5] =
    ["--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--username"];

/// The file in its folder with what the server says, and what its commands say.
pub const LOG: &str = "server.log";

/// Settings by name; strings are quoted when written.
pub type Settings = Vec<(&'static str, String)>;

/// Names the socket of a copy, in a folder that no other server has.
const COPYS_PORT: u16 = 5432;

/// What the server is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Other programs reach it over TCP. Earlier versions made copies so too.
    #[default]
    Service,
    /// It is reached by its socket alone, and its processes reach no network where the system allows that.
    Copy,
}

/// How the server in a folder is reached. Only its owner may read the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    #[serde(default)]
    purpose: Purpose,
    /// Of a copy, since it was started last.
    #[serde(default)]
    network: Option<Network>,
    port: u16,
    socket: PathBuf,
    admin: String,
    database: String,
    user: String,
    password: String,
    /// Whether it is made completely.
    ready: bool,
}

pub struct Cluster<'a> {
    tools: &'a Tools,
    folder: PathBuf,
    state: State,
}

pub fn random_password() -> String {
    rand::rng().sample_iter(Alphanumeric).take(32).map(char::from).collect()
}

impl<'a> Cluster<'a> {
    /// A folder for a new server, whose `data/` is not there yet. What lay there must have been discarded.
    pub fn new(
        tools: &'a Tools,
        purpose: Purpose,
        folder: &Path,
        admin: &str,
        database: &str,
        user: &str,
    ) -> Result<Self> {
        let folder =
            std::path::absolute(folder).context("the path of the cluster's folder cannot be resolved")?;
        tools.folder(&folder)?;
        // The kernel takes 107 bytes for a socket's path.
        let mut socket = folder.join("socket");
        if socket.as_os_str().len() > 85 {
            let name: String = rand::rng().sample_iter(Alphanumeric).take(12).map(char::from).collect();
            socket = PathBuf::from(format!("/tmp/drydock-{name}"));
        }
        tools.folder(&socket)?;
        let state = State {
            purpose,
            network: None,
            port: 0,
            socket,
            admin: admin.into(),
            database: database.into(),
            user: user.into(),
            password: random_password(),
            ready: false,
        };
        let cluster = Self { tools, folder, state };
        cluster.save()?;
        Ok(cluster)
    }

    /// The server that lies in a folder. `None`: there is none that was made completely.
    pub fn open(tools: &'a Tools, folder: &Path) -> Result<Option<Self>> {
        Ok(Self::find(tools, folder)?.filter(|c| c.state.ready))
    }

    fn find(tools: &'a Tools, folder: &Path) -> Result<Option<Self>> {
        let folder =
            std::path::absolute(folder).context("the path of the cluster's folder cannot be resolved")?;
        let file = folder.join("cluster.json");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).context(format!("{} cannot be read", file.display())),
        };
        let state = serde_json::from_str(&text).context(format!("{} is damaged", file.display()))?;
        Ok(Some(Self { tools, folder, state }))
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.state).context("cluster.json cannot be written")?;
        self.tools.write(&self.folder.join("cluster.json"), &text)
    }

    pub fn set_password(&mut self, password: Secret) -> Result<()> {
        password.expose().clone_into(&mut self.state.password);
        self.save()
    }

    /// Marks it as made completely.
    pub fn finish(&mut self) -> Result<()> {
        self.state.ready = true;
        self.save()
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the processes of a copy reach.
    pub fn network(&self) -> Network {
        self.state.network.unwrap_or(Network::Open { why: Obstacle::EarlierVersion })
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            host: match self.state.purpose {
                Purpose::Service => "127.0.0.1".into(),
                Purpose::Copy => self.socket_folder(),
            },
            port: self.state.port,
            database: self.state.database.clone(),
            user: self.state.user.clone(),
            password: Some(Secret::new(&self.state.password)),
            options: [("sslmode".to_owned(), "disable".to_owned())].into(),
        }
    }

    fn socket_folder(&self) -> String {
        self.state.socket.to_string_lossy().into_owned()
    }

    /// Through the socket, which only the owner of its folder reaches, as a superuser.
    pub fn admin(&self, database: &str) -> Endpoint {
        Endpoint {
            host: self.socket_folder(),
            user: self.state.admin.clone(),
            database: database.to_owned(),
            password: None,
            ..self.endpoint()
        }
    }

    /// Makes the data folder of a copy, which lives for one run, from an empty cluster that was kept or for one that is kept from now
    /// on. `false`: nothing can be kept.
    pub async fn init_copy(&self) -> Result<bool> {
        let Some(place) = self.kept() else { return self.init().await.map(|()| false) };
        let (tools, data) = (self.tools.clone(), self.data());
        let (from, to) = (place.clone(), data.clone());
        let copied = tokio::task::spawn_blocking(move || empty_cluster::copy(&tools, &from, &to)).await;
        if !copied.unwrap_or(false) {
            self.init().await?;
            empty_cluster::keep(self.tools, &data, &place);
        }
        Ok(true)
    }

    /// Makes it anew, and keeps that, since what was kept is damaged.
    pub async fn init_copy_anew(&self) -> Result<()> {
        if let Some(place) = self.kept() {
            empty_cluster::forget(&place);
        }
        self.init_copy().await.map(|_| ())
    }

    fn kept(&self) -> Option<PathBuf> {
        empty_cluster::place(self.tools, FLAGS.iter().copied().chain([self.state.admin.as_str()]))
    }

    /// Makes the data folder.
    pub async fn init(&self) -> Result<()> {
        let data = self.data();
        let data = data.to_string_lossy();
        let flags = FLAGS.iter().copied().chain([self.state.admin.as_str()]);
        let mut last = Ok(String::new());
        for locale in ["C.UTF-8", "C"] {
            let _ = std::fs::remove_dir_all(&*data);
            let locale = format!("--locale={locale}");
            let arguments: Vec<&str> = flags.clone().chain([locale.as_str(), "-D", &*data]).collect();
            last = self.tools.output("initdb", &arguments, &[]).await;
            if last.is_ok() {
                break;
            }
        }
        last.map(|_| ())
    }

    /// Writes the whole configuration: nothing of a copied cluster's own stays in force.
    pub fn configure(&self, settings: &Settings) -> Result<()> {
        let socket = self.socket_folder().replace('\'', "''");
        let (listen, rules) = match self.state.purpose {
            Purpose::Service => ("127.0.0.1", Self::RULES),
            Purpose::Copy => ("", Self::COPYS_RULES),
        };
        let mut text = format!(
            "listen_addresses = '{listen}'\nunix_socket_directories = '{socket}'\nunix_socket_permissions = 0700\nssl = off\n\
             password_encryption = 'scram-sha-256'\nlog_line_prefix = '%m [%p] %q%a '\nlog_min_messages = 'warning'\n\
             log_checkpoints = off\nlogging_collector = off\narchive_mode = off\nlc_messages = 'C'\n"
        );
        for (name, value) in settings {
            let value = value.replace('\\', "\\\\").replace('\'', "''");
            text.push_str(&format!("{name} = '{value}'\n"));
        }
        let data = self.data();
        self.tools.write(&data.join("postgresql.conf"), &text)?;
        self.tools.write(&data.join("postgresql.auto.conf"), "")?;
        self.tools.write(&data.join("pg_ident.conf"), "")?;
        self.tools.write(&data.join("pg_hba.conf"), rules)
    }

    /// Who is let in: the owner over the socket, others with a password from this machine.
    const RULES: &'static str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n";
    const COPYS_RULES: &'static str = "local all,replication all trust\n";

    pub async fn running(&self) -> bool {
        let data = self.data();
        // After the machine or container was restarted, some other process may have the number in the file, or a killed server be
        // there still because nobody asked how it ended; the server's programs would take either for the server.
        if Path::new("/proc/self/cwd").exists() && pid(&data).is_some_and(|pid| !is_server(pid, &data)) {
            let _ = std::fs::remove_file(data.join("postmaster.pid"));
            let _ = std::fs::remove_dir_all(&self.state.socket);
            return false;
        }
        self.tools.output("pg_ctl", &["status", "-D", &data.to_string_lossy()], &[]).await.is_ok()
    }

    /// Starts it and waits until it takes connections, at most `patience`. The port of the last time is taken again when it
    /// is free.
    pub async fn start(&mut self, patience: Duration) -> Result<()> {
        if self.running().await {
            return Ok(());
        }
        if self.state.purpose == Purpose::Copy {
            return self.start_copy(patience).await;
        }
        let log = self.log();
        let mut last = Error::failed("the server cannot be started");
        for _ in 0..5 {
            if self.state.port == 0 || TcpListener::bind(("127.0.0.1", self.state.port)).is_err() {
                self.state.port = free_port()?;
            }
            let Err(error) = self.launch(None, &format!("-p {}", self.state.port), patience).await else {
                return Ok(());
            };
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            // It may go on starting behind our back.
            self.stop("immediate").await;
            last = self.died(error);
            if !said.contains("could not create any TCP/IP sockets") && !said.contains("could not bind") {
                break;
            }
            self.state.port = 0;
        }
        Err(last)
    }

    async fn start_copy(&mut self, patience: Duration) -> Result<()> {
        let way = network::find(self.tools).await;
        self.state.network = Some(match &way {
            Ok(_) => Network::CutOff,
            Err(why) => Network::Open { why: *why },
        });
        self.start_by(way.ok().as_ref(), patience).await
    }

    /// Starts a copy that fetches the log from an archive, which may be on another machine. No code of the database runs while it does.
    /// It is to be started anew when it has the log.
    pub async fn start_reaching(&mut self, patience: Duration) -> Result<()> {
        self.state.network = None;
        self.start_by(None, patience).await
    }

    async fn start_by(&mut self, way: Option<&network::Way>, patience: Duration) -> Result<()> {
        self.state.port = COPYS_PORT;
        let launched = self.launch(way, &format!("-p {COPYS_PORT}"), patience).await;
        let Err(error) = launched else { return Ok(()) };
        // It may go on starting behind our back.
        self.stop("immediate").await;
        Err(self.died(error))
    }

    /// Starts it for others than this machine too, on an address that must be free.
    pub async fn listen(&mut self, address: SocketAddr, patience: Duration) -> Result<()> {
        let free = TcpListener::bind(address);
        free.input(format!("{address} cannot be listened on"))
            .map_err(|e| e.hint("choose another with --listen"))?;
        let rules = format!(
            "{}host all all all scram-sha-256\nhost replication all all scram-sha-256\n",
            Self::RULES
        );
        self.tools.write(&self.data().join("pg_hba.conf"), &rules)?;
        self.state.port = address.port();
        let options = format!("-p {} -h {}", address.port(), address.ip());
        let launched = self.launch(None, &options, patience).await;
        launched.map_err(|error| self.died(error))
    }

    async fn launch(&self, way: Option<&network::Way>, options: &str, patience: Duration) -> Result<()> {
        self.tools.folder(&self.state.socket)?;
        self.save()?;
        let log = self.log();
        let _ = std::fs::remove_file(&log);
        let data = self.data();
        let (data, log, wait) =
            (data.to_string_lossy(), log.to_string_lossy(), patience.as_secs().to_string());
        let arguments = ["start", "-s", "-w", "-t", &wait, "-D", &data, "-l", &log, "-o", options];
        let mut command = match way {
            Some(way) => way.command(self.tools, "pg_ctl"),
            None => self.tools.command("pg_ctl"),
        };
        command.args(arguments);
        unless_seen(tools::output("pg_ctl", command), || is_ready(&self.data())).await
    }

    /// Why the server is not there, in the last words of its log.
    pub fn died(&self, error: Error) -> Error {
        let log = self.log();
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let fatal = last_fatal(&said);
        let folder = self.folder.display();
        match fatal {
            Some(fatal) => Error::failed(format!("the server in {folder} does not run: {fatal}")),
            None => Error::failed(format!("the server in {folder} does not run")).because(error),
        }
        .hint(format!("see {}", log.display()))
    }

    /// `fast` or `immediate`. A server that is not there is no error.
    pub async fn stop(&self, mode: &str) {
        let data = self.data();
        let pid = pid(&data);
        let folder = data.to_string_lossy();
        let arguments = ["stop", "-s", "-w", "-t", "60", "-m", mode, "-D", &folder];
        let stopped = self.tools.output("pg_ctl", &arguments, &[]);
        let _ = unless_seen(stopped, || pid.is_some_and(|pid| !is_server(pid, &data))).await;
        if let Some(pid) = pid.filter(|pid| is_server(*pid, &data)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            for _ in 0..100 {
                if !is_server(pid, &data) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// What `pg_ctl` says, or nothing once what it waits for can be seen: it looks ten times a second only, and a small server starts and
/// stops in less.
async fn unless_seen(waits: impl Future<Output = Result<String>>, seen: impl Fn() -> bool) -> Result<()> {
    let sees = async {
        while !seen() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        biased;
        said = waits => said.map(|_| ()),
        () = sees => Ok(()),
    }
}

/// Stops and removes whatever lies in a folder, also when its making was broken off.
pub async fn discard(tools: &Tools, folder: &Path) -> Result<()> {
    // A damaged state does not keep us from clearing away; only the socket folder is not known then.
    if let Ok(Some(cluster)) = Cluster::find(tools, folder) {
        cluster.stop("immediate").await;
        let _ = std::fs::remove_dir_all(&cluster.state.socket);
    }
    for name in
        ["data", "socket", LOG, "roles.sql", "schema.dump", "history.dump", "cluster.json", "cluster.new"]
    {
        let path = folder.join(name);
        let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match gone {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).context(format!("{} cannot be removed", path.display()));
            }
            _ => {}
        }
    }
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

/// What the server itself ended with, by its log. What it says to a session that it does not let in is no end of it: those lines have what
/// the session calls itself after the number of the process.
pub fn last_fatal(log: &str) -> Option<&str> {
    log.lines().rev().find_map(|line| {
        let (before, message) = line.split_once("FATAL: ").or_else(|| line.split_once("PANIC: "))?;
        let own =
            line.contains("PANIC: ") || before.trim_end().ends_with(']') && before.matches('[').count() == 1;
        own.then(|| message.trim())
    })
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("there is no free port on 127.0.0.1")?;
    Ok(listener.local_addr().context("there is no free port on 127.0.0.1")?.port())
}

#[cfg(test)]
mod tests {
    use super::last_fatal;

    #[test]
    fn what_a_session_was_told_is_not_why_a_server_ended() {
        let own = "2026-11-28 08:00:00.500 GMT [11] FATAL:  could not map memory\n";
        let told = "2026-11-28 08:00:00.500 GMT [12] [unknown] FATAL:  the database system is not accepting connections
2026-11-28 08:00:00.600 GMT [13] restore (drydock) FATAL:  the database system is shutting down\n";
        assert_eq!(last_fatal(&format!("{own}{told}")), Some("could not map memory"));
        assert_eq!(last_fatal(told), None);
        let panic = "2026-11-28 08:00:00.700 GMT [14] somebody PANIC:  could not write\n";
        assert_eq!(last_fatal(&format!("{own}{panic}{told}")), Some("could not write"));
    }
}
