//! One call of the engine: the module says what it is, or runs a function.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

use dagger_sdk::{Json, Query};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client;
use crate::declare::{self, Function, Main, Object};
use crate::failure::{Failure, Result};
use crate::value::Arguments;

/// Where the SDK tells the module's name, as `dagger.json` has it.
const NAMED: &str = "DAGGER_MODULE_NAME";

type Called = Pin<Box<dyn Future<Output = Result<Value>> + Send>>;

struct Entry {
    name: &'static str,
    description: &'static str,
    constructor: Option<Function>,
    functions: Vec<Function>,
    construct: fn(Arguments, Query) -> Called,
    call: fn(Value, String, Arguments, Query) -> Called,
}

/// A module: its objects, the main one first.
pub struct Module {
    description: &'static str,
    objects: Vec<Entry>,
}

/// What the engine wants.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    name: String,
    parent_name: String,
    parent: Value,
    input_args: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    value: Value,
}

impl Module {
    /// A module whose main object is `T`.
    pub fn new<T: Object + DeserializeOwned + Send + Sync + 'static>(description: &'static str) -> Self {
        Self { description, objects: Vec::new() }.object::<T>()
    }

    /// Another object that functions give or take.
    #[must_use]
    pub fn object<T: Object + DeserializeOwned + Send + Sync + 'static>(mut self) -> Self {
        self.objects.push(Entry {
            name: T::NAME,
            description: T::DESCRIPTION,
            constructor: T::constructor(),
            functions: T::functions(),
            construct: |mut arguments, dag| Box::pin(async move { T::construct(&mut arguments, &dag).await }),
            call: |parent, name, mut arguments, dag| {
                Box::pin(async move {
                    let parent =
                        if parent.is_null() { Value::Object(serde_json::Map::new()) } else { parent };
                    let this: T = serde_json::from_value(parent)?;
                    this.call(&name, &mut arguments, &dag).await
                })
            },
        });
        self
    }

    /// Answers the engine's one question. What cannot be told to the engine goes to standard error.
    pub fn serve(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        };
        match runtime.block_on(self.answer()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("error: {failure}");
                ExitCode::FAILURE
            }
        }
    }

    async fn answer(&self) -> Result<()> {
        let dag = client::open()?;
        let call = current_call(&dag).await?;
        let worked = if call.parent_name.is_empty() {
            self.register(&dag).await
        } else {
            self.dispatch(call, &dag).await
        };
        match worked {
            Ok(value) => give(&dag, &value).await,
            Err(failure) => complain(&dag, &failure).await,
        }
    }

    /// What the SDK says the module is called; without its word the struct has to be called so.
    fn main(&self) -> Main {
        let own = self.objects.first().map_or("", |o| o.name);
        Main { own, module: std::env::var(NAMED).unwrap_or_else(|_| own.to_owned()) }
    }

    async fn register(&self, dag: &Query) -> Result<Value> {
        let mut module = dag.module().with_description(self.description);
        let main = self.main();
        for object in &self.objects {
            let (constructor, functions) = (object.constructor.as_ref(), &object.functions);
            let defined =
                declare::define(object.name, object.description, constructor, functions, dag, &main).await?;
            module = module.with_object(defined);
        }
        Ok(Value::String(module.id().await?.0))
    }

    async fn dispatch(&self, call: Call, dag: &Query) -> Result<Value> {
        let main = self.main();
        let entry = self.objects.iter().find(|o| same(main.known_as(o.name), &call.parent_name));
        let entry = entry.ok_or_else(|| Failure::new(format!("there is no object {}", call.parent_name)))?;
        let arguments: HashMap<_, _> = call.input_args.into_iter().map(|a| (a.name, a.value)).collect();
        // A panic is a failure like any other: the caller must hear of it.
        let arguments = Arguments(arguments);
        let called = if call.name.is_empty() {
            (entry.construct)(arguments, dag.clone())
        } else {
            (entry.call)(call.parent, call.name, arguments, dag.clone())
        };
        match tokio::spawn(called).await {
            Ok(worked) => worked,
            Err(join) => {
                let said = join.into_panic();
                let said = said
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| said.downcast_ref::<&str>().copied());
                Err(Failure::new(format!("the module panicked: {}", said.unwrap_or("for no reason given"))))
            }
        }
    }
}

/// The engine writes `Drydock` for what was declared as `dry-dock` or `DryDock`.
fn same(declared: &str, told: &str) -> bool {
    let letters = |name: &str| name.replace(['-', '_', '.', ' '], "").to_lowercase();
    letters(declared) == letters(told)
}

/// Everything about the call in one question. `Json` comes as text.
async fn current_call(dag: &Query) -> Result<Call> {
    let asked = dag
        .graphql_client
        .query("query{currentFunctionCall{name parentName parent inputArgs{name value}}}")
        .await?;
    let mut call = asked.and_then(|a| a.get("currentFunctionCall").cloned()).unwrap_or_default();
    let parse = |value: &mut Value| -> Result<()> {
        if let Some(text) = value.as_str() {
            *value = if text.is_empty() { Value::Null } else { serde_json::from_str(text)? };
        }
        Ok(())
    };
    if let Some(parent) = call.get_mut("parent") {
        parse(parent)?;
    }
    for input in call.get_mut("inputArgs").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(value) = input.get_mut("value") {
            parse(value)?;
        }
    }
    Ok(serde_json::from_value(call)?)
}

/// Both answers are `null`, which the client's own `return_value` and `return_error` cannot read.
async fn give(dag: &Query, value: &Value) -> Result<()> {
    let call = dag.current_function_call();
    let question = call.selection.select("returnValue").arg("value", Json(value.to_string()));
    question.execute::<Option<Value>>(dag.graphql_client.clone()).await?;
    Ok(())
}

async fn complain(dag: &Query, failure: &Failure) -> Result<()> {
    let mut error = dag.error(&failure.message);
    if let Some(exit) = &failure.exit {
        // What the command line takes its own exit code from.
        let values = [
            ("_type", Value::from("EXEC_ERROR")),
            ("cmd", Value::from(exit.command.clone())),
            ("exitCode", Value::from(exit.code)),
            ("stdout", Value::from(exit.stdout.clone())),
            ("stderr", Value::from(exit.stderr.clone())),
        ];
        for (name, value) in values {
            error = error.with_value(name, Json(value.to_string()));
        }
    }
    let id = error.id().await?;
    let call = dag.current_function_call();
    let question = call.selection.select("returnError").arg("error", id);
    question.execute::<Option<Value>>(dag.graphql_client.clone()).await?;
    Ok(())
}
