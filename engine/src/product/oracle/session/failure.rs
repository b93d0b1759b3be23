//! What went wrong with a session, as errors with a hint. Where the server gave no code, Oracle's own for the same thing stands in.

use std::fmt;
use std::time::Duration;

use drydock_oracle_protocol::{Failure, FailureKind, Reason};

use crate::error::{Error, ErrorKind};

/// Where a session is, and as whom, for sentences.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// `host:port`, or the alias.
    pub server: String,
    pub service: String,
    pub user: String,
    pub wallet: Option<String>,
}

/// What the server, the listener or the driver said.
#[derive(Debug)]
struct Said(Failure);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Said {}

/// Where in its statement an error is, in bytes from 0, where the server said so.
pub(crate) fn offset(error: &Error) -> Option<u64> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(Said(failure)) = error.downcast_ref::<Said>() {
            return failure.offset;
        }
        cause = error.source();
    }
    None
}

/// The error of a call that had this limit.
pub(crate) fn error(failure: Failure, at: &Place, limit: Duration) -> Error {
    let code = failure.code.clone().unwrap_or_else(|| stand_in(&failure).to_owned());
    let told = told(&failure, &code, at, limit);
    let code_is_told = !code.is_empty();
    let Told { kind, sentence, hint } = told;
    let error = match sentence {
        Some(sentence) => Error::new(kind, sentence).because(Said(failure)),
        None => Error::new(kind, failure.message.clone()).because(Said(failure)),
    };
    let error = if code_is_told { error.code(code) } else { error };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Oracle's code for what happened outside the server.
fn stand_in(failure: &Failure) -> &'static str {
    match (failure.reason, failure.kind) {
        (Some(Reason::Refused), _) => "ORA-12541",
        (Some(Reason::UnknownHost), _) => "ORA-12545",
        (Some(Reason::Unreachable), _) => "ORA-12170",
        (Some(Reason::UnknownAlias | Reason::MalformedConnectString), _) => "ORA-12154",
        (Some(Reason::WalletMissing | Reason::WalletPassword | Reason::WalletKey), _) => "ORA-28759",
        (Some(Reason::Tls), _) => "ORA-29024",
        (Some(Reason::Lost), _) => "ORA-03113",
        (_, FailureKind::Timeout) => "ORA-01013",
        _ => "",
    }
}

struct Told {
    kind: ErrorKind,
    /// In place of what was said, which becomes its cause.
    sentence: Option<String>,
    hint: Option<String>,
}

