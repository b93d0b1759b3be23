//! Stand-in.

use crate::database::{Catalog, ParameterRole};
use crate::error::{Error, Result};

pub fn parameter_roles(_: &str, _: &Catalog) -> Result<Vec<ParameterRole>> {
    Err(Error::failed("not here yet"))
}
