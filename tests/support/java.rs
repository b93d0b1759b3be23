//! The JVMs that the commands of all tests share: see `java/bin/java`.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::{Home, repository};

struct Jvms {
    home: Home,
    java: Option<PathBuf>,
    /// The JVMs end when nobody holds this open any more.
    _life: File,
}

static JVMS: LazyLock<Jvms> = LazyLock::new(|| {
    let home = Home::new("jvms");
    let life = home.folder.join("life");
    nix::unistd::mkfifo(&life, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let java = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let java = java.or_else(|| which::which("java").ok());
    let life = File::options().read(true).write(true).open(life).unwrap();
    Jvms { home, java, _life: life }
});

/// Has a command of Drydock use them.
pub fn share(command: &mut Command) {
    let Jvms { home, java, .. } = &*JVMS;
    // Without Java the command says so itself.
    let Some(java) = java else { return };
    command
        .env("JAVA_HOME", repository().join("tests/support/java"))
        .env("DRYDOCK_TEST_JAVA", java)
        .env(
            "DRYDOCK_TEST_JARS",
            repository().join("target/liquibase/lib").canonicalize().unwrap_or_default(),
        )
        .env("DRYDOCK_TEST_JVMS", &home.folder);
}
