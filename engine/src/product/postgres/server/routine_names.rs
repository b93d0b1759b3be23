//! What the bodies of routines mean. The server keeps them as text and finds the objects for their names when they run: under the
//! routine's own `search_path`, or under the caller's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Result;
use crate::model::resolved::{Meaning, MeaningKind, RoutineNames};
use crate::model::session_defaults::SessionDefaults;
use crate::product::postgres::queries::body_names::{BodyNames, of_plpgsql, of_sql};
use crate::product::postgres::queries::resolved::{Numbers, Objects};
use crate::product::postgres::server::client::settings::search_path;
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::resolve;
use crate::product::postgres::server::session_defaults::names_in;

const READ: &str = "cannot ask what the bodies of routines mean";
/// A body in standard SQL is kept resolved. Numbers below 16384 are the server's own (`FirstNormalObjectId`): its thousands of
/// routines would each be turned into JSON.
const BODIES: &str = concat!(
    "SELECT p.oid, ",
    qualified_sql!("n.nspname", "p.proname"),
    ", l.lanname::text, p.prosrc, pg_get_functiondef(p.oid),
       (SELECT substr(c, 13) FROM unnest(p.proconfig) c WHERE c LIKE 'search\\_path=%')
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
     WHERE p.oid >= 16384 AND ",
    qualified_sql!("n.nspname", "p.proname"),
    " = ANY ($1) AND l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p')
       AND to_jsonb(p) ->> 'prosqlbody' IS NULL ORDER BY p.oid"
);
const RELATIONS: &str = "SELECT c.oid, n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = ANY ($1) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')";
const ROUTINES: &str = "SELECT DISTINCT n.nspname::text, p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.proname = ANY ($1)";
const TRIGGERS: &str =
    "SELECT DISTINCT tgfoid, tgrelid FROM pg_trigger WHERE tgfoid = ANY ($1) AND NOT tgisinternal";
const COLUMNS: &str = "SELECT attrelid, attnum::int4, attname::text FROM pg_attribute
     WHERE attrelid = ANY ($1) AND attname = ANY ($2) AND attnum > 0 AND NOT attisdropped";
/// Searched first where the path does not name it.
const BUILT_IN: &str = "pg_catalog";

/// Names by the text that they were read from: from one look to the next most bodies stay.
pub type Bodies = Mutex<HashMap<String, Arc<BodyNames>>>;

struct Body {
    number: u32,
    routine: String,
    language: String,
    names: Arc<BodyNames>,
    path: Vec<String>,
}

/// The names without schemas, each once.
fn bare<'a>(names: impl Iterator<Item = &'a (Option<String>, String)>) -> Vec<String> {
    let all: BTreeSet<&String> = names.map(|(_, name)| name).collect();
    all.into_iter().cloned().collect()
}

pub async fn read(
    client: &Client,
    routines: &[&str],
    session: Option<&SessionDefaults>,
    known: &Bodies,
) -> Result<BTreeMap<String, RoutineNames>> {
    if routines.is_empty() {
        return Ok(BTreeMap::new());
    }
    let bodies = bodies(client, routines, session, known).await?;
    let relations = bare(bodies.iter().flat_map(|b| &b.names.relations));
    let called = bare(bodies.iter().flat_map(|b| &b.names.routines));
    let mut numbers: BTreeMap<(String, String), u32> = BTreeMap::new();
    for row in client.query_typed(RELATIONS, &[(&relations, Type::TEXT_ARRAY)]).await.server_context(READ)? {
        let name = (row.try_get(1).server_context(READ)?, row.try_get(2).server_context(READ)?);
        numbers.insert(name, row.try_get(0).server_context(READ)?);
    }
    let tables = set_off_by(client, &bodies).await?;
    let relations = numbers.values().chain(tables.values().flatten()).copied().collect();
    let objects = resolve::read(client, Numbers { relations, ..Numbers::default() }).await?;
    let columns = columns(client, &bodies, &objects).await?;
    let mut there: BTreeSet<(String, String)> = BTreeSet::new();
    for row in client.query_typed(ROUTINES, &[(&called, Type::TEXT_ARRAY)]).await.server_context(READ)? {
        there.insert((row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?));
    }
    let mut found: BTreeMap<String, RoutineNames> = BTreeMap::new();
    for body in bodies {
        let own = found.entry(body.routine.clone()).or_default();
        for (schema, name) in &body.names.relations {
            let number = in_path(schema.as_ref(), name, &body.path, |full| numbers.get(full).copied());
            own.names.insert(written(schema.as_ref(), name), number.map(|number| objects.meaning(number)));
            own.columns.extend(number.iter().flat_map(|number| said(*number, &body, &columns, &objects)));
        }
        for table in tables.get(&body.number).into_iter().flatten() {
            own.columns.extend(said(*table, &body, &columns, &objects));
        }
        for (schema, name) in &body.names.routines {
            let full = in_path(schema.as_ref(), name, &body.path, |full| there.get(full).cloned());
            let means = full.map(|(schema, name)| {
                let name = format!("{schema}.{name}");
                Meaning { kind: MeaningKind::Routine, identity: name.clone(), name, ..Meaning::default() }
            });
            own.names.insert(format!("{}()", written(schema.as_ref(), name)), means);
        }
        if let Some(fault) = fault(client, &body).await? {
            own.fault.get_or_insert(fault);
        }
    }
    Ok(found)
}

