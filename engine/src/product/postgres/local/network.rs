//! A network of their own for the processes of a copy's server, with nobody else in it: whatever they start inherits it. The server is
//! reached by its socket, which is a file. So is any other socket of this machine: those stay open to the server's user.
//!
//! Rust's own way to do it needs unsafe code, so it is left to `unshare` of util-linux.

use std::process::Stdio;

use nix::unistd::{getegid, geteuid};
use tokio::process::Command;

use crate::model::isolation::Obstacle;
use crate::product::postgres::local::tools::Tools;

const UNSHARE: &str = "unshare";
/// Servers before this one send their statistics to themselves over the loopback interface, which is down in a new network. They start
/// without, and then neither count nor vacuum.
const NEEDS_NO_LOOPBACK: u32 = 15;
const WITH_LOOPBACK: [&str; 4] = ["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"];

/// How a program is started in a network of its own.
pub struct Way {
    /// Begun as root, and gone on with as the server's user.
    as_root: bool,
    arguments: Vec<String>,
}

impl Way {
    /// As root, which needs no namespace of users.
    fn of_root(user: u32, group: u32, loopback: bool) -> Self {
        let becomes = [format!("--setgid={group}"), format!("--setuid={user}"), "--".to_owned()];
        Self { as_root: true, arguments: Self::arguments(&["--net"], loopback, becomes) }
    }

    /// As anybody, who is root for the network in a namespace of users. The server refuses to run as root, and is itself again in
    /// a namespace below that one.
    fn of_user(user: u32, group: u32, loopback: bool) -> Self {
        let becomes = [
            "--user".to_owned(),
            format!("--map-user={user}"),
            format!("--map-group={group}"),
            "--".to_owned(),
        ];
        Self {
            as_root: false,
            arguments: Self::arguments(&["--user", "--map-root-user", "--net"], loopback, becomes),
        }
    }

    fn arguments<const N: usize>(first: &[&str], loopback: bool, becomes: [String; N]) -> Vec<String> {
        let between = if loopback { &WITH_LOOPBACK[..] } else { &[] };
        let begin = first.iter().chain(["--"].iter()).chain(between).chain([UNSHARE].iter());
        begin.map(|argument| (*argument).to_owned()).chain(becomes).collect()
    }

    pub fn command(&self, tools: &Tools, program: &str) -> Command {
        let mut command = if self.as_root { tools.command_as_we(UNSHARE) } else { tools.command(UNSHARE) };
        command.args(&self.arguments).arg(tools.found(program));
        command
    }

    /// What is allowed depends on the kernel, on security modules and on the container: it is tried out.
    async fn works(&self, tools: &Tools) -> bool {
        let mut command = self.command(tools, "true");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().await.is_ok_and(|status| status.success())
    }
}

/// How this system starts a server in a network of its own.
pub async fn find(tools: &Tools) -> Result<Way, Obstacle> {
    if which::which(UNSHARE).is_err() {
        return Err(Obstacle::NoProgram);
    }
    let loopback = tools.major < NEEDS_NO_LOOPBACK;
    if let Some(way) = first(tools, loopback).await {
        return Ok(way);
    }
    match loopback && first(tools, false).await.is_some() {
        true => Err(Obstacle::NoLoopback),
        false => Err(Obstacle::NotAllowed),
    }
}

async fn first(tools: &Tools, loopback: bool) -> Option<Way> {
    let ways = match tools.owner() {
        Some((user, group)) => {
            vec![Way::of_root(user, group, loopback), Way::of_user(user, group, loopback)]
        }
        None => vec![Way::of_user(geteuid().as_raw(), getegid().as_raw(), loopback)],
    };
    for way in ways {
        if way.works(tools).await {
            return Some(way);
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Of old servers, none of which need be here.
    #[tokio::test]
    async fn the_loopback_interface_is_up_where_it_is_needed() {
        let tools = Tools::find().await.unwrap();
        for loopback in [false, true] {
            // The system may not allow it, or have no program for it.
            let Some(way) = first(&tools, loopback).await else { continue };
            if which::which("ip").is_err() {
                continue;
            }
            let mut command = way.command(&tools, "ip");
            let shown = command.args(["-o", "link"]).output().await.unwrap();
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            assert_eq!(shown.lines().count(), 1, "no other interface: {shown}");
            assert_eq!(shown.contains("LOOPBACK,UP"), loopback, "{shown}");
        }
    }
}
