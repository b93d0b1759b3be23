//! SQLite's SQL as text, by the grammar of `sqlparser`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use drydock::error::{Error, Result};
use drydock::model::catalog::Catalog;
use drydock::model::change::Reference;
use drydock::model::changeset::{Hazard, Phase, Severity, Statement};
use drydock::model::column_type::{ColumnType, TextForm};
use drydock::model::difference::DefinitionChange;
use drydock::model::error_class::ErrorClass;
use drydock::model::schema_action::{RowChange, SchemaAction};
use drydock::model::value as model;
use drydock::product::Dialect;
use sqlparser::ast::{
    self, AlterTableOperation, ColumnOption, CreateTable, Expr, FromTable, InTarget, ObjectName, ObjectType,
    RenameTableNameKind, TableFactor, TableObject, TableWithJoins, Value, visit_expressions_mut,
};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use super::inspect::hex;
use super::{SqliteFile, bare, qualified};

const BLOCKS_WRITES: &str = "blocks-writes";
const DATA_LOSS: &str = "data-loss";

pub fn parse(sql: &str) -> Result<Vec<ast::Statement>> {
    Parser::parse_sql(&SQLiteDialect {}, sql)
        .map_err(|e| Error::input(format!("the SQL cannot be read: {e}")))
}

/// A name without its schema.
pub fn name_of(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default()
}

fn relation(name: &ObjectName) -> String {
    qualified(&name_of(name))
}

fn table_of(table: &TableWithJoins) -> Option<String> {
    match &table.relation {
        TableFactor::Table { name, .. } => Some(relation(name)),
        _ => None,
    }
}

/// The columns that an UPDATE sets (none: a DELETE), and which rows it finds.
pub fn changed(sql: &str) -> Option<(Vec<String>, String)> {
    let (columns, predicate) = match parse(sql).ok()?.into_iter().next()? {
        ast::Statement::Update(update) => {
            let columns = update.assignments.iter().map(|a| a.target.to_string()).collect();
            (columns, update.selection)
        }
        ast::Statement::Delete(delete) => (Vec::new(), delete.selection),
        _ => return None,
    };
    Some((columns, predicate.map_or_else(|| "true".to_owned(), |p| p.to_string())))
}

/// What one statement is.
struct Read {
    kind: &'static str,
    phase: Phase,
    action: SchemaAction,
    touches: Vec<String>,
    hazard: Option<&'static str>,
}

