//! The Dagger module `drydock`.

mod container;
mod functions;

use dagger_module::Module;

fn main() -> std::process::ExitCode {
    Module::new::<functions::Drydock>(
        "Changes the schema of a shared database without anyone noticing, and takes it back",
    )
    .serve()
}
