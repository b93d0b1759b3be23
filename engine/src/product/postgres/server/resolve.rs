//! Asks the server which objects it finds for the names in queries.
//!
//! With `debug_print_parse` the server shows the tree that it makes of a statement
//! (<https://www.postgresql.org/docs/current/runtime-config-logging.html>). A PREPARE makes the tree and runs nothing.

use std::collections::BTreeSet;

use futures::future::join_all;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::Client;
use tokio_postgres::error::DbError;
use tokio_postgres::types::Type;

use crate::error::Result;
use crate::model::resolved::Resolved;
use crate::model::session_defaults::SessionDefaults;
use crate::product::postgres::grammar::relations::{CopyShape, copy_shape};
use crate::product::postgres::queries::node_tree::Tree;
use crate::product::postgres::queries::resolved::{Numbers, Objects, Relation, View, resolved};
use crate::product::postgres::server::client::settings::search_path;
use crate::product::postgres::server::connect::{ServerContext, quoted, quoted_relation};

const READ: &str = "cannot ask what the names in queries mean";
/// Queries that are asked about before the first is answered; `join_all` keeps to their order for no more than 30.
const AHEAD: usize = 24;
const PREPARE: &str = "PREPARE drydock_names AS ";
/// What the server calls the tree, before its rules are applied.
const TITLE: &str = "parse tree:";

/// A session that shows the trees of what it is asked.
pub struct Listener {
    pub client: Client,
    hear: UnboundedReceiver<DbError>,
}

impl Listener {
    pub async fn begin((client, hear): (Client, UnboundedReceiver<DbError>)) -> Result<Self> {
        let settings =
            "SET debug_print_parse = on; SET debug_print_rewritten = off; SET debug_print_plan = off;
            SET debug_pretty_print = off; SET client_min_messages = log";
        client.batch_execute(settings).await.server_context(READ)?;
        Ok(Self { client, hear })
    }

    /// The names of each query, in their order; `None` for what cannot be prepared.
    pub async fn names(
        &mut self,
        sql: &[&str],
        session: Option<&SessionDefaults>,
        objects: &Client,
    ) -> Result<Vec<Option<Resolved>>> {
        self.client
            .batch_execute(&search_path(session.map(|s| s.search_path.as_slice())))
            .await
            .server_context(READ)?;
        let mut trees = Vec::new();
        for some in sql.chunks(AHEAD) {
            trees.extend(self.trees(some).await);
        }
        if self.client.is_closed() {
            return Err(crate::error::Error::failed(format!("{READ}: the connection broke")));
        }
        let mut numbers = Numbers::default();
        trees.iter().flatten().for_each(|(tree, _)| numbers.add(tree));
        let objects = read(objects, numbers).await?;
        let names = trees
            .iter()
            .map(|tree| tree.as_ref().map(|(tree, text)| resolved(tree, text, PREPARE.len(), &objects)));
        Ok(names.collect())
    }

    /// The tree of each query, and the text that it is of.
    async fn trees(&mut self, sql: &[&str]) -> Vec<Option<(Tree, String)>> {
        while self.hear.try_recv().is_ok() {}
        let texts: Vec<String> = sql.iter().map(|sql| without_copy(sql)).collect();
        let client = &self.client;
        let asked = texts.iter().map(|text| {
            let sql = format!("{PREPARE}{text}\n; DEALLOCATE drydock_names");
            async move { client.batch_execute(&sql).await.is_ok() }
        });
        let taken = join_all(asked).await;
        // Statements around the queries have trees as well.
        let query = |tree: &Tree| tree.tag() == "QUERY" && tree.lacks("utilityStmt");
        let mut heard = Vec::new();
        while let Ok(notice) = self.hear.try_recv() {
            let tree = notice.detail().filter(|_| notice.message().starts_with(TITLE)).and_then(Tree::read);
            heard.extend(tree.filter(query));
        }
        if taken.iter().filter(|taken| **taken).count() != heard.len() {
            return texts.iter().map(|_| None).collect();
        }
        let mut heard = heard.into_iter();
        let own = |(text, taken)| if taken { heard.next().map(|tree| (tree, text)) } else { None };
        texts.into_iter().zip(taken).map(own).collect()
    }
}

