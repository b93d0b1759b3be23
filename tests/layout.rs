//! The structure that ARCHITECTURE.md promises, held by reading the source tree.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines outside the allowed places that a word stands in, as `file:line`.
fn lines_with(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let source = root().join("engine/src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    assert!(files.len() > 30, "the source tree is elsewhere");
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&source).unwrap().display().to_string();
        if allowed.iter().any(|a| name.starts_with(a)) {
            continue;
        }
        for (number, line) in (1..).zip(std::fs::read_to_string(&file).unwrap().lines()) {
            let lower = line.to_lowercase();
            if words.iter().any(|w| lower.contains(w)) {
                found.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    found
}

/// Rooms of the engine from the lowest to the highest. A room may use what stands on lines above its own, and itself.
const FLOORS: &[&[&str]] = &[
    &["error"],
    &["model", "user_cache", "variables"],
    &["watcher", "oci"],
    &["config", "report"],
    &["product"],
    &["contract", "liquibase"],
    &["demo", "load"],
    &["run"],
    &["stages"],
    &["operations"],
    &["cli"],
];

fn floor(room: &str) -> usize {
    let found = FLOORS.iter().position(|rooms| rooms.contains(&room));
    found
        .unwrap_or_else(|| panic!("{room} is a new room: give it a floor here and a line in ARCHITECTURE.md"))
}

/// Imports of a room on the same or a higher floor, as `file:line: import`.
fn imports_upwards(file: &str, text: &str) -> Vec<String> {
    let room = file.split(['/', '.']).next().unwrap();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            let rest = code.get(at + "crate::".len()..).unwrap_or_default();
            let other: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !other.is_empty() && other != room && floor(&other) >= floor(room) {
                found.push(format!("{file}:{number}: {}", line.trim()));
            }
        }
    }
    found
}

#[test]
fn imports_go_down_only() {
    let source = root().join("engine/src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&source).unwrap().display().to_string();
        if name != "lib.rs" && name != "main.rs" {
            found.extend(imports_upwards(&name, &std::fs::read_to_string(&file).unwrap()));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn an_import_upwards_is_found() {
    let up = imports_upwards("model/plan.rs", "use crate::error::Result;\nuse crate::stages::plan;\n");
    assert_eq!(up, ["model/plan.rs:2: use crate::stages::plan;"]);
    let beside = imports_upwards("report.rs", "let x = crate::config::home();");
    assert_eq!(beside, ["report.rs:1: let x = crate::config::home();"]);
    assert_eq!(imports_upwards("stages.rs", "use crate::run::Run; // crate::cli\n"), Vec::<String>::new());
}

#[test]
fn only_the_command_line_prints_and_only_one_file_starts_liquibase() {
    assert_eq!(lines_with(&["println!", "eprintln!", "print!("], &["cli"]), Vec::<String>::new());
    let java: Vec<_> = lines_with(&["driver.java"], &["liquibase"]);
    assert_eq!(java, Vec::<String>::new());
}

#[test]
fn main_is_short_and_the_map_names_every_file_of_the_engine() {
    let main = std::fs::read_to_string(root().join("engine/src/main.rs")).unwrap();
    assert!(main.lines().count() < 30);
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for entry in std::fs::read_dir(root().join("engine/src")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rs") {
            assert!(map.contains(&name), "ARCHITECTURE.md does not name {name}");
        }
    }
}

/// The rows that `ci/new` adds are those of its tables, and no other line changes.
#[test]
fn a_hazard_and_a_class_begin_with_one_command() {
    const HAZARDS: &str = "engine/src/product/postgres/hazards.rs";
    const CLASSES: &str = "engine/src/model/verdict.rs";
    let home = tempfile::tempdir().unwrap();
    let here = |file: &str| home.path().join(file);
    std::fs::create_dir_all(here("docs/hazards")).unwrap();
    for file in ["ci/new", HAZARDS, CLASSES] {
        std::fs::create_dir_all(here(file).parent().unwrap()).unwrap();
        std::fs::copy(root().join(file), here(file)).unwrap();
    }
    let new = |kind: &str, name: &str| {
        std::process::Command::new(here("ci/new")).args([kind, name]).output().unwrap().status.code()
    };
    for (kind, name, file, rows) in [
        (
            "hazard",
            "two-owners",
            HAZARDS,
            "    TWO_OWNERS = \"two-owners\", None, Always(Warning), \
             \"TODO what happens to {table}: TODO what to do instead\";\n",
        ),
        (
            "class",
            "two-answers",
            CLASSES,
            "    /// TODO what happens to the query.\n    TwoAnswers = \"two-answers\";\n",
        ),
    ] {
        let before = std::fs::read_to_string(here(file)).unwrap();
        assert_eq!(new(kind, name), Some(0), "{kind}");
        let after = std::fs::read_to_string(here(file)).unwrap();
        assert!(after.contains(&format!("{rows}}}\n")), "{kind}: not the last row of its table");
        assert_eq!(after.replacen(rows, "", 1), before, "{kind}");
        assert_eq!(new(kind, name), Some(2), "{kind}: twice");
        assert_eq!(new(kind, "Two_Owners"), Some(2), "{kind}: no such name");
        assert_eq!(std::fs::read_to_string(here(file)).unwrap(), after, "{kind}");
    }
    let page = std::fs::read_to_string(here("docs/hazards/two-owners.md")).unwrap();
    assert!(page.starts_with("# two-owners\n\nTODO"), "{page}");
    assert_eq!(new("stage", "two-owners"), Some(2));
}
