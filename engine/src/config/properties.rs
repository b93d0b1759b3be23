//! Settings that Liquibase and Spring Boot read from files of their own, so that what ran under them before runs the same under
//! Drydock: `liquibase.properties`, `application.properties` and `application.yml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml_ng::Value;

use crate::error::{Context, Error, Result};

/// What of such a file says how the changelog is read and where its history is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub contexts: Option<String>,
    pub labels: Option<String>,
    pub liquibase_schema: Option<String>,
    pub liquibase_table: Option<String>,
    pub liquibase_lock_table: Option<String>,
    pub default_schema: Option<String>,
    pub search_path: Vec<PathBuf>,
    pub parameters: BTreeMap<String, String>,
}

/// Where a setting goes. Keys are without dashes and in lower case, as both programs take them in several spellings.
enum Setting<'a> {
    Contexts,
    Labels,
    LiquibaseSchema,
    DefaultSchema,
    SearchPath,
    Parameter(&'a str),
    LiquibaseTable,
    LiquibaseLockTable,
    Other,
}

/// A key of Liquibase's: `liquibase.command.liquibaseSchemaName`, `liquibase-schema-name`, `parameter.schema`.
fn of_liquibase(key: &str) -> Setting<'_> {
    // Liquibase's older name of the same setting.
    if key == "liquibase.schemaName" {
        return Setting::LiquibaseSchema;
    }
    let key =
        key.strip_prefix("liquibase.command.").or_else(|| key.strip_prefix("liquibase.")).unwrap_or(key);
    if let Some(name) = key.strip_prefix("parameter.") {
        return Setting::Parameter(name);
    }
    match plain(key).as_str() {
        "contexts" | "contextfilter" => Setting::Contexts,
        "labels" | "labelfilter" => Setting::Labels,
        "liquibaseschemaname" => Setting::LiquibaseSchema,
        "defaultschemaname" => Setting::DefaultSchema,
        "searchpath" => Setting::SearchPath,
        "databasechangelogtablename" => Setting::LiquibaseTable,
        "databasechangeloglocktablename" => Setting::LiquibaseLockTable,
        _ => Setting::Other,
    }
}

/// A key of Spring Boot's, below `spring.liquibase`.
fn of_spring(key: &str) -> Setting<'_> {
    let Some(key) = key.strip_prefix("spring.liquibase.") else { return Setting::Other };
    if let Some(name) = key.strip_prefix("parameters.") {
        return Setting::Parameter(name);
    }
    match plain(key).as_str() {
        "contexts" => Setting::Contexts,
        "labels" | "labelfilter" => Setting::Labels,
        "liquibaseschema" => Setting::LiquibaseSchema,
        "defaultschema" => Setting::DefaultSchema,
        "databasechangelogtable" => Setting::LiquibaseTable,
        "databasechangeloglocktable" => Setting::LiquibaseLockTable,
        _ => Setting::Other,
    }
}

fn plain(key: &str) -> String {
    key.chars().filter(|c| *c != '-').flat_map(char::to_lowercase).collect()
}

/// Reads `liquibase.properties`.
///
/// # Errors
/// `Input` when it cannot be read.
pub fn liquibase(file: &Path) -> Result<Found> {
    let mut found = Found::default();
    for (key, value) in pairs(&text(file)?) {
        take(&mut found, &value, of_liquibase(&key));
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    found.search_path = found.search_path.iter().map(|root| folder.join(root)).collect();
    Ok(found)
}

/// Reads `application.properties`, `application.yml` or `application.yaml` in a folder of resources; `None`: nothing there is about
/// Liquibase. Documents that belong to one profile are left out.
///
/// # Errors
/// `Input` when one cannot be read, or a value comes from a variable that is not set.
pub fn spring(resources: &Path) -> Result<Option<(PathBuf, Found)>> {
    for name in ["application.properties", "application.yml", "application.yaml"] {
        let file = resources.join(name);
        if !file.is_file() {
            continue;
        }
        let text = text(&file)?;
        let all = if name.ends_with(".properties") { pairs(&text) } else { yaml(&file, &text)? };
        let mut found = Found::default();
        for (key, value) in all.iter().filter(|(key, _)| key.starts_with("spring.liquibase.")) {
            let setting = of_spring(key);
            if !matches!(setting, Setting::Other) {
                take(&mut found, &resolved(&file, key, value)?, setting);
            }
        }
        if found != Found::default() {
            return Ok(Some((file, found)));
        }
    }
    Ok(None)
}

fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).input(format!("{} cannot be read", file.display()))
}

