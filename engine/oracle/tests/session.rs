//! The program by itself: what it does with lines that are none, and how it ends.
#![cfg(not(feature = "odpi"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use drydock_oracle_protocol::{Answer, Ask, Connect, Execute, FailureKind, Outcome, Password, Request};
use drydock_oracle_standin as standin;

/// What a loaded machine may add.
const SLACK: Duration = Duration::from_secs(20);

struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drydock-oracle-session"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Program { child, input, output: BufReader::new(output) }
    }

    fn write(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn ask(&mut self, id: u64, ask: Ask) {
        let request = Request { id, limit_ms: 60_000, grace_ms: 1_000, ask };
        self.write(&serde_json::to_string(&request).unwrap());
    }

    /// `None`: it ended.
    fn answer(&mut self) -> Option<Answer> {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

fn connect(server: &standin::Server) -> Ask {
    Ask::Connect(Box::new(Connect {
        connect_string: server.connect_string(),
        user: "app".into(),
        password: Password::new("Secret_12345678"),
        wallet: None,
        wallet_password: None,
        tcp_ms: 10_000,
        application: Default::default(),
        session: vec!["alter session set current_schema = other".into()],
    }))
}

fn server() -> standin::Server {
    let answers = |_: &standin::Session, sql: &str, _: &[standin::Value]| match sql {
        "begin sleep; end;" => standin::Outcome::hang(Duration::from_secs(60)),
        "alter session set current_schema = nowhere" => standin::Outcome::error(1435, "user does not exist"),
        _ => standin::Outcome::Done,
    };
    standin::Server::start(standin::Config::default(), answers)
}

fn kind(answer: Option<Answer>) -> (u64, FailureKind, String) {
    match answer {
        Some(Answer { id, outcome: Outcome::Failed(failure) }) => (id, failure.kind, failure.message),
        other => panic!("no failure: {other:?}"),
    }
}

#[test]
fn requests_come_in_their_order_and_are_answered_once() {
    let server = server();
    let mut program = Program::start();
    program.ask(1, Ask::Ping);
    program.ask(2, connect(&server));
    program.ask(3, connect(&server));
    program.ask(4, Ask::Ping);
    program.ask(5, Ask::Close);
    let (id, failed, said) = kind(program.answer());
    assert_eq!((id, failed), (1, FailureKind::Internal));
    assert!(said.contains("not connected"), "{said}");
    let connected = program.answer().unwrap();
    assert!(matches!(connected, Answer { id: 2, outcome: Outcome::Connected(_) }), "{connected:?}");
    let (id, _, said) = kind(program.answer());
    assert!(id == 3 && said.contains("connected already"), "{said}");
    for id in [4, 5] {
        assert_eq!(program.answer(), Some(Answer { id, outcome: Outcome::Done }));
    }
    assert_eq!(program.answer(), None);
    assert_eq!(program.code(), Some(0));
    assert_eq!(server.log().count(|call| *call == standin::Call::LogOff), 1);
}

#[test]
fn a_line_that_is_no_request_is_not_repeated() {
    let mut program = Program::start();
    program.write("{\"id\":1,\"ask\":{\"connect\":{\"password\":\"Secret_12345678\"}}}");
    let (id, failed, said) = kind(program.answer());
    assert_eq!((id, failed), (0, FailureKind::Internal));
    assert!(!said.contains("Secret"), "{said}");
    assert_eq!(program.answer(), None);
}

/// Nothing is left behind when the engine is killed.
#[test]
fn it_ends_with_its_input_in_the_middle_of_a_call() {
    let server = server();
    let mut program = Program::start();
    program.ask(1, connect(&server));
    assert!(program.answer().is_some());
    program.ask(2, Ask::Execute(Execute { sql: "begin sleep; end;".into(), rows: vec![] }));
    while server.log().statements().last().map(String::as_str) != Some("begin sleep; end;") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let began = Instant::now();
    program.input = None;
    assert_eq!(program.answer(), None);
    assert_eq!(program.code(), Some(0));
    assert!(began.elapsed() < SLACK);
    while !server.sessions().is_empty() {
        assert!(began.elapsed() < SLACK, "the server still has the session");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A schema that does not exist is no session, rather than one in another schema.
#[test]
fn a_session_that_cannot_be_set_up_is_none() {
    let server = server();
    let mut program = Program::start();
    let Ask::Connect(mut to) = connect(&server) else { panic!() };
    to.session = vec!["alter session set current_schema = nowhere".into()];
    program.ask(1, Ask::Connect(to));
    let (id, _, said) = kind(program.answer());
    assert_eq!(id, 1);
    assert!(said.contains("ORA-01435"), "{said}");
    program.ask(2, Ask::Ping);
    let (_, _, said) = kind(program.answer());
    assert!(said.contains("not connected"), "{said}");
}
