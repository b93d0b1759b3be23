//! Views, materialized views and their logs.
//!
//! Sources: SQL Language Reference, "CREATE VIEW", "CREATE MATERIALIZED VIEW", "CREATE MATERIALIZED VIEW LOG"; Development Guide, "Using
//! Edition-Based Redefinition".

use super::around::Around;
use super::builder::Builder;
use super::{columns, rules};
use crate::model::schema_action::SchemaAction as A;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    let facts = &read.facts;
    for action in &read.actions {
        match action {
            A::CreateView { view } if facts.materialized => materialized(around, builder, view),
            A::CreateView { view } => made(around, builder, view),
            A::DropView { view } => {
                builder.hurt(around, &rules::DROP_VIEW, view, "");
                columns::dependents(around, builder, view);
            }
            _ => {}
        }
    }
    match read.kind.as_str() {
        "create_materialized_view_log" => {
            for table in &read.relations {
                builder.hurt(around, &rules::VIEW_LOG, table, "");
            }
        }
        "alter_materialized_view" => {
            if let Some(view) = &facts.view {
                refreshed(around, builder, view);
            }
        }
        _ => {}
    }
}

fn made(around: &Around<'_>, builder: &mut Builder<'_>, view: &str) {
    let facts = &builder.read.facts;
    if facts.force {
        builder.warn(around, &rules::FORCE_VIEW, &format!("view {view}"));
    }
    if facts.replace && around.catalog.views.contains_key(view) {
        let rule = if facts.editioning { &rules::EDITIONING_VIEW } else { &rules::REPLACED_VIEW };
        builder.hurt(around, rule, view, "");
        columns::dependents(around, builder, view);
    }
}

fn materialized(around: &Around<'_>, builder: &mut Builder<'_>, view: &str) {
    let facts = &builder.read.facts;
    if facts.build.as_deref() != Some("deferred") && !facts.prebuilt {
        for source in sources(builder) {
            builder.hurt(around, &rules::VIEW_BUILD, &source, view);
        }
    }
    refreshed(around, builder, view);
}

fn sources(builder: &Builder<'_>) -> Vec<String> {
    builder.read.query.iter().flat_map(|query| &query.reads).map(|source| source.relation.clone()).collect()
}

fn refreshed(around: &Around<'_>, builder: &mut Builder<'_>, view: &str) {
    let facts = &builder.read.facts;
    if matches!(facts.refresh_on.as_deref(), Some("commit" | "statement")) {
        let known = || around.catalog.views.get(view).cloned().unwrap_or_default();
        let sources = Some(sources(builder)).filter(|all| !all.is_empty()).unwrap_or_else(known);
        for source in &sources {
            builder.touch(source.clone());
        }
        builder.remark(around, &rules::REFRESH_ON_COMMIT, view, &sources.join(", "));
    }
    if facts.refresh.as_deref() == Some("complete") {
        builder.warn(around, &rules::COMPLETE_REFRESH, view);
    }
}
