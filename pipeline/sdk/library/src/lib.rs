//! Dagger modules in Rust: functions are declared once, with their documentation, defaults and cache policy.
//!
//! ```no_run
//! use dagger_module::{Module, Result, object, sdk::{Directory, Query}};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! pub struct Hello {}
//!
//! /// Greets people
//! #[object]
//! impl Hello {
//!     /// Says hello
//!     pub async fn greet(
//!         &self,
//!         dag: &Query,
//!         /// Whom to greet
//!         #[argument(default = "world")]
//!         name: String,
//!     ) -> Result<String> {
//!         Ok(dag.container().from("debian:bookworm-slim").with_exec(vec!["echo".to_owned(), format!("hello {name}")]).stdout().await?)
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     Module::new::<Hello>("Greets people").serve()
//! }
//! ```

mod client;
mod declare;
mod failure;
mod serve;
mod value;

pub use dagger_module_macros::{Group, object};
pub use dagger_sdk as sdk;
pub use declare::{Argument, Cache, Function, Kind, Object, json};
pub use failure::{Exit, Failure, Result};
pub use serde_json;
pub use serve::Module;
pub use value::{Answer, Arguments, Group, Held, Value};
