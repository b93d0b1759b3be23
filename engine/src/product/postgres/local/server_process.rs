//! Which process is the server in a folder. The numbers of processes are those of this machine, whatever network they are in.

use std::path::Path;

/// The first line of `postmaster.pid`; the file stays behind when a machine dies.
pub fn pid(data: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)
}

/// Whether the server in a folder takes connections. It says so in the last line of its file since version 10.
pub fn is_ready(data: &Path) -> bool {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    text.lines().nth(7).is_some_and(|status| status.trim_end() == "ready")
        && pid(data).is_some_and(|pid| is_server(pid, data))
}

/// Whether the process is a server on this very folder, and not one that got the number of a dead server.
pub fn is_server(pid: i32, data: &Path) -> bool {
    match std::fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(cwd) => cwd.starts_with(data) || data.canonicalize().is_ok_and(|d| cwd.starts_with(d)),
        // In a container not even root may look there; a server's arguments are open to all, and a dead one has none.
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            names(&arguments, data)
        }
        Err(_) => false,
    }
}

/// Whether one of a process's arguments, each ended by a zero, is this folder.
fn names(arguments: &[u8], data: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    arguments.split(|b| *b == 0).any(|argument| argument == data.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::names;
    use std::path::Path;

    #[test]
    fn a_server_is_known_by_its_folder() {
        let server = b"/usr/lib/postgresql/15/bin/postgres\0-D\0/home/clone/data\0-p\x0041111\0";
        assert!(names(server, Path::new("/home/clone/data")));
        for other in ["/home/clone", "/home/clone/data2"] {
            assert!(!names(server, Path::new(other)), "{other}");
        }
        assert!(!names(b"", Path::new("/home/clone/data")), "a dead one has no arguments");
    }
}
