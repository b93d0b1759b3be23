//! A network of their own for the processes of a copy's server, with nobody else in it: whatever they start inherits it. The server is
//! reached by its socket, which is a file. So are the sockets of other servers of this machine, which may let this user in: where those
//! lie by default, there is nothing to be seen.
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
const LOOPBACK: &str = "ip link set lo up && ";
/// Where Debian's and Red Hat's packages have servers put their sockets, which are found there by default.
const SOCKETS: &str = "/run/postgresql";
/// Puts an empty folder over $1.
const HIDE: &str = "[ ! -d \"$1\" ] || mount -t tmpfs -o mode=0755 none \"$1\" || exit; shift; ";

/// How a program is started in a network of its own.
pub struct Way {
    /// Begun as root, and gone on with as the server's user.
    as_root: bool,
    arguments: Vec<String>,
}

impl Way {
    /// As root, which needs no namespace of users.
    fn of_root(user: u32, group: u32, hidden: Option<&str>, loopback: bool) -> Self {
        let becomes = [format!("--setgid={group}"), format!("--setuid={user}"), "--".to_owned()];
        Self { as_root: true, arguments: Self::arguments(&["--net"], hidden, loopback, becomes) }
    }

    /// As anybody, who is root for the network in a namespace of users. The server refuses to run as root, and is itself again in
    /// a namespace below that one.
    fn of_user(user: u32, group: u32, hidden: Option<&str>, loopback: bool) -> Self {
        let becomes = [
            "--user".to_owned(),
            format!("--map-user={user}"),
            format!("--map-group={group}"),
            "--".to_owned(),
        ];
        let first = ["--user", "--map-root-user", "--net"];
        Self { as_root: false, arguments: Self::arguments(&first, hidden, loopback, becomes) }
    }

    fn arguments<const N: usize>(
        first: &[&str],
        hidden: Option<&str>,
        loopback: bool,
        becomes: [String; N],
    ) -> Vec<String> {
        let hide = if hidden.is_some() { HIDE } else { "" };
        let script = format!("{hide}{}exec \"$@\"", if loopback { LOOPBACK } else { "" });
        let begin = first.iter().copied().chain(hidden.map(|_| "--mount"));
        let begin = begin.chain(["--", "sh", "-c", script.as_str(), "sh"]).chain(hidden).chain([UNSHARE]);
        begin.map(str::to_owned).chain(becomes).collect()
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
    if let Some(way) = first(tools, SOCKETS, loopback).await {
        return Ok(way);
    }
    match loopback && first(tools, SOCKETS, false).await.is_some() {
        true => Err(Obstacle::NoLoopback),
        false => Err(Obstacle::NotAllowed),
    }
}

/// `hidden`: the folder that there is nothing to be seen in. In a folder that was made the root by `chroot` nothing can be put over another;
/// the network is a gain all the same.
async fn first(tools: &Tools, hidden: &str, loopback: bool) -> Option<Way> {
    let ways = [Some(hidden), None].into_iter().flat_map(|hidden| match tools.owner() {
        Some((user, group)) => {
            vec![Way::of_root(user, group, hidden, loopback), Way::of_user(user, group, hidden, loopback)]
        }
        None => vec![Way::of_user(geteuid().as_raw(), getegid().as_raw(), hidden, loopback)],
    });
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

    #[tokio::test]
    async fn other_servers_sockets_are_not_to_be_seen() {
        let tools = Tools::find().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let path = folder.path().to_str().unwrap();
        // The system may not allow it, or not all of it.
        let Some(way) = first(&tools, path, false).await else { return };
        if !way.arguments.iter().any(|argument| argument == "--mount") {
            return;
        }
        let seen = |mut command: Command| async move {
            let listed = command.args(["-A", path]).output().await.unwrap();
            String::from_utf8_lossy(&listed.stdout).into_owned()
        };
        assert_eq!(seen(way.command(&tools, "ls")).await, "");
        assert_eq!(seen(tools.command("ls")).await, ".s.PGSQL.5432\n", "everybody else sees it");
    }

    /// Of old servers, none of which need be here.
    #[tokio::test]
    async fn the_loopback_interface_is_up_where_it_is_needed() {
        let tools = Tools::find().await.unwrap();
        for loopback in [false, true] {
            // The system may not allow it, or have no program for it.
            let Some(way) = first(&tools, SOCKETS, loopback).await else { continue };
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
