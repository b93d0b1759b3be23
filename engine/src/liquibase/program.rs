//! The compiled driver. Its Java sources are part of this program; they are compiled once and kept in a cache.
//!
//! An entry of the cache belongs to one state of the sources, one Java and one set of jars. It is made in a folder of its own and
//! renamed into place, so that several processes may make it at once. It holds the jar, the jar's hash, and from its first use on an
//! archive of loaded classes (class data sharing), which the JVM checks and goes without if it does not fit.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::installation::Installation;
use crate::error::{Context, Error, Result};
use crate::model::hex;
use crate::user_cache;

const BUILD: &str = "Build.java";
const SOURCES: [(&str, &str); 17] = [
    ("Acts.java", include_str!("driver/Acts.java")),
    (BUILD, include_str!("driver/Build.java")),
    ("Changelog.java", include_str!("driver/Changelog.java")),
    ("Code.java", include_str!("driver/Code.java")),
    ("Driver.java", include_str!("driver/Driver.java")),
    ("Errors.java", include_str!("driver/Errors.java")),
    ("Fault.java", include_str!("driver/Fault.java")),
    ("History.java", include_str!("driver/History.java")),
    ("Identity.java", include_str!("driver/Identity.java")),
    ("Json.java", include_str!("driver/Json.java")),
    ("Lock.java", include_str!("driver/Lock.java")),
    ("Places.java", include_str!("driver/Places.java")),
    ("Preconditions.java", include_str!("driver/Preconditions.java")),
    ("Rendering.java", include_str!("driver/Rendering.java")),
    ("Status.java", include_str!("driver/Status.java")),
    ("Target.java", include_str!("driver/Target.java")),
    ("UnixSocketFactory.java", include_str!("driver/UnixSocketFactory.java")),
];
const MAIN: &str = "drydock.Driver";
const JAR: &str = "driver.jar";
const HASH: &str = "driver.jar.sha256";
const ARCHIVE: &str = "classes.jsa";
/// Begins the names of all entries, and of the folders in which entries are made.
const PREFIX: &str = "driver-";
/// The driver is small and mostly waits: a quick start matters more than what the second compiler makes of it.
const JVM: [&str; 4] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx512m"];