fn read(statement: &ast::Statement, catalog: &Catalog) -> Result<Read> {
    use ast::Statement as S;
    let is = |kind, phase, action, touches, hazard| Ok(Read { kind, phase, action, touches, hazard });
    match statement {
        S::CreateTable(made) => {
            let table = relation(&made.name);
            is(
                "CREATE TABLE",
                Phase::Expand,
                SchemaAction::CreateTable { table: table.clone() },
                vec![table],
                None,
            )
        }
        S::CreateView(made) => {
            let view = relation(&made.name);
            is(
                "CREATE VIEW",
                Phase::Expand,
                SchemaAction::CreateView { view: view.clone() },
                vec![view],
                None,
            )
        }
        S::CreateIndex(made) => {
            let (table, index) = (relation(&made.table_name), made.name.as_ref().map(relation));
            let touches = index.iter().cloned().chain([table.clone()]).collect();
            let action = SchemaAction::CreateIndex { table, index, unique: made.unique };
            is("CREATE INDEX", Phase::Expand, action, touches, Some(BLOCKS_WRITES))
        }
        S::AlterTable(alter) => {
            let [operation] = alter.operations.as_slice() else { return Err(unknown(statement)) };
            let table = relation(&alter.name);
            let (phase, action, hazard) = altered(&table, operation).ok_or_else(|| unknown(statement))?;
            let to = if let SchemaAction::RenameTable { to, .. } = &action { Some(to.clone()) } else { None };
            let touches = std::iter::once(table).chain(to).collect();
            is("ALTER TABLE", phase, action, touches, hazard)
        }
        S::Drop { object_type, names, .. } => {
            let [name] = names.as_slice() else { return Err(unknown(statement)) };
            let name = relation(name);
            let touches = vec![name.clone()];
            match object_type {
                ObjectType::Table => {
                    let action = SchemaAction::DropTable { table: name };
                    is("DROP TABLE", Phase::Contract, action, touches, Some(DATA_LOSS))
                }
                ObjectType::View => {
                    is("DROP VIEW", Phase::Contract, SchemaAction::DropView { view: name }, touches, None)
                }
                ObjectType::Index => {
                    let table = catalog.indexes.get(&name).cloned();
                    let touches = touches.into_iter().chain(table.clone()).collect();
                    is(
                        "DROP INDEX",
                        Phase::Contract,
                        SchemaAction::DropIndex { index: name, table },
                        touches,
                        None,
                    )
                }
                _ => Err(unknown(statement)),
            }
        }
        S::Insert(insert) => {
            let TableObject::TableName(name) = &insert.table else { return Err(unknown(statement)) };
            let table = relation(name);
            let action = SchemaAction::MoveRows { table: table.clone(), kind: RowChange::Insert };
            is("INSERT", Phase::Migrate, action, vec![table], None)
        }
        S::Update(update) => {
            let table = table_of(&update.table).ok_or_else(|| unknown(statement))?;
            let action = SchemaAction::MoveRows { table: table.clone(), kind: RowChange::Update };
            is("UPDATE", Phase::Migrate, action, vec![table], Some(BLOCKS_WRITES))
        }
        S::Delete(delete) => {
            let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
            let table = tables.first().and_then(table_of).ok_or_else(|| unknown(statement))?;
            let action = SchemaAction::MoveRows { table: table.clone(), kind: RowChange::Delete };
            is("DELETE", Phase::Contract, action, vec![table], Some(DATA_LOSS))
        }
        other => Err(unknown(other)),
    }
}

fn altered(
    table: &str,
    operation: &AlterTableOperation,
) -> Option<(Phase, SchemaAction, Option<&'static str>)> {
    let table = table.to_owned();
    Some(match operation {
        AlterTableOperation::AddColumn { column_def, .. } => {
            let has =
                |wanted: fn(&ColumnOption) -> bool| column_def.options.iter().any(|o| wanted(&o.option));
            let required = has(|o| matches!(o, ColumnOption::NotNull))
                && !has(|o| matches!(o, ColumnOption::Default(_)));
            let column = column_def.name.value.clone();
            (Phase::Expand, SchemaAction::AddColumn { table, column, required }, None)
        }
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            let (column, to) = (old_column_name.value.clone(), new_column_name.value.clone());
            (Phase::Contract, SchemaAction::RenameColumn { table, column, to }, None)
        }
        AlterTableOperation::RenameTable { table_name } => {
            let (RenameTableNameKind::As(to) | RenameTableNameKind::To(to)) = table_name;
            (Phase::Contract, SchemaAction::RenameTable { table, to: relation(to) }, None)
        }
        AlterTableOperation::DropColumn { column_names, .. } => {
            let [column] = column_names.as_slice() else { return None };
            let column = column.value.clone();
            (Phase::Contract, SchemaAction::DropColumn { table, column }, Some(DATA_LOSS))
        }
        _ => return None,
    })
}

fn unknown(statement: &ast::Statement) -> Error {
    Error::input(format!("this product does not know what it does: {statement}"))
}

fn hazard_of(name: &str, table: Option<&String>, catalog: &Catalog) -> Hazard {
    let rows = table.and_then(|t| catalog.tables.get(t)).map(|t| t.rows);
    let message = match name {
        BLOCKS_WRITES => "nobody else writes to the file until the statement ends",
        _ => "the values are gone, and only the backup has them",
    };
    Hazard {
        name: name.to_owned(),
        severity: if name == DATA_LOSS { Severity::Danger } else { Severity::Note },
        lock: Some("RESERVED".to_owned()),
        table: table.cloned(),
        rows,
        message: message.to_owned(),
        allowed: None,
    }
}

