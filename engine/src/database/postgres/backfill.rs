//! Data changes that can go in key ranges: found here, run elsewhere.

use pg_query::NodeEnum;

use super::names::Names;
use crate::changeset::Backfill;

pub(super) fn find(_tree: &NodeEnum, _names: &Names, _earlier: &[&str]) -> Option<Backfill> {
    None
}
