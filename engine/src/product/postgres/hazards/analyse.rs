//! What a changeset's SQL is: its statements with kind, phase, hazards, locks and the relations they touch.
//! Pure: it reads the grammar's tree and the catalog, and asks no server.

use pg_query::NodeEnum;
use pg_query::protobuf::{self, ObjectType};

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::changeset::{Phase, Statement};
use crate::model::schema_action::{ObjectKind, SchemaAction};
use crate::product::postgres::diff::names::words_in_strings;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql::{self, Parsed};
use crate::product::postgres::grammar::{pending_indexes, relations};
use crate::product::postgres::hazards::outside;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::{self, Lock};
use crate::product::postgres::hazards::{
    alter, backfill, create, cross_statement, dml, drops, dynamic_sql, squawk,
};
use crate::product::postgres::queries::uses;

/// Reads the texts of a changeset in order, each one or more statements; later ones see what earlier ones made.
///
/// # Errors
/// `Input` with line and column when the grammar does not take it.
pub fn analyse(sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>> {
    let mut parsed: Vec<Parsed> = Vec::new();
    for text in sql {
        parsed.extend(sql::parse(text)?);
    }
    let mut names = Names::new(catalog);
    names.foresee(&parsed);
    let mut statements: Vec<Statement> = Vec::new();
    for (at, one) in parsed.iter().enumerate() {
        let rest = parsed.get(at + 1..).unwrap_or_default();
        let mut builder = read(one, &mut names, rest);
        if let Some(tree) = &one.tree {
            if builder.backfill.is_none() {
                let earlier: Vec<&str> =
                    statements.iter().flat_map(|s| s.touches.iter().map(String::as_str)).collect();
                builder.backfill = backfill::find(tree, &names, &earlier);
                dml::weigh(tree, &names, &mut builder);
            }
            squawk::lint(&one.text, tree).into_iter().for_each(|hazard| builder.found(hazard));
        }
        for long in sql::cut_names(&one.text) {
            builder.warn(&names, &hazards::NAME_CUT, &long);
        }
        let statement = builder.finish(&names, one.text.clone());
        statement.actions.iter().for_each(|action| names.done(action));
        statements.push(statement);
    }
    cross_statement::look(&mut statements, &parsed, &names);
    Ok(statements)
}

/// The indexes that these texts make; one that cannot be read is reported where it is analysed.
pub fn pending_indexes(sql: &[String], catalog: &Catalog) -> pending_indexes::Indexes {
    let parsed: Vec<Parsed> = sql.iter().flat_map(|text| sql::parse(text).unwrap_or_default()).collect();
    pending_indexes::indexes(&parsed, &Names::new(catalog))
}

/// `rest`: the statements after this one, to see what is only replaced.
fn read(one: &Parsed, names: &mut Names, rest: &[Parsed]) -> StatementBuilder {
    match &one.tree {
        Some(tree) => statement(tree, &one.text, names, rest),
        None => {
            let mut builder = by_words(&one.text);
            builder.act(SchemaAction::RunsCode);
            builder.warn(names, &hazards::TOO_DEEP, "");
            builder
        }
    }
}

/// A statement without a tree, as far as its first words tell.
fn by_words(text: &str) -> StatementBuilder {
    let mut builder = StatementBuilder::new(leading_words(text));
    builder.phase(match builder.kind.split(' ').next() {
        Some("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "SELECT" | "WITH") => Phase::Migrate,
        Some("CREATE") => Phase::Expand,
        _ => Phase::Contract,
    });
    builder
}

/// A statement that the grammar does not take: its first words and the relations that it names are known.
pub fn unread(text: &str, catalog: &Catalog) -> Statement {
    let names = Names::new(catalog);
    let mut builder = by_words(text);
    // Who defines something runs nothing of services' with it.
    if !["ALTER", "CREATE", "DROP", "GRANT", "REVOKE", "COMMENT"].iter().any(|w| builder.kind.starts_with(w))
    {
        builder.act(SchemaAction::RunsCode);
    }
    for relation in uses::relations_named(&words_in_strings(text).into_iter().collect(), catalog) {
        builder.touch(relation);
    }
    builder.warn(&names, &hazards::UNREAD, "");
    builder.finish(&names, text.trim().to_owned())
}

pub(in crate::product::postgres) fn statement(
    tree: &NodeEnum,
    text: &str,
    names: &mut Names,
    rest: &[Parsed],
) -> StatementBuilder {
    let mut s = StatementBuilder::new(kind(tree).map_or_else(|| leading_words(text), str::to_string));
    if let Some(to) = outside::reached(tree) {
        s.act(SchemaAction::ReachesOut { to });
    }
    match tree {
        NodeEnum::AlterTableStmt(alter) => alter::table(alter, names, &mut s),
        NodeEnum::RenameStmt(rename) => alter::rename(rename, names, &mut s),
        NodeEnum::AlterObjectSchemaStmt(move_) => alter::set_schema(move_, names, &mut s),
        NodeEnum::AlterOwnerStmt(owner) => alter::owner(owner, names, &mut s),
        NodeEnum::AlterEnumStmt(change) => alter::enumeration(change, names, &mut s),
        NodeEnum::AlterDomainStmt(change) => alter::domain(change, names, &mut s),
        NodeEnum::AlterSeqStmt(change) => {
            if let Some(sequence) = &change.sequence {
                s.touch(names.range(sequence));
            }
            if dml::named(&change.options, "restart") {
                s.act(SchemaAction::RestartSequence);
            }
        }

        NodeEnum::CreateStmt(table) => create::table(table, names, &mut s),
        NodeEnum::CreateForeignTableStmt(foreign) => {
            if let Some(table) = &foreign.base_stmt {
                create::table(table, names, &mut s);
            }
        }
        NodeEnum::CreateTableAsStmt(create) => create::table_as(create, names, &mut s),
        NodeEnum::ViewStmt(view) => create::view(view, names, &mut s),
        NodeEnum::IndexStmt(index) => create::index(index, names, &mut s),
        NodeEnum::CreateTrigStmt(trigger) => create::trigger(trigger, names, &mut s),
        NodeEnum::RuleStmt(rule) => create::rule(rule, names, &mut s),
        NodeEnum::CreatePolicyStmt(policy) => create::policy(policy, names, &mut s),
        NodeEnum::CreateSeqStmt(_)
        | NodeEnum::CreateEnumStmt(_)
        | NodeEnum::CompositeTypeStmt(_)
        | NodeEnum::CreateDomainStmt(_)
        | NodeEnum::CreateRangeStmt(_)
        | NodeEnum::CreateFunctionStmt(_)
        | NodeEnum::CreateStatsStmt(_)
        | NodeEnum::CreateSchemaStmt(_) => create::other(tree, names, &mut s),
        NodeEnum::AlterExtensionStmt(extension) => s.warn(names, &hazards::EXTENSION, &extension.extname),

        NodeEnum::DropStmt(drop) => drops::objects(drop, names, &mut s, rest),
        NodeEnum::TruncateStmt(truncate) => drops::truncate(truncate, names, &mut s),
        NodeEnum::DropOwnedStmt(_) => {
            // Whatever that is: only the server knows.
            s.act(SchemaAction::RunsCode);
            s.phase(Phase::Contract);
        }
        NodeEnum::DropUserMappingStmt(_) => s.phase(Phase::Contract),

        NodeEnum::InsertStmt(_)
        | NodeEnum::UpdateStmt(_)
        | NodeEnum::DeleteStmt(_)
        | NodeEnum::MergeStmt(_)
        | NodeEnum::CopyStmt(_)
        | NodeEnum::SelectStmt(_)
        | NodeEnum::CallStmt(_)
        | NodeEnum::DoStmt(_)
        | NodeEnum::ExplainStmt(_)
        | NodeEnum::PrepareStmt(_)
        | NodeEnum::ExecuteStmt(_) => dml::data(tree, text, names, &mut s),
        NodeEnum::RefreshMatViewStmt(refresh) => dml::refresh(refresh, names, &mut s),
        NodeEnum::VacuumStmt(vacuum) => dml::vacuum(vacuum, names, &mut s),
        NodeEnum::ClusterStmt(cluster) => dml::cluster(cluster, names, &mut s),
        NodeEnum::ReindexStmt(reindex) => dml::reindex(reindex, names, &mut s),
        NodeEnum::LockStmt(lock) => dml::lock(lock, names, &mut s),

        NodeEnum::GrantStmt(grant) => {
            let relations: Vec<String> = relations::of_tree(tree, names).into_iter().collect();
            relations.iter().for_each(|name| s.touch(name));
            if grant.is_grant {
                s.act(SchemaAction::Grant { relations });
            } else {
                s.act(SchemaAction::Revoke { relations });
                s.phase(Phase::Contract);
                s.warn(names, &hazards::RIGHTS, "");
            }
        }
        NodeEnum::GrantRoleStmt(grant) if !grant.is_grant => {
            s.act(SchemaAction::Revoke { relations: Vec::new() });
            s.phase(Phase::Contract);
            s.warn(names, &hazards::RIGHTS, "");
        }
        NodeEnum::CommentStmt(comment) => alter::comment(comment, names, &mut s),
        NodeEnum::VariableSetStmt(set) => {
            if set.name == "search_path" {
                names.set_path(set.args.iter().filter_map(sql::literal).collect());
            }
        }
        NodeEnum::TransactionStmt(transaction) => {
            use protobuf::TransactionStmtKind as T;
            if !matches!(
                transaction.kind(),
                T::TransStmtSavepoint | T::TransStmtRelease | T::TransStmtRollbackTo
            ) {
                let what = s.kind.clone();
                s.warn(names, &hazards::TRANSACTION_CONTROL, &what);
            }
        }
        NodeEnum::AlterPolicyStmt(policy) => {
            if let Some(range) = &policy.table {
                let table = names.range(range);
                s.lock(names, &table, Lock::AccessExclusive);
                s.contract(names, &table);
            }
        }
        NodeEnum::AlterSystemStmt(_)
        | NodeEnum::CreatedbStmt(_)
        | NodeEnum::DropdbStmt(_)
        | NodeEnum::CreateTableSpaceStmt(_)
        | NodeEnum::DropTableSpaceStmt(_)
        | NodeEnum::AlterDatabaseStmt(_)
        | NodeEnum::AlterDatabaseSetStmt(_)
        | NodeEnum::AlterRoleStmt(_)
        | NodeEnum::AlterRoleSetStmt(_)
        | NodeEnum::CreateRoleStmt(_)
        | NodeEnum::DropRoleStmt(_) => {
            s.act(SchemaAction::Server);
            if let NodeEnum::DropRoleStmt(drop) = tree {
                drop_roles(drop, &mut s);
            }
            let what = s.kind.clone();
            s.warn(names, &hazards::INSTANCE_WIDE, &what);
            if what.starts_with("DROP") {
                s.phase(Phase::Contract);
            }
        }
        _ => {
            for name in relations::of_tree(tree, names) {
                s.touch(name);
            }
        }
    }
    if matches!(tree, NodeEnum::CreateFunctionStmt(_) | NodeEnum::DoStmt(_)) {
        dynamic_sql::look(text, names, &mut s);
    }
    s
}

fn drop_roles(drop: &protobuf::DropRoleStmt, s: &mut StatementBuilder) {
    for role in &drop.roles {
        if let Some(NodeEnum::RoleSpec(role)) = &role.node {
            s.act(SchemaAction::DropObject { kind: ObjectKind::Role, name: role.rolename.clone() });
        }
    }
}

/// The kind where the first words do not tell it.
fn kind(tree: &NodeEnum) -> Option<&'static str> {
    Some(match tree {
        NodeEnum::AlterTableStmt(a) => match a.objtype() {
            ObjectType::ObjectIndex => "ALTER INDEX",
            ObjectType::ObjectView => "ALTER VIEW",
            ObjectType::ObjectSequence => "ALTER SEQUENCE",
            ObjectType::ObjectMatview => "ALTER MATERIALIZED VIEW",
            ObjectType::ObjectForeignTable => "ALTER FOREIGN TABLE",
            ObjectType::ObjectType => "ALTER TYPE",
            _ => "ALTER TABLE",
        },
        NodeEnum::IndexStmt(i) if i.concurrent => "CREATE INDEX CONCURRENTLY",
        NodeEnum::IndexStmt(_) => "CREATE INDEX",
        NodeEnum::DropStmt(d) if d.concurrent => "DROP INDEX CONCURRENTLY",
        NodeEnum::InsertStmt(_) => "INSERT",
        NodeEnum::UpdateStmt(_) => "UPDATE",
        NodeEnum::DeleteStmt(_) => "DELETE",
        NodeEnum::MergeStmt(_) => "MERGE",
        NodeEnum::SelectStmt(s) if s.into_clause.is_some() => "SELECT INTO",
        NodeEnum::SelectStmt(_) => "SELECT",
        NodeEnum::CopyStmt(_) => "COPY",
        NodeEnum::DoStmt(_) => "DO",
        NodeEnum::TruncateStmt(_) => "TRUNCATE",
        NodeEnum::CommentStmt(_) => "COMMENT ON",
        NodeEnum::LockStmt(_) => "LOCK TABLE",
        NodeEnum::GrantStmt(g) if g.is_grant => "GRANT",
        NodeEnum::GrantStmt(_) => "REVOKE",
        NodeEnum::CreateTrigStmt(_) => "CREATE TRIGGER",
        NodeEnum::CreateStmt(_) => "CREATE TABLE",
        NodeEnum::CreateTableAsStmt(c) if c.objtype() == ObjectType::ObjectMatview => {
            "CREATE MATERIALIZED VIEW"
        }
        NodeEnum::CreateTableAsStmt(_) => "CREATE TABLE AS",
        NodeEnum::ViewStmt(_) => "CREATE VIEW",
        NodeEnum::RefreshMatViewStmt(r) if r.concurrent => "REFRESH MATERIALIZED VIEW CONCURRENTLY",
        NodeEnum::RefreshMatViewStmt(_) => "REFRESH MATERIALIZED VIEW",
        NodeEnum::ReindexStmt(r) if dml::option(&r.params, "concurrently") => "REINDEX CONCURRENTLY",
        NodeEnum::ReindexStmt(_) => "REINDEX",
        NodeEnum::VacuumStmt(v) if !v.is_vacuumcmd => "ANALYZE",
        NodeEnum::VacuumStmt(v) if dml::option(&v.options, "full") => "VACUUM FULL",
        NodeEnum::VacuumStmt(_) => "VACUUM",
        NodeEnum::ClusterStmt(_) => "CLUSTER",
        NodeEnum::VariableSetStmt(_) => "SET",
        _ => return None,
    })
}

/// The first words of a statement in capitals, fillers left out: `CREATE FUNCTION`, `ALTER DEFAULT PRIVILEGES`.
fn leading_words(text: &str) -> String {
    const FILLERS: &[&str] = &[
        "OR",
        "REPLACE",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "CONSTRAINT",
        "TRUSTED",
        "PROCEDURAL",
        "RECURSIVE",
    ];
    const THREE: &[&str] =
        &["MATERIALIZED", "FOREIGN", "EVENT", "DEFAULT", "TEXT", "ACCESS", "LARGE", "USER", "OPERATOR"];
    let words: Vec<String> = sql::tokens(text)
        .into_iter()
        .filter_map(|(start, end)| text.get(start..end))
        .take(8)
        .map(str::to_uppercase)
        .filter(|w| !FILLERS.contains(&w.as_str()))
        .collect();
    let most = match words.first().map(String::as_str) {
        Some("CREATE" | "ALTER" | "DROP") if words.get(1).is_some_and(|w| THREE.contains(&w.as_str())) => 3,
        Some("CREATE" | "ALTER" | "DROP" | "IMPORT" | "REASSIGN" | "SECURITY") => 2,
        _ => 1,
    };
    words.into_iter().take(most).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "actions_tests.rs"]
mod actions_tests;
#[cfg(test)]
#[path = "analyse_tests.rs"]
pub(in crate::product::postgres) mod tests;
