//! A made-up machine: a root folder, the programs of its `PATH`, and what its packages bring.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const POSTGRES: &[&str] = &[
    "postgres",
    "initdb",
    "pg_ctl",
    "psql",
    "pg_basebackup",
    "pg_verifybackup",
    "pg_dump",
    "pg_dumpall",
    "pg_restore",
];
/// What every system has and the script uses.
const SYSTEM: &[&str] = &[
    "bash",
    "cat",
    "chmod",
    "cmp",
    "cp",
    "cut",
    "dirname",
    "env",
    "grep",
    "head",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sort",
    "tail",
    "touch",
];
const JAR: &str = "liquibase-core-4.33.0.jar";

/// Notes the packages that it is asked for, and lays what they bring over the root folder.
const APT_GET: &str = r#"
case " $* " in *" update "*)
  [ -e "$root/update-fails" ] || exit 0
  cat "$root/update-fails" >&2
  exit 100
esac
while [ "$1" != install ]; do shift; done
shift
for package; do
  case $package in -*) continue;; esac
  echo "$package" >>"$root/asked"
  if [ -e "$root/install-fails" ]; then continue; fi
  cp -R "$root/packages/$package/." "$root" || exit 100
done
[ ! -e "$root/install-fails" ] || { cat "$root/install-fails" >&2; exit 100; }
"#;

/// A Java runtime of this version that has this module.
pub fn jre(version: u32, module: &str) -> String {
    format!(
        "case \"$1\" in\n--list-modules) echo java.base@{version}.0.1; echo {module}@{version}.0.1; exit;;\n\
         -version) echo 'openjdk version \"{version}.0.1\" 2026-01-01' >&2; exit;;\nesac\n"
    )
}

pub struct Machine {
    root: PathBuf,
    _owner: Option<tempfile::TempDir>,
    path: Vec<PathBuf>,
    environment: Vec<(&'static str, PathBuf)>,
}

/// What installing a package puts onto the machine.
type Unpack = fn(&mut Machine) -> &mut Machine;

impl Machine {
    /// One that has everything, and packages that bring it again.
    pub fn whole(repository: &Path) -> Self {
        let owner = tempfile::tempdir().unwrap();
        // As the script will see it.
        let root = owner.path().canonicalize().unwrap();
        let path = vec![root.join("bin"), root.join("system")];
        let mut machine = Self { root, _owner: Some(owner), path, environment: Vec::new() };
        machine.folder("system").folder("tmp");
        for program in SYSTEM {
            symlink(which::which(program).unwrap(), machine.root.join("system").join(program)).unwrap();
        }
        let unpack: [(&str, Unpack); 4] = [
            ("postgresql", |m| m.postgres("usr/lib/postgresql/15/bin", 15)),
            ("default-jre-headless", |m| m.program("bin/java", &jre(17, "jdk.compiler"))),
            ("gcc", |m| m.program("bin/cc", "touch \"$2\"")),
            ("maven", |m| m.program("bin/mvn", &format!("for a; do :; done; echo jar >\"${{a#*=}}/{JAR}\""))),
        ];
        for (package, unpack) in unpack {
            unpack(machine.brings(package, unpack));
        }
        let apt_get = format!("root='{}'\n{APT_GET}", machine.root.display());
        machine
            .brings("libc6-dev", |m| m)
            .brings("postgresql-common", |m| {
                m.write("etc/postgresql-common/createcluster.conf", "#create_main_cluster = true\n")
            })
            .program("bin/cargo", "echo cargo 1.95.0")
            .program("bin/rustc", "echo 'rustc 1.95.0 (x 2026-04-14)'")
            .program("bin/id", "if [ \"$*\" = -u ]; then echo 0; fi")
            .program("bin/sudo", "exec \"$@\"")
            .program("bin/apt-get", &apt_get);
        let pom = std::fs::read_to_string(repository.join("ci/liquibase/pom.xml")).unwrap();
        machine
            .write("target/liquibase/pom.xml", &pom)
            .write(&format!("target/liquibase/lib/{JAR}"), "jar\n");
        let mut sums = Command::new("sha256sum");
        let sums = sums.arg(format!("lib/{JAR}")).current_dir(machine.root.join("target/liquibase")).output();
        machine.write("target/liquibase/sums", &String::from_utf8(sums.unwrap().stdout).unwrap());
        machine
    }

    /// What a package brings is what this makes of an empty machine.
    pub fn brings(&mut self, package: &str, unpack: impl Fn(&mut Self) -> &mut Self) -> &mut Self {
        let root = self.root.join("packages").join(package);
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        unpack(&mut Self { root, _owner: None, path: Vec::new(), environment: Vec::new() });
        self
    }

    pub fn folder(&mut self, name: &str) -> &mut Self {
        std::fs::create_dir_all(self.root.join(name)).unwrap();
        self
    }

    pub fn write(&mut self, file: &str, text: &str) -> &mut Self {
        let path = self.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn program(&mut self, file: &str, script: &str) -> &mut Self {
        self.write(file, &format!("#!/bin/sh\n{script}\n"));
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.root.join(file), mode).unwrap();
        self
    }

    pub fn postgres(&mut self, folder: &str, version: u32) -> &mut Self {
        for program in POSTGRES {
            let says = format!("echo '{program} (PostgreSQL) {version}.3 (Debian {version}.3-0+deb12u1)'");
            self.program(&format!("{folder}/{program}"), &says);
        }
        self
    }

    pub fn remove(&mut self, name: &str) -> &mut Self {
        let path = self.root.join(name);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        self
    }

    pub fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        std::fs::rename(self.root.join(from), self.root.join(to)).unwrap();
        self
    }

    /// Puts a folder in front of all others in `PATH`.
    pub fn path(&mut self, folder: &str) -> &mut Self {
        self.path.insert(0, self.root.join(folder));
        self
    }

    pub fn java_home(&mut self, folder: &str) -> &mut Self {
        self.environment.push(("JAVA_HOME", self.root.join(folder)));
        self
    }

    pub fn liquibase(&mut self, folder: &str) -> &mut Self {
        self.environment.push(("DRYDOCK_LIQUIBASE", self.root.join(folder)));
        self
    }

    /// Runs `ci/setup` here: how it ended, and what it said.
    pub fn setup(&self, repository: &Path) -> (Option<i32>, String) {
        let mut command = Command::new(repository.join("ci/setup"));
        command
            .env_clear()
            .env("PATH", std::env::join_paths(&self.path).unwrap())
            .env("HOME", self.root.join("home"))
            .env("TMPDIR", self.root.join("tmp"))
            // Building it takes more than these machines have.
            .env("DRYDOCK_PLSQL", self.root.join("plsql"))
            .env("DRYDOCK_SETUP_ROOT", &self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// The packages that apt-get was asked for.
    pub fn asked(&self) -> String {
        std::fs::read_to_string(self.root.join("asked")).unwrap_or_default().trim().replace('\n', " ")
    }
}
