//! Sessions that begin as those of the services do: bare names are found through the search path of the service's role, and its
//! settings hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;

use crate::contract::Contract;
use crate::contract::role_sessions::{self, RoleSessions};
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::query::{PlanShape, QueryError, QueryShape, ResultFacts, Usage};
use crate::model::resolved::{Resolved, RoutineNames};
use crate::model::session_defaults::{SessionDefaults, Shut};
use crate::product::{Client, Database};
use crate::stages::contract_queries::usages;

/// A query, and the role that asks it.
pub type Asked<'a> = (&'a str, Option<&'a str>);
/// A query to plan to the end; see `Client::plan_all`.
pub type Planned<'a> = (Asked<'a>, &'a QueryShape);

pub struct Sessions {
    application: String,
    roles: BTreeSet<String>,
    /// As of the changesets accepted so far.
    defaults: RoleSessions,
    /// After the changeset under check.
    next: Option<RoleSessions>,
    /// What our own session began with.
    opened: Option<SessionDefaults>,
    clients: Vec<(Option<SessionDefaults>, Box<dyn Client>)>,
}

/// Queries whose sessions begin alike, and where each stands among all that were asked.
struct Group<'q> {
    /// One of theirs, for all of them.
    role: Option<&'q str>,
    places: Vec<usize>,
    texts: Vec<&'q str>,
}

/// How the sessions of a role begin otherwise.
pub enum NewStart {
    /// The role is not there any more.
    Gone,
    /// None can begin any more.
    Shut(Shut),
    /// The schemas that were and are searched for bare names, and what else is set otherwise.
    Other { was: Vec<String>, is: Vec<String>, settings: Vec<String> },
}

impl Sessions {
    /// # Errors
    /// `Failed` when the database cannot be reached.
    pub async fn begin(
        database: &Arc<dyn Database>,
        contracts: &[Contract],
        application: &str,
    ) -> Result<Self> {
        let roles = role_sessions::roles(contracts);
        let defaults = RoleSessions::read(database.as_ref(), &roles).await?;
        let (application, opened) = (application.to_owned(), defaults.own().cloned());
        let mut all = Self { application, roles, defaults, next: None, opened, clients: Vec::new() };
        all.open(database, None).await?;
        Ok(all)
    }

    /// What sessions of the role begin with; `None`: with what our own session did, or nobody knows.
    pub fn of(&self, role: Option<&str>) -> Option<&SessionDefaults> {
        self.next.as_ref().unwrap_or(&self.defaults).other_than(self.opened.as_ref(), role)
    }

    async fn open(&mut self, database: &Arc<dyn Database>, role: Option<&str>) -> Result<usize> {
        let own = self.of(role).cloned();
        if let Some(place) = self.clients.iter().position(|(known, _)| *known == own) {
            return Ok(place);
        }
        let settings = role_sessions::settings(own.as_ref());
        let client = database.client_with(&self.application, &settings).await?;
        self.clients.push((own, client));
        Ok(self.clients.len() - 1)
    }

    /// Which session each is asked in.
    async fn places(
        &mut self,
        database: &Arc<dyn Database>,
        roles: impl Iterator<Item = Option<&str>>,
    ) -> Result<Vec<Vec<usize>>> {
        let mut places: Vec<Vec<usize>> = Vec::new();
        for (n, role) in roles.enumerate() {
            let place = self.open(database, role).await?;
            places.resize_with(places.len().max(place + 1), Vec::new);
            if let Some(own) = places.get_mut(place) {
                own.push(n);
            }
        }
        Ok(places)
    }

    /// Plans queries as their roles would; see `Client::describe_all`.
    ///
    /// # Errors
    /// `Failed` when a session cannot be had.
    pub async fn describe_all(
        &mut self,
        database: &Arc<dyn Database>,
        asked: &[Asked<'_>],
    ) -> Result<Vec<Result<QueryShape, QueryError>>> {
        let places = self.places(database, asked.iter().map(|(_, role)| *role)).await?;
        let answers = self.clients.iter_mut().zip(&places).map(async |((_, client), own)| {
            let texts: Vec<&str> = own.iter().filter_map(|n| asked.get(*n)).map(|(sql, _)| *sql).collect();
            if texts.is_empty() { Vec::new() } else { client.describe_all(&texts).await }
        });
        let answers = join_all(answers).await;
        Ok(in_order(places.into_iter().zip(answers)))
    }

    /// The same; see `Client::plan_all`.
    ///
    /// # Errors
    /// `Failed` when a session cannot be had.
    pub async fn plan_all(
        &mut self,
        database: &Arc<dyn Database>,
        asked: &[Planned<'_>],
    ) -> Result<Vec<Result<Option<PlanShape>, QueryError>>> {
        let places = self.places(database, asked.iter().map(|((_, role), _)| *role)).await?;
        let answers = self.clients.iter_mut().zip(&places).map(async |((_, client), own)| {
            let queries: Vec<(&str, &QueryShape)> =
                own.iter().filter_map(|n| asked.get(*n)).map(|((sql, _), shape)| (*sql, *shape)).collect();
            if queries.is_empty() { Vec::new() } else { client.plan_all(&queries).await }
        });
        let answers = join_all(answers).await;
        Ok(in_order(places.into_iter().zip(answers)))
    }

    /// One query as its role would ask it.
    ///
    /// # Errors
    /// Outside `Failed` when a session cannot be had, inside why it does not plan.
    pub async fn describe(
        &mut self,
        database: &Arc<dyn Database>,
        (sql, role): Asked<'_>,
    ) -> Result<Result<QueryShape, QueryError>> {
        let place = self.open(database, role).await?;
        match self.clients.get_mut(place) {
            Some((_, client)) => Ok(client.describe(sql).await),
            None => Err(crate::error::Error::failed("a session of the scratch database is lost")),
        }
    }

    /// The catalog with the search path of the role.
    pub fn catalog<'c>(&self, role: Option<&str>, catalog: &'c Catalog) -> Cow<'c, Catalog> {
        role_sessions::catalog(self.of(role), catalog)
    }

