//! The texts of all queries, each once, with what is known of it as of the changesets accepted so far.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Context, Result};
use crate::model::catalog::Catalog;
use crate::model::error_class::ErrorClass;
use crate::model::query::{QueryError, QueryShape, Usage};
use crate::product::{Client, Database};
use crate::stages::contract_queries::usages;

pub struct Text<'a> {
    pub sql: &'a str,
    pub now: Known,
    /// After the changeset under check.
    pub next: Option<Known>,
}

pub struct Known {
    pub shape: QueryShape,
    pub usage: Usage,
}

/// Why queries do not plan, by their place among the texts.
pub type Refused = HashMap<usize, QueryError>;

pub struct Texts<'a> {
    all: Vec<Text<'a>>,
    /// Queries described so far, each time counted.
    pub asked: u64,
}

impl<'a> Texts<'a> {
    /// Describes every query; those that do not plan are told.
    ///
    /// # Errors
    /// `Input` for a query that the grammar does not take.
    pub async fn begin(
        queries: Vec<&'a str>,
        client: &mut dyn Client,
        database: &Arc<dyn Database>,
        catalog: &Catalog,
    ) -> Result<(Self, Refused)> {
        let (shapes, usages) =
            tokio::join!(client.describe_all(&queries), usages(database, &queries, catalog));
        let asked = u64::try_from(queries.len()).unwrap_or(u64::MAX);
        let (mut all, mut refused) = (Vec::new(), Refused::new());
        for ((sql, shape), usage) in queries.into_iter().zip(shapes).zip(usages) {
            let (shape, usage) = match shape {
                Ok(shape) => (shape, usage?),
                Err(error) => {
                    refused.insert(all.len(), error);
                    (QueryShape { parameters: Vec::new(), columns: Vec::new() }, Usage::default())
                }
            };
            all.push(Text { sql, now: Known { shape, usage }, next: None });
        }
        Ok((Self { all, asked }, refused))
    }

    pub fn get(&self, place: usize) -> Option<&Text<'a>> {
        self.all.get(place)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Text<'a>> {
        self.all.iter()
    }

    /// Describes once more what a changeset may reach; gives what does not plan any more.
    ///
    /// # Errors
    /// `Failed` when the connection breaks.
    pub async fn renew(
        &mut self,
        reached: impl Fn(usize) -> bool,
        client: &mut dyn Client,
        database: &Arc<dyn Database>,
        after: &Catalog,
    ) -> Result<Refused> {
        let reached = self.all.iter().enumerate().filter(|(place, _)| reached(*place));
        let (places, asked): (Vec<usize>, Vec<&str>) = reached.map(|(place, text)| (place, text.sql)).unzip();
        self.asked += u64::try_from(asked.len()).unwrap_or(0);
        let (shapes, usages) = tokio::join!(client.describe_all(&asked), usages(database, &asked, after));
        let mut refused = Refused::new();
        let mut known = Vec::new();
        for ((place, shape), usage) in places.into_iter().zip(shapes).zip(usages) {
            match shape {
                Ok(shape) => known.push((place, Known { shape, usage: usage? })),
                Err(error) => drop(refused.insert(place, error)),
            }
        }
        // What is written is looked at by the planner only.
        let writes =
            |place: usize| self.all.get(place).filter(|t| !t.now.usage.writes.is_empty()).map(|t| t.sql);
        let (writing, asked): (Vec<usize>, Vec<(&str, &QueryShape)>) =
            known.iter().filter_map(|(place, known)| Some((*place, (writes(*place)?, &known.shape)))).unzip();
        for (place, planned) in writing.into_iter().zip(client.plan_all(&asked).await) {
            if let Err(error) = planned {
                refused.insert(place, error);
            }
        }
        if let Some(error) = refused.values().find(|e| e.class == ErrorClass::ConnectionLost) {
            return Err(error.clone()).context("the scratch database broke the connection");
        }
        for (place, known) in known.into_iter().filter(|(place, _)| !refused.contains_key(place)) {
            if let Some(text) = self.all.get_mut(place) {
                text.next = Some(known);
            }
        }
        Ok(refused)
    }

    /// The changeset stays.
    pub fn accept(&mut self) {
        for text in &mut self.all {
            if let Some(next) = text.next.take() {
                text.now = next;
            }
        }
    }

    /// The changeset goes.
    pub fn forget(&mut self) {
        for text in &mut self.all {
            text.next = None;
        }
    }

    /// Describes everything; gives what does not plan.
    pub async fn look(&mut self, client: &mut dyn Client) -> Refused {
        let asked: Vec<&str> = self.all.iter().map(|t| t.sql).collect();
        self.asked += u64::try_from(asked.len()).unwrap_or(0);
        let shapes = client.describe_all(&asked).await;
        shapes.into_iter().enumerate().filter_map(|(place, shape)| Some((place, shape.err()?))).collect()
    }
}
