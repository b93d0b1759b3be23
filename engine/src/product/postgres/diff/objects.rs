//! The schema as one line per object.
//!
//! Definitions come from the server's own decompilers with an empty `search_path`, so that names are qualified. Left out is
//! what a dump and its restore do not keep or what is no schema: owners, tablespaces, column positions, statistics, last
//! values of sequences, versions of extensions and what belongs to them, and schemas that the user may not look into: a dump
//! by that user has none of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::model::hex;
use crate::model::schema::SchemaFingerprint;
use crate::product::postgres::diff::canonical::{normal, tokens};
use crate::product::postgres::server::connect::ServerContext;
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;

const READ: &str = "cannot take the fingerprint of the schema";

/// Kinds that the first versions of Drydock did not look for. A kind that is added to those below is added here.
const LATER_KINDS: &[&str] = &["cast", "collation", "description", "operator", "server", "text"];

/// Definitions as the catalog writes them -> their stable spelling: from one look at a schema to the next most stay.
pub type Spelled = Mutex<HashMap<String, String>>;

/// Objects of users, of no extension; relations of Liquibase, and the schema of what is kept aside, left out.
const PRELUDE: &str = concat!("WITH ns AS MATERIALIZED (
    SELECT oid, quote_ident(nspname) AS name, nspacl, nspowner FROM pg_namespace
    WHERE ", users_sql!("nspname"), " AND has_schema_privilege(oid, 'USAGE')),
  ext AS {ext} (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
  rel AS MATERIALIZED (
    SELECT c.*, ns.name || '.' || quote_ident(c.relname) AS name FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
    WHERE c.relpersistence <> 't' AND NOT ", liquibase_table_sql!("c"), "
      AND NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_class'::regclass AND ext.objid = c.oid){only}),
  tab AS (SELECT * FROM rel WHERE relkind IN ('r', 'p', 'f')),
  fun AS (
    SELECT p.*, ns.name || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name
    FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_proc'::regclass AND ext.objid = p.oid)),
  typ AS (
    SELECT t.*, ns.name || '.' || quote_ident(t.typname) AS name FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_type'::regclass AND ext.objid = t.oid))");

/// What the parts of a look at a schema begin with: objects of users as `ns`, `rel`, `tab`, `fun` and `typ`, of the relations these only.
pub fn prelude(relations: &Relations) -> String {
    match relations {
        Relations::All => PRELUDE.replace("{only}", "").replace("{ext}", "MATERIALIZED"),
        // What is over a relation belongs to it.
        Relations::Only(_) => {
            let only = " AND c.oid IN (SELECT unnest($1) UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = ANY ($1))";
            PRELUDE.replace("{only}", only).replace("{ext}", "NOT MATERIALIZED")
        }
    }
}

/// Who may do what with an object `g`, of whose rights each is an `e`.
macro_rules! granted_sql {
    () => {
        "'grant on ' || g.what || ' to ' || coalesce(quote_ident(u.rolname), 'public'),
         string_agg(lower(e.privilege_type) || CASE WHEN e.is_grantable THEN ' with grant option' ELSE '' END, ', ' ORDER BY e.privilege_type, e.is_grantable)"
    };
}

/// Each gives (number of the relation that it belongs to, identity, definition).
const OF_RELATIONS: &[&str] = &[
    "SELECT oid, 'table ' || name, concat_ws(' ',
         CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' ELSE 'foreign table' END,
         CASE relpersistence WHEN 'u' THEN 'unlogged' END,
         CASE WHEN relkind = 'p' THEN 'by ' || pg_get_partkeydef(oid) END,
         CASE WHEN relispartition THEN pg_get_expr(relpartbound, oid) END,
         (SELECT 'of ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = tab.oid),
         'with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(reloptions) o),
         'toast ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = reltoastrelid),
         'options ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM pg_foreign_table t, unnest(t.ftoptions) o WHERE t.ftrelid = tab.oid),
         CASE WHEN relrowsecurity THEN 'row security' END, CASE WHEN relforcerowsecurity THEN 'forced' END,
         CASE WHEN relreplident <> 'd' THEN 'replica identity ' || relreplident::text END,
         CASE WHEN reloftype <> 0 THEN 'of type ' || reloftype::regtype::text END,
         (SELECT 'using ' || amname FROM pg_am WHERE pg_am.oid = relam AND amname <> 'heap'))
       FROM tab",
    "SELECT r.oid, 'column ' || r.name || '.' || quote_ident(a.attname), concat_ws(' ', format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation::text END,
         CASE WHEN a.attnotnull THEN 'not null' END,
         CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
         CASE a.attgenerated WHEN 's' THEN 'generated' WHEN 'v' THEN 'generated virtual' END,
         CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END,
         'options ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions || a.attfdwoptions) o),
         CASE WHEN d.oid IS NOT NULL THEN 'default ' || pg_get_expr(d.adbin, d.adrelid) END,
         CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
         'compression ' || {compression})
       FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE r.relkind IN ('r', 'p', 'f', 'c') OR r.relkind = 'v' AND d.oid IS NOT NULL",
    "SELECT r.oid, 'constraint ' || r.name || ' ' || quote_ident(o.conname),
         pg_get_constraintdef(o.oid) || CASE WHEN NOT o.convalidated AND o.contype <> 'n' THEN ' (not validated)' ELSE '' END
       FROM pg_constraint o JOIN rel r ON r.oid = o.conrelid WHERE o.contype NOT IN ('n', 't')",
    "SELECT t.oid, 'index ' || x.name, concat_ws(' ', pg_get_indexdef(x.oid), CASE WHEN NOT i.indisvalid THEN '(invalid)' END,
         CASE WHEN i.indisclustered THEN '(clustered)' END, CASE WHEN i.indisreplident THEN '(replica identity)' END,
         CASE WHEN NOT i.indimmediate THEN '(deferrable)' END,
         (SELECT '(in ' || h.inhparent::regclass::text || ')' FROM pg_inherits h WHERE h.inhrelid = x.oid))
       FROM rel x JOIN pg_index i ON i.indexrelid = x.oid JOIN rel t ON t.oid = i.indrelid",
    "SELECT oid, CASE relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || name,
         concat_ws(' ', pg_get_viewdef(oid), 'with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(reloptions) o),
           CASE WHEN relkind = 'm' AND NOT relispopulated THEN '(not populated)' END)
       FROM rel WHERE relkind IN ('v', 'm')",
    "SELECT r.oid, 'trigger ' || r.name || ' ' || quote_ident(t.tgname), pg_get_triggerdef(t.oid) ||
         CASE t.tgenabled WHEN 'D' THEN ' (disabled)' WHEN 'R' THEN ' (replica)' WHEN 'A' THEN ' (always)' ELSE '' END
       FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal",
    "SELECT r.oid, 'rule ' || r.name || ' ' || quote_ident(w.rulename), pg_get_ruledef(w.oid) || ' ' || w.ev_enabled::text
       FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'",
    "SELECT r.oid, 'sequence ' || r.name, concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement,
         'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
         (SELECT 'owned by ' || d.refobjid::regclass::text || '.' || quote_ident(a.attname) FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.objsubid = 0
              AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
       FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid",
    "SELECT r.oid, 'policy ' || r.name || ' ' || quote_ident(p.polname), concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
         'for ' || p.polcmd::text, 'to ' || (SELECT string_agg(coalesce(quote_ident(u.rolname), 'public'), ', ' ORDER BY u.rolname)
            FROM unnest(p.polroles) g LEFT JOIN pg_roles u ON u.oid = g),
         'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
       FROM pg_policy p JOIN rel r ON r.oid = p.polrelid",
    "SELECT coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = r.oid), r.oid), 'comment on ' || r.name || coalesce('.' || quote_ident(a.attname), ''), d.description
       FROM pg_description d JOIN rel r ON r.oid = d.objoid AND d.classoid = 'pg_class'::regclass
       LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0",
    // What the owner may do is left out with the owner; no grant at all reads as the default.
    concat!("SELECT g.relation, ", granted_sql!(), "
       FROM (SELECT oid AS relation, CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || name AS what, relowner AS owner,
               coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", relowner)) AS acl
             FROM rel WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
             UNION ALL SELECT r.oid, 'column ' || r.name || '.' || quote_ident(a.attname), r.relowner, a.attacl
             FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped) g,
         aclexplode(g.acl) e LEFT JOIN pg_roles u ON u.oid = e.grantee
       WHERE e.grantee <> g.owner GROUP BY g.relation, g.what, u.rolname"),
];

/// What belongs to no relation: (identity, definition).
const OTHERS: &[&str] = &[
    "SELECT 'schema ' || name, 'exists' FROM ns
       WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_namespace'::regclass AND ext.objid = ns.oid)",
    "SELECT 'extension ' || quote_ident(extname), 'in ' || quote_ident(nspname)
       FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace",
    "SELECT 'constraint ' || t.name || ' ' || quote_ident(o.conname), pg_get_constraintdef(o.oid)
       FROM pg_constraint o JOIN typ t ON t.oid = o.contypid WHERE o.contype <> 'n'",
    "SELECT 'function ' || f.name, concat_ws(' ', CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' END,
         '(' || pg_get_function_arguments(f.oid) || ')', 'returns ' || pg_get_function_result(f.oid), 'language ' || l.lanname,
         CASE f.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END, CASE f.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END,
         CASE WHEN f.proisstrict THEN 'strict' END, CASE WHEN f.prosecdef THEN 'security definer' END, CASE WHEN f.proleakproof THEN 'leakproof' END,
         'set ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(f.proconfig) o), 'cost ' || f.procost, 'rows ' || nullif(f.prorows, 0),
         (SELECT 'state ' || concat_ws(' ', g.aggtransfn::regproc, g.aggfinalfn::regproc, g.aggtranstype::regtype, g.agginitval) FROM pg_aggregate g WHERE g.aggfnoid = f.oid),
         chr(1) || coalesce({sqlbody}, '') || f.prosrc)
       FROM fun f JOIN pg_language l ON l.oid = f.prolang",
    "SELECT 'event trigger ' || quote_ident(evtname), concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags::text)
       FROM pg_event_trigger e WHERE evtname <> 'drydock_disarm' AND NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_event_trigger'::regclass AND ext.objid = e.oid)",
    "SELECT 'type ' || name, 'enum ' || (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = typ.oid)
       FROM typ WHERE typtype = 'e'",
    "SELECT 'domain ' || name, concat_ws(' ', format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'not null' END,
         'default ' || typdefault, CASE WHEN typcollation <> 0 THEN 'collate ' || typcollation::regcollation::text END)
       FROM typ WHERE typtype = 'd'",
    "SELECT 'type ' || name, CASE typtype WHEN 'c' THEN 'composite' ELSE 'range of ' ||
         (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = typ.oid) END
       FROM typ WHERE typtype = 'r' OR typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid AND c.relkind = 'c')",
    "SELECT 'statistics ' || ns.name || '.' || quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid)
       FROM pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace",
    "SELECT 'publication ' || quote_ident(p.pubname), concat_ws(' ', CASE WHEN puballtables THEN 'all tables' END,
         CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END,
         CASE WHEN pubtruncate THEN 'truncate' END, CASE WHEN pubviaroot THEN 'via root' END,
         (SELECT string_agg(concat_ws(' ', r.prrelid::regclass, {published}), ', ' ORDER BY r.prrelid::regclass::text)
            FROM pg_publication_rel r WHERE r.prpubid = p.oid), {published_schemas})
       FROM pg_publication p",
    "SELECT 'text search configuration ' || ns.name || '.' || quote_ident(c.cfgname), concat_ws(' ', 'parser ' || p.prsname,
         (SELECT string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary, ', ' ORDER BY m.maptokentype, m.mapseqno)
            FROM pg_ts_config_map m WHERE m.mapcfg = c.oid))
       FROM pg_ts_config c JOIN ns ON ns.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
       WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_ts_config'::regclass AND ext.objid = c.oid)",
    "SELECT 'text search dictionary ' || ns.name || '.' || quote_ident(d.dictname), concat_ws(' ', 'template ' || t.tmplname, d.dictinitoption)
       FROM pg_ts_dict d JOIN ns ON ns.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
       WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_ts_dict'::regclass AND ext.objid = d.oid)",
    "SELECT 'cast from ' || c.castsource::regtype || ' to ' || c.casttarget::regtype,
         concat_ws(' ', c.castcontext, c.castmethod, nullif(c.castfunc, 0)::regprocedure)
       FROM pg_cast c WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_cast'::regclass AND ext.objid = c.oid)",
    "SELECT 'operator ' || ns.name || '.' || o.oprname || ' (' || o.oprleft::regtype || ', ' || o.oprright::regtype || ')',
         concat_ws(' ', o.oprcode, nullif(o.oprrest, 0)::regproc, nullif(o.oprjoin, 0)::regproc, nullif(o.oprcom, 0)::regoperator,
           nullif(o.oprnegate, 0)::regoperator, CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
       FROM pg_operator o JOIN ns ON ns.oid = o.oprnamespace WHERE o.oprcode <> 0
         AND NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_operator'::regclass AND ext.objid = o.oid)",
    "SELECT 'operator class ' || ns.name || '.' || quote_ident(o.opcname) || ' using ' || a.amname,
         concat_ws(' ', o.opcintype::regtype, CASE WHEN o.opcdefault THEN 'default' END, nullif(o.opckeytype, 0)::regtype)
       FROM pg_opclass o JOIN ns ON ns.oid = o.opcnamespace JOIN pg_am a ON a.oid = o.opcmethod
       WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_opclass'::regclass AND ext.objid = o.oid)",
    "SELECT 'collation ' || ns.name || '.' || quote_ident(c.collname),
         (to_jsonb(c) - '{oid,collname,collnamespace,collowner,collversion}'::text[])::text
       FROM pg_collation c JOIN ns ON ns.oid = c.collnamespace
       WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_collation'::regclass AND ext.objid = c.oid)",
    // Its options are others on a copy, which reaches nobody.
    "SELECT 'server ' || quote_ident(s.srvname), concat_ws(' ', f.fdwname, s.srvtype, s.srvversion)
       FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
       WHERE NOT EXISTS (SELECT FROM ext WHERE ext.classid = 'pg_foreign_server'::regclass AND ext.objid = s.oid)",
    // Of what is no relation. An extension brings its own.
    "SELECT 'description of ' || i.type || ' ' || i.identity, d.description
       FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
       WHERE d.objoid >= 16384 AND d.classoid NOT IN ('pg_class'::regclass, 'pg_extension'::regclass)
         AND (i.schema IS NULL OR EXISTS (SELECT FROM ns WHERE ns.name = i.schema))
         AND NOT EXISTS (SELECT FROM ext WHERE ext.classid = d.classoid AND ext.objid = d.objoid)",
    "SELECT 'default grant ' || d.defaclobjtype::text || ' by ' || quote_ident(o.rolname) || coalesce(' in ' || n.name, '')
           || ' to ' || coalesce(quote_ident(u.rolname), 'public'),
         string_agg(lower(e.privilege_type), ', ' ORDER BY e.privilege_type)
       FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole LEFT JOIN ns n ON n.oid = d.defaclnamespace,
         aclexplode(d.defaclacl) e LEFT JOIN pg_roles u ON u.oid = e.grantee
       WHERE d.defaclnamespace = 0 OR n.oid IS NOT NULL GROUP BY 1",
    concat!("SELECT ", granted_sql!(), "
       FROM (SELECT 'function ' || name AS what, proowner AS owner, coalesce(proacl, acldefault('f', proowner)) AS acl FROM fun
             UNION ALL SELECT 'type ' || name, typowner, typacl FROM typ WHERE typacl IS NOT NULL
             UNION ALL SELECT 'schema ' || name, nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM ns) g,
         aclexplode(g.acl) e LEFT JOIN pg_roles u ON u.oid = e.grantee
       WHERE e.grantee <> g.owner GROUP BY g.what, u.rolname"),
];

/// Between what is said of a function and its body.
const BODY: char = '\u{1}';

/// Stands for a function's body: the same for the same code, however it is laid out, where we can read its language.
fn digest_of(head: &str, body: &str) -> String {
    let ours = ["language plpgsql", "language sql"].iter().any(|l| head.contains(l));
    let code = if ours { tokens(body) } else { None };
    let mut digest = Sha256::new();
    digest.update(code.as_deref().unwrap_or(body));
    hex(&digest.finalize()).get(..32).unwrap_or_default().to_owned()
}

/// One line of the fingerprint.
pub struct Line {
    /// The number of the relation that it belongs to; none for what belongs to no relation.
    pub relation: Option<u32>,
    pub identity: String,
    pub definition: String,
}

/// The lines of these relations, and with `others` those of everything that belongs to no relation. Reads under the open transaction; see
/// `fingerprint::begin` for the settings it needs.
pub async fn lines(
    client: &Connection,
    major: u32,
    spelled: &Spelled,
    relations: &Relations,
    others: bool,
) -> Result<Vec<Line>> {
    // Bodies in standard SQL and ways to compress came with 14.
    let (body, compression) = match major {
        14.. => ("pg_get_function_sqlbody(f.oid)", "nullif(a.attcompression, '')::text"),
        _ => ("NULL", "NULL"),
    };
    // What is published of a table, and schemas as a whole, came with 15.
    let (published, schemas) = match major {
        15.. => (
            "pg_get_expr(r.prqual, r.prrelid), '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a
               WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])) || ')'",
            "(SELECT 'schemas ' || string_agg(s.pnnspid::regnamespace::text, ', ' ORDER BY s.pnnspid::regnamespace::text)
               FROM pg_publication_namespace s WHERE s.pnpubid = p.oid)",
        ),
        _ => ("NULL", "NULL"),
    };
    let of_others = OTHERS.iter().filter(|_| others);
    let of_others = of_others.map(|p| format!("(SELECT NULL::oid, o.* FROM ({p}) o)"));
    let parts = OF_RELATIONS.iter().map(|p| format!("({p})")).chain(of_others).collect::<Vec<_>>();
    let parts = parts.join(" UNION ALL ").replace("{sqlbody}", body).replace("{compression}", compression);
    let parts = parts.replace("{published}", published).replace("{published_schemas}", schemas);
    let sql = format!("{} {parts}", prelude(relations));
    let rows = client.look(&sql, &relations.parameters()).await.server_context(READ)?;
    let mut spelled = spelled.lock().unwrap_or_else(PoisonError::into_inner);
    // What a whole look does not see again is of no use any more.
    let before = if *relations == Relations::All { std::mem::take(&mut *spelled) } else { HashMap::new() };
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let definition = row.try_get::<_, Option<&str>>(2).server_context(READ)?.unwrap_or_default();
        let known = before.get(definition).or_else(|| spelled.get(definition));
        let stable = match (known, definition.split_once(BODY)) {
            (Some(known), _) => known.clone(),
            (None, Some((head, body))) => format!("{} body {}", normal(head), digest_of(head, body)),
            (None, None) => normal(definition),
        };
        spelled.insert(definition.to_owned(), stable.clone());
        lines.push(Line {
            relation: row.try_get(0).server_context(READ)?,
            identity: row.try_get(1).server_context(READ)?,
            definition: stable,
        });
    }
    Ok(lines)
}

/// The fingerprint that is made of these lines.
pub fn fingerprint_of(lines: Vec<Line>) -> SchemaFingerprint {
    fingerprint(lines.into_iter().map(|line| (line.identity, line.definition)).collect())
}

/// The fingerprint that is made of these objects.
pub fn fingerprint(objects: BTreeMap<String, String>) -> SchemaFingerprint {
    let mut digest = Sha256::new();
    for (identity, definition) in &objects {
        for part in [identity.as_str(), "\0", definition, "\n"] {
            digest.update(part);
        }
    }
    SchemaFingerprint {
        objects,
        digest: hex(&digest.finalize()),
        later_kinds: LATER_KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
        ..SchemaFingerprint::default()
    }
}