fn take(found: &mut Found, value: &str, setting: Setting<'_>) {
    let some = || Some(value.to_owned()).filter(|v| !v.is_empty());
    match setting {
        Setting::Contexts => found.contexts = some(),
        Setting::Labels => found.labels = some(),
        Setting::LiquibaseSchema => found.liquibase_schema = some(),
        Setting::LiquibaseTable => found.liquibase_table = some(),
        Setting::LiquibaseLockTable => found.liquibase_lock_table = some(),
        Setting::DefaultSchema => found.default_schema = some(),
        Setting::SearchPath => {
            found.search_path = value.split([',', ';']).map(|p| PathBuf::from(p.trim())).collect();
        }
        Setting::Parameter(name) => {
            found.parameters.insert(name.to_owned(), value.to_owned());
        }
        Setting::Other => {}
    }
}

/// The lines of a file of properties, as Java reads it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.starts_with(['#', '!']) {
            continue;
        }
        // An odd number of backslashes at the end goes on in the next line.
        while line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
            line.pop();
            let Some(next) = lines.next() else { break };
            line.push_str(next.trim_start());
        }
        let (mut key, mut rest) = (String::new(), String::new());
        let mut characters = line.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '\\' => key.extend(escaped(&mut characters)),
                '=' | ':' | ' ' | '\t' => {
                    let mut tail: String = std::iter::once(c).chain(characters.by_ref()).collect();
                    tail = tail.trim_start().to_owned();
                    if let Some(after) = tail.strip_prefix(['=', ':']) {
                        tail = after.trim_start().to_owned();
                    }
                    let mut value = tail.chars().peekable();
                    while let Some(c) = value.next() {
                        if c == '\\' { rest.extend(escaped(&mut value)) } else { rest.push(c) }
                    }
                }
                other => key.push(other),
            }
        }
        if !key.is_empty() {
            pairs.push((key, rest.trim_end().to_owned()));
        }
    }
    pairs
}

/// The character that follows a backslash.
fn escaped(characters: &mut std::iter::Peekable<impl Iterator<Item = char>>) -> Option<char> {
    match characters.next()? {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'u' => {
            let digits: String = characters.by_ref().take(4).collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        }
        other => Some(other),
    }
}

/// The leaves of all documents of a YAML file that are not for one profile, with their keys joined by dots.
fn yaml(file: &Path, text: &str) -> Result<Vec<(String, String)>> {
    let mut leaves = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let value = Value::deserialize(document).input(format!("{} cannot be read", file.display()))?;
        let mut all = Vec::new();
        flatten(String::new(), &value, &mut all);
        let profile = |(key, _): &(String, String)| {
            key == "spring.config.activate.on-profile" || key == "spring.profiles"
        };
        if !all.iter().any(profile) {
            leaves.extend(all);
        }
    }
    Ok(leaves)
}

