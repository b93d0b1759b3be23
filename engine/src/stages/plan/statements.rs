//! The statements of a changeset. Where the product's grammar is older than the server, the server is asked whether a statement is one;
//! asking runs nothing.

use std::slice;

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::changeset::Statement;
use crate::model::server::ServerInfo;
use crate::product::Database;

const APPLICATION: &str = "drydock plan";

/// Reads the texts of a changeset in order. `unread`: what cannot be read, for people.
///
/// # Errors
/// `Input` for a statement that neither the grammar nor the server takes.
pub async fn read(
    database: &dyn Database,
    server: &ServerInfo,
    sql: &[String],
    catalog: &Catalog,
    unread: &str,
) -> Result<Vec<Statement>> {
    if let Ok(all) = database.statements(sql, catalog) {
        return Ok(all);
    }
    let mut all = Vec::new();
    for text in sql {
        match database.statements(slice::from_ref(text), catalog) {
            Ok(some) => all.extend(some),
            Err(error) => all.push(ask(database, server, text, catalog, unread, error).await?),
        }
    }
    Ok(all)
}

/// What is known of a statement that the grammar does not take and the server does.
async fn ask(
    database: &dyn Database,
    server: &ServerInfo,
    text: &str,
    catalog: &Catalog,
    unread: &str,
    error: Error,
) -> Result<Statement> {
    let hint = error.hint_text().map(str::to_owned);
    let refused = |cause: Error| {
        let refused = Error::input(unread).because(cause);
        match &hint {
            Some(hint) => refused.hint(hint),
            None => refused,
        }
    };
    let Some(statement) = database.unread_statement(text, catalog) else { return Err(refused(error)) };
    let mut client = database.client(APPLICATION).await?;
    match client.describe(text).await {
        Ok(_) => Ok(statement),
        Err(said) => {
            let both = format!("{}; nor does the server, {}, take it: {said}", error.chain(), server.version);
            Err(refused(Error::input(both)))
        }
    }
}
