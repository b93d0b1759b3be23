//! Networks that swallow or drip.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use super::trouble::{SHORT, SLACK, gone, process};
use super::*;
use crate::error::ErrorKind;
use crate::product::oracle::session::process::GRACE;

/// A network between a session and its server.
struct Network {
    address: SocketAddr,
    swallows: Arc<AtomicBool>,
    /// The side of the session.
    client: mpsc::Receiver<TcpStream>,
}

impl Network {
    fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, to) = (listener.local_addr().unwrap(), server.address());
        let swallows = Arc::new(AtomicBool::new(false));
        let (give, client) = mpsc::channel();
        let swallowing = swallows.clone();
        std::thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(to).unwrap();
            give.send(client.try_clone().unwrap()).unwrap();
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            for (mut from, mut to) in [(client, server), back] {
                let swallowing = swallowing.clone();
                std::thread::spawn(move || {
                    let mut bytes = [0; 8_192];
                    while let Ok(read @ 1..) = from.read(&mut bytes) {
                        if !swallowing.load(Ordering::SeqCst) {
                            let _ = to.write_all(&bytes[..read]);
                        }
                    }
                });
            }
        });
        Self { address, swallows, client }
    }

    async fn session(&self, server: &Server) -> Session {
        build_program();
        let url = format!("oracle://app:{PASSWORD}@{}/standin", self.address);
        let login = Login { endpoint: parse_url(&url).unwrap(), ..login(server) };
        let mut session = Session::connect(&login).await.unwrap();
        assert!(session.is_alive(LONG).await);
        session
    }
}

#[tokio::test]
async fn a_network_that_falls_silent_ends_the_session_in_time() {
    let server = start(Version::V19, |_, _| Outcome::Changed(1));
    let network = Network::before(&server);
    let mut session = network.session(&server).await;
    let process = process(&session);
    network.swallows.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let error = session.execute(statement("delete from t"), SHORT).await.unwrap_err();
    assert!(began.elapsed() >= SHORT && began.elapsed() < SHORT + GRACE + SLACK);
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Failed, Some("ORA-03113")),
        "{}",
        error.chain()
    );
    assert!(!session.is_alive(SHORT).await);
    session.close().await;
    gone(process).await;
}

/// The driver's limit is one on each read: a server that sends a byte now and then is never late.
#[tokio::test]
async fn a_server_that_drips_is_given_up() {
    let server = start(Version::V19, |_, _| Outcome::Changed(1));
    let network = Network::before(&server);
    let mut session = network.session(&server).await;
    let process = process(&session);
    network.swallows.store(true, Ordering::SeqCst);
    let mut client = network.client.recv().unwrap();
    std::thread::spawn(move || {
        // A packet of 8,191 bytes, one by one.
        for byte in [0, 0, 0x1f, 0xff].into_iter().chain(std::iter::repeat(0)) {
            std::thread::sleep(Duration::from_millis(50));
            if client.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    let began = Instant::now();
    let error = session.execute(statement("delete from t"), SHORT).await.unwrap_err();
    assert!(began.elapsed() >= SHORT + GRACE && began.elapsed() < SHORT + GRACE + SLACK);
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Busy, Some("ORA-01013")),
        "{}",
        error.chain()
    );
    assert!(error.chain().contains("the connection was given up"), "{}", error.chain());
    gone(process).await;
    assert!(!session.is_alive(SHORT).await);
}
