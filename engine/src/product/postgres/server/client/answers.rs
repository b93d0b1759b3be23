//! Queries run for their whole answer and taken back, many sets of values on their way at once.

use futures::future::join_all;
use futures::{TryStreamExt, pin_mut};

use crate::model::error_class::ErrorClass;
use crate::model::query::{Answer, Asker, Call, QueryError, QueryShape};
use crate::model::session_defaults::SessionDefaults;
use crate::product::postgres::grammar::relations::CopyShape;
use crate::product::postgres::server::client::copying::copy;
use crate::product::postgres::server::client::{CHECK, Service, first_failure, query_error};
use crate::product::postgres::server::connect::{literal, quoted, quoted_relation};
use crate::product::postgres::server::error_codes::ROW_STAYS;
use crate::product::postgres::server::session_defaults;
use crate::product::postgres::server::text::Text;

/// Of an answer that is looked at whole.
pub(super) const MOST_ROWS: usize = 1000;
/// Foreign keys and triggers do not act then
/// (<https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SESSION-REPLICATION-ROLE>).
const AS_REPLICA: &str = "SET LOCAL session_replication_role";
/// Calls that are made before the first is answered. They depend on their order, and `join_all` keeps to it for no more than 30.
const AHEAD: usize = 24;

impl Service {
    /// See `Client::answers`.
    pub(super) async fn answer_all(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        asker: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Result<Answer, QueryError>> {
        let mut all = Vec::new();
        let become_role = match asker {
            Some(asker) => self.become_role(asker).await,
            None => String::new(),
        };
        if copy(sql).is_some() {
            for call in calls {
                all.push(self.copied(sql, shape, &become_role, call).await);
            }
            return all;
        }
        self.know_types(sql, shape).await;
        let over_keys = calls.iter().any(|c| c.without.is_some()) && self.over_keys().await;
        for some in calls.chunks(AHEAD) {
            // Polled in this order they go out in it, before the first answer is there, and the last ROLLBACK is on its way
            // even if this call is cancelled.
            let mut end = "";
            let asked = some.iter().map(|call| {
                let begin = begin(std::mem::replace(&mut end, "ROLLBACK; "), &become_role, call, over_keys);
                self.answer(sql, shape, begin, call)
            });
            let (answers, ended) = futures::join!(join_all(asked), self.client.batch_execute("ROLLBACK"));
            all.extend(answers);
            if let (Err(error), Some(last)) = (ended, all.last_mut()) {
                *last = Err(query_error(error));
            }
        }
        all
    }

    /// For the rest of a transaction: the role, and what its sessions begin with. How long something may take stays ours.
    async fn become_role(&self, Asker { role, session }: Asker<'_>) -> String {
        let own = match session {
            Some(session) => Some(session.clone()),
            None => {
                let known = session_defaults::read(&self.client, &[role]).await;
                known.ok().and_then(|mut all| all.remove(role))
            }
        };
        let SessionDefaults { search_path, settings, .. } = own.unwrap_or_default();
        let path: Vec<String> = search_path.iter().map(|name| quoted(name)).collect();
        let mut script = format!("; SET LOCAL ROLE {}", quoted(role));
        let settings = settings.iter().filter(|(name, _)| !name.ends_with("_timeout"));
        let all = settings.map(|(name, value)| (name.as_str(), value.clone()));
        for (name, value) in all.chain([("search_path", path.join(", "))]) {
            script.push_str(&format!("; SELECT set_config({}, {}, true)", literal(name), literal(&value)));
        }
        script
    }

    async fn over_keys(&mut self) -> bool {
        if let Some(known) = self.over_keys {
            return known;
        }
        let may = self.client.batch_execute(&format!("BEGIN; {AS_REPLICA} = replica")).await.is_ok();
        let _ = self.client.batch_execute("ROLLBACK").await;
        self.over_keys = Some(may);
        may
    }

    /// Leaves its transaction open.
    async fn answer(
        &self,
        sql: &str,
        shape: &QueryShape,
        begin: String,
        call: &Call<'_>,
    ) -> Result<Answer, QueryError> {
        let (begin, answer, checked) = futures::join!(
            self.client.batch_execute(&begin),
            self.all(sql, shape, call.values),
            self.client.batch_execute(CHECK),
        );
        // A row that is called otherwise by now says nothing of the query.
        let begin_failed = begin.as_ref().is_err_and(|_| call.without.is_some());
        first_failure(begin, answer, checked, Ok(())).map_err(|error| match begin_failed {
            true => QueryError { code: ROW_STAYS.to_owned(), class: ErrorClass::RowStays, ..error },
            false => error,
        })
    }

    /// COPY takes several round trips; what it gives out is a line for each row.
    pub(super) async fn copied(
        &self,
        sql: &str,
        shape: &QueryShape,
        become_role: &str,
        call: &Call<'_>,
    ) -> Result<Answer, QueryError> {
        self.client.batch_execute(&begin("", become_role, call, false)).await.map_err(query_error)?;
        let answer = match copy(sql) {
            Some(CopyShape::In { table, columns }) => {
                let count = self.copy_in(&table, columns, call.values).await;
                count.map(|count| Answer { rows: Vec::new(), count })
            }
            _ => self.copy_out(sql, shape.columns.len()).await,
        };
        let checked = match answer {
            Ok(_) => self.client.batch_execute(CHECK).await,
            Err(_) => Ok(()),
        };
        let end = self.client.batch_execute("ROLLBACK").await;
        first_failure(Ok(()), answer, checked, end)
    }

    async fn all(
        &self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
    ) -> Result<Answer, QueryError> {
        let stream = self.stream(sql, shape, parameters).await?;
        pin_mut!(stream);
        let mut answer = Answer::default();
        while let Some(row) = stream.try_next().await.map_err(query_error)? {
            answer.count += 1;
            if answer.rows.len() < MOST_ROWS {
                let cell = |n| row.try_get::<_, Option<Text>>(n).ok().flatten().map(|t| t.0);
                answer.rows.push((0..row.len()).map(cell).collect());
            }
        }
        answer.count = stream.rows_affected().unwrap_or(answer.count);
        Ok(answer)
    }
}

/// Ends what was before, and makes everything ready for a call.
fn begin(end: &str, become_role: &str, call: &Call<'_>, over_keys: bool) -> String {
    let mut begin = format!("{end}BEGIN");
    if let Some((table, key)) = call.without {
        let row: Vec<_> = key.iter().map(|(c, v)| format!("{} = {}", quoted(c), literal(v))).collect();
        let delete = format!("DELETE FROM {} WHERE {}", quoted_relation(table), row.join(" AND "));
        begin = match over_keys {
            true => format!("{begin}; {AS_REPLICA} = replica; {delete}; {AS_REPLICA} = origin"),
            false => format!("{begin}; {delete}"),
        };
    }
    begin.push_str(become_role);
    begin
}
