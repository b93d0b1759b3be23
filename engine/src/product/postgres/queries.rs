//! What a query reads, writes and takes, by its syntax tree and the catalog.

pub mod body_names;
pub mod column_types;
pub mod node_tree;
mod operands;
pub mod parameters;
mod read_only;
pub mod reads;
pub mod references;
pub mod resolved;
pub mod uses;
pub mod value_texts;
pub mod writes;
