//! Who asks: connections that take what is due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use crate::load::Prepared;
use crate::load::measure::{Broken, Measure, Outcome};
use crate::load::source::Source;
use crate::model::endpoint::ClientSettings;
use crate::model::error_class::ErrorClass;
use crate::model::query::{Ending, QueryError, QueryResult};
use crate::product::Client;

pub struct Request {
    pub id: u64,
    pub query: usize,
    pub parameters: Vec<Option<String>>,
}

/// What leads requests to the sessions of their kind.
pub struct Requests {
    pub queries: Arc<Vec<Prepared>>,
    pub senders: Vec<mpsc::UnboundedSender<Request>>,
}

impl Requests {
    /// `false`: nobody takes any more.
    pub fn send(&self, request: Request) -> bool {
        let kind = self.queries.get(request.query).map(|query| query.session);
        kind.and_then(|kind| self.senders.get(kind)).is_some_and(|sender| sender.send(request).is_ok())
    }
}

/// How long a request is waited for: longer than services wait, and not for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn no_answer() -> QueryError {
    QueryError {
        code: "timeout".to_owned(),
        class: ErrorClass::Busy,
        message: format!("no answer within {} s", PATIENCE.as_secs()),
        column: None,
        table: None,
        constraint: None,
    }
}

/// One connection's worth of traffic.
pub struct Worker {
    pub source: Arc<dyn Source>,
    pub service: String,
    pub settings: Arc<ClientSettings>,
    pub queries: Arc<Vec<Prepared>>,
    pub measure: Arc<Measure>,
    pub ending: Ending,
}

impl Worker {
    /// Takes the next request that is due until there will be none.
    pub async fn work(
        self,
        mut client: Box<dyn Client>,
        receiver: Arc<Mutex<mpsc::UnboundedReceiver<Request>>>,
    ) {
        loop {
            let Some(request) = receiver.lock().await.recv().await else { return };
            let Some(query) = self.queries.get(request.query) else { continue };
            let run = client.run(&query.sql, &query.shape, &request.parameters, self.ending);
            let answer = tokio::time::timeout(PATIENCE, run).await;
            let late = answer.is_err();
            let answer = answer.unwrap_or_else(|_| Err(no_answer()));
            let ack = self.acknowledged(&answer, query);
            let failed = answer.err().map(|error| Broken {
                of_values: error.class == ErrorClass::DataException,
                code: error.code,
                message: error.message,
            });
            self.measure.answered(Outcome { id: request.id, failed, ack });
            // Now, while nobody waits for it. If there is none to be had, the next request fails too and asks again.
            if (late || !client.alive())
                && let Ok(fresh) = self.source.client(&self.service, &self.settings).await
            {
                client = fresh;
            }
        }
    }

    fn acknowledged(
        &self,
        answer: &std::result::Result<QueryResult, QueryError>,
        query: &Prepared,
    ) -> Option<(String, String, String)> {
        let (table, column) = query.ack.clone().filter(|_| self.ending == Ending::Commit)?;
        let first = answer.as_ref().ok()?.first.clone()?;
        Some((table, column, first))
    }
}
