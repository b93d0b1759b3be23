//! The Dagger module `drydock`.

mod begin;
mod functions;
mod image;
mod production;
mod run;
mod settings;

use dagger_module::Module;

fn main() -> std::process::ExitCode {
    Module::new::<functions::Drydock>(
        "Changes the schema of a shared database without anyone noticing, and takes it back",
    )
    .object::<run::Run>()
    .serve()
}