/// By the number of the routine of a trigger, the tables that set it off.
async fn set_off_by(client: &Client, bodies: &[Body]) -> Result<BTreeMap<u32, Vec<u32>>> {
    let routines: Vec<u32> = bodies.iter().map(|body| body.number).collect();
    let mut tables: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for row in client.query_typed(TRIGGERS, &[(&routines, Type::OID_ARRAY)]).await.server_context(READ)? {
        let routine = row.try_get(0).server_context(READ)?;
        tables.entry(routine).or_default().push(row.try_get(1).server_context(READ)?);
    }
    Ok(tables)
}

/// Number and name of the columns of each relation whose names are said.
type Columns = BTreeMap<u32, Vec<(i32, String)>>;

async fn columns(client: &Client, bodies: &[Body], objects: &Objects) -> Result<Columns> {
    let relations: Vec<u32> = objects.relations.keys().copied().collect();
    let said: BTreeSet<&String> = bodies.iter().flat_map(|body| &body.names.columns).collect();
    let said: Vec<&String> = said.into_iter().collect();
    let asked = [
        (&relations as &(dyn tokio_postgres::types::ToSql + Sync), Type::OID_ARRAY),
        (&said, Type::TEXT_ARRAY),
    ];
    let mut columns = Columns::new();
    for row in client.query_typed(COLUMNS, &asked).await.server_context(READ)? {
        let column = (row.try_get(1).server_context(READ)?, row.try_get(2).server_context(READ)?);
        columns.entry(row.try_get(0).server_context(READ)?).or_default().push(column);
    }
    Ok(columns)
}

/// The columns of a relation whose names a body says.
fn said<'a>(
    relation: u32,
    body: &'a Body,
    columns: &'a Columns,
    objects: &'a Objects,
) -> impl Iterator<Item = (String, Meaning)> + 'a {
    let own = columns.get(&relation).into_iter().flatten();
    own.filter(|(_, name)| body.names.columns.contains(name)).map(move |(number, name)| {
        let means = objects.column(relation, *number, name);
        (means.name.clone(), means)
    })
}

async fn bodies(
    client: &Client,
    routines: &[&str],
    session: Option<&SessionDefaults>,
    known: &Bodies,
) -> Result<Vec<Body>> {
    let path: Vec<String> = match session {
        Some(session) => session.search_path.clone(),
        None => client
            .query_typed_one("SELECT current_schemas(false)::text[]", &[])
            .await
            .and_then(|row| row.try_get(0))
            .server_context(READ)?,
    };
    let mut bodies = Vec::new();
    for row in client.query_typed(BODIES, &[(&routines, Type::TEXT_ARRAY)]).await.server_context(READ)? {
        let language: String = row.try_get(2).server_context(READ)?;
        let body: String = row.try_get(3).server_context(READ)?;
        let definition: String = row.try_get(4).server_context(READ)?;
        let own: Option<String> = row.try_get(5).server_context(READ)?;
        let held = known.lock().unwrap_or_else(PoisonError::into_inner).get(&definition).cloned();
        let names = held.unwrap_or_else(|| {
            let names = Arc::new(if language == "sql" { of_sql(&body) } else { of_plpgsql(&definition) });
            known.lock().unwrap_or_else(PoisonError::into_inner).insert(definition, Arc::clone(&names));
            names
        });
        bodies.push(Body {
            number: row.try_get(0).server_context(READ)?,
            routine: row.try_get(1).server_context(READ)?,
            language,
            names,
            path: own.map_or_else(|| path.clone(), |own| names_in(&own)),
        });
    }
    Ok(bodies)
}

/// Why the language does not take the body: for SQL all of it is looked at, for PL/pgSQL its syntax and declarations.
async fn fault(client: &Client, body: &Body) -> Result<Option<String>> {
    let begin = format!("BEGIN READ ONLY; {}", search_path(Some(&body.path)));
    client.batch_execute(&begin).await.server_context(READ)?;
    let validator = if body.language == "sql" { "fmgr_sql_validator" } else { "plpgsql_validator" };
    let looked = client.batch_execute(&format!("SELECT {validator}({})", body.number)).await;
    client.batch_execute("ROLLBACK").await.server_context(READ)?;
    let error = looked.err().and_then(|error| error.as_db_error().cloned());
    Ok(error.map(|error| match error.detail() {
        Some(detail) => format!("{} ({}): {detail}", error.message(), error.code().code()),
        None => format!("{} ({})", error.message(), error.code().code()),
    }))
}

fn written(schema: Option<&String>, name: &str) -> String {
    schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"))
}

/// What a name finds.
fn in_path<T>(
    schema: Option<&String>,
    name: &str,
    path: &[String],
    find: impl Fn(&(String, String)) -> Option<T>,
) -> Option<T> {
    let at = |schema: &str| find(&(schema.to_owned(), name.to_owned()));
    if let Some(schema) = schema {
        return at(schema);
    }
    let first = if path.iter().any(|s| s == BUILT_IN) { None } else { at(BUILT_IN) };
    first.or_else(|| path.iter().find_map(|schema| at(schema)))
}