    /// What each query comes to, its bare names found as its role finds them.
    pub async fn usages(
        &self,
        database: &Arc<dyn Database>,
        asked: &[Asked<'_>],
        catalog: &Catalog,
    ) -> Vec<Result<Usage>> {
        let answers = self.groups(asked).into_iter().map(async |group| {
            (group.places, usages(database, &group.texts, &self.catalog(group.role, catalog)).await)
        });
        in_order(join_all(answers).await.into_iter())
    }

    /// What the answer of each query depends on; see `Analyze::results`.
    pub async fn results(
        &self,
        database: &Arc<dyn Database>,
        asked: &[Asked<'_>],
        catalog: &Catalog,
    ) -> Vec<Result<ResultFacts>> {
        let answers = self.groups(asked).into_iter().map(async |group| {
            (group.places, database.results(&group.texts, &self.catalog(group.role, catalog)).await)
        });
        in_order(join_all(answers).await.into_iter())
    }

    /// Those of equal beginnings together.
    fn groups<'q>(&self, asked: &[Asked<'q>]) -> Vec<Group<'q>> {
        let mut groups: Vec<Group<'q>> = Vec::new();
        for (n, (sql, role)) in asked.iter().enumerate() {
            let own = self.of(*role);
            match groups.iter_mut().find(|group| self.of(group.role) == own) {
                Some(group) => {
                    group.places.push(n);
                    group.texts.push(sql);
                }
                None => groups.push(Group { role: *role, places: vec![n], texts: vec![sql] }),
            }
        }
        groups
    }

    /// What the names of each query mean; `None` where that cannot be told.
    ///
    /// # Errors
    /// `Failed` when the server cannot be asked.
    pub async fn names(
        &self,
        database: &Arc<dyn Database>,
        asked: &[Asked<'_>],
    ) -> Result<Vec<Option<Resolved>>> {
        let Some(resolve) = database.resolve() else { return Ok(asked.iter().map(|_| None).collect()) };
        let mut answers = Vec::new();
        for group in self.groups(asked) {
            answers.push((group.places, resolve.names(&group.texts, self.of(group.role)).await?));
        }
        Ok(in_order(answers.into_iter()))
    }

    /// What the bodies of routines mean in a session of the role.
    ///
    /// # Errors
    /// `Failed` when the server cannot be asked.
    pub async fn routine_names(
        &self,
        database: &Arc<dyn Database>,
        routines: &[&str],
        role: Option<&str>,
    ) -> Result<BTreeMap<String, RoutineNames>> {
        match database.resolve() {
            Some(resolve) => resolve.routine_names(routines, self.of(role)).await,
            None => Ok(BTreeMap::new()),
        }
    }

    /// Looks once more at what sessions begin with.
    ///
    /// # Errors
    /// `Failed` when the database cannot be asked.
    pub async fn renew(&mut self, database: &Arc<dyn Database>) -> Result<()> {
        self.next = Some(RoleSessions::read(database.as_ref(), &self.roles).await?);
        Ok(())
    }

    /// What sessions of a role begin with before the changeset under check.
    pub fn before(&self, role: Option<&str>) -> Option<&SessionDefaults> {
        self.defaults.known(role)
    }

    /// The same after it.
    pub fn after(&self, role: Option<&str>) -> Option<&SessionDefaults> {
        self.next.as_ref().unwrap_or(&self.defaults).known(role)
    }

    /// How the sessions of a role begin otherwise after the changeset under check.
    pub fn new_start(&self, role: Option<&str>) -> Option<NewStart> {
        let was = self.defaults.known(role)?;
        let Some(is) = self.next.as_ref()?.known(role) else { return Some(NewStart::Gone) };
        if let Some(shut) = is.shut.filter(|_| was.shut.is_none()) {
            return Some(NewStart::Shut(shut));
        }
        let (from, to) = (was.search_path.clone(), is.search_path.clone());
        (was != is).then(|| NewStart::Other { was: from, is: to, settings: was.changed_settings(is) })
    }

    /// The changeset stays.
    pub fn accept(&mut self) {
        if let Some(next) = self.next.take() {
            self.defaults = next;
        }
    }

    /// Goes on with another database, which does not have the changeset.
    ///
    /// # Errors
    /// `Failed` when it cannot be reached.
    pub async fn move_to(&mut self, database: &Arc<dyn Database>) -> Result<()> {
        self.next = None;
        self.clients.clear();
        self.opened = self.defaults.own().cloned();
        self.open(database, None).await?;
        Ok(())
    }
}

/// Answers in the order of what was asked, from those of each group.
fn in_order<T>(answered: impl Iterator<Item = (Vec<usize>, Vec<T>)>) -> Vec<T> {
    let mut all: Vec<(usize, T)> =
        answered.flat_map(|(places, answers)| places.into_iter().zip(answers)).collect();
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, answer)| answer).collect()
}
