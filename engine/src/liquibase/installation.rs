//! Where Java and Liquibase's jars are.

use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};

/// Java, and the folder of Liquibase's jars.
#[derive(Debug, Clone)]
pub struct Installation {
    pub(super) java: PathBuf,
    lib: PathBuf,
}

impl Installation {
    /// Finds Java (`JAVA_HOME`, then `PATH`) and Liquibase's jars (`DRYDOCK_LIQUIBASE`, then beside the program).
    ///
    /// # Errors
    /// `Input`, saying which is missing and how to get it.
    pub fn find() -> Result<Self> {
        let java = match std::env::var_os("JAVA_HOME")
            .map(|home| Path::new(&home).join("bin/java"))
            .filter(|p| p.is_file())
        {
            Some(java) => java,
            None => which::which("java").map_err(|_| {
                Error::input("Java is missing")
                    .hint("install a Java 17 runtime (ci/setup does), or set JAVA_HOME")
            })?,
        };
        let named = std::env::var_os("DRYDOCK_LIQUIBASE").map(PathBuf::from);
        let beside = std::env::current_exe().ok().into_iter().flat_map(|exe| {
            exe.ancestors().skip(1).take(4).map(|dir| dir.join("liquibase/lib")).collect::<Vec<_>>()
        });
        let mut tried = Vec::new();
        for folder in named.into_iter().chain(beside) {
            for lib in [folder.join("lib"), folder.join("internal/lib"), folder] {
                if holds_liquibase(&lib) {
                    return Ok(Self { java, lib });
                }
                tried.push(lib);
            }
        }
        let first = tried.first().map(|p| p.display().to_string()).unwrap_or_default();
        Err(Error::input(format!("Liquibase is missing: no liquibase-core jar in {first}"))
            .hint("run ci/setup, or set DRYDOCK_LIQUIBASE to a folder of its jars"))
    }

    /// All jars with their full paths, always in the same order: an archive of classes belongs to one class path.
    pub(super) fn jars(&self) -> Result<Vec<PathBuf>> {
        let unread = format!("{} cannot be read", self.lib.display());
        let lib = self.lib.canonicalize().context(&unread)?;
        let mut jars = Vec::new();
        for entry in std::fs::read_dir(&lib).context(&unread)? {
            let path = entry.context(&unread)?.path();
            if path.extension().is_some_and(|e| e == "jar") {
                jars.push(path);
            }
        }
        jars.sort();
        Ok(jars)
    }
}

fn holds_liquibase(lib: &Path) -> bool {
    std::fs::read_dir(lib).is_ok_and(|entries| {
        entries.flatten().any(|e| e.file_name().to_string_lossy().starts_with("liquibase-core"))
    })
}
