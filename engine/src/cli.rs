//! Commands, and everything that is printed.

mod args;
mod commands;
mod progress;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::error::{Error, ErrorKind};
use crate::model::database_url::DatabaseUrl;
use crate::operations::interrupt::Interrupt;
use args::{Args, Command, DemoCommand};

/// How long what was interrupted may take to clear away what it would leave.
const CLEARING: Duration = Duration::from_secs(60);

/// Runs the command line and gives the exit code.
pub fn main() -> ExitCode {
    hide_password();
    let args = Args::parse();
    // What serves until it is told to stop ends well by it.
    let serves = matches!(args.command, Command::Demo(DemoCommand::Serve { .. }));
    let level = std::env::var("DRYDOCK_LOG").unwrap_or_else(|_| "warn".to_owned());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .try_init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return complain(&Error::failed("the runtime cannot be started").because(e)),
    };
    let code = runtime.block_on(async {
        let interrupt = Interrupt::default();
        let work = commands::run(args, interrupt.clone());
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = interrupted(), if !serves => {}
        }
        if !interrupt.ask() {
            return Err(Error::interrupted());
        }
        // Whoever asks twice does not want to wait.
        tokio::select! {
            done = &mut work => done,
            () = interrupted() => Err(Error::interrupted()),
            () = tokio::time::sleep(CLEARING) => Err(Error::interrupted()),
        }
    });
    // What still runs in the background is of no use to anybody any more.
    runtime.shutdown_timeout(Duration::from_secs(2));
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => complain(&error),
    }
}

/// The sentence, its causes and a hint, once.
fn complain(error: &Error) -> ExitCode {
    eprintln!("error: {}", error.chain());
    if let Some(hint) = error.hint_text() {
        eprintln!("hint: {hint}");
    }
    ExitCode::from(match error.kind {
        ErrorKind::Input => 2,
        ErrorKind::Stuck => 5,
        ErrorKind::Interrupted => 130,
        ErrorKind::Refused | ErrorKind::Failed | ErrorKind::Busy => 1,
    })
}

/// SIGINT or SIGTERM. The journal needs no last word: the run is taken up where it is.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}

/// Everybody on the machine can read a process's arguments: a URL with a password is moved to the environment, which only
/// its owner can read, and the program starts itself again.
fn hide_password() {
    use std::os::unix::process::CommandExt;
    let mut arguments: Vec<String> = std::env::args().collect();
    let mut found = None;
    let mut rest = arguments.iter_mut().peekable();
    while let Some(argument) = rest.next() {
        let slot = if argument == "--database" {
            rest.peek_mut().map(|next| &mut **next)
        } else if argument.starts_with("--database=") {
            Some(argument)
        } else {
            None
        };
        if let Some(slot) = slot {
            let prefixed = slot.starts_with("--database=");
            let url = slot.strip_prefix("--database=").unwrap_or(slot).to_owned();
            if DatabaseUrl::split(&url).is_some_and(|parts| parts.has_password()) {
                *slot = if prefixed {
                    "--database=env:DRYDOCK_DATABASE".to_owned()
                } else {
                    "env:DRYDOCK_DATABASE".to_owned()
                };
                found = Some(url);
            }
        }
    }
    let (Some(url), Ok(program)) = (found, std::env::current_exe()) else { return };
    let error = std::process::Command::new(program)
        .args(arguments.get(1..).unwrap_or_default())
        .env("DRYDOCK_DATABASE", url)
        .exec();
    eprintln!(
        "warning: the password in --database shows in the process list ({error}); use --database env:NAME"
    );
}
