//! Servers and processes that do not behave.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::error::ErrorKind;
use crate::product::oracle::session::process::GRACE;

pub const SHORT: Duration = Duration::from_millis(300);
/// What a loaded machine may add.
pub const SLACK: Duration = Duration::from_secs(20);

pub fn process(session: &Session) -> Pid {
    Pid::from_raw(i32::try_from(session.process.pid().unwrap()).unwrap())
}

/// Whether it is gone: there is nobody to send a signal to, or it only waits for us to look.
pub async fn gone(process: Pid) {
    let began = Instant::now();
    while kill(process, None).is_ok() {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')) {
            return;
        }
        assert!(began.elapsed() < SLACK, "the process is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_ends_and_the_session_goes_on() {
    for version in VERSIONS {
        let server = start(version, |sql, _| match sql {
            "begin sleep; end;" => Outcome::hang(LONG),
            _ => Outcome::rows(&["A NUMBER"], vec![vec![Value::number(1)]]),
        });
        let mut session = connect(&server).await;
        let began = Instant::now();
        let error = session.execute(statement("begin sleep; end;"), SHORT).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Busy, Some("ORA-01013")),
            "{}",
            error.chain()
        );
        assert!(error.to_string().contains("did not answer within 0.3 s"), "{error}");
        assert!(began.elapsed() >= SHORT && began.elapsed() < SLACK);
        assert_eq!(session.query(query("select 1 from dual"), LONG).await.unwrap().rows.len(), 1);
    }
}

/// A listener that accepts and says nothing.
#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let held = std::thread::spawn(move || listener.accept());
    build_program();
    let url = format!("oracle://app:{PASSWORD}@{address}/standin?connect_timeout=1");
    let server = start(Version::V19, |_, _| Outcome::Done);
    let login = Login { endpoint: parse_url(&url).unwrap(), ..login(&server) };
    let began = Instant::now();
    let Err(error) = Session::connect(&login).await else { panic!("who answered?") };
    assert!(began.elapsed() >= Duration::from_secs(1) && began.elapsed() < GRACE + SLACK);
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Failed, Some("ORA-12170")),
        "{}",
        error.chain()
    );
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    drop(held.join());
}

#[tokio::test]
async fn a_process_that_hangs_is_ended() {
    let server = start(Version::V19, |_, _| Outcome::Changed(1));
    let mut session = connect(&server).await;
    let process = process(&session);
    kill(process, Signal::SIGSTOP).unwrap();
    let began = Instant::now();
    let error = session.execute(statement("delete from t"), SHORT).await.unwrap_err();
    assert!(began.elapsed() < GRACE + SLACK);
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Busy, Some("ORA-01013")),
        "{}",
        error.chain()
    );
    gone(process).await;
    assert!(!session.is_alive(SHORT).await);
    let error = session.commit(LONG).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Failed, Some("ORA-03113")),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn a_connection_that_is_cut_is_lost() {
    for version in VERSIONS {
        let server = start(version, |sql, _| match sql {
            "update t set a = 1" => Outcome::Drop,
            _ => Outcome::rows(&["A NUMBER"], vec![vec![Value::number(1)]; 1_000]),
        });
        let mut session = connect(&server).await;
        let error = session.execute(statement("update t set a = 1"), LONG).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Failed, Some("ORA-03113")),
            "{}",
            error.chain()
        );
        assert!(error.to_string().contains("is lost"), "{error}");
        assert!(!session.is_alive(LONG).await);
        session.close().await;

        let mut session = connect(&server).await;
        assert!(session.is_alive(LONG).await);
        server.cut();
        let error = session.query(query("select a from t"), LONG).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("ORA-03113"), "{}", error.chain());
    }
}

#[tokio::test]
async fn a_process_that_is_killed_in_a_call_is_told() {
    let server = start(Version::V19, |sql, _| match sql {
        "begin sleep; end;" => Outcome::hang(LONG),
        _ => Outcome::Done,
    });
    let mut session = connect(&server).await;
    let process = process(&session);
    let killer = async {
        while server.log().statements().last().map(String::as_str) != Some("begin sleep; end;") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        kill(process, Signal::SIGKILL).unwrap();
    };
    let (called, ()) = tokio::join!(session.execute(statement("begin sleep; end;"), LONG), killer);
    let error = called.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Failed, Some("ORA-03113")),
        "{}",
        error.chain()
    );
    assert!(
        error.chain().contains("the process that holds the connection ended (signal: 9"),
        "{}",
        error.chain()
    );
    assert!(!session.is_alive(LONG).await);
}

/// A call that nobody waits for any more is ended, on the server too.
#[tokio::test]
async fn dropping_a_call_ends_it() {
    let server = start(Version::V19, |sql, _| match sql {
        "begin sleep; end;" => Outcome::hang(LONG),
        _ => Outcome::Done,
    });
    let mut session = connect(&server).await;
    let process = process(&session);
    let call = session.execute(statement("begin sleep; end;"), LONG);
    assert!(tokio::time::timeout(SHORT, call).await.is_err());
    gone(process).await;
    let error = session.execute(statement("commit"), LONG).await.unwrap_err();
    assert!(error.chain().contains("was given up with an earlier call"), "{}", error.chain());
}

/// What the driver does not know of the protocol is a `todo!()` in it.
#[tokio::test]
async fn a_panic_of_the_driver_is_an_error_here() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 8]).unwrap();
        // A packet of eight bytes, of a kind that there is not.
        client.write_all(&[0, 8, 0, 0, 99, 0, 0, 0]).unwrap();
        let _ = client.read_to_end(&mut Vec::new());
    });
    build_program();
    let server = start(Version::V19, |_, _| Outcome::Done);
    let endpoint = parse_url(&format!("oracle://app:{PASSWORD}@{address}/standin")).unwrap();
    let Err(error) = Session::connect(&Login { endpoint, ..login(&server) }).await else {
        panic!("who answered?")
    };
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Failed, Some("ORA-03113")),
        "{}",
        error.chain()
    );
    assert!(
        error.chain().contains("ended (the driver panicked at ") && error.chain().contains("oracledb"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn fifty_sessions_at_once() {
    let server = start(Version::V23, |_, binds| Outcome::rows(&["A NUMBER"], vec![vec![binds[0].clone()]]));
    build_program();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50_usize {
        let login = login(&server);
        tasks.spawn(async move {
            let mut session = Session::connect(&login).await.unwrap();
            for _ in 0..5 {
                let binds = vec![Bind::new(drydock_oracle_protocol::BindType::Number, number.to_string())];
                let asked = Query { binds, ..query("select :1 from dual") };
                let found = session.query(asked, LONG).await.unwrap();
                assert_eq!(found.rows, [[Some(number.to_string())]]);
            }
            session
        });
    }
    let sessions = tasks.join_all().await;
    assert_eq!(server.sessions().len(), 50);
    for session in sessions {
        session.close().await;
    }
}
