//! Which relations differ from those of an earlier look, told by the versions of their rows in the catalogs.
//!
//! Every change writes a new version of a row, with the number of the transaction that wrote it (`xmin`); see
//! <https://www.postgresql.org/docs/current/ddl-system-columns.html>. What is written in place has no new version: sizes and
//! estimates, which are no part of a schema. Where a sequence stands lies in its own row, and is no part of it either.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::{ToSql, Type};

use crate::error::{Error, Result};
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::connection::Connection;

const READ: &str = "cannot tell what has changed in the catalogs";

/// The first transaction that is one.
const FIRST: &str = "3";

/// Of a row's `key` and `version`. Numbers of transactions cannot be computed with: each is told by its distance from the first one. Those
/// that stand for rows of before all transactions have no distance.
macro_rules! hashed_sql {
    ($seed:literal) => {
        concat!(
            "hashint8extended((CASE age(version) WHEN 2147483647 THEN 0 ELSE age('3'::xid) - age(version) END::int8 << 32) + key, ",
            $seed,
            ")"
        )
    };
}

/// For each relation a number that is another one once a row of it in the catalogs is added, changed or removed, and whether one of its
/// columns is no older than the transaction $1. Rows of columns go with their relations only, so that the many of them are not summed up.
const OF_RELATIONS: &str = concat!(
    "WITH own AS MATERIALIZED (
       SELECT c.oid, coalesce(i.indrelid, c.oid) AS relation, c.xmin AS version, i.xmin AS index_version
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
       WHERE c.relkind <> 't' AND c.relpersistence <> 't' AND ",
    users_sql!("n.nspname"),
    "),
     part AS (
       SELECT relation, oid::int8 AS key, version FROM own
       UNION ALL SELECT relation, oid::int8, index_version FROM own WHERE index_version IS NOT NULL
       UNION ALL SELECT attrelid, NULL, xmin FROM pg_attribute WHERE age(xmin) <= age($1::text::xid)
       UNION ALL SELECT adrelid, oid::int8, xmin FROM pg_attrdef
       UNION ALL SELECT conrelid, oid::int8, xmin FROM pg_constraint WHERE conrelid <> 0
       UNION ALL SELECT tgrelid, oid::int8, xmin FROM pg_trigger WHERE NOT tgisinternal
       UNION ALL SELECT ev_class, oid::int8, xmin FROM pg_rewrite
       UNION ALL SELECT polrelid, oid::int8, xmin FROM pg_policy
       UNION ALL SELECT o.relation, h.inhparent::int8, h.xmin FROM pg_inherits h JOIN own o ON o.oid = h.inhrelid
       UNION ALL SELECT partrelid, 0, xmin FROM pg_partitioned_table
       UNION ALL SELECT o.relation, d.objsubid, d.xmin FROM pg_description d JOIN own o ON o.oid = d.objoid
         WHERE d.classoid = 'pg_class'::regclass
       UNION ALL SELECT seqrelid, 0, xmin FROM pg_sequence
       UNION ALL SELECT ftrelid, 0, xmin FROM pg_foreign_table
       UNION ALL SELECT o.relation, d.refobjid::int8, d.xmin FROM pg_depend d JOIN own o ON o.oid = d.objid
         WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i', 'e'))
     SELECT relation, sum(",
    hashed_sql!("0"),
    ") FILTER (WHERE key IS NOT NULL)::text, bool_or(key IS NULL),
       pg_snapshot_xmin(pg_current_snapshot())::xid::text FROM part WHERE relation IN (SELECT relation FROM own) GROUP BY 1"
);

/// The same of what belongs to no relation: of all, of what is no younger than the number $1, and the youngest number. Row types
/// and their arrays come and go with their relations.
const OF_OTHERS: &str = concat!(
    "WITH ns AS MATERIALIZED (SELECT oid FROM pg_namespace WHERE ",
    users_sql!("nspname"),
    "),
     part AS (
       SELECT oid, oid::int8 AS key, xmin AS version FROM pg_namespace
       UNION ALL SELECT p.oid, 1, p.xmin FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
       UNION ALL SELECT aggfnoid::oid, 2, xmin FROM pg_aggregate
       UNION ALL SELECT t.oid, 3, t.xmin FROM pg_type t JOIN ns ON ns.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE t.typtype <> 'c' AND t.typelem = 0 OR c.relkind = 'c'
       UNION ALL SELECT oid, 4, xmin FROM pg_enum
       UNION ALL SELECT rngtypid, 5, xmin FROM pg_range
       UNION ALL SELECT oid, 6, xmin FROM pg_constraint WHERE conrelid = 0
       UNION ALL SELECT o.oid, 7, o.xmin FROM pg_operator o JOIN ns ON ns.oid = o.oprnamespace
       UNION ALL SELECT o.oid, 8, o.xmin FROM pg_collation o JOIN ns ON ns.oid = o.collnamespace
       UNION ALL SELECT oid, 9, xmin FROM pg_extension
       UNION ALL SELECT oid, 10, xmin FROM pg_event_trigger
       UNION ALL SELECT oid, 11, xmin FROM pg_publication
       UNION ALL SELECT oid, 12, xmin FROM pg_publication_rel
       UNION ALL SELECT oid, 13, xmin FROM pg_statistic_ext
       UNION ALL SELECT oid, 14, xmin FROM pg_default_acl
       UNION ALL SELECT oid, 15, xmin FROM pg_language
       UNION ALL SELECT oid, 16, xmin FROM pg_am
       UNION ALL SELECT oid, 17, xmin FROM pg_foreign_server
       UNION ALL SELECT objid, 18, xmin FROM pg_depend WHERE deptype = 'e' AND classid <> 'pg_class'::regclass
       UNION ALL SELECT 0::oid, setrole::int8, xmin FROM pg_db_role_setting
       UNION ALL SELECT c.oid, 19, c.xmin FROM pg_ts_config c JOIN ns ON ns.oid = c.cfgnamespace
       UNION ALL SELECT m.mapcfg, m.maptokentype * 100 + m.mapseqno, m.xmin FROM pg_ts_config_map m JOIN pg_ts_config c ON c.oid = m.mapcfg
         JOIN ns ON ns.oid = c.cfgnamespace
       UNION ALL SELECT d.oid, 20, d.xmin FROM pg_ts_dict d JOIN ns ON ns.oid = d.dictnamespace
       UNION ALL SELECT oid, 21, xmin FROM pg_cast WHERE oid >= 16384
       UNION ALL SELECT o.oid, 22, o.xmin FROM pg_opclass o JOIN ns ON ns.oid = o.opcnamespace
       UNION ALL SELECT objoid, 23, xmin FROM pg_description WHERE objoid >= 16384 AND classoid <> 'pg_class'::regclass
       UNION ALL SELECT pnpubid, 24, xmin FROM pg_publication_namespace
       UNION ALL SELECT oid, hashtext(rolname), '3'::xid FROM pg_roles),
     hashed AS (SELECT oid, ",
    hashed_sql!("oid::int8"),
    " AS hash FROM part)
     SELECT coalesce(sum(hash), 0)::text, coalesce(sum(hash) FILTER (WHERE oid <= $1), 0)::text, coalesce(max(oid), 0::oid) FROM hashed"
);

/// What the catalogs were at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamps {
    relations: BTreeMap<u32, String>,
    /// All transactions before this one were over.
    over: String,
    others: String,
    youngest: u32,
}

/// What has happened between two moments.
#[derive(Debug, PartialEq, Eq)]
pub enum Since {
    /// Only the definitions of these relations may be others, besides what refers to them. With `others`, something that belongs to no
    /// relation has come, and nothing of that kind has changed or gone.
    Changed { relations: Vec<u32>, others: bool },
    /// Anything may read otherwise now.
    Anything,
}

impl Stamps {
    /// Reads in two sessions beside one another.
    pub async fn read(pair: (&Connection, &Connection), last: Option<&Self>) -> Result<(Self, Since)> {
        let over = last.map_or(FIRST, |last| last.over.as_str());
        let youngest = last.map_or(0, |last| last.youngest);
        let of_relations = [(&over as &(dyn ToSql + Sync), Type::TEXT)];
        let of_others = [(&youngest as &(dyn ToSql + Sync), Type::OID)];
        let (rows, others) =
            futures::try_join!(pair.0.look(OF_RELATIONS, &of_relations), pair.1.look(OF_OTHERS, &of_others))
                .server_context(READ)?;
        let mut now =
            Self { relations: BTreeMap::new(), over: over.to_owned(), others: String::new(), youngest };
        let mut touched = BTreeSet::new();
        for row in rows {
            let relation: u32 = row.try_get(0).server_context(READ)?;
            now.relations.insert(relation, row.try_get(1).server_context(READ)?);
            if row.try_get(2).server_context(READ)? {
                touched.insert(relation);
            }
            now.over = row.try_get(3).server_context(READ)?;
        }
        let row = others.into_iter().next().ok_or_else(|| Error::failed(READ))?;
        now.others = row.try_get(0).server_context(READ)?;
        let older: String = row.try_get(1).server_context(READ)?;
        now.youngest = row.try_get(2).server_context(READ)?;
        let since = match last {
            Some(last)
                if last.others == older && last.relations.keys().all(|n| now.relations.contains_key(n)) =>
            {
                let differ = now
                    .relations
                    .iter()
                    .filter(|(n, stamp)| touched.contains(n) || last.relations.get(n) != Some(stamp));
                Since::Changed { relations: differ.map(|(n, _)| *n).collect(), others: now.others != older }
            }
            _ => Since::Anything,
        };
        Ok((now, since))
    }
}

/// What refers to relations by name and may so read otherwise when one of them gets a column more: views, rules and policies belong to
/// relations too, which are given. Anything else that has code is not told apart.
const DEPENDENTS: &str = "SELECT coalesce(w.ev_class, p.polrelid) FROM pg_depend d
       LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
       LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
     WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1) AND d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass)";

/// These relations and those whose definitions refer to them; `None` where something else does.
pub async fn with_dependents(client: &Connection, mut relations: Vec<u32>) -> Result<Option<Vec<u32>>> {
    let rows = client.look(DEPENDENTS, &[(&relations, Type::OID_ARRAY)]).await;
    for row in rows.server_context(READ)? {
        match row.try_get::<_, Option<u32>>(0).server_context(READ)? {
            Some(dependent) => relations.push(dependent),
            None => return Ok(None),
        }
    }
    relations.sort_unstable();
    relations.dedup();
    Ok(Some(relations))
}
