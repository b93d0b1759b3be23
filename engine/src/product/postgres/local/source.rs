//! What a copy must know of its source besides the data.

use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use crate::error::Result;
use crate::product::postgres::ServerContext;
use crate::product::postgres::local::cluster::Settings;
use crate::product::postgres::local::tools::Tools;

const READ: &str = "cannot read the settings of the source";

/// The owner's rights go with the owner.
const GRANTS: &str = "SELECT (SELECT rolname::text FROM pg_roles r WHERE r.oid = e.grantee), e.privilege_type
     FROM pg_database d, aclexplode(d.datacl) e WHERE d.datname = current_database() AND e.grantee <> d.datdba";

/// Settings that change what queries mean or how they are planned, and cost nothing to take over.
const KEPT: &[&str] = &[
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "default_text_search_config",
    "bytea_output",
    "search_path",
    "standard_conforming_strings",
    "default_transaction_isolation",
    "default_toast_compression",
    "random_page_cost",
    "effective_cache_size",
    "work_mem",
    "jit",
    "max_locks_per_transaction",
    "max_prepared_transactions",
];

/// Libraries that act on their own, outside the copy too.
const NOT_PRELOADED: &[&str] =
    &["pg_cron", "pg_partman_bgw", "pg_failover_slots", "pglogical", "bdr", "citus", "repmgr"];

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Source {
    /// Superusers that may log in, the first one first.
    pub superusers: Vec<String>,
    /// Name and value.
    pub settings: Vec<(String, String)>,
    pub preload: Vec<String>,
    pub encoding: String,
    pub collate: String,
    pub ctype: String,
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`: role or nothing, and `name=value`.
    pub database_settings: Vec<(Option<String>, String)>,
    /// What roles, or everybody, may do with the database; `None`: what they may with a new one.
    #[serde(default)]
    pub database_grants: Option<Vec<(Option<String>, String)>>,
    /// Tablespaces of users.
    pub tablespaces: u64,
    /// Schemas that the user may not look into; they are no part of what is copied by a dump.
    pub closed_schemas: Vec<String>,
    /// Liquibase's history tables, quoted.
    pub history: Vec<String>,
    /// Schemas in the order in which names are looked for, and then all others.
    #[serde(default)]
    pub search_path: Vec<String>,
    /// Materialised views that hold rows, quoted: a schema without data leaves them unreadable.
    pub populated: Vec<String>,
}

fn optional_pair(row: &tokio_postgres::Row) -> Result<(Option<String>, String)> {
    Ok((row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?))
}

impl Source {
    pub async fn read(client: &Client) -> Result<Self> {
        let row = client
            .query_one(
                concat!("SELECT coalesce((SELECT array_agg(rolname::text ORDER BY oid) FROM pg_roles WHERE rolsuper AND rolcanlogin), '{}'),
                   (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'), pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text,
                   (SELECT count(*) FROM pg_tablespace WHERE spcname !~ '^pg_'),
                   coalesce((SELECT array_agg(nspname::text) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
                     AND NOT has_schema_privilege(oid, 'USAGE')), '{}'),
                   coalesce((SELECT array_agg(format('%I.%I', n.nspname, c.relname)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE ", history_table_sql!("c"), " AND has_table_privilege(c.oid, 'SELECT')), '{}'),
                   coalesce((SELECT array_agg(format('%I.%I', n.nspname, c.relname)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE c.relkind = 'm' AND c.relispopulated), '{}'),
                   current_schemas(false)::text[] || coalesce((SELECT array_agg(nspname::text ORDER BY oid) FROM pg_namespace
                     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspname <> ALL (current_schemas(false))), '{}'),
                   d.datacl IS NOT NULL
                 FROM pg_database d WHERE d.datname = current_database()"),
                &[],
            )
            .await
            .server_context(READ)?;
        let preload: Option<String> = row.try_get(1).server_context(READ)?;
        let settings = client
            .query("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY ($1) AND source <> 'default'", &[&KEPT])
            .await
            .server_context(READ)?;
        let database_settings = client
            .query(
                "SELECT (SELECT rolname::text FROM pg_roles r WHERE r.oid = s.setrole), unnest(s.setconfig) FROM pg_db_role_setting s
                 WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
                &[],
            )
            .await
            .server_context(READ)?;
        let database_grants = client.query(GRANTS, &[]).await.server_context(READ)?;
        let pair = |row: &tokio_postgres::Row| {
            Ok((row.try_get(0).server_context(READ)?, row.try_get(1).server_context(READ)?))
        };
        Ok(Self {
            superusers: row.try_get(0).server_context(READ)?,
            settings: settings.iter().map(pair).collect::<Result<_>>()?,
            preload: preload
                .unwrap_or_default()
                .split(',')
                .map(|l| l.trim().trim_matches('"').to_owned())
                .filter(|l| !l.is_empty())
                .collect(),
            encoding: row.try_get(2).server_context(READ)?,
            collate: row.try_get(3).server_context(READ)?,
            ctype: row.try_get(4).server_context(READ)?,
            database_settings: database_settings.iter().map(optional_pair).collect::<Result<_>>()?,
            database_grants: match row.try_get(10).server_context(READ)? {
                true => Some(database_grants.iter().map(optional_pair).collect::<Result<_>>()?),
                false => None,
            },
            tablespaces: u64::try_from(row.try_get::<_, i64>(5).server_context(READ)?).unwrap_or(0),
            closed_schemas: row.try_get(6).server_context(READ)?,
            history: row.try_get(7).server_context(READ)?,
            populated: row.try_get(8).server_context(READ)?,
            search_path: row.try_get(9).server_context(READ)?,
        })
    }

    /// The configuration of a copy: the source's meaning, no durability, nothing that reaches out.
    pub fn copy_settings(&self, tools: &Tools, tiny: bool) -> Settings {
        let mut settings: Settings = [
            ("fsync", "off"),
            ("full_page_writes", "off"),
            ("synchronous_commit", "off"),
            ("wal_level", "replica"),
            ("max_wal_senders", "4"),
            ("max_wal_size", "4GB"),
            ("max_connections", "300"),
            // A subscription in a copy would take the changes away from the source's own.
            ("max_logical_replication_workers", "0"),
            ("shared_buffers", if tiny { "32MB" } else { "256MB" }),
            // How the server reads queries is told to the session that asks, and would fill the log.
            ("log_min_messages", if tiny { "fatal" } else { "warning" }),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        for name in KEPT {
            let value = self.settings.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            settings.extend(value.map(|value| (*name, value)));
        }
        let wanted =
            self.preload.iter().filter(|l| !NOT_PRELOADED.contains(&l.as_str()) && tools.has_library(l));
        let preload: Vec<&str> = wanted.map(String::as_str).collect();
        if !preload.is_empty() {
            settings.push(("shared_preload_libraries", preload.join(", ")));
        }
        settings
    }
}
