use dagger_module::sdk::{Directory, Query};
use dagger_module::{Module, Result, object};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
pub struct Greeter {}

/// Says and finds things
#[object]
impl Greeter {
    /// Says something by way of a container
    pub async fn echo(
        &self,
        dag: &Query,
        /// What is said
        #[argument(default = "hello")]
        text: String,
    ) -> Result<String> {
        let container = dag.container().from("debian:bookworm-slim");
        Ok(container.with_exec(vec!["echo".to_owned(), text]).stdout().await?)
    }

    /// Finds a word in the files of a folder
    pub async fn grep(
        &self,
        dag: &Query,
        /// Folder to look in
        directory: Directory,
        /// Word to look for
        word: String,
    ) -> Result<String> {
        let container = dag.container().from("debian:bookworm-slim").with_mounted_directory("/mnt", directory.id().await?);
        Ok(container.with_exec(vec!["grep".to_owned(), "-R".to_owned(), word, "/mnt".to_owned()]).stdout().await?)
    }
}

fn main() -> std::process::ExitCode {
    Module::new::<Greeter>("A module to begin with").serve()
}