/// What can be prepared and has the same names as a COPY.
fn without_copy(sql: &str) -> String {
    match copy_shape(sql) {
        Some(CopyShape::In { table, columns }) if !columns.is_empty() => {
            let names: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
            let nothing: Vec<&str> = columns.iter().map(|_| "NULL").collect();
            let (table, names) = (quoted_relation(&table), names.join(", "));
            format!("INSERT INTO {table} ({names}) VALUES ({})", nothing.join(", "))
        }
        Some(CopyShape::In { table, .. }) => format!("TABLE {}", quoted_relation(&table)),
        Some(CopyShape::Out { query }) => query,
        None => sql.to_owned(),
    }
}

/// What the numbers stand for, and what stands behind views and partitioned tables.
pub async fn read(client: &Client, numbers: Numbers) -> Result<Objects> {
    let mut objects = Objects::default();
    let mut open: Vec<u32> = numbers.relations.into_iter().collect();
    while !open.is_empty() {
        let mut behind = BTreeSet::new();
        for (number, relation) in relations(client, &open).await? {
            behind.extend(relation.view.iter().flat_map(|v| v.relations.iter().copied()));
            objects.relations.insert(number, relation);
        }
        open = behind.into_iter().filter(|n| !objects.relations.contains_key(n)).collect();
    }
    let parts = "WITH RECURSIVE part AS (
           SELECT inhparent AS whole, inhrelid AS own FROM pg_inherits WHERE inhparent = ANY ($1)
           UNION SELECT p.whole, i.inhrelid FROM part p JOIN pg_inherits i ON i.inhparent = p.own)
         SELECT whole, own FROM part";
    let all: Vec<u32> = objects.relations.keys().copied().collect();
    for row in client.query_typed(parts, &[(&all, Type::OID_ARRAY)]).await.server_context(READ)? {
        let whole: u32 = row.try_get(0).server_context(READ)?;
        if let Some(relation) = objects.relations.get_mut(&whole) {
            relation.parts.insert(row.try_get(1).server_context(READ)?);
        }
    }
    let called = concat!("SELECT 'f', p.oid, ", qualified_sql!("n.nspname", "p.proname"), " || '(' || pg_get_function_identity_arguments(p.oid) || ')'
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = ANY ($1)
         UNION ALL SELECT 'o', o.oid, n.nspname || '.' || o.oprname || ' (' || concat_ws(', ', o.oprleft::regtype, o.oprright::regtype) || ')'
           FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = ANY ($2)");
    let (routines, operators): (Vec<u32>, Vec<u32>) =
        (numbers.routines.into_iter().collect(), numbers.operators.into_iter().collect());
    let asked = [
        (&routines as &(dyn tokio_postgres::types::ToSql + Sync), Type::OID_ARRAY),
        (&operators, Type::OID_ARRAY),
    ];
    for row in client.query_typed(called, &asked).await.server_context(READ)? {
        let kind: String = row.try_get(0).server_context(READ)?;
        let all = if kind == "f" { &mut objects.routines } else { &mut objects.operators };
        all.insert(row.try_get(1).server_context(READ)?, row.try_get(2).server_context(READ)?);
    }
    Ok(objects)
}

async fn relations(client: &Client, numbers: &[u32]) -> Result<Vec<(u32, Relation)>> {
    let sql = concat!(
        "SELECT c.oid, ",
        qualified_sql!("n.nspname", "c.relname"),
        ", c.relkind IN ('v', 'm'), w.ev_action::text
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename = '_RETURN' AND c.relkind IN ('v', 'm')
           AND c.oid >= 16384 WHERE c.oid = ANY ($1)"
    );
    let mut found = Vec::new();
    for row in client.query_typed(sql, &[(&numbers, Type::OID_ARRAY)]).await.server_context(READ)? {
        let number: u32 = row.try_get(0).server_context(READ)?;
        let rule: Option<String> = row.try_get(3).server_context(READ)?;
        let relation = Relation {
            name: row.try_get(1).server_context(READ)?,
            is_view: row.try_get(2).server_context(READ)?,
            view: rule.and_then(|rule| View::read(&rule, number)),
            parts: BTreeSet::new(),
        };
        found.push((number, relation));
    }
    Ok(found)
}
