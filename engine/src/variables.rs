//! What `env:NAME` and `file:PATH` refer to: secrets never stand in a configuration or on a command line.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Context, Error, Result};

/// Variables by name: those of a file of credentials, and else the process's own.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Lines `NAME=value`, as a shell would read them.
    ///
    /// # Errors
    /// `Input` when the file cannot be read; its content is never repeated.
    pub fn read(path: &Path) -> Result<Self> {
        let lines = dotenvy::from_path_iter(path)
            .input(format!("the credentials {} cannot be read", path.display()))?;
        let mut found = BTreeMap::new();
        for (number, line) in lines.enumerate() {
            let (name, value) = line.map_err(|_| {
                Error::input(format!("{}: entry {} is not NAME=value", path.display(), number + 1))
            })?;
            found.insert(name, value);
        }
        Ok(Self(found))
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned().or_else(|| std::env::var(name).ok())
    }

    /// Every variable there is, those of the file last: they are the ones that were meant.
    pub fn all(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let own =
            std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
        own.chain(self.0.iter().map(|(n, v)| (n.clone(), v.clone())))
    }

    /// What a reference refers to: `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// `Input`, saying what `what` was to come from; also when it is not a reference.
    pub fn resolve(&self, reference: &str, what: &str) -> Result<String> {
        if let Some(name) = reference.strip_prefix("env:") {
            return self.get(name).ok_or_else(|| {
                Error::input(format!("{what} comes from ${name}, which is not set"))
                    .hint(format!("export {name}=…, or put it into the file that --credentials names"))
            });
        }
        if let Some(path) = reference.strip_prefix("file:") {
            let text = std::fs::read_to_string(path).input(format!("{what} cannot be read from {path}"))?;
            return Ok(text.trim_end().to_owned());
        }
        Err(Error::input(format!("{what} is given by reference only"))
            .hint("write \"env:NAME\" or \"file:PATH\""))
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_of_credentials_goes_before_the_environment_and_is_never_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        std::fs::write(&path, "# ours\nexport HOME='else where'\nKEY=geheim=1\n\n").unwrap();
        let variables = Variables::read(&path).unwrap();
        assert_eq!(variables.get("HOME").as_deref(), Some("else where"));
        assert_eq!(variables.resolve("env:KEY", "the key").unwrap(), "geheim=1");
        assert!(variables.get("PATH").is_some(), "what the file does not have is the process's own");
        assert_eq!(variables.all().filter(|(name, _)| name == "HOME").last().unwrap().1, "else where");
        assert!(!format!("{variables:?}").contains("geheim"));

        for (text, wanted) in [("geheim\n", "entry 1 is not NAME=value"), ("A=b\nge heim=1\n", "entry 2")] {
            std::fs::write(&path, text).unwrap();
            let error = Variables::read(&path).unwrap_err().chain();
            assert!(error.contains(wanted) && !error.contains("heim"), "{error}");
        }
        for (reference, wanted) in [
            ("env:NOT_THERE", "the key comes from $NOT_THERE, which is not set"),
            ("file:/not/there", "the key cannot be read from /not/there"),
            ("geheim", "the key is given by reference only"),
        ] {
            let error = variables.resolve(reference, "the key").unwrap_err().chain();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