fn flatten(key: String, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Mapping(mapping) => {
            for (name, value) in mapping {
                let name = scalar(name).unwrap_or_default();
                let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                flatten(key, value, leaves);
            }
        }
        Value::Sequence(all) => {
            let texts: Vec<String> = all.iter().filter_map(scalar).collect();
            leaves.push((key, texts.join(",")));
        }
        other => leaves.extend(scalar(other).map(|text| (key, text))),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// A value with Spring's `${NAME:default}` replaced by the variable of that name.
fn resolved(file: &Path, key: &str, value: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (inner, tail) = after.split_once('}').unwrap_or((after, ""));
        let (name, default) = inner.split_once(':').map_or((inner, None), |(n, d)| (n, Some(d)));
        let variable = name.replace(['.', '-'], "_").to_uppercase();
        match std::env::var(name).or_else(|_| std::env::var(&variable)).ok().or(default.map(str::to_owned)) {
            Some(value) => out.push_str(&value),
            None => {
                return Err(Error::input(format!(
                    "{}: the value of {key} comes from {name}, which is not set",
                    file.display()
                ))
                .hint(format!("set the variable {variable}, or give the setting in drydock.toml")));
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        (folder, file)
    }

    #[test]
    fn properties_as_people_write_them() {
        let (folder, file) = written(
            "liquibase.properties",
            "# a comment\nurl: jdbc:postgresql://h/d\nliquibase.command.url=x\nparameter.schema = app\nparameter.long=a,\\\n    b\n\
             liquibaseSchemaName: ops\nliquibase.command.defaultSchemaName=app\nlabel-filter=a or b\ncontexts prod\n\
             searchPath=src/main/resources, ../shared\nparameter.key\\:1=\\u0041\\=\n",
        );
        let found = liquibase(&file).unwrap();
        assert_eq!(found.liquibase_schema.as_deref(), Some("ops"));
        assert_eq!(found.default_schema.as_deref(), Some("app"));
        assert_eq!(found.labels.as_deref(), Some("a or b"));
        assert_eq!(found.contexts.as_deref(), Some("prod"));
        assert_eq!(
            found.search_path,
            [folder.path().join("src/main/resources"), folder.path().join("../shared")]
        );
        let expected = [("key:1", "A="), ("long", "a,b"), ("schema", "app")];
        assert_eq!(found.parameters, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn liquibases_tables_may_have_other_names() {
        let text = "liquibase.schemaName=ops\ndatabaseChangeLogTableName=changes\nliquibase.databaseChangelogLockTableName: changes_lock\n";
        let (_folder, file) = written("liquibase.properties", text);
        let found = liquibase(&file).unwrap();
        assert_eq!(found.liquibase_table.as_deref(), Some("changes"));
        assert_eq!(found.liquibase_lock_table.as_deref(), Some("changes_lock"));
        let text = "spring.liquibase.liquibase-schema=ops\nspring.liquibase.database-change-log-table=changes\nspring.liquibase.databaseChangeLogLockTable=changes_lock\n";
        let (folder, _) = written("application.properties", text);
        let (_, of_spring) = spring(folder.path()).unwrap().unwrap();
        assert_eq!(of_spring, found);
    }

    #[test]
    fn spring_boots_settings() {
        let (folder, _) = written(
            "application.yml",
            "spring:\n  application.name: bank\n  liquibase:\n    liquibase-schema: ${NO_SUCH_VARIABLE:ops}\n    defaultSchema: app\n\
             \x20   contexts: [prod, eu]\n    parameters:\n      tableSpace: fast\n---\nspring:\n  config.activate.on-profile: test\n  liquibase:\n    liquibase-schema: test\n",
        );
        let (file, found) = spring(folder.path()).unwrap().unwrap();
        assert!(file.ends_with("application.yml"));
        assert_eq!(found.liquibase_schema.as_deref(), Some("ops"));
        assert_eq!(found.default_schema.as_deref(), Some("app"));
        assert_eq!(found.contexts.as_deref(), Some("prod,eu"));
        assert_eq!(found.parameters["tableSpace"], "fast");
        let (folder, _) =
            written("application.properties", "spring.liquibase.default-schema=${NO_SUCH_VARIABLE}\n");
        let error = spring(folder.path()).unwrap_err();
        assert!(error.chain().contains("NO_SUCH_VARIABLE, which is not set"), "{}", error.chain());
        let (folder, _) = written("application.properties", "server.port=8080\n");
        assert_eq!(spring(folder.path()).unwrap(), None);
    }
}
