//! Holds one connection to an Oracle database and answers requests (`drydock_oracle_protocol`): lines of JSON on standard input and output.
//!
//! It is a process of its own because Oracle's driver cannot be relied on to come back: nothing cancels a call, closing a silent
//! connection waits for ever, and a panic inside ends the process. Here the process ends, and the engine goes on.

mod describe;
mod driver;
#[cfg(feature = "odpi")]
mod odpi;
mod serve;
#[cfg(not(feature = "odpi"))]
mod thin;
mod watchdog;

use std::process;

/// The driver failed in a way that it did not foresee.
const PANICKED: i32 = 101;

fn main() {
    // Two providers of TLS are compiled in, and the driver takes the one that is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Only the place: the message of a panic may have values in it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("the driver panicked at {place}");
        process::exit(PANICKED);
    }));
    serve::run();
}
