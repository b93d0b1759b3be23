//! The server's programs, and the operating-system user they run as.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::unistd::{Uid, User};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::{Context, DISK_FULL, Error, ErrorKind, Result};
use crate::model::endpoint::Endpoint;
use crate::product::postgres::server::session::{self, LockWait};
use crate::product::postgres::server::url;

const MISSING: &str = "run ci/setup, install PostgreSQL's server package, or put its bin folder into PATH";

/// Where the programs lie and who runs them. The server refuses to run as root, so root hands all of it to `postgres`.
#[derive(Debug, Clone)]
pub struct Tools {
    bin: PathBuf,
    pub major: u32,
    owner: Option<User>,
}

impl Tools {
    /// # Errors
    /// `Input` when there is no server on this machine, or no user to run it as.
    pub async fn find() -> Result<Self> {
        let bin = candidates()
            .into_iter()
            .find(|bin| bin.join("initdb").is_file() && bin.join("postgres").exists());
        let bin =
            bin.ok_or_else(|| Error::input("there is no PostgreSQL server on this machine").hint(MISSING))?;
        let owner = if Uid::effective().is_root() {
            let user = User::from_name("postgres").ok().flatten().ok_or_else(|| {
                Error::input("PostgreSQL does not run as root, and there is no user \"postgres\"")
                    .hint("run as another user, or add one: useradd --system postgres")
            })?;
            Some(user)
        } else {
            None
        };
        let mut tools = Self { bin, major: 0, owner };
        let version = tools.output("postgres", &[OsStr::new("--version")], &[]).await?;
        let number = version
            .split_whitespace()
            .find_map(|w| w.split('.').next()?.trim_end_matches(char::is_alphabetic).parse().ok());
        tools.major =
            number.ok_or_else(|| Error::failed("the version of the server's programs cannot be read"))?;
        Ok(tools)
    }

    /// Where a program of the server lies.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Gives a file or folder to the user that the server runs as.
    pub fn own(&self, path: &Path) -> std::io::Result<()> {
        self.owner.as_ref().map_or(Ok(()), |o| chown(path, Some(o.uid.as_raw()), Some(o.gid.as_raw())))
    }

    /// The user and the group that the server runs as, where these are not our own.
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.owner.as_ref().map(|o| (o.uid.as_raw(), o.gid.as_raw()))
    }

    /// A program of the server, or another one.
    pub fn found(&self, program: &str) -> PathBuf {
        let own = self.program(program);
        if own.exists() { own } else { PathBuf::from(program) }
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = self.command_as_we(program);
        if let Some((user, group)) = self.owner() {
            command.uid(user).gid(group);
        }
        command
    }

    /// For the server's user, and begun as the user that we are.
    pub fn command_as_we(&self, program: &str) -> Command {
        let mut command = Command::new(self.found(program));
        // libpq's own; pgBackRest, which may fetch log files, has others that begin so.
        let is_libpq = |name: &str| name.starts_with("PG") && !name.starts_with("PGBACKREST_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_libpq(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
        if let Some(owner) = &self.owner {
            command.env("HOME", &owner.dir).env("USER", &owner.name).current_dir("/");
        }
        command
    }

    /// Runs a program to its end; see `output`.
    ///
    /// # Errors
    /// As it gives them.
    pub async fn output<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        env: &[(String, String)],
    ) -> Result<String> {
        let mut command = self.command(program);
        command.args(arguments).envs(env.iter().cloned());
        output(program, command).await
    }

    /// As `output`, with each line of standard error as it comes.
    pub async fn follow<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        env: &[(String, String)],
        line: &(dyn Fn(&str) + Sync),
    ) -> Result<()> {
        let mut command = self.command(program);
        command.args(arguments).envs(env.iter().cloned()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context(format!("{program} cannot be started"))?;
        let mut said = String::new();
        if let Some(stderr) = child.stderr.take() {
            let mut reader = BufReader::new(stderr);
            let mut part = Vec::new();
            while reader
                .read_until(b'\n', &mut part)
                .await
                .context(format!("{program} cannot be followed"))?
                > 0
            {
                let text = String::from_utf8_lossy(&part).into_owned();
                text.split('\r').map(str::trim).filter(|t| !t.is_empty()).for_each(line);
                said.push_str(&text);
                part.clear();
            }
        }
        let status = child.wait().await.context(format!("{program} cannot be waited for"))?;
        if status.success() { Ok(()) } else { Err(failure(program, &said)) }
    }

    /// Starts a program that goes on until it is dropped or told to stop.
    pub fn spawn<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        env: &[(String, String)],
    ) -> Result<Child> {
        let mut command = self.command(program);
        command.args(arguments).envs(env.iter().cloned()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().context(format!("{program} cannot be started"))
    }

    /// Makes a folder that only the server's user may enter, and checks that it can get there.
    pub fn folder(&self, path: &Path) -> Result<()> {
        let what = format!("the folder {} cannot be made", path.display());
        std::fs::create_dir_all(path).context(&what)?;
        if let Some(owner) = &self.owner {
            for parent in path.ancestors().skip(1) {
                let meta = std::fs::metadata(parent).context(&what)?;
                let open = match () {
                    () if meta.uid() == owner.uid.as_raw() => 0o100,
                    () if meta.gid() == owner.gid.as_raw() => 0o010,
                    () => 0o001,
                };
                if meta.mode() & open == 0 {
                    return Err(Error::input(format!(
                        "the server's user \"{}\" cannot enter {}, which is above {}",
                        owner.name,
                        parent.display(),
                        path.display()
                    ))
                    .hint(format!(
                        "set DRYDOCK_HOME to a folder it can reach, or: chmod o+x {}",
                        parent.display()
                    )));
                }
            }
        }
        self.own(path).context(&what)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).context(&what)
    }

    /// Writes a file that only the server's user may read.
    pub fn write(&self, path: &Path, text: &str) -> Result<()> {
        let what = format!("{} cannot be written", path.display());
        // Made empty and closed to others first: what goes in may be secret.
        let draft = path.with_extension("new");
        let _ = std::fs::remove_file(&draft);
        std::fs::write(&draft, "").context(&what)?;
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o600)).context(&what)?;
        std::fs::write(&draft, text).context(&what)?;
        self.own(&draft).context(&what)?;
        std::fs::rename(&draft, path).context(&what)
    }

    /// Gives a file to the server's user, who alone may read it.
    pub fn own_alone(&self, path: &Path) -> Result<()> {
        let what = format!("{} cannot be given to the server's user", path.display());
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).context(&what)?;
        self.own(path).context(&what)
    }

    /// Whether an extension is installed here; `None` where it cannot be told.
    pub fn has_extension(&self, name: &str) -> Option<bool> {
        let root = self.bin.parent()?;
        let packaged = PathBuf::from(format!("/usr/share/postgresql/{}", self.major));
        let folders = [root.join("share"), root.join("share/postgresql"), packaged];
        let folder = folders.into_iter().map(|f| f.join("extension")).find(|f| f.is_dir())?;
        Some(folder.join(format!("{name}.control")).is_file())
    }

    pub fn has_library(&self, name: &str) -> bool {
        let inside = |folder: &Path| {
            folder.join(format!("{name}.so")).exists() || folder.join(format!("{name}.dylib")).exists()
        };
        self.bin
            .parent()
            .is_some_and(|root| [root.join("lib"), root.join("lib/postgresql")].iter().any(|f| inside(f)))
    }
}

