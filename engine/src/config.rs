//! `drydock.toml`: environments, limits, gates, secrets by reference.

mod liquibase;
mod properties;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Context, Error, Result};
use crate::model::database_url::DatabaseUrl;
use crate::model::endpoint::Secret;
use crate::model::evidence::UNNAMED;
use crate::variables::Variables;

pub use liquibase::{LiquibaseSelection, LiquibaseSettings};
pub use settings::{
    BackupSettings, CompatSettings, GateSettings, LimitSettings, RollbackSettings, ShadowSettings,
    TrafficKind, TrafficSettings,
};

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    environments: BTreeMap<String, FileEnvironment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEnvironment {
    database: Option<String>,
    /// `env:NAME` or `file:PATH`.
    password: Option<String>,
    changelog: Option<PathBuf>,
    /// Folders that paths of changelogs begin at: Liquibase's search path.
    #[serde(default)]
    changelog_root: Folders,
    contracts: Option<PathBuf>,
    contexts: Option<String>,
    labels: Option<String>,
    /// Values of `${…}` in changelogs.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    liquibase_schema: Option<String>,
    liquibase_table: Option<String>,
    liquibase_lock_table: Option<String>,
    default_schema: Option<String>,
    liquibase_properties: Option<PathBuf>,
    keep_backups: Option<usize>,
    #[serde(default)]
    backup: BackupSettings,
    /// URL of object storage that journals and evidence are kept in.
    journal: Option<String>,
    #[serde(default)]
    limits: LimitSettings,
    #[serde(default)]
    gates: GateSettings,
    #[serde(default)]
    rollback: RollbackSettings,
    #[serde(default)]
    compat: CompatSettings,
    #[serde(default)]
    shadow: ShadowSettings,
    #[serde(default)]
    traffic: Option<TrafficSettings>,
}

/// One folder, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Folders {
    One(PathBuf),
    Many(Vec<PathBuf>),
}

impl Default for Folders {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Folders {
    fn below(self, base: &Path) -> Vec<PathBuf> {
        let all = match self {
            Self::One(folder) => vec![folder],
            Self::Many(folders) => folders,
        };
        all.iter().map(|folder| base.join(folder)).collect()
    }
}

/// Where an environment's database is.
#[derive(Debug, Clone)]
pub enum Target {
    /// The demo's production, made at first use.
    Demo { scale: f64 },
    /// The demo's production, served by another process (`drydock demo serve`).
    Served(Secret),
    /// A database that somebody else runs.
    Url(Secret),
}

impl Target {
    /// Whether it is there to be played with: traffic keeps its effects, failures may be asked for.
    pub fn is_demo(&self) -> bool {
        !matches!(self, Target::Url(_))
    }
}

/// A named target database with its settings, ready to use.
#[derive(Debug, Clone)]
pub struct Environment {
    pub name: String,
    pub target: Target,
    /// The folder Liquibase searches, and the root changelog in it.
    pub changelog_root: PathBuf,
    pub changelog_file: String,
    /// The changelog's parent folder is the default place of contracts.
    pub contracts: PathBuf,
    pub contexts: String,
    pub labels: String,
    pub liquibase: LiquibaseSettings,
    /// How many runs keep their backup, the current one included.
    pub keep_backups: usize,
    pub backup: BackupSettings,
    pub limits: LimitSettings,
    pub gates: GateSettings,
    pub rollback: RollbackSettings,
    pub compat: CompatSettings,
    pub shadow: ShadowSettings,
    pub traffic: TrafficSettings,
    /// Journals, backups, clones of this environment.
    pub home: PathBuf,
    /// Where journals and evidence are kept besides, for other machines to go on with.
    pub journal: Option<JournalLocation>,
}

/// Object storage that the record of an environment's runs is kept in.
#[derive(Debug, Clone)]
pub struct JournalLocation {
    pub url: String,
    /// The environment's own folder there.
    pub folder: String,
    /// Where its credentials come from.
    pub variables: Variables,
}

/// The file in an environment's folder with the schema that its last run left.
pub const LAST_SCHEMA: &str = "schema.json";

/// What the command line says of the environment.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub env: Option<String>,
    pub config: Option<PathBuf>,
    pub database: Option<Secret>,
    pub changelog: Option<PathBuf>,
    pub liquibase: LiquibaseSelection,
    pub contracts: Option<PathBuf>,
    pub scale: Option<f64>,
    pub traffic: Option<TrafficKind>,
    pub journal: Option<String>,
    pub variables: Variables,
}

