//! Oracle Cloud Infrastructure's REST API, as far as Drydock asks it.
//!
//! No library fits: those that there are have no database calls or sign too little. What is asked is some twenty calls, so this is a
//! client of our own over `reqwest`. `signature.rs` is held against signatures of Oracle's own SDK (`vectors/`). Services are the
//! files that end the list: each call is one function, its answer a type.
//!
//! Source: <https://docs.oracle.com/en-us/iaas/api/>, and for what that leaves open, the Python SDK.

mod access;
mod client;
mod config_file;
pub mod database;
mod endpoint;
mod failure;
mod http;
mod key;
pub mod object_storage;
mod pace;
mod principals;
pub mod resource_manager;
mod retry;
mod signature;
mod token;
pub mod work_request;

pub use access::Access;
pub use client::{Client, Tagged, retry_token};
pub use endpoint::region_of;
pub use failure::{Failure, of_text};
pub use pace::{Looks, Pace};

#[cfg(test)]
mod by_hand_tests;
#[cfg(test)]
#[path = "../../tests/support/oci.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code)]
pub(crate) mod fake;
#[cfg(test)]
pub(crate) mod testing;
