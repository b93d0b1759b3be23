//! The queries of every deployed version, and what each comes to use.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::{Contract, Query};
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::changeset::ChangesetId;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::model::query::Usage;
use crate::product::Database;
use crate::stages::view_lineage;

/// One query of one version.
pub struct Watched<'a> {
    pub service: &'a str,
    pub version: &'a str,
    pub query: &'a Query,
    pub role: Option<&'a str>,
    /// Its place among the texts: versions have most of them in common.
    pub text: usize,
}

/// All queries, and the texts they have, each once for each role that asks it.
pub fn watched(contracts: &[Contract]) -> (Vec<Watched<'_>>, Vec<(&str, Option<&str>)>) {
    let mut places: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    let mut distinct: Vec<(&str, Option<&str>)> = Vec::new();
    let mut watched = Vec::new();
    for (contract, version) in contracts.iter().flat_map(|c| c.versions.iter().map(move |v| (c, v))) {
        for query in &version.queries {
            let (service, version, role) = (&contract.service, &version.version, contract.role.as_deref());
            let text = *places.entry((&query.sql, role)).or_insert_with(|| {
                distinct.push((&query.sql, role));
                distinct.len() - 1
            });
            watched.push(Watched { service, version, query, role, text });
        }
    }
    (watched, distinct)
}

impl Watched<'_> {
    pub fn verdict(
        &self,
        changeset: &ChangesetId,
        verdict: VerdictKind,
        class: VerdictClass,
        reason: String,
        column: Option<String>,
    ) -> Verdict {
        Verdict {
            changeset: changeset.clone(),
            service: self.service.to_owned(),
            version: self.version.to_owned(),
            query: self.query.name.clone(),
            verdict,
            class,
            reason,
            column,
            unique_key_gone: false,
            grant_to: None,
            rows_kept: false,
            file: self.query.file.display().to_string(),
            line: self.query.line,
            allowed: None,
        }
    }
}

/// What each query comes to, in their order, read beside whatever else is waited for. See `Analyze::queries`.
pub async fn usages(database: &Arc<dyn Database>, queries: &[&str], catalog: &Catalog) -> Vec<Result<Usage>> {
    let through_views = |usage: Result<Usage>| {
        let mut usage = usage?;
        usage.writes = view_lineage::writes(usage.writes, catalog);
        Ok(usage)
    };
    database.queries(queries, catalog).await.into_iter().map(through_views).collect()
}
