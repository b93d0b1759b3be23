//! Storage parameters of a table: the lock they are changed under, and what they switch off.

use pg_query::NodeEnum;
use pg_query::protobuf::Node;

use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::hazards::dml;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};

/// Storage parameters that change under SHARE UPDATE EXCLUSIVE (manual, CREATE TABLE, storage parameters).
const LIGHT: &[&str] =
    &["fillfactor", "toast_tuple_target", "parallel_workers", "vacuum_index_cleanup", "vacuum_truncate"];

/// The lock that ALTER TABLE … SET (…) and RESET (…) take.
pub fn lock(options: &[Node]) -> Lock {
    let light = |name: &str| {
        name.starts_with("autovacuum_") || name.starts_with("log_autovacuum") || LIGHT.contains(&name)
    };
    let heavy = options.iter().any(|n| match n.node.as_ref() {
        Some(NodeEnum::DefElem(option)) => !light(&option.defname),
        _ => false,
    });
    if heavy { Lock::AccessExclusive } else { Lock::ShareUpdateExclusive }
}

/// The same for ALTER TABLE and CREATE TABLE.
pub fn look(options: &[Node], table: &str, names: &Names, s: &mut StatementBuilder) {
    if dml::named(options, "autovacuum_enabled") && !dml::option(options, "autovacuum_enabled") {
        s.remark(names, &hazards::AUTOVACUUM_OFF, table, "");
    }
}
