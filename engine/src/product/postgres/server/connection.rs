//! A session of ours, and what it has planned already.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

pub struct Connection {
    client: Client,
    /// Statements by their text, where the session is nobody else's. A pooler may give it to somebody who has prepared others
    /// under the same names.
    planned: Option<Mutex<HashMap<String, Statement>>>,
}

impl Connection {
    /// `keeps`: on a server of ours, which is looked at again and again. Half of a look at a catalog is planning it.
    pub fn new(client: Client, keeps: bool) -> Self {
        Self { client, planned: keeps.then(Mutex::default) }
    }

    /// Runs a statement whose text is the same the next time.
    pub async fn look(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let Some(planned) = &self.planned else { return self.client.query_typed(sql, parameters).await };
        let known = planned.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let types: Vec<Type> = parameters.iter().map(|(_, of)| of.clone()).collect();
                let statement = self.client.prepare_typed(sql, &types).await?;
                let mut planned = planned.lock().unwrap_or_else(PoisonError::into_inner);
                planned.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
        self.client.query(&statement, &values).await
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
