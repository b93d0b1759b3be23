//! What the engine asks of `drydock-oracle-session`, and what that answers: one line of JSON each, over standard input and output.
//!
//! The session takes one request after the other and answers each once. It ends by itself when its standard input does, when a request takes
//! longer than its limit and grace, and when the driver panics.

mod answer;
mod bind;
mod column_type;
mod first_word;
mod request;

pub use answer::{Answer, Column, Connected, Executed, Failure, FailureKind, Outcome, Reason, Rows, Warning};
pub use bind::{Bind, BindType};
pub use column_type::{ColumnFacts, type_name};
pub use first_word::{first_word, is_query_or_dml};
pub use request::{Application, Ask, Connect, Execute, Password, Query, Request};

/// The code of what stored code that does not compile says: it is stored all the same.
pub const COMPILED_WITH_ERRORS: &str = "ORA-24344";
