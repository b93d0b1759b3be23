//! One request after the other.

use std::io::BufRead;
use std::process;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use drydock_oracle_protocol::{Ask, Connect, Connected, Execute, Failure, FailureKind, Outcome, Request};

use crate::describe;
use crate::driver::{self, Connection, Result};
use crate::watchdog::{Output, Watchdog};

/// Reads requests until standard input ends, which is when the engine is gone: whatever is under way ends with it, and the server undoes the
/// transaction.
pub fn run() {
    let output = Arc::new(Output::default());
    let (to_server, requests) = mpsc::channel::<Request>();
    thread::spawn({
        let output = output.clone();
        move || serve(&requests, &output)
    });
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let Ok(request) = serde_json::from_str::<Request>(&line) else {
            // Nothing of the line is repeated: it may have a password.
            let unread = Failure::new(FailureKind::Internal, "the request cannot be read");
            output.answer(0, Outcome::Failed(unread));
            break;
        };
        if to_server.send(request).is_err() {
            break;
        }
    }
    // Dropping the connection would wait for the server.
    process::exit(0);
}

fn serve(requests: &mpsc::Receiver<Request>, output: &Arc<Output>) {
    let watchdog = Watchdog::start(output.clone());
    let mut connection: Option<Box<dyn Connection>> = None;
    for Request { id, limit_ms, grace_ms, ask } in requests {
        let limit = Duration::from_millis(limit_ms);
        let by = Instant::now() + limit;
        watchdog.begin(id, by + Duration::from_millis(grace_ms));
        let closes = ask == Ask::Close;
        let outcome = answer(&mut connection, ask, limit, by).unwrap_or_else(Outcome::Failed);
        watchdog.done();
        output.answer(id, outcome);
        if closes {
            process::exit(0);
        }
    }
}

fn answer(
    connection: &mut Option<Box<dyn Connection>>,
    ask: Ask,
    limit: Duration,
    by: Instant,
) -> Result<Outcome> {
    if let Ask::Connect(to) = &ask {
        if connection.is_some() {
            return Err(Failure::new(FailureKind::Internal, "the session is connected already"));
        }
        let (connected, facts) = connect(to, by)?;
        *connection = Some(connected);
        return Ok(Outcome::Connected(facts));
    }
    let Some(session) = connection else {
        return Err(Failure::new(FailureKind::Internal, "the session is not connected"));
    };
    session.limit(limit)?;
    match ask {
        Ask::Connect(_) => {}
        Ask::Query(query) => return session.query(&query).map(Outcome::Rows),
        Ask::Execute(statement) => return session.execute(&statement).map(Outcome::Executed),
        Ask::Describe { sql } => return describe::describe(session.as_mut(), &sql).map(Outcome::Described),
        Ask::Commit => session.commit()?,
        Ask::Rollback => session.rollback()?,
        Ask::Ping => session.ping()?,
        Ask::Close => {
            if let Some(session) = connection.take() {
                session.close()?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn connect(to: &Connect, by: Instant) -> Result<(Box<dyn Connection>, Connected)> {
    let mut session = driver::connect(to)?;
    let facts = session.facts()?;
    session.name(&to.application)?;
    for sql in &to.session {
        session.limit(by.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)))?;
        session.execute(&Execute { sql: sql.clone(), rows: Vec::new() }).map_err(|failure| {
            let message = format!("{sql}: {}", failure.message);
            Failure { message, offset: None, ..failure }
        })?;
    }
    Ok((session, facts))
}
