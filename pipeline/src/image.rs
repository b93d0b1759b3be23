//! The image that stages run in. What changes rarely comes first, so that a change in a changelog rebuilds nothing.

use dagger_module::Result;
use dagger_module::sdk::{Container, Directory, File, Query};

const BUILD: &str = "rust:1.95-slim-bookworm";
/// Checkouts share one target volume, and cargo tells by times of files what has changed. A checkout whose files are older than the
/// last build of another one would get that one's command, so every file is made new, and one build waits for the other.
const INSTALL: &str =
    "find /src -type f -exec touch {} + && cargo install --locked --path engine --root /out --no-track";
const RUN: &str = "debian:bookworm-slim";

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn install(container: Container, packages: &str) -> Container {
    let script = format!(
        "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends {packages} \
         >/dev/null && rm -rf /var/lib/apt/lists/*"
    );
    container.with_exec(vec!["sh".to_owned(), "-c".to_owned(), script])
}

/// The command, built from this workspace.
async fn engine(dag: &Query, workspace: &Directory) -> Result<File> {
    let registry = dag.cache_volume("drydock-cargo-registry").id().await?;
    let target = dag.cache_volume("drydock-cargo-target").id().await?;
    // It has a C compiler for the SQL parser.
    let built = dag
        .container()
        .from(BUILD)
        .with_mounted_cache("/usr/local/cargo/registry", registry)
        .with_mounted_cache("/target", target)
        .with_env_variable("CARGO_TARGET_DIR", "/target")
        .with_mounted_directory("/src", workspace.id().await?)
        .with_workdir("/src")
        .with_exec(["flock", "/target/building", "sh", "-c", INSTALL].map(str::to_owned).to_vec());
    Ok(built.file("/out/bin/drydock"))
}

/// Liquibase and its drivers, as the workspace names them.
async fn liquibase(dag: &Query, workspace: &Directory) -> Result<Directory> {
    let repository = dag.cache_volume("drydock-maven").id().await?;
    let pom = workspace.file("ci/liquibase/pom.xml").id().await?;
    Ok(install(dag.container().from(RUN), "ca-certificates maven")
        .with_mounted_cache("/root/.m2", repository)
        .with_mounted_file("/pom.xml", pom)
        .with_exec(words(
            "mvn -q -B -f /pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=/lib-liquibase",
        ))
        .directory("/lib-liquibase"))
}

/// Everything a stage needs: the server's programs, a Java runtime, Liquibase, the command.
pub async fn build(dag: &Query, workspace: &Directory) -> Result<Container> {
    let liquibase = liquibase(dag, workspace).await?.id().await?;
    let engine = engine(dag, workspace).await?.id().await?;
    Ok(install(dag.container().from(RUN), "ca-certificates git postgresql default-jre-headless")
        .with_directory("/opt/liquibase/lib", liquibase)
        .with_env_variable("DRYDOCK_LIQUIBASE", "/opt/liquibase/lib")
        .with_file("/usr/local/bin/drydock", engine)
        .with_entrypoint(vec!["drydock"]))
}
