//! `ci/setup` on machines that are made up: a `PATH` and a root folder of their own, and packages that bring what they say.
//! And that the two commands of README build every crate once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "setup/machine.rs"]
mod machine;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use machine::{Machine, jre};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// What a machine lacks or has that misleads, and what `ci/setup` makes of it.
struct Case {
    name: &'static str,
    machine: fn(&mut Machine) -> &mut Machine,
    /// What apt-get is asked to install.
    asks: &'static str,
    /// What is said to the user; `Ok` if the machine is ready in the end.
    ends: Result<&'static str, &'static str>,
}

const NOTHING: &str = "";
const DOWNLOADS: Result<&str, &str> = Ok("downloading Liquibase");
const INSTALLS: Result<&str, &str> = Ok("installing with apt-get");

const CASES: &[Case] = &[
    Case { name: "everything is there", machine: |m| m, asks: NOTHING, ends: Ok("") },
    // Rust, before anything is installed.
    Case {
        name: "no Rust",
        machine: |m| m.remove("bin/cargo").remove("usr/lib/postgresql"),
        asks: NOTHING,
        ends: Err("Rust 1.95 or newer is missing: install it from https://rustup.rs"),
    },
    Case {
        name: "Rust is installed and not in PATH",
        machine: |m| m.remove("bin/cargo").program("home/.cargo/bin/cargo", "echo cargo 1.95.0"),
        asks: NOTHING,
        ends: Err("Rust is in ~/.cargo/bin, which is not in PATH"),
    },
    Case {
        name: "the distribution's old Rust",
        machine: |m| m.program("bin/rustc", "echo 'rustc 1.63.0 (x 2022-08-11)'"),
        asks: NOTHING,
        ends: Err("Rust 1.63 is too old, Drydock needs 1.95 or newer"),
    },
    Case {
        name: "a Rust of two digits is not older than one of three",
        machine: |m| m.program("bin/rustc", "echo 'rustc 1.100.0 (x 2027-01-01)'"),
        asks: NOTHING,
        ends: Ok(""),
    },
    Case {
        name: "rustup without a toolchain",
        machine: |m| m.program("bin/cargo", "echo 'no default is configured' >&2; exit 1"),
        asks: NOTHING,
        ends: Err("cargo is there but does not run: set up a toolchain"),
    },
    // PostgreSQL.
    Case {
        name: "no PostgreSQL",
        machine: |m| m.remove("usr/lib/postgresql"),
        asks: "postgresql-common postgresql",
        ends: INSTALLS,
    },
    Case {
        name: "a folder of PostgreSQL's name",
        machine: |m| {
            m.rename("usr/lib/postgresql/15", "usr/lib/postgresql/16");
            m.remove("usr/lib/postgresql/16/bin/initdb").folder("usr/lib/postgresql/16/bin/initdb")
        },
        asks: "postgresql-common postgresql",
        ends: INSTALLS,
    },
    Case {
        name: "the client package alone",
        machine: |m| {
            for program in ["initdb", "postgres", "pg_ctl"] {
                m.remove(&format!("usr/lib/postgresql/15/bin/{program}"));
            }
            m
        },
        asks: "postgresql-common postgresql",
        ends: INSTALLS,
    },
    Case {
        name: "initdb without the server",
        machine: |m| m.remove("usr/lib/postgresql/15/bin/postgres"),
        asks: "postgresql-common postgresql",
        ends: INSTALLS,
    },
    Case {
        name: "a server package that is not whole, and no package that mends it",
        machine: |m| m.remove("usr/lib/postgresql/15/bin/pg_verifybackup").brings("postgresql", |m| m),
        asks: "postgresql-common postgresql",
        ends: Err("/usr/lib/postgresql/15/bin is not whole, pg_verifybackup does not run"),
    },
    Case {
        name: "a program of the client package lies in PATH",
        machine: |m| m.rename("usr/lib/postgresql/15/bin/pg_dump", "bin/pg_dump"),
        asks: NOTHING,
        ends: Ok(""),
    },
    Case {
        name: "the distribution has only 14",
        machine: |m| {
            m.remove("usr/lib/postgresql");
            m.brings("postgresql", |m| m.postgres("usr/lib/postgresql/14/bin", 14))
        },
        asks: "postgresql-common postgresql",
        ends: Err("/usr/lib/postgresql/14/bin is version 14, Drydock needs 15 or newer"),
    },
    Case {
        name: "an old and a new one",
        machine: |m| m.postgres("usr/lib/postgresql/9/bin", 9).postgres("usr/lib/postgresql/13/bin", 13),
        asks: NOTHING,
        ends: Ok(""),
    },
    Case {
        name: "an old one in PATH, which the engine takes before the new one",
        machine: |m| m.postgres("opt/old/bin", 13).path("opt/old/bin"),
        asks: NOTHING,
        ends: Err("opt/old/bin is version 13"),
    },
    Case {
        name: "a wrapper in PATH that does not run",
        machine: |m| {
            m.postgres("opt/own/bin", 16).program("opt/own/bin/initdb", "exit 127").path("opt/own/bin")
        },
        asks: NOTHING,
        ends: Err("opt/own/bin is not whole, initdb does not run"),
    },
    Case {
        name: "a wrapper in PATH without a server, which the engine passes over",
        machine: |m| m.program("bin/initdb", "exit 127"),
        asks: NOTHING,
        ends: Ok(""),
    },
    Case {
        name: "root without the user postgres",
        machine: |m| m.program("bin/id", "if [ \"$*\" = -u ]; then echo 0; else exit 1; fi"),
        asks: NOTHING,
        ends: Err("there is no user \"postgres\": add one"),
    },
    // Java.
    Case { name: "no Java", machine: |m| m.remove("bin/java"), asks: "default-jre-headless", ends: INSTALLS },
    Case {
        name: "Java 8",
        machine: |m| {
            m.program(
                "bin/java",
                "[ \"$1\" = -version ] && { echo 'openjdk version \"1.8.0_392\"' >&2; exit; }; exit 1",
            );
            m.brings("default-jre-headless", |m| m)
        },
        asks: "default-jre-headless",
        ends: Err("the Java in PATH is version 8, Drydock needs 17 or newer"),
    },
    Case {
        name: "Java 11, and 17 from a package",
        machine: |m| m.program("bin/java", &jre(11, "jdk.compiler")),
        asks: "default-jre-headless",
        ends: INSTALLS,
    },
    Case {
        name: "a runtime stripped of the compiler",
        machine: |m| m.program("bin/java", &jre(21, "java.compiler")).brings("default-jre-headless", |m| m),
        asks: "default-jre-headless",
        ends: Err("the Java in PATH has no compiler (the module jdk.compiler)"),
    },
    Case {
        name: "a stub that says where to get Java",
        machine: |m| {
            m.program("bin/java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1");
            m.brings("default-jre-headless", |m| m)
        },
        asks: "default-jre-headless",
        ends: Err("the Java in PATH does not run"),
    },
    Case {
        name: "JAVA_HOME names an old one, which no package changes",
        machine: |m| m.program("opt/jdk/bin/java", &jre(11, "jdk.compiler")).java_home("opt/jdk"),
        asks: NOTHING,
        ends: Err("the Java that JAVA_HOME names is version 11"),
    },
    Case {
        name: "JAVA_HOME names nothing, and the engine takes PATH's",
        machine: |m| m.java_home("opt/gone"),
        asks: NOTHING,
        ends: Ok(""),
    },
    // The C compiler.
    Case { name: "no C compiler", machine: |m| m.remove("bin/cc"), asks: "gcc libc6-dev", ends: INSTALLS },
    Case {
        name: "a C compiler without headers or linker",
        machine: |m| m.program("bin/cc", "exit 1").brings("gcc", |m| m),
        asks: "gcc libc6-dev",
        ends: Err("cc cannot compile and link a program"),
    },
    // Liquibase.
    Case {
        name: "no Liquibase and no Maven",
        machine: |m| m.remove("target").remove("bin/mvn"),
        asks: "maven",
        ends: DOWNLOADS,
    },
    Case { name: "no Liquibase", machine: |m| m.remove("target"), asks: NOTHING, ends: DOWNLOADS },
    Case {
        name: "the jars are gone and what says that they are there is not",
        machine: |m| m.remove("target/liquibase/lib"),
        asks: NOTHING,
        ends: DOWNLOADS,
    },
    Case {
        name: "half a jar",
        machine: |m| m.write("target/liquibase/lib/liquibase-core-4.33.0.jar", "j"),
        asks: NOTHING,
        ends: DOWNLOADS,
    },
    Case {
        name: "a download that was cut off before it was noted",
        machine: |m| m.remove("target/liquibase/sums"),
        asks: NOTHING,
        ends: DOWNLOADS,
    },
    Case {
        name: "the jars of another pom.xml",
        machine: |m| m.write("target/liquibase/pom.xml", "<project/>"),
        asks: NOTHING,
        ends: DOWNLOADS,
    },
    Case {
        name: "Maven is offline",
        machine: |m| m.remove("target").program("bin/mvn", "echo '[ERROR] Unknown host'; exit 1"),
        asks: NOTHING,
        ends: Err("[ERROR] Unknown host\nsetup: error: Maven could not download Liquibase"),
    },
    Case {
        name: "Maven's local repository has half a jar",
        machine: |m| m.remove("target").program("bin/java", &format!("{}exit 1", jre(17, "jdk.compiler"))),
        asks: NOTHING,
        ends: Err("a jar in Maven's local repository is damaged"),
    },
    Case {
        name: "Liquibase of one's own",
        machine: |m| {
            m.remove("target").remove("bin/mvn").write("own/internal/lib/liquibase-core.jar", "");
            m.liquibase("own")
        },
        asks: NOTHING,
        ends: Ok(""),
    },
    Case {
        name: "a folder of one's own without Liquibase",
        machine: |m| m.write("own/lib/postgresql.jar", "").liquibase("own"),
        asks: NOTHING,
        ends: Err("which has no liquibase-core jar"),
    },
    // Installing.
    Case {
        name: "a source of packages is out of reach that has nothing to do with it",
        machine: |m| m.remove("bin/cc").write("update-fails", "E: Failed to fetch"),
        asks: "gcc libc6-dev",
        ends: Ok("apt-get update failed, going on with the lists that are there: E: Failed to fetch"),
    },
    Case {
        name: "apt-get is locked",
        machine: |m| {
            m.remove("bin/cc")
                .remove("bin/java")
                .write("install-fails", "E: Could not get lock /var/lib/dpkg/lock\n")
        },
        asks: "default-jre-headless gcc libc6-dev",
        ends: Err(
            "E: Could not get lock /var/lib/dpkg/lock\nsetup: error: apt-get failed, its words are above: run \
             \"apt-get install --no-install-recommends default-jre-headless gcc libc6-dev\" as root",
        ),
    },
    Case {
        name: "another system's packages",
        machine: |m| m.remove("bin/apt-get").remove("bin/java").remove("bin/cc"),
        asks: NOTHING,
        ends: Err(
            "Java 17 or newer is missing: install a runtime, or set JAVA_HOME; a C compiler is missing",
        ),
    },
    Case {
        name: "not root, with sudo",
        machine: |m| m.remove("bin/cc").program("bin/id", "echo 1000"),
        asks: "gcc libc6-dev",
        ends: INSTALLS,
    },
    Case {
        name: "not root, without sudo",
        machine: |m| m.remove("bin/cc").remove("bin/sudo").program("bin/id", "echo 1000"),
        asks: NOTHING,
        ends: Err("there is no sudo: run \"apt-get install --no-install-recommends gcc libc6-dev\" as root"),
    },
];

