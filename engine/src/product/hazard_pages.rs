//! Pages about hazards, which people read and which are tested: each page is a hazard, and its `sql bad` and `sql good` blocks are its
//! cases. `DRYDOCK_WRITE=1 cargo test -p drydock --lib pages` writes the lists in their README anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub struct Page {
    pub name: String,
    pub title: String,
    pub text: String,
    pub cases: Vec<Case>,
}

/// A bad example and the good one that goes in its place.
#[derive(Default)]
pub struct Case {
    pub bad: Example,
    pub good: Example,
}

#[derive(Default, Clone)]
pub struct Example {
    pub sql: String,
    /// What its block says after `bad` or `good`: other hazards that it has, or a version of the product.
    words: Vec<String>,
}

impl Example {
    /// The version that it is for, of those that there are.
    pub fn version<'v>(&self, versions: &[&'v str]) -> Option<&'v str> {
        versions.iter().copied().find(|version| self.words.iter().any(|word| word == version))
    }
    /// The hazards that it has besides that of its page.
    fn others(&self, versions: &[&str]) -> BTreeSet<String> {
        self.words.iter().filter(|word| !versions.contains(&word.as_str())).cloned().collect()
    }
    /// Its changesets: `--changeset` begins another one.
    pub fn changesets(&self) -> Vec<String> {
        let named = self.sql.starts_with("--changeset");
        format!("\n{}", self.sql)
            .split("\n--changeset ")
            .map(|c| if named { c.split_once('\n').map_or("", |(_, sql)| sql) } else { c })
            .filter(|sql| !sql.trim().is_empty())
            .map(str::to_owned)
            .collect()
    }
}

pub fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/hazards")
}

/// The pages of a folder. `prefix` comes before the names of their hazards.
pub fn read(folder: &Path, prefix: &str) -> Vec<Page> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let file = entry.file_name().into_string().unwrap();
        if let Some(name) = file.strip_suffix(".md").filter(|n| *n != "README") {
            files.push((format!("{prefix}{name}"), std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    files.sort();
    files.into_iter().map(|(name, text)| page(name, text)).collect()
}

fn page(name: String, text: String) -> Page {
    let mut cases: Vec<Case> = Vec::new();
    let mut block: Option<bool> = None;
    for line in text.lines() {
        match (block, line.strip_prefix("```")) {
            (None, Some(head)) => {
                let mut words = head.split_whitespace().map(str::to_owned);
                assert_eq!(words.next().as_deref(), Some("sql"), "{name}: a block of no kind");
                let bad = words.next().as_deref() == Some("bad");
                let example = Example { words: words.collect(), ..Example::default() };
                if bad {
                    cases.push(Case { bad: example, ..Case::default() });
                } else {
                    cases.last_mut().unwrap_or_else(|| panic!("{name}: the bad one comes first")).good =
                        example;
                }
                block = Some(bad);
            }
            (Some(_), Some(_)) => block = None,
            (Some(bad), None) => {
                let case = cases.last_mut().unwrap_or_else(|| panic!("{name}: the bad one comes first"));
                let to = if bad { &mut case.bad } else { &mut case.good };
                to.sql.push_str(line);
                to.sql.push('\n');
            }
            (None, None) => {}
        }
    }
    let title = text.lines().nth(2).unwrap_or_default().to_owned();
    Page { name, title, text, cases }
}

/// A bad example has the hazard of its page and those that it names, and the good one in its place does not have it.
pub fn check_examples(pages: &[Page], versions: &[&str], found: impl Fn(&Example) -> BTreeSet<String>) {
    let mut wrong = Vec::new();
    for page in pages {
        assert!(!page.cases.is_empty(), "{} has no example", page.name);
        for (at, case) in page.cases.iter().enumerate() {
            let mut bad = found(&case.bad);
            if !bad.remove(&page.name) {
                wrong.push(format!("{}\t{at}\tMISSING in the bad example, which has {bad:?}", page.name));
            } else if bad != case.bad.others(versions) {
                wrong.push(format!("{}\t{at}\t{}", page.name, bad.into_iter().collect::<Vec<_>>().join(" ")));
            }
            if case.good.sql.is_empty() || found(&case.good).contains(&page.name) {
                wrong.push(format!("{}\t{at}\tIN THE GOOD example", page.name));
            }
        }
    }
    assert!(wrong.is_empty(), "the blocks do not say what is found:\n{}", wrong.join("\n"));
}

/// Each sentence of a table of rules is seen in a bad example. `said`: names and messages of what the bad examples have.
pub fn rules_without_example<'r>(
    rules: impl Iterator<Item = (&'static str, &'r str)>,
    said: &[(String, String)],
) -> Vec<&'r str> {
    let shown = |name: &str, says: &str| {
        let parts: Vec<&str> = says.split(['{', '}']).step_by(2).collect();
        said.iter().any(|(own, message)| own == name && parts.iter().all(|part| message.contains(part)))
    };
    rules.filter(|(name, says)| !shown(name, says)).map(|(_, says)| says).collect()
}

pub fn check_parts(pages: &[Page], parts: &[&str]) {
    for page in pages {
        assert!(page.text.starts_with(&format!("# {}\n\n", page.name)), "{}", page.name);
        assert!(page.title.ends_with('.') && page.title.len() < 80, "{}: {}", page.name, page.title);
        for part in parts {
            assert!(page.text.contains(part), "{} has no {part}", page.name);
        }
    }
}

/// The README lists the pages after a line that says `begin`, up to the next heading.
pub fn check_list(begin: &str, folder: &str, pages: &[Page]) {
    let file = docs().join("README.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once(&format!("{begin}\n")).unwrap();
    let rest = after.find("\n## ").map_or("", |at| after.get(at..).unwrap_or_default());
    let mut list = String::from("| hazard | what it is |\n|---|---|\n");
    for page in pages {
        let title = page.title.trim_end_matches('.');
        list.push_str(&format!("| [{0}]({folder}{0}.md) | {title} |\n", page.name));
    }
    let expected = format!("{before}{begin}\n{list}{rest}");
    if std::env::var_os("DRYDOCK_WRITE").is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written == expected, "run it with DRYDOCK_WRITE=1; the list should be\n{list}");
}
