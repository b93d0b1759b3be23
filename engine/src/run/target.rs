//! The database of an environment.

use std::sync::Arc;

use crate::config::{Environment, Target};
use crate::demo;
use crate::error::{Error, ErrorKind, Result};
use crate::model::endpoint::Endpoint;
use crate::model::event::{Event, EventKind};
use crate::model::evidence::Outcome;
use crate::model::preflight::{Fact, Finding, Weight};
use crate::model::query_syntax::QuerySyntax;
use crate::product::{Database, Products, embedded_product};
use crate::run::preflight;
use crate::run::saga::{self, Decision};
use crate::watcher::Watcher;

/// A database that was looked at before anything else was done with it.
pub struct Opened {
    pub database: Arc<dyn Database>,
    pub facts: Vec<Fact>,
}

/// Opens the target of an environment, making the demo's production at first use.
///
/// # Errors
/// `Input` when it cannot be named or reached, or when nothing can be done with it.
pub async fn open(
    environment: &Environment,
    products: &Products,
    watcher: &Arc<dyn Watcher>,
) -> Result<Opened> {
    let opened = look(environment, products, watcher).await?;
    preflight::refuse(&opened.facts, Weight::StopsAll)?;
    // Sets something on sessions, so that it comes second.
    opened.database.server().await.map_err(|e| e.kind(ErrorKind::Input))?;
    Ok(opened)
}

/// The same, and whatever is found refuses nothing.
///
/// # Errors
/// `Input` when it cannot be named or reached.
pub async fn look(
    environment: &Environment,
    products: &Products,
    watcher: &Arc<dyn Watcher>,
) -> Result<Opened> {
    let (database, chosen) = match &environment.target {
        Target::Url(url) | Target::Served(url) => products.reach(url.expose()).await?,
        Target::Demo { scale } => (demo::production(environment, *scale, watcher).await?, None),
    };
    let mut facts = Vec::new();
    if let Some(chosen) = chosen {
        watcher.note(&chosen.to_string());
        facts.push(Fact::new(chosen));
    }
    // A database that was named and cannot be reached is a matter of what was named.
    facts.extend(database.preflight().await.map_err(|e| e.kind(ErrorKind::Input))?);
    Ok(Opened { database, facts })
}

/// A run stays with one server. Of several that a URL names, another one may be the primary by the time that a run is taken up, and
/// lack what the run did last.
///
/// # Errors
/// `Refused` when the run is not over and was on another server, unless that is accepted.
pub fn stays((run, events): (&str, &[Event]), now: &Endpoint, facts: &[Fact], accept: bool) -> Result<()> {
    let chosen = facts.iter().any(|fact| matches!(fact.finding, Finding::ServerChosen { .. }));
    let Some(before) = last_place(events).filter(|_| chosen && !accept) else { return Ok(()) };
    let now = place(&now.to_string()).to_owned();
    // One that is stuck has something on the server that it was on.
    let over = matches!(saga::next(events), Decision::Over(outcome) if outcome != Outcome::Stuck);
    if before == now || over {
        return Ok(());
    }
    Err(Error::refused(format!(
        "run {run} was on {before}, and of the servers that the URL names it is {now} that takes writes now"
    ))
    .hint(
        "after a failover the last transactions may be missing: see that the server has what the other one had, and go on there \
         with --accept-drift",
    ))
}

/// A backup takes the place of the database that it is of, and of no other.
///
/// # Errors
/// `Refused` when the run was on another server or database.
pub fn was_here((run, events): (&str, &[Event]), now: &Endpoint) -> Result<()> {
    let now = now.to_string();
    match last_place(events) {
        Some(before) if before != place(&now) => {
            Err(Error::refused(format!("run {run} was on {before}, and this is {}", place(&now)))
                .hint("name the database that the backup is of, as the run did"))
        }
        _ => Ok(()),
    }
}

/// Where a run was last; older versions did not write it.
fn last_place(events: &[Event]) -> Option<&str> {
    events.iter().rev().find_map(|event| match &event.what {
        EventKind::Started { database, .. } | EventKind::Resumed { database, .. } => {
            database.as_deref().map(place)
        }
        _ => None,
    })
}

/// Another user on the same server is the same place.
fn place(named: &str) -> &str {
    named.rsplit_once('@').map_or(named, |(_, place)| place)
}

/// Says which files of Liquibase and Spring Boot have a part in how the changelog is read.
pub fn tell_settings(environment: &Environment, watcher: &Arc<dyn Watcher>) {
    for file in &environment.liquibase.read_from {
        watcher.note(&format!("settings of Liquibase are read from {}", file.display()));
    }
}

/// How queries are written for the target of an environment. Nothing is opened.
///
/// # Errors
/// `Input` when its URL names no product that is supported.
pub fn query_syntax(environment: &Environment, products: &Products) -> Result<&'static QuerySyntax> {
    Ok(match &environment.target {
        Target::Url(url) | Target::Served(url) => products.of(url.expose())?.query_syntax(),
        Target::Demo { .. } => embedded_product().query_syntax(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn event(what: EventKind) -> Event {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Event { seq: 0, at, previous: String::new(), what, hash: String::new(), line: String::new() }
    }

    fn endpoint(host: &str) -> Endpoint {
        let (database, user) = ("d".to_owned(), "u".to_owned());
        Endpoint { host: host.to_owned(), port: 5432, database, user, password: None, options: [].into() }
    }

    #[test]
    fn a_run_does_not_go_on_elsewhere_after_a_failover() {
        let started = event(EventKind::Started {
            environment: "prod".to_owned(),
            actor: "ann".to_owned(),
            commit: None,
            version: "1".to_owned(),
            inject: None,
            database: Some("other@h1:5432/d".to_owned()),
        });
        let chosen = Finding::ServerChosen { server: "h2:5432".to_owned(), passed_over: Vec::new() };
        let facts = [Fact::new(chosen)];
        let events = [started.clone()];
        let stays = |host, events: &[Event], facts, accept| {
            super::stays(("r", events), &endpoint(host), facts, accept)
        };
        assert!(stays("h1", &events, &facts, false).is_ok());
        let refused = stays("h2", &events, &facts, false).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Refused);
        assert!(refused.chain().contains("was on h1:5432/d"), "{}", refused.chain());
        assert!(stays("h2", &events, &facts, true).is_ok());
        // The URL names one server: a person has decided.
        assert!(stays("h2", &events, &[], false).is_ok());
        let (actor, version) = ("ann".to_owned(), "1".to_owned());
        let resumed = event(EventKind::Resumed { actor, version, database: Some("u@h2:5432/d".to_owned()) });
        assert!(stays("h2", &[started.clone(), resumed], &facts, false).is_ok());
        let ended = |outcome| [started.clone(), event(EventKind::Finished { outcome, reason: None })];
        assert!(stays("h2", &ended(Outcome::Migrated), &facts, false).is_ok());
        assert!(stays("h2", &ended(Outcome::Stuck), &facts, false).is_err());
    }
}
