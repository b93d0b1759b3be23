//! What a module says of itself, and how it becomes the engine's type definitions.

use std::future::Future;

use dagger_sdk::{
    Function as SdkFunction, FunctionCachePolicy, FunctionWithArgOpts, FunctionWithCachePolicyOpts, Id, Json,
    Query, TypeDef, TypeDefKind, TypeDefWithObjectOpts,
};
use serde::Serialize;

use crate::failure::Result;
use crate::value::Arguments;

/// The type of an argument or result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    Boolean,
    Integer,
    Float,
    Void,
    /// An object of the engine or of this module.
    Object(&'static str),
    List(Box<Kind>),
    Optional(Box<Kind>),
}

/// How long the engine keeps the result of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cache {
    /// The engine's own: seven days.
    #[default]
    Default,
    Never,
    Session,
    /// A time to live, e.g. `5m`.
    For(&'static str),
}

#[derive(Debug, Clone)]
pub struct Argument {
    pub name: &'static str,
    pub description: &'static str,
    pub kind: Kind,
    pub default: Option<String>,
    pub default_path: Option<&'static str>,
    pub ignore: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub struct Function {
    pub name: &'static str,
    pub description: &'static str,
    pub arguments: Vec<Argument>,
    pub result: Kind,
    pub cache: Cache,
    pub check: bool,
}

/// An object of a module; `#[object]` implements it.
pub trait Object: Sized {
    const NAME: &'static str;
    const DESCRIPTION: &'static str;

    fn functions() -> Vec<Function>;

    /// Without one the object begins as its `Default`.
    fn constructor() -> Option<Function> {
        None
    }

    fn construct(_: &mut Arguments, _: &Query) -> impl Future<Output = Result<serde_json::Value>> + Send {
        std::future::ready(Ok(serde_json::Value::Object(serde_json::Map::new())))
    }

    fn call(
        &self,
        name: &str,
        arguments: &mut Arguments,
        dag: &Query,
    ) -> impl Future<Output = Result<serde_json::Value>> + Send;
}

/// A default as the engine wants it.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// The main object: the engine knows it by the module's name, whatever its struct is called.
#[derive(Debug, Clone)]
pub(crate) struct Main {
    pub own: &'static str,
    pub module: String,
}

impl Main {
    pub fn known_as<'a>(&'a self, object: &'a str) -> &'a str {
        if object == self.own { &self.module } else { object }
    }
}

impl Kind {
    pub(crate) fn define(&self, dag: &Query, main: &Main) -> TypeDef {
        let plain = |kind| dag.type_def().with_kind(kind);
        match self {
            Kind::Text => plain(TypeDefKind::StringKind),
            Kind::Boolean => plain(TypeDefKind::BooleanKind),
            Kind::Integer => plain(TypeDefKind::IntegerKind),
            Kind::Float => plain(TypeDefKind::FloatKind),
            Kind::Void => plain(TypeDefKind::VoidKind).with_optional(true),
            Kind::Object(name) => dag.type_def().with_object(main.known_as(name)),
            Kind::List(of) => dag.type_def().with_list_of(of.define(dag, main)),
            Kind::Optional(of) => of.define(dag, main).with_optional(true),
        }
    }
}

impl Function {
    /// Ids are resolved one by one: one that failed inside an argument would end the process.
    async fn define(&self, dag: &Query, main: &Main) -> Result<SdkFunction> {
        let result: Id = self.result.define(dag, main).id().await?;
        let mut function = dag.function(self.name, result).with_description(self.description);
        for argument in &self.arguments {
            let kind = match (&argument.default, &argument.default_path) {
                (None, None) => argument.kind.clone(),
                _ => Kind::Optional(Box::new(argument.kind.clone())),
            };
            let options = FunctionWithArgOpts {
                default_address: None,
                default_path: argument.default_path,
                default_value: argument.default.clone().map(Json),
                deprecated: None,
                description: Some(argument.description),
                ignore: (!argument.ignore.is_empty()).then(|| argument.ignore.clone()),
                source_map: None,
            };
            function = function.with_arg_opts(argument.name, kind.define(dag, main).id().await?, options);
        }
        if self.check {
            function = function.with_check();
        }
        Ok(match self.cache {
            Cache::Default => function,
            Cache::Never => function.with_cache_policy(FunctionCachePolicy::Never),
            Cache::Session => function.with_cache_policy(FunctionCachePolicy::PerSession),
            Cache::For(time) => function.with_cache_policy_opts(
                FunctionCachePolicy::Default,
                FunctionWithCachePolicyOpts { time_to_live: Some(time) },
            ),
        })
    }
}

/// The type definition of an object with all its functions.
pub(crate) async fn define(
    name: &str,
    description: &str,
    constructor: Option<&Function>,
    functions: &[Function],
    dag: &Query,
    main: &Main,
) -> Result<Id> {
    let options =
        TypeDefWithObjectOpts { deprecated: None, description: Some(description), source_map: None };
    let mut object = dag.type_def().with_object_opts(main.known_as(name), options);
    if let Some(constructor) = constructor {
        object = object.with_constructor(constructor.define(dag, main).await?.id().await?);
    }
    for function in functions {
        object = object.with_function(function.define(dag, main).await?.id().await?);
    }
    Ok(object.id().await?)
}
