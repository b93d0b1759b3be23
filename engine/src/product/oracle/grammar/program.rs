//! Where Java and the jars of the reader are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, Result};

const MAIN: &str = "drydock.plsql.Main";
/// Reading needs little; deeply nested statements need a stack, which is not of the heap.
const JVM: [&str; 4] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx512m"];

/// The command that starts the reader.
///
/// # Errors
/// `Input`, saying what is missing and how to get it.
pub fn command() -> Result<Command> {
    let mut command = Command::new(java()?);
    command.args(JVM).arg("-cp").arg(class_path(&folder()?)?).arg(MAIN);
    Ok(command)
}

fn java() -> Result<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    match home.filter(|java| java.is_file()) {
        Some(java) => Ok(java),
        None => which::which("java").map_err(|_| {
            Error::input("Java is missing")
                .hint("install a Java 17 runtime (ci/setup does), or set JAVA_HOME")
        }),
    }
}

/// The folder of the jars: `DRYDOCK_PLSQL`, or `plsql/lib` beside the program or above it.
fn folder() -> Result<PathBuf> {
    let named = std::env::var_os("DRYDOCK_PLSQL").map(PathBuf::from);
    let beside = std::env::current_exe().ok().into_iter().flat_map(|exe| {
        exe.ancestors().skip(1).take(4).map(|folder| folder.join("plsql/lib")).collect::<Vec<_>>()
    });
    let mut folders = named.into_iter().chain(beside);
    folders.find(|folder| folder.join("drydock-plsql.jar").is_file()).ok_or_else(|| {
        Error::input("the reader of Oracle's SQL is missing: no drydock-plsql.jar").hint(
            "run \"engine/plsql/build target/plsql/lib\", or set DRYDOCK_PLSQL to the folder it was built into",
        )
    })
}

fn class_path(folder: &Path) -> Result<OsString> {
    let unread = format!("{} cannot be read", folder.display());
    let mut jars = Vec::new();
    for entry in std::fs::read_dir(folder).context(&unread)? {
        let path = entry.context(&unread)?.path();
        if path.extension().is_some_and(|e| e == "jar") {
            jars.push(path.into_os_string());
        }
    }
    jars.sort();
    Ok(jars.join(std::ffi::OsStr::new(":")))
}