/// Where compiled drivers are kept.
pub(super) enum Cache<'a> {
    /// The user's cache folder, so that all environments share one; the given folder where that cannot be used.
    UserOr(&'a Path),
    Only(&'a Path),
}

/// What a JVM is told about the archive of classes.
#[derive(Clone, Copy, PartialEq)]
enum Sharing {
    /// Use the archive.
    Use,
    /// There is none: keep track of what one needs.
    Record,
    Off,
}

pub(super) struct Program {
    installation: Installation,
    /// Jars of Liquibase.
    jars: Vec<PathBuf>,
    entry: PathBuf,
    sharing: Sharing,
}

impl Program {
    /// The compiled driver, from the cache or made anew.
    ///
    /// # Errors
    /// `Input` when it does not compile; `Failed` when no cache folder can be written.
    pub(super) async fn prepare(installation: Installation, cache: Cache<'_>) -> Result<Self> {
        let jars = installation.jars()?;
        let name = format!("{PREFIX}{}", key(&installation.java, &jars)?);
        let (user, fallback) = match cache {
            Cache::UserOr(fallback) => (user_cache::folder(), fallback),
            Cache::Only(folder) => (None, folder),
        };
        // What is there can be used where nothing can be written.
        let ready =
            user.iter().map(PathBuf::as_path).chain([fallback]).find(|root| is_whole(&root.join(&name)));
        let root = match (ready, user.as_deref()) {
            (Some(root), _) => root,
            (None, Some(user)) if tempfile::tempfile_in(user).is_ok() => user,
            (None, _) => {
                std::fs::create_dir_all(fallback)
                    .context(format!("{} cannot be made", fallback.display()))?;
                fallback
            }
        };
        let mut program = Self { entry: root.join(name), installation, jars, sharing: Sharing::Off };
        if ready.is_none() {
            program.make().await?;
        }
        program.sharing = if program.entry.join(ARCHIVE).is_file() { Sharing::Use } else { Sharing::Record };
        Ok(program)
    }

    /// Makes the entry anew, whatever is there, and goes without the archive from here on.
    ///
    /// # Errors
    /// See `prepare`.
    pub(super) async fn remake(&mut self) -> Result<()> {
        self.sharing = Sharing::Off;
        // What cannot be removed cannot be replaced either, and that is an error then.
        let _ = std::fs::remove_dir_all(&self.entry);
        self.make().await
    }

    /// Whatever killed the JVM, the archive is not to kill the next one.
    pub(super) fn distrust_archive(&mut self) {
        self.sharing = Sharing::Off;
    }

    /// The command that starts the driver.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.installation.java);
        command.args(JVM).args(["-XX:+IgnoreUnrecognizedVMOptions", "-Xlog:disable"]);
        // A JVM that crashes must not leave its report in the folder where somebody works.
        command.arg(option("-XX:ErrorFile=", &self.entry.join("crash.log")));
        match self.sharing {
            Sharing::Use => {
                // Without the check a damaged archive would crash the JVM later on.
                command.arg(option("-XX:SharedArchiveFile=", &self.entry.join(ARCHIVE)));
                command.arg("-XX:+VerifySharedSpaces");
            }
            Sharing::Record => {
                command.arg("-XX:+RecordDynamicDumpInfo");
            }
            Sharing::Off => {}
        }
        command.arg("-cp").arg(class_path(&[self.entry.join(JAR)], &self.jars)).arg(MAIN);
        command
    }

    /// Where the driver shall write the archive, if there is none yet: a name of its own, for `keep_archive`.
    pub(super) fn wanted_archive(&self) -> Option<PathBuf> {
        let wanted = self.sharing == Sharing::Record && !self.entry.join(ARCHIVE).exists();
        wanted.then(|| self.entry.join(format!("{ARCHIVE}.{}", std::process::id())))
    }

    /// Puts a written archive into its place; without `written`, removes what there is of it.
    pub(super) fn keep_archive(&self, archive: &Path, written: bool) {
        // Without the archive the next start takes longer, and that is all.
        if !(written && std::fs::rename(archive, self.entry.join(ARCHIVE)).is_ok()) {
            let _ = std::fs::remove_file(archive);
        }
    }

    async fn make(&self) -> Result<()> {
        let unwritable = "the Liquibase driver cannot be written";
        let root = self.entry.parent().ok_or_else(|| Error::failed(unwritable))?;
        user_cache::remove_old(root, PREFIX);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root).context(unwritable)?;
        let (sources, classes, made) =
            (folder.path().join("sources"), folder.path().join("classes"), folder.path().join("made"));
        for part in [&sources, &classes, &made] {
            std::fs::create_dir(part).context(unwritable)?;
        }
        for (name, text) in SOURCES {
            std::fs::write(sources.join(name), text).context(unwritable)?;
        }
        let jar = made.join(JAR);
        let output = Command::new(&self.installation.java)
            .args(JVM)
            .arg("-cp")
            .arg(class_path(&[], &self.jars))
            .arg(sources.join(BUILD))
            .args([&jar, &classes])
            .args(SOURCES.iter().filter(|(name, _)| *name != BUILD).map(|(name, _)| sources.join(name)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .input("Java cannot be started")
            .map_err(|e| e.hint("install a Java 17 runtime (ci/setup does)"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let first = text.lines().next().unwrap_or("it does not say why").to_owned();
            return Err(Error::input("the Liquibase driver does not compile").because(first).hint(
                "it needs Java 17 or newer with the module jdk.compiler, and Liquibase 4.33: see ci/setup",
            ));
        }
        let bytes = std::fs::read(&jar).context(unwritable)?;
        std::fs::write(made.join(HASH), hex(&Sha256::digest(bytes))).context(unwritable)?;
        publish(&made, &self.entry).context(unwritable)
    }
}

/// Renames a finished entry into its place. Another process may have been faster.
fn publish(made: &Path, entry: &Path) -> std::io::Result<()> {
    let renamed = std::fs::rename(made, entry);
    if renamed.is_ok() || is_whole(entry) {
        return Ok(());
    }
    // What is in the way is broken.
    if entry.is_dir() {
        std::fs::remove_dir_all(entry)?
    } else {
        std::fs::remove_file(entry)?
    }
    std::fs::rename(made, entry)
}

/// Whether an entry's jar is the one that was made.
fn is_whole(entry: &Path) -> bool {
    let (jar, hash) = (std::fs::read(entry.join(JAR)), std::fs::read_to_string(entry.join(HASH)));
    matches!((jar, hash), (Ok(jar), Ok(hash)) if hash == hex(&Sha256::digest(&jar)))
}

fn option(name: &str, file: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(file);
    option
}

fn class_path(first: &[PathBuf], jars: &[PathBuf]) -> std::ffi::OsString {
    let parts: Vec<_> = first.iter().chain(jars).map(|path| path.as_os_str()).collect();
    parts.join(std::ffi::OsStr::new(":"))
}

/// Tells apart what must not share an entry: the sources, Java and the jars. Starting Java for its version would take longer than
/// the rest of the start.
fn key(java: &Path, jars: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(bytes);
    };
    for (name, text) in SOURCES {
        add(name.as_bytes());
        add(text.as_bytes());
    }
    let java = java.canonicalize().context(format!("{} cannot be read", java.display()))?;
    for file in [&java].into_iter().chain(jars) {
        let state = user_cache::state(file).context(format!("{} cannot be read", file.display()))?;
        add(file.as_os_str().as_encoded_bytes());
        add(state.as_bytes());
    }
    // A file with the version, in the home of most Javas.
    let release = java.ancestors().nth(2).map(|home| home.join("release"));
    add(&release.and_then(|file| std::fs::read(file).ok()).unwrap_or_default());
    Ok(hex(&hash.finalize()).chars().take(16).collect())
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