/// `$DRYDOCK_HOME`, or the platform's data folder.
///
/// # Errors
/// `Input` when neither can be told.
pub fn home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("DRYDOCK_HOME").filter(|h| !h.is_empty()) {
        return std::path::absolute(PathBuf::from(home)).input("DRYDOCK_HOME is not a usable path");
    }
    // Root's own data folder cannot be entered by the user that a database server must run as.
    if nix::unistd::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/drydock"));
    }
    use etcetera::BaseStrategy;
    let base =
        etcetera::choose_base_strategy().input("no home folder").map_err(|e| e.hint("set DRYDOCK_HOME"))?;
    Ok(base.data_dir().join("drydock"))
}

/// Settles which environment is meant and everything about it, for a command that is to work on it.
///
/// # Errors
/// `Input` for an unknown environment, an unreadable file or a missing changelog.
pub fn resolve(selection: &Selection) -> Result<Environment> {
    let environment = resolve_record(selection)?;
    let changelog = environment.changelog_root.join(&environment.changelog_file);
    if !changelog.is_file() {
        return Err(Error::input(format!("there is no changelog at {}", changelog.display()))
            .hint("give --changelog PATH, or set changelog in drydock.toml"));
    }
    if !environment.contracts.is_dir() {
        return Err(Error::input(format!(
            "there is no folder of contracts at {}",
            environment.contracts.display()
        ))
        .hint("give --contracts DIR, or set contracts in drydock.toml"));
    }
    Ok(environment)
}

/// The same for a command that only looks at the record of runs: it works where the changelog is not.
///
/// # Errors
/// `Input` for an unknown environment or an unreadable file.
pub fn resolve_record(selection: &Selection) -> Result<Environment> {
    let (file, base) = read_file(selection.config.as_deref())?;
    let name = match (&selection.env, &selection.database) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => UNNAMED.to_owned(),
        (None, None) => {
            return Err(Error::input("no environment is named")
                .hint("add --env NAME (for example --env demo) or --database URL"));
        }
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(Error::input(format!("\"{name}\" cannot be an environment's name"))
            .hint("use letters, digits, - and _"));
    }
    let known: Vec<String> = file.environments.keys().cloned().collect();
    let mut environments = file.environments;
    let found = environments.remove(&name);
    if found.is_none() && name != "demo" && selection.database.is_none() {
        let mut names = known;
        names.push("demo".to_owned());
        names.dedup();
        return Err(Error::input(format!("there is no environment \"{name}\"")).hint(format!(
            "known here: {}; add [environments.{name}] to drydock.toml or give --database URL",
            names.join(", ")
        )));
    }
    let found = found.unwrap_or_default();
    found.backup.check(&name)?;
    let target = match (&selection.database, &found.database) {
        (Some(url), None) if name == "demo" => Target::Served(url.clone()),
        (Some(url), _) => Target::Url(with_password(url.expose(), found.password.as_deref(), selection)?),
        (None, Some(url)) => Target::Url(with_password(url, found.password.as_deref(), selection)?),
        (None, None) if name == "demo" => Target::Demo { scale: selection.scale.unwrap_or(1.0) },
        (None, None) => {
            return Err(Error::input(format!("environment \"{name}\" names no database"))
                .hint(format!("add database = \"…\" under [environments.{name}]")));
        }
    };
    let changelog = match (&selection.changelog, &found.changelog) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => base.join(path),
        (None, None) => base.join("changelogs/changelog.yaml"),
    };
    let written = LiquibaseSelection {
        roots: found.changelog_root.below(&base),
        parameters: found.parameters,
        liquibase_schema: found.liquibase_schema,
        liquibase_table: found.liquibase_table,
        liquibase_lock_table: found.liquibase_lock_table,
        default_schema: found.default_schema,
        properties: found.liquibase_properties.map(|file| base.join(file)),
        contexts: found.contexts,
        labels: found.labels,
    };
    let located = liquibase::locate(&changelog, &selection.liquibase, &written, &base)?;
    let beside = located.root.join(&located.file).parent().map(Path::to_path_buf).unwrap_or_default();
    let contracts = match (&selection.contracts, &found.contracts) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => base.join(path),
        (None, None) => beside,
    };
    let mut traffic = found.traffic.unwrap_or_else(|| {
        if target.is_demo() {
            TrafficSettings { rate: 150.0, connections: 16, kind: TrafficKind::Services, seed: 42 }
        } else {
            TrafficSettings::default()
        }
    });
    if let Some(kind) = selection.traffic {
        traffic.kind = kind;
    }
    let folder = environment_folder(&name, &target);
    let journal = selection.journal.as_ref().or(found.journal.as_ref()).map(|url| JournalLocation {
        url: url.clone(),
        folder: folder.clone(),
        variables: selection.variables.clone(),
    });
    Ok(Environment {
        home: home()?.join(folder),
        journal,
        target,
        changelog_root: located.root,
        changelog_file: located.file,
        contracts,
        // Without contexts Liquibase runs everything; the demo shows that they are honoured.
        contexts: if located.contexts.is_empty() && name == "demo" {
            "demo".to_owned()
        } else {
            located.contexts
        },
        name,
        labels: located.labels,
        liquibase: located.settings,
        keep_backups: found.keep_backups.unwrap_or(2),
        backup: found.backup,
        limits: found.limits,
        gates: found.gates,
        rollback: found.rollback,
        compat: found.compat,
        shadow: found.shadow,
        traffic,
    })
}

