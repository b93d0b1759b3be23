//! The file in which Oracle's tools keep who somebody is: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/sdkconfig.htm>.

use std::path::{Path, PathBuf};

use configparser::ini::Ini;

use crate::error::{Context, Error, Result};
use crate::variables::Variables;

/// Gives its values to all profiles that have none of their own.
const DEFAULT: &str = "DEFAULT";

/// One profile of the file.
#[derive(Debug, Default)]
pub(super) struct Profile {
    ini: Ini,
    name: String,
    /// For people.
    pub file: PathBuf,
}

impl Profile {
    /// The profile and file that Oracle's variables name, else `[DEFAULT]` of `~/.oci/config`. Where nothing names a file, it need not be
    /// there: variables may say all.
    ///
    /// # Errors
    /// `Input` when the file cannot be read, or has no such profile.
    pub(super) fn read(variables: &Variables) -> Result<Self> {
        let named = variables.get("OCI_CLI_CONFIG_FILE").or_else(|| variables.get("OCI_CONFIG_FILE"));
        let file = in_home(named.as_deref().unwrap_or("~/.oci/config"), variables);
        let profile = variables.get("OCI_CLI_PROFILE");
        if named.is_none() && profile.is_none() && !file.is_file() {
            return Ok(Self { file, ..Self::default() });
        }
        let text = std::fs::read_to_string(&file)
            .input(format!("OCI's configuration {} cannot be read", file.display()))
            .map_err(|e| e.hint("make one with `oci setup config`, or name it in OCI_CLI_CONFIG_FILE"))?;
        Self::parse(&text, profile.as_deref().unwrap_or(DEFAULT), &file)
    }

    fn parse(text: &str, name: &str, file: &Path) -> Result<Self> {
        let mut ini = Ini::new_cs();
        ini.set_default_section(DEFAULT);
        // A value may hold what begins a comment elsewhere, as in Python's reader, which Oracle's tools use.
        ini.set_inline_comment_symbols(Some(&[]));
        let shown = file.display();
        ini.read(text.to_owned()).map_err(|why| {
            Error::input(format!("OCI's configuration {shown} cannot be read")).because(why)
        })?;
        let sections = ini.sections();
        if !sections.iter().any(|section| section == name) {
            let known = if sections.is_empty() { "none".to_owned() } else { sections.join(", ") };
            return Err(Error::input(format!("{shown} has no profile {name}"))
                .hint(format!("OCI_CLI_PROFILE names one; the file has: {known}")));
        }
        Ok(Self { ini, name: name.to_owned(), file: file.to_owned() })
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        let value = self.ini.get(&self.name, key).or_else(|| self.ini.get(DEFAULT, key));
        value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }
}

/// A path as Oracle's tools write it: `~` is the home.
pub(super) fn in_home(path: &str, variables: &Variables) -> PathBuf {
    match (path.strip_prefix("~/"), variables.get("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = "# ours\n[DEFAULT]\nuser = ocid1.user.oc1..u\nfingerprint=aa:bb\nregion=eu-frankfurt-1\n\
        pass_phrase = a;b # c\n\n[prod]\nregion=eu-zurich-1\nuser=\n";

    #[test]
    fn a_profile_has_what_the_default_says_where_it_says_nothing() {
        let profile = Profile::parse(FILE, "prod", Path::new("config")).unwrap();
        for (key, wanted) in [
            ("region", Some("eu-zurich-1")),
            ("fingerprint", Some("aa:bb")),
            ("pass_phrase", Some("a;b # c")),
            ("key_file", None),
        ] {
            assert_eq!(profile.get(key).as_deref(), wanted, "{key}");
        }
        let profile = Profile::parse(FILE, DEFAULT, Path::new("config")).unwrap();
        assert_eq!(profile.get("region").as_deref(), Some("eu-frankfurt-1"));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let error = Profile::parse(FILE, "staging", Path::new("config")).unwrap_err();
        assert_eq!(error.chain(), "config has no profile staging");
        assert!(error.hint_text().unwrap().contains("prod"), "{error:?}");
        let error = Profile::parse("[prod\nregion=x", "prod", Path::new("config")).unwrap_err();
        assert!(
            error.chain().starts_with("OCI's configuration config cannot be read: "),
            "{}",
            error.chain()
        );
    }
}
