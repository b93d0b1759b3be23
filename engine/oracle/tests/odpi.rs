//! The program with ODPI-C, on a machine without Oracle Instant Client.
#![cfg(feature = "odpi")]
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use drydock_oracle_protocol::{Answer, Ask, Connect, Outcome, Password, Reason, Request};

#[test]
fn a_client_library_that_is_missing_is_told() {
    let program = env!("CARGO_BIN_EXE_drydock-oracle-session");
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let ask = Ask::Connect(Box::new(Connect {
        connect_string: "127.0.0.1:1/none".into(),
        user: "app".into(),
        password: Password::new("Secret_12345678"),
        wallet: None,
        wallet_password: None,
        tcp_ms: 1_000,
        application: Default::default(),
        session: vec![],
    }));
    let requests = [ask, Ask::Close].map(|ask| Request { id: 1, limit_ms: 60_000, grace_ms: 1_000, ask });
    let mut input = child.stdin.take().unwrap();
    for request in &requests {
        writeln!(input, "{}", serde_json::to_string(request).unwrap()).unwrap();
    }
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    let Answer { outcome: Outcome::Failed(failure), .. } =
        serde_json::from_str(said.lines().next().unwrap()).unwrap()
    else {
        panic!("{said}")
    };
    assert_eq!(failure.code.as_deref(), Some("DPI-1047"), "{failure:?}");
    assert_eq!(failure.reason, Some(Reason::NoClientLibrary));
    assert!(!said.contains("Secret"), "{said}");
}
