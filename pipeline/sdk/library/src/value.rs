//! Arguments and results, between Rust and the engine's JSON.

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;

use dagger_sdk::loadable::Loadable;
use dagger_sdk::{Id, Node, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::declare::{Argument, Kind};
use crate::failure::{Failure, Result};

/// Something that a function takes.
pub trait Value: Sized {
    fn kind() -> Kind;
    fn read(json: Json, dag: &Query) -> Result<Self>;
}

/// Something that a function gives.
pub trait Answer: Sized {
    fn kind() -> Kind;
    fn answer(self) -> impl Future<Output = Result<Json>> + Send;
}

/// Arguments that several functions take; `#[derive(Group)]` implements it.
pub trait Group: Sized {
    fn arguments() -> Vec<Argument>;
    fn read(arguments: &mut Arguments, dag: &Query) -> impl Future<Output = Result<Self>> + Send;
}

/// The arguments of one call.
#[derive(Debug, Default)]
pub struct Arguments(pub(crate) HashMap<String, Json>);

impl Arguments {
    /// # Errors
    /// When it is missing or of another type.
    pub async fn take<T: Value>(&mut self, name: &str, dag: &Query) -> Result<T> {
        let json = self.0.remove(name).unwrap_or(Json::Null);
        T::read(json, dag).map_err(|e| Failure::new(format!("argument {name}: {e}")))
    }
}

macro_rules! plain {
    ($($type:ty => $kind:ident),*) => {$(
        impl Value for $type {
            fn kind() -> Kind { Kind::$kind }
            fn read(json: Json, _: &Query) -> Result<Self> { Ok(serde_json::from_value(json)?) }
        }
        impl Answer for $type {
            fn kind() -> Kind { Kind::$kind }
            async fn answer(self) -> Result<Json> { Ok(serde_json::to_value(self)?) }
        }
    )*};
}
plain!(String => Text, bool => Boolean, i64 => Integer, f64 => Float);

macro_rules! objects {
    ($($type:ident),*) => {$(
        impl Value for dagger_sdk::$type {
            fn kind() -> Kind { Kind::Object(stringify!($type)) }
            fn read(json: Json, dag: &Query) -> Result<Self> { load(json, dag) }
        }
        impl Answer for dagger_sdk::$type {
            fn kind() -> Kind { Kind::Object(stringify!($type)) }
            async fn answer(self) -> Result<Json> { Ok(Json::String(self.id().await?.0)) }
        }
    )*};
}
objects!(CacheVolume, Container, Directory, File, GitRef, GitRepository, Secret, Service, Socket);

fn load<T: Loadable>(json: Json, dag: &Query) -> Result<T> {
    let id: String = serde_json::from_value(json)?;
    Ok(dag.r#ref(Id(id)))
}

impl<T: Value> Value for Option<T> {
    fn kind() -> Kind {
        Kind::Optional(Box::new(T::kind()))
    }
    fn read(json: Json, dag: &Query) -> Result<Self> {
        if json.is_null() { Ok(None) } else { T::read(json, dag).map(Some) }
    }
}

impl<T: Value> Value for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn read(json: Json, dag: &Query) -> Result<Self> {
        let list: Vec<Json> = serde_json::from_value(json)?;
        list.into_iter().map(|j| T::read(j, dag)).collect()
    }
}

impl<T: Answer + Send> Answer for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    async fn answer(self) -> Result<Json> {
        let mut list = Vec::new();
        for item in self {
            list.push(item.answer().await?);
        }
        Ok(Json::Array(list))
    }
}

impl Answer for () {
    fn kind() -> Kind {
        Kind::Void
    }
    async fn answer(self) -> Result<Json> {
        Ok(Json::Null)
    }
}

impl<T: Answer + Send, E: Into<Failure> + Send> Answer for Result<T, E> {
    fn kind() -> Kind {
        T::kind()
    }
    async fn answer(self) -> Result<Json> {
        match self {
            Ok(value) => value.answer().await,
            Err(error) => Err(error.into()),
        }
    }
}

/// An object of the engine as part of an object's state, which is kept as JSON between calls. As an argument it is what its
/// object is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Held<T> {
    id: String,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T: Loadable + Node> Held<T> {
    /// # Errors
    /// When the object cannot be made.
    pub async fn of(object: &T) -> Result<Self> {
        Ok(Self { id: object.id().await?.0, of: PhantomData })
    }

    /// # Errors
    /// When the object cannot be made.
    pub async fn of_option(object: Option<&T>) -> Result<Option<Self>> {
        match object {
            Some(object) => Self::of(object).await.map(Some),
            None => Ok(None),
        }
    }

    pub fn get(&self, dag: &Query) -> T {
        dag.r#ref(Id(self.id.clone()))
    }
}

impl<T: Value> Value for Held<T> {
    fn kind() -> Kind {
        T::kind()
    }
    fn read(json: Json, _: &Query) -> Result<Self> {
        Ok(Self { id: serde_json::from_value(json)?, of: PhantomData })
    }
}
