//! The server that a test starts. It listens on a free port of this machine and has a thread for each connection.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use super::answers::Answers;
use super::conversation::Conversation;
use super::log::{Log, Received};
use super::session::Session;
use super::version::Version;

/// How an account stands, for a password that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    Open,
    /// ORA-28000, for any password.
    Locked,
    /// ORA-28001.
    Expired,
    /// The user gets in, with the warning ORA-28002.
    Expiring,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub service: String,
    pub version: Version,
    /// Names in capitals, their passwords, and how they stand.
    pub users: BTreeMap<String, (String, Account)>,
    /// 0 takes a free one.
    pub port: u16,
}

impl Default for Config {
    fn default() -> Self {
        let users = BTreeMap::from([("APP".into(), ("Secret_12345678".into(), Account::Open))]);
        Config { service: "standin".into(), version: Version::V19, users, port: 0 }
    }
}

impl Config {
    pub fn user(mut self, name: &str, password: &str, account: Account) -> Self {
        self.users.insert(name.to_uppercase(), (password.into(), account));
        self
    }

    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }
}

/// What all connections share.
pub struct Shared {
    pub config: Config,
    pub log: Log,
    answers: Mutex<Box<dyn Answers>>,
    sessions: Mutex<BTreeMap<u32, (Session, TcpStream)>>,
    last_session: AtomicU32,
    stopped: AtomicBool,
}

impl Shared {
    /// The test's answers. A test that panics in them has said enough.
    pub fn answers(&self) -> MutexGuard<'_, Box<dyn Answers>> {
        self.answers.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<u32, (Session, TcpStream)>> {
        self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Shows a session as it is now.
    pub fn show(&self, session: &Session) {
        if let Some((shown, _)) = self.sessions().get_mut(&session.id) {
            shown.clone_from(session);
        }
    }
}

pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(config: Config, answers: impl Answers + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).expect("a free port");
        let address = listener.local_addr().expect("the port");
        let shared = Arc::new(Shared {
            config,
            log: Log::default(),
            answers: Mutex::new(Box::new(answers)),
            sessions: Mutex::default(),
            last_session: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
        });
        let listening = thread::spawn({
            let shared = shared.clone();
            move || {
                for stream in listener.incoming().flatten() {
                    if shared.stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    talk(stream, &shared);
                }
            }
        });
        Server { address, shared, listening: Some(listening) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `127.0.0.1:port/service`.
    pub fn connect_string(&self) -> String {
        format!("{}/{}", self.address, self.shared.config.service)
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.log.all()
    }

    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Those that are logged on or about to be.
    pub fn sessions(&self) -> Vec<Session> {
        self.shared.sessions().values().map(|(session, _)| session.clone()).collect()
    }

    /// Cuts all connections. New ones are taken.
    pub fn cut(&self) {
        for (_, stream) in self.shared.sessions().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn talk(stream: TcpStream, shared: &Arc<Shared>) {
    let Ok(handle) = stream.try_clone() else { return };
    let id = shared.last_session.fetch_add(1, Ordering::SeqCst) + 1;
    let session = Session { id, ..Default::default() };
    shared.sessions().insert(id, (session.clone(), handle));
    let shared = shared.clone();
    thread::spawn(move || {
        Conversation::new(stream, shared.clone(), session).run();
        shared.sessions().remove(&id);
    });
}
