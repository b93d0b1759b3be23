//! What a query reads, writes and takes, by its syntax tree and the catalog.

pub mod column_types;
mod operands;
pub mod parameters;
mod read_only;
pub mod reads;
pub mod references;
pub mod uses;
pub mod value_texts;
pub mod writes;
