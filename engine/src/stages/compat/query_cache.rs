//! The texts of all queries, each once, with what is known of it as of the changesets accepted so far.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::error::{Context, Error, Result};
use crate::model::catalog::Catalog;
use crate::model::error_class::ErrorClass;
use crate::model::query::{QueryError, QueryShape, Usage};
use crate::model::resolved::Resolved;
use crate::product::Database;
use crate::stages::sessions::{Asked, Planned, Sessions};

pub struct Text<'a> {
    pub sql: &'a str,
    /// Who asks it.
    pub role: Option<&'a str>,
    pub now: Known,
    /// After the changeset under check.
    pub next: Option<Known>,
}

pub struct Known {
    pub shape: QueryShape,
    pub usage: Usage,
    /// What its names mean, where the product tells.
    pub names: Option<Arc<Resolved>>,
}

/// Why queries do not plan, by their place among the texts.
pub type Refused = HashMap<usize, QueryError>;

pub struct Texts<'a> {
    all: Vec<Text<'a>>,
    /// Queries described so far, each time counted.
    pub asked: u64,
}

/// A query that the database takes and the product's adapter cannot read.
fn unread(error: &Error) -> QueryError {
    QueryError {
        code: "unread".to_owned(),
        class: ErrorClass::SyntaxError,
        message: error.chain(),
        column: None,
        table: None,
        constraint: None,
    }
}

impl<'a> Texts<'a> {
    /// Describes every query; those that do not plan are told.
    ///
    /// # Errors
    /// None; what cannot be read is among those that are told.
    pub async fn begin(
        queries: Vec<Asked<'a>>,
        sessions: &mut Sessions,
        database: &Arc<dyn Database>,
        catalog: &Catalog,
    ) -> Result<(Self, Refused)> {
        let shapes = sessions.describe_all(database, &queries).await?;
        let (usages, names) =
            tokio::join!(sessions.usages(database, &queries, catalog), sessions.names(database, &queries));
        let asked = u64::try_from(queries.len()).unwrap_or(u64::MAX);
        let (mut all, mut refused) = (Vec::new(), Refused::new());
        let known = shapes.into_iter().zip(usages).zip(names?);
        for ((sql, role), ((shape, usage), names)) in queries.into_iter().zip(known) {
            let (shape, usage) = match shape {
                Ok(shape) => match usage {
                    Ok(usage) => (shape, usage),
                    Err(error) => {
                        refused.insert(all.len(), unread(&error));
                        (shape, Usage::default())
                    }
                },
                Err(error) => {
                    refused.insert(all.len(), error);
                    (QueryShape { parameters: Vec::new(), columns: Vec::new() }, Usage::default())
                }
            };
            all.push(Text { sql, role, now: Known { shape, usage, names: names.map(Arc::new) }, next: None });
        }
        Ok((Self { all, asked }, refused))
    }

    pub fn get(&self, place: usize) -> Option<&Text<'a>> {
        self.all.get(place)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Text<'a>> {
        self.all.iter()
    }

    /// Describes once more what a changeset may reach; gives what does not plan any more. `renamed`: names may mean something
    /// else than they did.
    ///
    /// # Errors
    /// `Failed` when the connection breaks.
    pub async fn renew(
        &mut self,
        reached: impl Fn(usize) -> bool,
        renamed: bool,
        sessions: &mut Sessions,
        database: &Arc<dyn Database>,
        after: &Catalog,
    ) -> Result<Refused> {
        let reached = self.all.iter().enumerate().filter(|(place, _)| reached(*place));
        let (places, asked): (Vec<usize>, Vec<Asked<'a>>) =
            reached.map(|(place, text)| (place, (text.sql, text.role))).unzip();
        self.asked += u64::try_from(asked.len()).unwrap_or(0);
        let shapes = sessions.describe_all(database, &asked).await?;
        let meant = async {
            match renamed {
                true => sessions.names(database, &asked).await.map(Some),
                false => Ok(None),
            }
        };
        let (usages, meant) = tokio::join!(sessions.usages(database, &asked, after), meant);
        let mut meant = meant?.map(Vec::into_iter);
        let mut refused = Refused::new();
        let mut known = Vec::new();
        for ((place, shape), usage) in places.into_iter().zip(shapes).zip(usages) {
            let names = match meant.as_mut() {
                Some(meant) => meant.next().flatten().map(Arc::new),
                None => self.all.get(place).and_then(|text| text.now.names.clone()),
            };
            match shape {
                Ok(shape) => known.push((place, Known { shape, usage: usage?, names })),
                Err(error) => drop(refused.insert(place, error)),
            }
        }
        // What is written is looked at by the planner only.
        let writes = |place: usize| {
            self.all.get(place).filter(|t| !t.now.usage.writes.is_empty()).map(|t| (t.sql, t.role))
        };
        let (writing, asked): (Vec<usize>, Vec<Planned<'_>>) =
            known.iter().filter_map(|(place, known)| Some((*place, (writes(*place)?, &known.shape)))).unzip();
        for (place, planned) in writing.into_iter().zip(sessions.plan_all(database, &asked).await?) {
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

    /// Asks once more what names mean that meant one of these objects: in this database they have other identities.
    ///
    /// # Errors
    /// `Failed` when the server cannot be asked.
    pub async fn name_again(
        &mut self,
        moved: &BTreeSet<String>,
        sessions: &Sessions,
        database: &Arc<dyn Database>,
    ) -> Result<()> {
        let stale = |text: &Text<'_>| text.now.names.as_ref().is_some_and(|names| names.mean_any(moved));
        let (places, asked): (Vec<usize>, Vec<Asked<'a>>) = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, text)| stale(text))
            .map(|(place, text)| (place, (text.sql, text.role)))
            .unzip();
        for (place, names) in places.into_iter().zip(sessions.names(database, &asked).await?) {
            if let Some(text) = self.all.get_mut(place) {
                text.now.names = names.map(Arc::new);
            }
        }
        Ok(())
    }

    /// Describes everything; gives what does not plan.
    ///
    /// # Errors
    /// `Failed` when a session cannot be had.
    pub async fn look(&mut self, sessions: &mut Sessions, database: &Arc<dyn Database>) -> Result<Refused> {
        let asked: Vec<Asked<'a>> = self.all.iter().map(|t| (t.sql, t.role)).collect();
        self.asked += u64::try_from(asked.len()).unwrap_or(0);
        let shapes = sessions.describe_all(database, &asked).await?;
        Ok(shapes.into_iter().enumerate().filter_map(|(place, shape)| Some((place, shape.err()?))).collect())
    }
}