/// Runs a program to its end and gives its standard output.
///
/// # Errors
/// With the end of what it wrote to standard error.
pub async fn output(program: &str, mut command: Command) -> Result<String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().await.context(format!("{program} cannot be started"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failure(program, &String::from_utf8_lossy(&output.stderr)))
}

/// Folders that may hold the programs, best first: the newest installed, so that any server can be read.
fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        which::which("initdb").ok().and_then(|p| p.canonicalize().ok()).into_iter().collect();
    found = found.iter().filter_map(|p| p.parent().map(Path::to_path_buf)).collect();
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for (root, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
        ("/Applications/Postgres.app/Contents/Versions", ""),
    ] {
        for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(version) = name.strip_prefix(prefix).and_then(|v| v.parse().ok()) {
                versions.push((version, entry.path().join("bin")));
            }
        }
    }
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.extend(versions.into_iter().map(|(_, bin)| bin));
    found
}

/// A program's last words as an error. libpq's programs never print passwords.
pub fn failure(program: &str, stderr: &str) -> Error {
    let lines: Vec<&str> =
        stderr.lines().map(str::trim).filter(|l| !l.is_empty() && !l.contains("hint:")).collect();
    let telling = lines.iter().rev().find(|l| l.contains("error:") || l.contains("FATAL")).or(lines.last());
    let said = telling.map_or("it said nothing", |l| l.trim_start_matches(program).trim_start_matches(": "));
    let error = Error::failed(format!("{program} failed: {said}"));
    // With --lock-wait-timeout the dump puts a limit on the statement that locks.
    if ["lock timeout", "statement timeout"].iter().any(|limit| stderr.contains(&format!("due to {limit}"))) {
        return error.kind(ErrorKind::Busy).hint("run it again when nobody holds the table");
    }
    match stderr {
        s if s.contains("No space left on device") => error.hint(DISK_FULL),
        s if s.contains("Permission denied") => error.hint("check who owns the folder named above"),
        _ => error,
    }
}

/// What is left on the standard error of a child that ended.
pub async fn last_words(program: &str, child: &mut Child) -> Error {
    let mut said = String::new();
    if let Some(stderr) = child.stderr.as_mut() {
        let _ = stderr.read_to_string(&mut said).await;
    }
    failure(program, &said)
}

/// The environment by which libpq's programs reach a database; the password is in no argument.
pub fn libpq(endpoint: &Endpoint) -> Vec<(String, String)> {
    let mut env = vec![
        ("PGHOST", endpoint.host.clone()),
        ("PGPORT", endpoint.port.to_string()),
        ("PGUSER", endpoint.user.clone()),
        ("PGDATABASE", endpoint.database.clone()),
        ("PGAPPNAME", "backup (drydock)".to_owned()),
    ];
    let password = endpoint.password.as_ref().map(|p| p.expose().to_owned());
    env.extend(password.map(|p| ("PGPASSWORD", p)));
    let option = |name: &str| endpoint.options.get(name).map(String::as_str);
    env.push(("PGOPTIONS", session::options(option("options"), LockWait::Unlimited)));
    env.push(("PGCONNECT_TIMEOUT", option("connect_timeout").unwrap_or("15").to_owned()));
    for (name, variable) in
        url::USED.iter().filter(|(name, _)| !matches!(*name, "options" | "connect_timeout"))
    {
        env.extend(option(name).map(|value| (*variable, value.to_owned())));
    }
    env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Bytes of all files below a folder.
pub fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