/// Lines of a fingerprint: one for a table and one for each of its columns, or one for anything else.
pub fn definition(kind: &str, name: &str, sql: &str) -> Vec<(String, String)> {
    let whole = |sql: &str| vec![(format!("{kind} {}", qualified(name)), sql.to_owned())];
    match parse(sql).ok().and_then(|mut all| all.pop()) {
        Some(ast::Statement::CreateTable(CreateTable {
            columns, constraints, sqlite_table_options, ..
        })) => {
            let mut limits: Vec<String> = constraints.iter().map(ToString::to_string).collect();
            limits.sort();
            let table = format!("{} {sqlite_table_options:?}", limits.join("; "));
            let mut lines = whole(&table);
            for column in columns {
                let options: Vec<String> = column.options.iter().map(ToString::to_string).collect();
                let line = format!("{} {}", column.data_type, options.join(" "));
                lines.push((
                    format!("column {}.{}", qualified(name), column.name.value),
                    line.trim().to_owned(),
                ));
            }
            lines
        }
        Some(parsed) => whole(&parsed.to_string()),
        // SQLite took it, and so it is a definition: a trigger, say.
        None => whole(&sql.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

impl Dialect for SqliteFile {
    fn statements(&self, sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        for statement in sql.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?.into_iter().flatten()
        {
            let Read { kind, phase, action, mut touches, hazard } = read(&statement, catalog)?;
            let table = touches.iter().find(|t| catalog.tables.contains_key(*t));
            let hazards = hazard.map(|name| hazard_of(name, table, catalog)).into_iter().collect();
            touches.sort();
            statements.push(Statement {
                sql: statement.to_string(),
                kind: kind.to_owned(),
                phase,
                actions: vec![action],
                hazards,
                touches,
                waits_without_blocking: false,
                builds_index: None,
                commits: false,
                backfill: None,
                rewrites: Vec::new(),
            });
        }
        Ok(statements)
    }

    fn pending_indexes(&self, sql: &[String], _catalog: &Catalog) -> BTreeMap<String, Vec<Vec<String>>> {
        let mut indexes: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for statement in sql.iter().filter_map(|text| parse(text).ok()).flatten() {
            if let ast::Statement::CreateIndex(index) = statement {
                let columns = index.columns.iter().map(|c| c.column.expr.to_string()).collect();
                indexes.entry(relation(&index.table_name)).or_default().push(columns);
            }
        }
        indexes
    }

    fn hazards(&self) -> BTreeSet<String> {
        [BLOCKS_WRITES, DATA_LOSS].map(str::to_owned).into()
    }

    fn foreign_keys(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Reference>> {
        let mut found = Vec::new();
        for statement in parse(sql)? {
            let ast::Statement::AlterTable(alter) = statement else { continue };
            let table = relation(&alter.name);
            for operation in &alter.operations {
                let AlterTableOperation::AddColumn { column_def, .. } = operation else { continue };
                for option in &column_def.options {
                    let ColumnOption::ForeignKey(key) = &option.option else { continue };
                    let parent = relation(&key.foreign_table);
                    let named: Vec<String> = key.referred_columns.iter().map(|c| c.value.clone()).collect();
                    let own = catalog.tables.get(&parent).map(|t| t.primary_key.clone()).unwrap_or_default();
                    let theirs = if named.is_empty() { own } else { named };
                    let columns = vec![column_def.name.value.clone()];
                    found.push(Reference { table: table.clone(), columns, parent, theirs });
                }
            }
        }
        Ok(found)
    }

    fn spell_out(&self, _sql: &str, _catalog: &Catalog) -> Result<String> {
        Err(Error::input("this product does not write a `*` out"))
    }

    fn query_fingerprint(&self, sql: &str) -> Result<String> {
        let mut statements = parse(sql)?;
        let placeholder = |expression: &mut Expr| {
            if let Expr::Value(value) = expression {
                value.value = Value::Placeholder("?".to_owned());
            }
            if let Expr::In { target: InTarget::List(list), .. } = expression {
                list.truncate(1);
            }
            ControlFlow::<()>::Continue(())
        };
        let _ = visit_expressions_mut(&mut statements, placeholder);
        Ok(statements.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    fn placeholder(&self, number: usize) -> String {
        super::SYNTAX.placeholder(number)
    }

    fn column_type(&self, text: &str) -> ColumnType {
        let name = text.split('(').next().unwrap_or(text).trim().to_lowercase();
        match name.as_str() {
            "integer" | "int" | "bigint" | "smallint" => ColumnType::Integer { bytes: 8 },
            "real" | "double" | "float" => ColumnType::Float { bytes: 8 },
            "numeric" | "decimal" => ColumnType::Decimal { digits: None },
            // SQLite holds no text to its length.
            "text" | "varchar" | "char" => ColumnType::Text { form: TextForm::Unlimited, longest: None },
            "blob" => ColumnType::Bytes,
            _ => ColumnType::Other { name, example: None },
        }
    }

    fn value_text(&self, value: &model::Value) -> String {
        match value {
            model::Value::Text(text) => text.clone(),
            model::Value::Boolean(yes) => u8::from(*yes).to_string(),
            model::Value::Timestamp(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            model::Value::Date(date) => date.to_string(),
            model::Value::Time(time) => time.to_string(),
            model::Value::Interval(time) => time.as_secs().to_string(),
            model::Value::Bytes(bytes) => hex(bytes),
            model::Value::Array(values) => {
                values.iter().map(|v| self.value_text(v)).collect::<Vec<_>>().join(",")
            }
        }
    }

    fn definition_change(&self, _object: &str, _before: &str, _after: &str) -> DefinitionChange {
        // There are no labels, and a constraint always holds.
        DefinitionChange::Other
    }

    fn error_class(&self, code: &str) -> ErrorClass {
        class_of(code)
    }
}

/// The class of a result code of SQLite, extended or not.
pub fn class_of(code: &str) -> ErrorClass {
    let Ok(code) = code.parse::<u32>() else {
        return if code == "connection" { ErrorClass::ConnectionLost } else { ErrorClass::Other };
    };
    match (code, code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED; SQLITE_INTERRUPT is the limit of a statement's time.
        (_, 5 | 6 | 9) => ErrorClass::Busy,
        (_, 7 | 13) => ErrorClass::OutOfResources,
        (_, 8) => ErrorClass::ReadOnly,
        (1555 | 2067 | 2579, _) => ErrorClass::UniqueViolation,
        (787, _) => ErrorClass::ForeignKeyViolation,
        (275, _) => ErrorClass::CheckViolation,
        (1299, _) => ErrorClass::NotNullViolation,
        (_, 20) => ErrorClass::DataException,
        _ => ErrorClass::Other,
    }
}

/// The table that a line of a fingerprint is about, and its column where it is one's.
pub fn subject(line: &str) -> (&str, Option<&str>) {
    let (kind, name) = line.split_once(' ').unwrap_or(("", line));
    match (kind, name.rsplit_once('.')) {
        ("column", Some((table, column))) => (table, Some(column)),
        _ => (name, None),
    }
}

/// The table and the columns of an index, and whether it is unique, by its definition.
pub fn index(definition: &str) -> Option<(String, Vec<String>, bool)> {
    match parse(definition).ok()?.pop()? {
        ast::Statement::CreateIndex(index) => {
            let columns =
                index.columns.iter().map(|c| bare(&c.column.expr.to_string()).replace('"', "")).collect();
            Some((relation(&index.table_name), columns, index.unique))
        }
        _ => None,
    }
}
