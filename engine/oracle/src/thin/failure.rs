//! What went wrong, from the driver's errors.

use std::io;

use drydock_oracle_protocol::{Failure, FailureKind, Reason};
use oracledb::{Error, ErrorKind};

use crate::driver::{kind_of_code, without_help};

/// Of the connect string: what it takes to read it is `tnsnames.ora`.
pub fn naming(error: Error) -> Failure {
    let failure = failure(&error);
    match failure.reason {
        None => failure.reason(Reason::UnknownAlias),
        Some(_) => failure,
    }
}

/// Of connecting.
pub fn connecting(error: Error) -> Failure {
    let failure = failure(&error);
    match failure.kind {
        FailureKind::Connection if failure.reason.is_none() && failure.code.is_none() => {
            let reason = system_code(&error).map_or_else(|| without_code(&failure), of_system);
            failure.reason(reason)
        }
        FailureKind::Timeout => {
            Failure { kind: FailureKind::Connection, ..failure }.reason(Reason::Unreachable)
        }
        FailureKind::Statement => Failure { kind: FailureKind::Login, ..failure },
        _ => failure,
    }
}

/// Of a call.
pub fn calling(error: Error) -> Failure {
    let failure = failure(&error);
    match failure.kind {
        FailureKind::Connection if failure.reason.is_none() => failure.reason(Reason::Lost),
        // Of the log-in, and it is over.
        FailureKind::Login => Failure { kind: FailureKind::Statement, ..failure },
        _ => failure,
    }
}

fn failure(error: &Error) -> Failure {
    let of = |kind| Failure::new(kind, without_help(&error.to_string()));
    let connection = || of(FailureKind::Connection);
    match error.kind() {
        ErrorKind::DbError(said) => {
            let code = format!("ORA-{:05}", said.code());
            let kind = kind_of_code(said.code());
            let offset = u64::try_from(said.offset()).ok().filter(|_| kind == FailureKind::Statement);
            Failure { offset, ..of(kind).code(code) }
        }
        ErrorKind::CallTimeoutExceeded => of(FailureKind::Timeout),
        ErrorKind::DeadConnection
        | ErrorKind::NotConnected
        | ErrorKind::UnableToRecover
        | ErrorKind::LockPoisoned => connection().reason(Reason::Lost),
        ErrorKind::StreamOperation => connection(),
        ErrorKind::InvalidServiceName(..) => connection().code("ORA-12514"),
        ErrorKind::InvalidSid(..) => connection().code("ORA-12505"),
        ErrorKind::ListenerRefusedConnection(_, _, _, code) => connection().code(format!("ORA-{code:05}")),
        ErrorKind::UnexpectedRefuse(_) => connection().reason(Reason::Lost),
        ErrorKind::TnsAliasNotFound(..) | ErrorKind::NoConfigDir => connection().reason(Reason::UnknownAlias),
        ErrorKind::InvalidConnectString(..)
        | ErrorKind::InvalidDescriptorNode(..)
        | ErrorKind::InvalidNetworkName(_)
        | ErrorKind::ParseError(..)
        | ErrorKind::IfileCycleDetected(..)
        | ErrorKind::NoConnectString => connection().reason(Reason::MalformedConnectString),
        ErrorKind::WalletUnreadable(_) => connection().reason(Reason::WalletMissing),
        ErrorKind::WalletPasswordMissingOrInvalid(..) => connection().reason(Reason::WalletPassword),
        ErrorKind::WalletPrivateKeyInvalid(_) | ErrorKind::PemFileOperation => {
            connection().reason(Reason::WalletKey)
        }
        ErrorKind::TlsOperation => connection().reason(Reason::Tls),
        ErrorKind::NoCredentials => of(FailureKind::Login),
        ErrorKind::InvalidBindName(_)
        | ErrorKind::MissingBindValue(_)
        | ErrorKind::WrongNumPositionalBinds(..)
        | ErrorKind::DifferentTypes(..)
        | ErrorKind::InvalidOracleNumber(_)
        | ErrorKind::UnsupportedConversion(..)
        | ErrorKind::UnsupportedDbType(_) => of(FailureKind::Internal).reason(Reason::Value),
        _ => of(FailureKind::Internal),
    }
}

/// The driver keeps the system's error to itself and shows it, with its number at the end.
fn system_code(error: &Error) -> Option<i32> {
    error.to_string().rsplit_once("(os error ")?.1.strip_suffix(')')?.parse().ok()
}

/// The system gives no number for a name that it does not find, and the standard library these words. All else without a number is of TLS,
/// whose errors come wrapped into those of the stream.
fn without_code(failure: &Failure) -> Reason {
    if failure.message.contains("failed to lookup address information") {
        Reason::UnknownHost
    } else {
        Reason::Tls
    }
}

fn of_system(code: i32) -> Reason {
    match io::Error::from_raw_os_error(code).kind() {
        io::ErrorKind::ConnectionRefused => Reason::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            Reason::Lost
        }
        _ => Reason::Unreachable,
    }
}