#[allow(clippy::too_many_lines, reason = "one row for each thing that goes wrong")]
fn told(failure: &Failure, code: &str, at: &Place, limit: Duration) -> Told {
    let Place { server, service, user, .. } = at;
    let wallet = at.wallet.as_deref().unwrap_or("(none)");
    let seconds = limit.as_secs_f64();
    let told = |kind, sentence: String, hint: &str| Told {
        kind,
        sentence: Some(sentence),
        hint: Some(hint.to_owned()),
    };
    let wrong = |sentence, hint| told(ErrorKind::Input, sentence, hint);
    let failed = |sentence, hint| told(ErrorKind::Failed, sentence, hint);
    let busy = |sentence, hint| told(ErrorKind::Busy, sentence, hint);
    if let Some(reason) = failure.reason {
        match reason {
            Reason::WalletMissing => {
                return wrong(
                    format!("the wallet in {wallet} cannot be read"),
                    "unpack the wallet of the database there: it must have ewallet.pem, and tnsnames.ora for aliases",
                );
            }
            Reason::WalletPassword => {
                return wrong(
                    format!("the password of the wallet in {wallet} is missing or wrong"),
                    "give the one with which the wallet was downloaded; it is not that of the user",
                );
            }
            Reason::WalletKey => {
                return wrong(
                    format!("the wallet in {wallet} is damaged"),
                    "download the wallet of the database again",
                );
            }
            Reason::MalformedConnectString => {
                return wrong(
                    format!("{server} is no place that can be connected to"),
                    "use host:port/service, or an alias of the wallet's tnsnames.ora",
                );
            }
            Reason::NoClientLibrary => {
                return wrong(
                    "Oracle Instant Client cannot be loaded".into(),
                    "install Oracle Instant Client and let LD_LIBRARY_PATH name its folder",
                );
            }
            Reason::NotDescribed | Reason::Value => {
                return Told { kind: ErrorKind::Input, sentence: None, hint: None };
            }
            _ => {}
        }
    }
    match code {
        "ORA-01017" | "ORA-01005" => wrong(
            format!("{server} does not let {user} in: the user or the password is wrong"),
            "check both; names in quotes keep their case, and several wrong passwords lock an account",
        ),
        "ORA-28000" => wrong(
            format!("the account {user} is locked"),
            "let a DBA unlock it (ALTER USER … ACCOUNT UNLOCK), and find out who tries a wrong password",
        ),
        "ORA-28001" => wrong(
            format!("the password of {user} has expired"),
            "set a new one (ALTER USER … IDENTIFIED BY …), and give it to Drydock",
        ),
        "ORA-01045" => wrong(format!("{user} may not connect"), "grant it: GRANT CREATE SESSION TO …"),
        "ORA-01435" => wrong(
            "a session cannot begin in the schema that the URL names".into(),
            "check schema=NAME; a name that is not in capitals has quotes, as schema=%22Orders%22",
        ),
        "ORA-38802" => wrong(
            "a session cannot begin in the edition that the URL names".into(),
            "check edition=NAME, and grant its use: GRANT USE ON EDITION … TO …",
        ),
        "ORA-12514" => wrong(
            format!("the listener at {server} knows no service {service}"),
            "check the name (it has the domain in it); a database that is starting has not told its services yet",
        ),
        "ORA-12505" => wrong(
            format!("the listener at {server} knows no SID {service}"),
            "use the name of a service, not a SID",
        ),
        "ORA-12154" => wrong(
            format!("{service} is no alias that tnsnames.ora in {wallet} has"),
            "check the alias, or name host, port and service: oracle://user@host:1521/service",
        ),
        "ORA-12545" => wrong(
            format!("the host of {server} cannot be found"),
            "check its name; a private endpoint has a name inside its network only",
        ),
        "ORA-12541" => failed(
            format!("nothing listens at {server}"),
            "check host and port, and whether the listener is up; Autonomous Database has 1521 for TLS and 1522 for wallets",
        ),
        "ORA-12170" => failed(
            format!("{server} did not answer in time"),
            "check the network between, and the access control list of the database",
        ),
        "ORA-29024" => failed(
            format!("TLS with {server} failed"),
            "check that the wallet is that of this database and has not expired, and that the port is one of TLS",
        ),
        "ORA-01109" | "ORA-01033" | "ORA-01034" => failed(
            format!("the database at {server} is not open, or is just starting"),
            "try again when it is open; what keeps it is in its alert log",
        ),
        "ORA-16000" => failed(
            format!("the database at {server} is read-only"),
            "connect to the primary: a standby and a database that is being restored take no writes",
        ),
        "ORA-01031" => wrong(
            format!("{user} may not do this"),
            "grant the privilege; one that came by a role does not count in stored code",
        ),
        "ORA-00054" | "ORA-30006" | "ORA-04021" => busy(
            "another session holds a lock that the statement needs".into(),
            "it can be tried again; V$LOCK and V$SESSION.BLOCKING_SESSION tell who holds the lock",
        ),
        "ORA-00060" | "ORA-04020" | "ORA-08177" => {
            busy("the statement and another session were in each other's way".into(), "it can be tried again")
        }
        "ORA-12838" => failed(
            "the transaction reads what it wrote in parallel".into(),
            "connect to the service that ends in _tp or _low; _high and _medium run DML in parallel",
        ),
        "ORA-01013" => busy(
            format!("{server} did not answer within {seconds} s"),
            "give the statement more time, or find out what it waits for",
        ),
        _ => match failure.kind {
            FailureKind::Connection => Told {
                kind: ErrorKind::Failed,
                sentence: Some(format!("the connection to {server} is lost")),
                hint: None,
            },
            FailureKind::Login => Told {
                kind: ErrorKind::Input,
                sentence: Some(format!("{server} does not let {user} in")),
                hint: None,
            },
            FailureKind::Timeout => Told { kind: ErrorKind::Busy, sentence: None, hint: None },
            FailureKind::Statement | FailureKind::Internal => {
                Told { kind: ErrorKind::Failed, sentence: None, hint: None }
            }
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            server: "db.example:1522".into(),
            service: "orders".into(),
            user: "app".into(),
            wallet: Some("/opt/wallet".into()),
        }
    }

    /// Those that the stand-in cannot bring about.
    #[test]
    fn what_goes_wrong_has_a_sentence_a_code_and_a_hint() {
        let coded = |kind, code: &str| Failure::new(kind, format!("{code}: said")).code(code);
        let reason = |reason| Failure::new(FailureKind::Connection, "said").reason(reason);
        let (connection, of_statement) = (FailureKind::Connection, FailureKind::Statement);
        for (failure, kind, code, sentence, hint) in [
            (coded(connection, "ORA-01033"), ErrorKind::Failed, "ORA-01033", "is just starting", "alert log"),
            (coded(connection, "ORA-01109"), ErrorKind::Failed, "ORA-01109", "is not open", "alert log"),
            (coded(connection, "ORA-01034"), ErrorKind::Failed, "ORA-01034", "is not open", "alert log"),
            (
                coded(connection, "ORA-12505"),
                ErrorKind::Input,
                "ORA-12505",
                "no SID orders",
                "name of a service",
            ),
            (
                coded(connection, "ORA-12541"),
                ErrorKind::Failed,
                "ORA-12541",
                "nothing listens at db.example:1522",
                "1521",
            ),
            (
                coded(FailureKind::Login, "ORA-01045"),
                ErrorKind::Input,
                "ORA-01045",
                "app may not connect",
                "CREATE SESSION",
            ),
            (
                coded(FailureKind::Login, "ORA-28030"),
                ErrorKind::Input,
                "ORA-28030",
                "does not let app in",
                "",
            ),
            (
                coded(of_statement, "ORA-30006"),
                ErrorKind::Busy,
                "ORA-30006",
                "holds a lock",
                "BLOCKING_SESSION",
            ),
            (coded(of_statement, "ORA-08177"), ErrorKind::Busy, "ORA-08177", "in each other's way", "again"),
            (
                reason(Reason::Unreachable),
                ErrorKind::Failed,
                "ORA-12170",
                "did not answer in time",
                "access control",
            ),
            (
                reason(Reason::MalformedConnectString),
                ErrorKind::Input,
                "ORA-12154",
                "no place",
                "host:port/service",
            ),
            (
                reason(Reason::NoClientLibrary).code("DPI-1047"),
                ErrorKind::Input,
                "DPI-1047",
                "Instant Client",
                "LD_LIBRARY_PATH",
            ),
            (coded(connection, "ORA-00028"), ErrorKind::Failed, "ORA-00028", "is lost", ""),
        ] {
            let shown = format!("{failure:?}");
            let error = error(failure, &place(), Duration::from_secs(20));
            assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)), "{shown}");
            assert!(error.to_string().contains(sentence), "{shown}: {error}");
            assert!(error.chain().contains("said"), "{}", error.chain());
            assert!(error.hint_text().unwrap_or_default().contains(hint), "{shown}");
        }
    }

    /// Context that is given to an error keeps its place.
    #[test]
    fn the_place_of_an_error_is_found_below_its_context() {
        use crate::error::Context;
        let failure = Failure { offset: Some(14), ..Failure::new(FailureKind::Statement, "said") };
        let outer: crate::error::Result<()> =
            Err(error(failure, &place(), Duration::ZERO)).context("the look at t failed");
        assert_eq!(offset(&outer.unwrap_err()), Some(14));
        assert_eq!(offset(&Error::failed("another")), None);
    }
}
