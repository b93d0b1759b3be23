//! Where the program is that holds a session.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const NAME: &str = "drydock-oracle-session";
/// Names the program, where it does not lie beside this one.
const VARIABLE: &str = "DRYDOCK_ORACLE_SESSION";

/// `DRYDOCK_ORACLE_SESSION`, then beside the running program and up to three folders above it.
///
/// # Errors
/// `Input`, saying where it was looked for.
pub(super) fn find() -> Result<PathBuf> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let beside = std::env::current_exe().ok();
    find_in(named.as_deref(), beside.as_deref())
}

fn find_in(named: Option<&Path>, beside: Option<&Path>) -> Result<PathBuf> {
    if let Some(program) = named {
        return if program.is_file() {
            Ok(program.to_path_buf())
        } else {
            let missing = format!("{VARIABLE} names {}, which is no file", program.display());
            Err(Error::input(missing)
                .hint(format!("correct it, or unset it to take the {NAME} beside drydock")))
        };
    }
    let folders = beside.into_iter().flat_map(|program| program.ancestors().skip(1).take(4));
    let programs = folders.map(|folder| folder.join(NAME));
    let mut tried = Vec::new();
    for program in programs {
        if program.is_file() {
            return Ok(program);
        }
        tried.push(program);
    }
    let first = tried.first().map(|program| program.display().to_string()).unwrap_or_default();
    Err(Error::input(format!("the program that connects to Oracle is missing: there is no {first}"))
        .hint(format!("build it with \"cargo build -p drydock-oracle\", or name it by {VARIABLE}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn the_program_is_found_beside_and_above() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b/c/d");
        std::fs::create_dir_all(&folder).unwrap();
        let running = folder.join("drydock");
        let error = find_in(None, Some(&running)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(error.to_string().contains("a/b/c/d/drydock-oracle-session"), "{error}");
        // Four folders above is too far.
        std::fs::write(home.path().join(NAME), "").unwrap();
        assert!(find_in(None, Some(&running)).is_err());
        std::fs::write(home.path().join("a").join(NAME), "").unwrap();
        assert_eq!(find_in(None, Some(&running)).unwrap(), home.path().join("a").join(NAME));
        std::fs::write(folder.join(NAME), "").unwrap();
        assert_eq!(find_in(None, Some(&running)).unwrap(), folder.join(NAME));
        // What is named goes before, and is not passed over where it is wrong.
        let named = home.path().join("mine");
        let error = find_in(Some(&named), Some(&running)).unwrap_err();
        assert!(error.to_string().contains("DRYDOCK_ORACLE_SESSION names"), "{error}");
        std::fs::write(&named, "").unwrap();
        assert_eq!(find_in(Some(&named), Some(&running)).unwrap(), named);
    }
}
