//! What keeps a copy to itself, and what of it still reaches out.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::disarmed::Disarmed;

/// Names in one line for people; the evidence has all.
const SHOWN: usize = 5;

/// What the processes of a copy's server reach over a network: those of sessions, workers, and programs that they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Network {
    /// Nothing: they run in a network namespace of their own.
    CutOff,
    /// What this machine reaches.
    Open { why: Obstacle },
}

/// Why a server is not cut off from the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The program that makes namespaces is not here.
    NoProgram,
    /// The system does not let us make one.
    NotAllowed,
    /// The server needs a loopback interface, and none can be started in a namespace.
    NoLoopback,
    /// A version of Drydock started it that could not do it.
    EarlierVersion,
}

/// A routine of the source that reaches outside of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutsideRoutine {
    /// With its schema and the types of its arguments.
    pub name: String,
    pub language: String,
    pub reach: RoutineReach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutineReach {
    /// Its language is not trusted: it writes files and runs programs on the machine of the copy, as the user of the copy's server.
    Machine,
    /// Its text calls functions that connect to other servers, which they do not in a copy.
    OtherServers,
}

/// What keeps a copy to itself, and what of it still reaches out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Isolation {
    /// `null`: the copy has no server.
    #[serde(default)]
    pub network: Option<Network>,
    /// What would have reached out of the copy, or held it up.
    #[serde(default)]
    pub disarmed: Vec<Disarmed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_routines: Vec<OutsideRoutine>,
}

impl Isolation {
    /// For people: what was disarmed, and what still reaches out beside the network.
    pub fn lines(&self) -> Vec<String> {
        let named = |reach: RoutineReach| {
            let all: Vec<String> = self
                .outside_routines
                .iter()
                .filter(|routine| routine.reach == reach)
                .map(|routine| format!("{} ({})", routine.name, routine.language))
                .collect();
            let more = all.len().saturating_sub(SHOWN);
            let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            (!all.is_empty())
                .then(|| if more > 0 { format!("{shown} and {more} more") } else { shown.clone() })
        };
        let machine = named(RoutineReach::Machine).map(|names| {
            format!("routines in untrusted languages write files and run programs as the server's user when they are called: {names}")
        });
        let servers = named(RoutineReach::OtherServers).map(|names| {
            format!("routines that connect to other servers fail when they are called: {names}")
        });
        self.disarmed.iter().map(ToString::to_string).chain(machine).chain(servers).collect()
    }
}

impl Network {
    /// What a person should know and can do where it is open.
    pub fn warning(self) -> Option<String> {
        let Self::Open { why } = self else { return None };
        let remedy = match why {
            Obstacle::NoProgram => "; install util-linux",
            Obstacle::NotAllowed => "; allow user namespaces, or give CAP_SYS_ADMIN",
            Obstacle::NoLoopback => "; install iproute2, or the programs of PostgreSQL 15 or newer",
            Obstacle::EarlierVersion => "",
        };
        Some(format!("{self}{remedy}"))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => f.write_str("the server's processes are cut off from the network"),
            Self::Open { why } => {
                write!(f, "the server's processes reach all that this machine reaches: {why}")
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoProgram => "the program unshare is not here",
            Self::NotAllowed => "the system does not allow a network namespace",
            Self::NoLoopback => {
                "the program ip cannot start the loopback interface that this version of the server needs"
            }
            Self::EarlierVersion => "an earlier version of Drydock started it",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn many_routines_are_one_line() {
        let routine = |n: u32| OutsideRoutine {
            name: format!("app.f{n}()"),
            language: "plpython3u".to_owned(),
            reach: RoutineReach::Machine,
        };
        let isolation =
            Isolation { outside_routines: (1..=7).map(routine).collect(), ..Isolation::default() };
        let [line] = isolation.lines().try_into().unwrap();
        assert!(line.ends_with("app.f5() (plpython3u) and 2 more"), "{line}");
    }

    #[test]
    fn what_an_earlier_version_wrote_is_read() {
        let isolation: Isolation = serde_json::from_str(r#"{"disarmed":[]}"#).unwrap();
        assert_eq!(isolation, Isolation::default());
    }
}
