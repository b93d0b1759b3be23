//! How Liquibase reads the changelog, and where its history is.
//!
//! The command line comes first, then `drydock.toml`, then the files that Liquibase and Spring Boot have for it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::properties::{self, Found};
use crate::error::{Context, Error, Result};

/// What decides which changesets there are and which of them count as applied.
#[derive(Debug, Clone, Default)]
pub struct LiquibaseSettings {
    /// Folders that Liquibase searches after the one that has the root changelog.
    pub search_roots: Vec<PathBuf>,
    /// Values of `${…}` in changelogs.
    pub parameters: BTreeMap<String, String>,
    /// The schema of Liquibase's own tables; where it is left out, the session's.
    pub liquibase_schema: Option<String>,
    /// Names of Liquibase's own tables; where they are left out, `DATABASECHANGELOG` and `DATABASECHANGELOGLOCK`.
    pub liquibase_table: Option<String>,
    pub liquibase_lock_table: Option<String>,
    /// The schema of names that say none; where it is left out, the session's.
    pub default_schema: Option<String>,
    /// The files of Liquibase and Spring Boot that some of this comes from.
    pub read_from: Vec<PathBuf>,
}

/// What the command line or `drydock.toml` says of it.
#[derive(Debug, Clone, Default)]
pub struct LiquibaseSelection {
    pub roots: Vec<PathBuf>,
    pub parameters: BTreeMap<String, String>,
    pub liquibase_schema: Option<String>,
    pub liquibase_table: Option<String>,
    pub liquibase_lock_table: Option<String>,
    pub default_schema: Option<String>,
    pub properties: Option<PathBuf>,
    pub contexts: Option<String>,
    pub labels: Option<String>,
}

/// Everything about a changelog.
pub(super) struct Located {
    pub root: PathBuf,
    pub file: String,
    pub contexts: String,
    pub labels: String,
    pub settings: LiquibaseSettings,
}

const LIQUIBASE: &str = "liquibase.properties";
/// Where Maven's and Gradle's projects have what goes onto the class path.
const RESOURCES: [&str; 3] = ["src", "main", "resources"];

/// Settles where the changelog is searched from, and under which settings. `first` takes precedence over `second`, and both over
/// files. `base`: the folder of `drydock.toml`.
pub(super) fn locate(
    changelog: &Path,
    first: &LiquibaseSelection,
    second: &LiquibaseSelection,
    base: &Path,
) -> Result<Located> {
    let absolute = std::path::absolute(changelog).input("the changelog's path cannot be used")?;
    let folder = absolute.parent().map(Path::to_path_buf).unwrap_or_default();
    let resources = resources(&folder);
    let mut read_from = Vec::new();
    let named = first.properties.as_ref().or(second.properties.as_ref());
    let beside = || [folder.as_path(), base].into_iter().map(|f| f.join(LIQUIBASE)).find(|f| f.is_file());
    let liquibase = match named.cloned().or_else(beside) {
        Some(file) => {
            let found = properties::liquibase(&file)?;
            read_from.push(file);
            found
        }
        None => Found::default(),
    };
    let spring = resources.as_deref().map(properties::spring).transpose()?.flatten();
    let spring = spring.map_or_else(Found::default, |(file, found)| {
        read_from.push(file);
        found
    });
    let roots = [&first.roots, &second.roots, &liquibase.search_path].into_iter().find(|r| !r.is_empty());
    let roots: Vec<PathBuf> = match roots {
        Some(roots) => roots
            .iter()
            .map(|root| {
                std::path::absolute(root).map(|root| tidy(&root)).input("a search root cannot be used")
            })
            .collect::<Result<_>>()?,
        None => vec![resources.unwrap_or(folder)],
    };
    let (at, file) = inside(&tidy(&absolute), changelog, &roots)?;
    let either = |pick: fn(&LiquibaseSelection) -> &Option<String>, file: fn(&Found) -> &Option<String>| {
        pick(first)
            .clone()
            .or_else(|| pick(second).clone())
            .or_else(|| file(&liquibase).clone())
            .or_else(|| file(&spring).clone())
    };
    let mut parameters = spring.parameters.clone();
    for more in [&liquibase.parameters, &second.parameters, &first.parameters] {
        parameters.extend(more.clone());
    }
    let mut search_roots = roots;
    let root = search_roots.remove(at);
    Ok(Located {
        root,
        file,
        contexts: either(|s| &s.contexts, |f| &f.contexts).unwrap_or_default(),
        labels: either(|s| &s.labels, |f| &f.labels).unwrap_or_default(),
        settings: LiquibaseSettings {
            search_roots,
            parameters,
            liquibase_schema: either(|s| &s.liquibase_schema, |f| &f.liquibase_schema),
            liquibase_table: either(|s| &s.liquibase_table, |f| &f.liquibase_table),
            liquibase_lock_table: either(|s| &s.liquibase_lock_table, |f| &f.liquibase_lock_table),
            default_schema: either(|s| &s.default_schema, |f| &f.default_schema),
            read_from,
        },
    })
}