impl Environment {
    /// A command of `drydock` on this environment, for a person to type. A database that was given as a URL may carry a password, so
    /// that it is left for them to give again.
    pub fn command(&self, command: &str) -> String {
        match self.target {
            Target::Url(_) if self.name == UNNAMED => {
                let changelog = self.changelog_root.join(&self.changelog_file);
                format!("drydock {command} --database … --changelog {}", changelog.display())
            }
            _ => format!("drydock {command} --env {}", self.name),
        }
    }
}

/// Different targets of one name must not share journals.
fn environment_folder(name: &str, target: &Target) -> String {
    match target {
        Target::Url(url) if name == UNNAMED => {
            use sha2::Digest;
            let one = || {
                url::Url::parse(url.expose())
                    .map(|u| format!("{:?}{:?}{}", u.host_str(), u.port(), u.path()))
                    .unwrap_or_default()
            };
            let plain =
                DatabaseUrl::split(url.expose()).and_then(|parts| parts.of_several()).unwrap_or_else(one);
            let digest = sha2::Sha256::digest(plain.as_bytes());
            format!("url-{}", crate::model::hex(digest.get(..6).unwrap_or_default()))
        }
        _ => name.to_owned(),
    }
}

fn read_file(named: Option<&Path>) -> Result<(File, PathBuf)> {
    let path = match named {
        Some(path) => path.to_path_buf(),
        None => {
            let here = std::env::current_dir().context("the current folder cannot be read")?;
            match here.ancestors().map(|d| d.join("drydock.toml")).find(|p| p.is_file()) {
                Some(path) => path,
                None => return Ok((File::default(), here)),
            }
        }
    };
    let text = std::fs::read_to_string(&path).input(format!("{} cannot be read", path.display()))?;
    let file = toml::from_str(&text).map_err(|e| {
        let line = e.span().map(|s| text.get(..s.start).unwrap_or_default().lines().count().max(1));
        let place = line.map(|l| format!(":{l}")).unwrap_or_default();
        Error::input(format!("{}{place}: {}", path.display(), e.message()))
            .hint("docs/configuration.md describes every setting")
    })?;
    let base =
        std::path::absolute(&path).ok().and_then(|p| p.parent().map(Path::to_path_buf)).unwrap_or_default();
    Ok((file, base))
}

/// Puts a referenced password into the URL, in memory only.
fn with_password(url: &str, reference: Option<&str>, selection: &Selection) -> Result<Secret> {
    let Some(reference) = reference else { return Ok(Secret::new(url)) };
    let password = selection.variables.resolve(reference, "the password")?;
    if let Some(parts) = DatabaseUrl::split(url).filter(|parts| parts.of_several().is_some()) {
        return Ok(Secret::new(parts.with_password(&password)));
    }
    let mut parsed = url::Url::parse(url).map_err(|_| Error::input("the database URL cannot be read"))?;
    parsed
        .set_password(Some(&password))
        .map_err(|()| Error::input("the database URL cannot carry a password"))?;
    Ok(Secret::new(parsed.to_string()))
}
