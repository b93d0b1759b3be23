//! Which server is worked with where a URL names several
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS>).
//!
//! They are asked in their order, once and before anything is done. Whoever connects afterwards is given the one that was taken, and
//! demands that it is still what it was: after a failover a run ends with an error instead of going on elsewhere.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::model::endpoint::Endpoint;
use crate::model::error_class::ErrorClass;
use crate::model::preflight::{Finding, PassedOver, Unfit};
use crate::product::postgres::server::connect::{INSPECT, ServerContext, connect_only};
use crate::product::postgres::server::session::LockWait;
use crate::product::postgres::server::{error_codes, pooler};

/// The option of a URL.
pub const ATTRIBUTES: &str = "target_session_attrs";

/// What a server has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// What a server is.
#[derive(Debug, Clone, Copy)]
struct State {
    in_recovery: bool,
    read_only: bool,
}

impl Wanted {
    /// libpq takes any server where the URL says nothing or `any`. What changes a schema must not meet a replica so.
    fn of(endpoint: &Endpoint) -> Self {
        match endpoint.options.get(ATTRIBUTES).map(String::as_str) {
            Some("read-write") => Self::ReadWrite,
            Some("read-only") => Self::ReadOnly,
            Some("standby") => Self::Standby,
            Some("prefer-standby") => Self::PreferStandby,
            _ => Self::Primary,
        }
    }

    /// Why a server is passed over; `None`: it fits.
    fn unfit(self, state: State) -> Option<Unfit> {
        match self {
            Self::Primary | Self::ReadWrite if state.in_recovery => Some(Unfit::Replica),
            Self::ReadWrite if state.read_only => Some(Unfit::ReadOnly),
            Self::Standby | Self::PreferStandby if !state.in_recovery => Some(Unfit::Primary),
            Self::ReadOnly if !state.read_only => Some(Unfit::TakesWrites),
            _ => None,
        }
    }
}

/// The first server that fits, and what was passed over before it. Where none fits, those that are starting are waited for.
///
/// # Errors
/// `Input` when none fits, or one does not let the user in: libpq does not try the others then either.
pub async fn choose(servers: &[Endpoint], starting: Duration) -> Result<(Endpoint, Finding)> {
    let begun = Instant::now();
    loop {
        let Round { taken, passed_over, waits } = round(servers).await?;
        if let Some(server) = taken {
            return Ok(settled(server.clone(), passed_over));
        }
        if !waits || begun.elapsed() > starting {
            let each: Vec<String> = passed_over.iter().map(ToString::to_string).collect();
            let each = each.join("; ");
            return Err(Error::input(format!(
                "no server that the database URL names can be worked with: {each}"
            ))
            .hint("name the server that takes writes, and see target_session_attrs in the URL"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What came of asking all servers once.
struct Round<'a> {
    taken: Option<&'a Endpoint>,
    passed_over: Vec<PassedOver>,
    /// One of those that were passed over was starting.
    waits: bool,
}

async fn round(servers: &[Endpoint]) -> Result<Round<'_>> {
    let mut round = Round { taken: None, passed_over: Vec::new(), waits: false };
    let mut second_best = None;
    for server in servers {
        let wanted = Wanted::of(server);
        let why = match state(server).await {
            Ok(state) => match wanted.unfit(state) {
                None => return Ok(Round { taken: Some(server), ..round }),
                Some(why) => {
                    if wanted == Wanted::PreferStandby {
                        second_best = second_best.or(Some(server));
                    }
                    why
                }
            },
            // What is found of it then refuses everything.
            Err(error) if pooler::is_refusal(&error) => return Ok(Round { taken: Some(server), ..round }),
            Err(error) if error.kind == ErrorKind::Input => return Err(error),
            Err(error) => {
                let class = error.code.as_deref().map(error_codes::class);
                round.waits |= class == Some(ErrorClass::StartingUp);
                Unfit::NotReached { error: error.chain() }
            }
        };
        round.passed_over.push(PassedOver { server: place(server), why });
    }
    Ok(Round { taken: second_best, ..round })
}

fn place(server: &Endpoint) -> String {
    format!("{}:{}", server.host, server.port)
}

/// Sets nothing on the session: a pooler may be in front of the server.
async fn state(server: &Endpoint) -> Result<State> {
    const ASK: &str = "cannot ask whether the server takes writes";
    let (client, _) = connect_only(server, INSPECT, LockWait::Short).await?;
    let sql = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::bool";
    let row = client.query_typed_one(sql, &[]).await.server_context(ASK)?;
    Ok(State {
        in_recovery: row.try_get(0).server_context(ASK)?,
        read_only: row.try_get(1).server_context(ASK)?,
    })
}

fn settled(mut server: Endpoint, passed_over: Vec<PassedOver>) -> (Endpoint, Finding) {
    if Wanted::of(&server) == Wanted::Primary {
        // The same to a session of ours, and older programs of PostgreSQL know it too.
        server.options.insert(ATTRIBUTES.to_owned(), "read-write".to_owned());
    }
    let place = place(&server);
    (server, Finding::ServerChosen { server: place, passed_over })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_taken_only_where_the_url_asks_for_one() {
        let wanted = |attributes: Option<&str>| {
            let options = attributes.map(|value| (ATTRIBUTES.to_owned(), value.to_owned()));
            let (host, database, user) = (String::new(), String::new(), String::new());
            Wanted::of(&Endpoint {
                host,
                port: 1,
                database,
                user,
                password: None,
                options: options.into_iter().collect(),
            })
        };
        let primary = State { in_recovery: false, read_only: false };
        let closed = State { in_recovery: false, read_only: true };
        let replica = State { in_recovery: true, read_only: true };
        for (attributes, of_primary, of_closed, of_replica) in [
            (None, None, None, Some(Unfit::Replica)),
            (Some("any"), None, None, Some(Unfit::Replica)),
            (Some("primary"), None, None, Some(Unfit::Replica)),
            (Some("read-write"), None, Some(Unfit::ReadOnly), Some(Unfit::Replica)),
            (Some("read-only"), Some(Unfit::TakesWrites), None, None),
            (Some("standby"), Some(Unfit::Primary), Some(Unfit::Primary), None),
            (Some("prefer-standby"), Some(Unfit::Primary), Some(Unfit::Primary), None),
        ] {
            let wanted = wanted(attributes);
            let found = [primary, closed, replica].map(|state| wanted.unfit(state));
            assert_eq!(found, [of_primary, of_closed, of_replica], "{attributes:?}");
        }
    }
}