/// The root that has the changelog, and the changelog's path from there, with slashes.
fn inside(absolute: &Path, written: &Path, roots: &[PathBuf]) -> Result<(usize, String)> {
    let path = |path: &Path| {
        let parts = path.components().map(|c| c.as_os_str().to_string_lossy().into_owned());
        parts.collect::<Vec<_>>().join("/")
    };
    for (at, root) in roots.iter().enumerate() {
        if let Ok(inner) = absolute.strip_prefix(root) {
            return Ok((at, path(inner)));
        }
    }
    // Written as Liquibase takes it: from a search root.
    if written.is_relative()
        && let Some(at) = roots.iter().position(|root| root.join(written).is_file())
    {
        return Ok((at, path(written)));
    }
    let roots: Vec<String> = roots.iter().map(|r| r.display().to_string()).collect();
    Err(Error::input(format!(
        "the changelog {} is in no search root ({})",
        written.display(),
        roots.join(", ")
    ))
    .hint("name the folder that its paths begin at: --changelog-root DIR, or changelog_root in drydock.toml"))
}

/// The nearest `src/main/resources` above a folder: the root of the class path in Spring Boot's layout.
fn resources(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|path| path.ends_with(RESOURCES.iter().collect::<PathBuf>()))
        .map(Path::to_path_buf)
}

/// Without `.` and `..`, so that paths can be compared.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        path
    }

    fn located(changelog: &Path, roots: &[PathBuf]) -> Result<Located> {
        let first = LiquibaseSelection { roots: roots.to_vec(), ..LiquibaseSelection::default() };
        locate(changelog, &first, &LiquibaseSelection::default(), Path::new("/nowhere"))
    }

    #[test]
    fn the_root_is_the_changelogs_folder_unless_something_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let plain = file(folder.path(), "db/changelog.xml");
        let found = located(&plain, &[]).unwrap();
        assert_eq!((found.root, found.file.as_str()), (folder.path().join("db"), "changelog.xml"));
        let found = located(&plain, &[folder.path().to_owned()]).unwrap();
        assert_eq!((found.root, found.file.as_str()), (folder.path().to_owned(), "db/changelog.xml"));
        let found = located(Path::new("db/changelog.xml"), &[folder.path().join("x/..")]).unwrap();
        assert_eq!(found.file, "db/changelog.xml");
        let error = located(&plain, &[folder.path().join("other")]).map(|l| l.file).unwrap_err();
        assert!(error.hint_text().unwrap().contains("--changelog-root"));
    }

    #[test]
    fn spring_boots_layout_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let changelog = file(folder.path(), "app/src/main/resources/db/changelog/master.yaml");
        let found = located(&changelog, &[]).unwrap();
        assert!(found.root.ends_with("app/src/main/resources"));
        assert_eq!(found.file, "db/changelog/master.yaml");
    }

    #[test]
    fn the_command_line_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let changelog = file(folder.path(), "changes.sql");
        std::fs::write(
            folder.path().join(LIQUIBASE),
            "liquibaseSchemaName=file\nparameter.a=file\nparameter.b=file\ncontexts=file\n",
        )
        .unwrap();
        let say = |who: &str| LiquibaseSelection {
            parameters: [("a".to_owned(), who.to_owned())].into(),
            ..LiquibaseSelection::default()
        };
        let second = LiquibaseSelection { liquibase_schema: Some("toml".to_owned()), ..say("toml") };
        let found = locate(&changelog, &say("line"), &second, Path::new("/nowhere")).unwrap();
        assert_eq!(found.settings.liquibase_schema.as_deref(), Some("toml"));
        assert_eq!(found.settings.parameters.get("a").map(String::as_str), Some("line"));
        assert_eq!(found.settings.parameters.get("b").map(String::as_str), Some("file"));
        assert_eq!(found.contexts, "file");
        assert_eq!(found.settings.read_from, [folder.path().join(LIQUIBASE)]);
    }
}
