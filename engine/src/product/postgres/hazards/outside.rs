//! Statements that reach outside of the database: programs and files of the server's machine, other servers.

use pg_query::NodeEnum;

use crate::model::schema_action::Outside;
use crate::product::postgres::grammar::sql;

/// Functions that read or write files of the server
/// (<https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-GENFILE>, large objects, adminpack).
const FILES: &[&str] = &[
    "lo_export",
    "lo_import",
    "pg_file_rename",
    "pg_file_unlink",
    "pg_file_write",
    "pg_read_binary_file",
    "pg_read_file",
];
/// Functions of dblink that connect by a text.
const CONNECT: &[&str] =
    &["dblink", "dblink_connect", "dblink_connect_u", "dblink_exec", "dblink_open", "dblink_send_query"];

pub fn reached(tree: &NodeEnum) -> Option<Outside> {
    match tree {
        NodeEnum::CopyStmt(copy) if copy.is_program => Some(Outside::Program),
        NodeEnum::CopyStmt(copy) if !copy.filename.is_empty() => Some(Outside::ServerFile),
        // They connect at once, and make a slot or read definitions there.
        NodeEnum::CreateSubscriptionStmt(_)
        | NodeEnum::AlterSubscriptionStmt(_)
        | NodeEnum::DropSubscriptionStmt(_)
        | NodeEnum::ImportForeignSchemaStmt(_) => Some(Outside::OtherServer),
        // What a routine or view is made of is not run yet.
        NodeEnum::InsertStmt(_)
        | NodeEnum::UpdateStmt(_)
        | NodeEnum::DeleteStmt(_)
        | NodeEnum::MergeStmt(_)
        | NodeEnum::SelectStmt(_)
        | NodeEnum::CopyStmt(_)
        | NodeEnum::CreateTableAsStmt(_) => {
            let called = sql::functions(tree);
            let calls = |names: &[&str]| called.iter().any(|f| names.contains(&f.as_str()));
            match () {
                () if calls(CONNECT) => Some(Outside::OtherServer),
                () if calls(FILES) => Some(Outside::ServerFile),
                () => None,
            }
        }
        _ => None,
    }
}