#[test]
fn what_is_missing_is_installed_and_what_misleads_is_not_taken_for_it() {
    let mut wrong = Vec::new();
    for case in CASES {
        let mut machine = Machine::whole(&repository());
        (case.machine)(&mut machine);
        let (code, said) = machine.setup(&repository());
        let (expected, text) = match case.ends {
            Ok(text) => (0, text),
            Err(text) => (1, text),
        };
        let asked = machine.asked();
        if code != Some(expected) || !said.contains(text) || (text.is_empty() && !said.is_empty()) {
            wrong.push(format!("{}: ends {code:?} and says: {said}", case.name));
        }
        if asked != case.asks {
            wrong.push(format!("{}: installs \"{asked}\", not \"{}\"", case.name, case.asks));
        }
        // Once ready it does nothing more.
        if expected == 0 && machine.setup(&repository()) != (Some(0), String::new()) {
            wrong.push(format!(
                "{}: is not quiet the second time: {}",
                case.name,
                machine.setup(&repository()).1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_damaged_jar_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let whole = || {
        let java = std::env::var("JAVA_HOME").map_or("java".to_owned(), |home| format!("{home}/bin/java"));
        let mut command = Command::new(java);
        command.arg(repository().join("ci/liquibase/Whole.java")).arg(folder.path());
        // Java says on standard error that it has read them.
        command.env_remove("JAVA_TOOL_OPTIONS");
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(!whole().0, "a folder without jars is no Liquibase");
    let jars = std::fs::read_dir(repository().join("target/liquibase/lib")).unwrap().flatten();
    let jar = jars.map(|e| e.path()).min_by_key(|p| p.metadata().unwrap().len()).unwrap();
    let jar = std::fs::read(jar).unwrap();
    let path = folder.path().join("a.jar");
    std::fs::write(&path, &jar).unwrap();
    assert_eq!(whole(), (true, String::new()));
    std::fs::write(&path, &jar[..jar.len() / 2]).unwrap();
    assert!(!whole().0, "cut off");
    let mut other = jar.clone();
    other[jar.len() / 2] ^= 1;
    std::fs::write(&path, &other).unwrap();
    let (ok, said) = whole();
    assert!(!ok && said.starts_with("a.jar: "), "a bit is another: {said}");
}

/// `ci/demo` builds `-p drydock`; `ci/test` and clippy all of the workspace. If the second asked for one feature more of a crate
/// that both have, that crate and all that depend on it would be built twice.
#[test]
fn the_two_commands_build_every_crate_once() {
    let crates = |arguments: &[&str]| -> BTreeSet<String> {
        let mut command = Command::new(env!("CARGO"));
        command.args(["tree", "--locked", "--prefix", "none", "--format", "{p} {f}", "--edges"]);
        let output = command.args(arguments).current_dir(repository()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|l| l.trim_end_matches(" (*)").trim_end().to_owned()).collect()
    };
    let all = crates(&["normal,build,dev", "--workspace"]);
    let demo = crates(&["normal,build", "--package", "drydock"]);
    assert!(demo.len() > 200, "what is built is not what was asked for: {}", demo.len());
    let hint =
        "ask for the features that ci/test adds in the last table of dependencies in engine/Cargo.toml";
    assert_eq!(demo.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "{hint}");
    // Work at the desk is on this package and its tests.
    let desk = crates(&["normal,build,dev", "--package", "drydock"]);
    assert_eq!(desk.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "{hint}");
}
