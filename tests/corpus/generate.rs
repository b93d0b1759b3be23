//! Every simple change that a schema can suffer, made from its catalog.

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

#[derive(Debug, Clone)]
pub struct Mutation {
    pub kind: String,
    pub sql: String,
}

/// Columns, their types and what hangs on them become changes. `{t}`, `{c}`, `{n}`: table, column, constraint or index.
const FROM_COLUMNS: &[(&str, &str, &str)] = &[
    ("drop column", "true", "alter table {t} drop column {c} cascade"),
    ("rename column", "true", "alter table {t} rename column {c} to {c}_renamed"),
    (
        "set not null",
        "not required",
        "update {t} set {c} = {c} where false; alter table {t} alter column {c} set not null",
    ),
    ("drop not null", "required and not pk", "alter table {t} alter column {c} drop not null"),
    ("drop default", "hasdef", "alter table {t} alter column {c} drop default"),
    ("check not empty", "typ in ('text','varchar')", "alter table {t} add constraint m check ({c} <> '')"),
    (
        "check small",
        "typ in ('int2','int4','int8','numeric') ",
        "alter table {t} add constraint m check ({c} < 100000) not valid",
    ),
    (
        "check positive",
        "typ in ('int2','int4','int8','numeric') ",
        "alter table {t} add constraint m check ({c} > 0) not valid",
    ),
    (
        "to text",
        "typ not in ('text')",
        "alter table {t} alter column {c} drop default, alter column {c} type text using {c}::text",
    ),
    ("to bigint", "typ in ('int2','int4')", "alter table {t} alter column {c} type bigint"),
    ("to smaller integer", "typ = 'int8'", "alter table {t} alter column {c} type integer"),
    ("to smallint", "typ = 'int4'", "alter table {t} alter column {c} type smallint"),
    (
        "shorter",
        "typ = 'varchar' and mod > 8",
        "alter table {t} alter column {c} type varchar({half}) using left({c}, {half})",
    ),
    ("longer", "typ = 'varchar' and mod > 4", "alter table {t} alter column {c} type varchar(400)"),
    ("bounded", "typ = 'text'", "alter table {t} alter column {c} type varchar(40) using left({c}, 40)"),
    ("lower precision", "typ = 'numeric'", "alter table {t} alter column {c} type numeric(8,2)"),
    ("lower scale", "typ = 'numeric'", "alter table {t} alter column {c} type numeric(16,0)"),
    ("to float", "typ = 'numeric'", "alter table {t} alter column {c} type double precision"),
    ("to timestamp", "typ = 'timestamptz'", "alter table {t} alter column {c} type timestamp"),
    ("to date", "typ in ('timestamptz','timestamp')", "alter table {t} alter column {c} type date"),
    ("unique", "not pk", "create unique index m on {t} ({c})"),
    (
        "generated",
        "typ in ('text') and not required",
        "alter table {t} drop column {c}; alter table {t} add column {c} text generated always as ('x') stored",
    ),
    (
        "no blank",
        "typ = 'varchar'",
        "create function m() returns trigger language plpgsql as $m$ begin if new.{c} like '%x%' then raise exception 'no x'; end if; return new; end $m$; create trigger m before insert or update on {t} for each row execute function m()",
    ),
    (
        "other default",
        "hasdef and typ in ('text','varchar','bpchar')",
        "alter table {t} alter column {c} set default 'ZZ'",
    ),
    ("c collation", "typ in ('text','varchar')", "alter table {t} alter column {c} type text collate \"C\""),
    ("to json", "typ = 'jsonb'", "alter table {t} alter column {c} drop default, alter column {c} type json"),
    (
        "moved to the end",
        "not pk",
        "alter table {t} rename column {c} to m_old; alter table {t} add column {c} {type}; update {t} set {c} = m_old; alter table {t} drop column m_old",
    ),
    (
        "other number by default",
        "hasdef and typ in ('int2','int4','int8','numeric')",
        "alter table {t} alter column {c} set default 3",
    ),
    (
        "emptied by a trigger",
        "not required",
        "create function m() returns trigger language plpgsql as $m$ begin new.{c} := null; return new; end $m$; create trigger m before insert or update on {t} for each row execute function m()",
    ),
    ("exclusion", "not pk", "alter table {t} add constraint m exclude ({c} with =)"),
    ("index", "true", "create index m on {t} ({c})"),
    ("comment", "true", "comment on column {t}.{c} is 'commented'"),
    ("statistics", "true", "alter table {t} alter column {c} set statistics 200"),
];

const FROM_TABLES: &[(&str, &str)] = &[
    ("rename table", "alter table {t} rename to renamed"),
    ("drop table", "drop table {t} cascade"),
    ("move table", "create schema elsewhere; alter table {t} set schema elsewhere"),
    ("add column", "alter table {t} add column added integer"),
    ("add column called name", "alter table {t} add column name text"),
    ("add column called user_id", "alter table {t} add column user_id integer"),
    (
        "add required column",
        "alter table {t} add column required integer not null default 1; alter table {t} alter column required drop default",
    ),
    ("add column with default", "alter table {t} add column defaulted integer not null default 7"),
    (
        "renamed behind a view",
        "alter table {t} rename to {b}_base; create view {t} as select * from {s}{b}_base",
    ),
    (
        "read only",
        "create function m() returns trigger language plpgsql as $m$ begin raise exception 'read only'; end $m$; create trigger m before insert or update or delete on {t} for each statement execute function m()",
    ),
    ("swallowed inserts", "create rule m as on insert to {t} do instead nothing"),
    ("fillfactor", "alter table {t} set (fillfactor = 90)"),
];

const FROM_CATALOG: &[(&str, &str)] = &[
    ("drop constraint", "select 'alter table ' || conrelid::regclass || ' drop constraint ' || quote_ident(conname) || ' cascade' from pg_constraint
        where conrelid <> 0 and connamespace::regnamespace::text !~ '^(pg_|information)' and coninhcount = 0 and contype in ('c','f','p','u','x')"),
    ("drop index", "select 'drop index ' || i.indexrelid::regclass from pg_index i join pg_class c on c.oid = i.indexrelid
        where c.relnamespace::regnamespace::text !~ '^(pg_|information)' and not c.relispartition
          and not exists (select from pg_constraint o where o.conindid = i.indexrelid)"),
    ("drop view", "select 'drop ' || case relkind when 'v' then 'view ' else 'materialized view ' end || oid::regclass || ' cascade' from pg_class
        where relkind in ('v','m') and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("drop function", "select 'drop ' || case prokind when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure || ' cascade' from pg_proc p
        where pronamespace::regnamespace::text !~ '^(pg_|information)' and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')"),
    ("drop trigger", "select 'drop trigger ' || quote_ident(tgname) || ' on ' || tgrelid::regclass from pg_trigger where not tgisinternal and tgparentid = 0"),
    ("rename label", "select 'alter type ' || enumtypid::regtype || ' rename value ' || quote_literal(enumlabel) || ' to ' || quote_literal(enumlabel || '2') from pg_enum"),
    ("immediate", "select 'alter table ' || conrelid::regclass || ' alter constraint ' || quote_ident(conname) || ' not deferrable' from pg_constraint
        where condeferrable and conrelid <> 0 and connamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("stricter domain", "select 'alter domain ' || oid::regtype || ' add constraint m check (length(value::text) < 20) not valid' from pg_type
        where typtype = 'd' and typnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("revoke", "select format('revoke %s on %I.%I from %I', privilege_type, table_schema, table_name, grantee) from information_schema.role_table_grants where grantee like '%\\_app'"),
    ("revoke all but one column", "select format('revoke select on %1$s from %2$I; grant select (%3$s) on %1$s to %2$I', c.oid::regclass, grantee,
          (select string_agg(quote_ident(attname), ', ') from pg_attribute a where attrelid = c.oid and attnum > 0 and not attisdropped and attnum < c.relnatts))
        from information_schema.role_table_grants join pg_class c on c.oid = format('%I.%I', table_schema, table_name)::regclass where grantee like '%\\_app' and privilege_type = 'SELECT'"),
    ("row security", "select distinct format('alter table %I.%I enable row level security', table_schema, table_name) from information_schema.role_table_grants where grantee like '%\\_app'"),
    ("row security for all", "select distinct format('alter table %1$I.%2$I enable row level security; create policy m on %1$I.%2$I using (true)', table_schema, table_name) from information_schema.role_table_grants where grantee like '%\\_app'"),
    ("row security, nothing to be seen", "select distinct format('alter table %1$I.%2$I enable row level security; create policy m on %1$I.%2$I using (false) with check (true)', table_schema, table_name) from information_schema.role_table_grants where grantee like '%\\_app'"),
    ("another owner", "select distinct format('alter table %I.%I owner to shop_owner', table_schema, table_name) from information_schema.role_table_grants where grantee = 'shop_app'"),
    ("the reader's rights", "select 'alter view ' || oid::regclass || ' set (security_invoker = true)' from pg_class where relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("not for everybody", "select 'revoke execute on ' || case prokind when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure || ' from public' from pg_proc p
        where pronamespace::regnamespace::text !~ '^(pg_|information)' and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')"),
    ("schema closed", "select 'revoke usage on schema ' || oid::regnamespace || ' from public' from pg_namespace where nspname !~ '^(pg_|information)'"),
    ("rename view", "select 'alter ' || case relkind when 'v' then 'view ' else 'materialized view ' end || oid::regclass || ' rename to renamed' from pg_class
        where relkind in ('v','m') and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("view is not updatable", "select 'create or replace view ' || oid::regclass || ' as select * from (' || rtrim(pg_get_viewdef(oid), ';') || ') m offset 0' from pg_class
        where relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("view as text", "select format('drop view %1$s; create view %1$s as select %2$s from (%3$s) m', c.oid::regclass,
          (select string_agg(quote_ident(attname) || case when attnum = (select max(attnum) from pg_attribute where attrelid = c.oid) then '::text' else '' end, ', ' order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0),
          rtrim(pg_get_viewdef(c.oid), ';'))
        from pg_class c where relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("view in another order", "select format('drop view %1$s; create view %1$s as select %2$s from (%3$s) m', c.oid::regclass,
          (select string_agg(quote_ident(attname), ', ' order by attnum desc) from pg_attribute where attrelid = c.oid and attnum > 0), rtrim(pg_get_viewdef(c.oid), ';'))
        from pg_class c where relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("view with fewer rows", "select 'create or replace view ' || oid::regclass || ' as select * from (' || rtrim(pg_get_viewdef(oid), ';') || ') m where false' from pg_class
        where relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("rename function", "select 'alter ' || case prokind when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure || ' rename to renamed' from pg_proc p
        where pronamespace::regnamespace::text !~ '^(pg_|information)' and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')"),
    ("rename type", "select 'alter ' || case typtype when 'd' then 'domain ' else 'type ' end || oid::regtype || ' rename to renamed' from pg_type
        where typtype in ('e', 'd') and typnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("drop type", "select 'drop ' || case typtype when 'd' then 'domain ' else 'type ' end || oid::regtype || ' cascade' from pg_type
        where typtype in ('e', 'd') and typnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("add label", "select 'alter type ' || oid::regtype || ' add value ' || quote_literal('m') from pg_type where typtype = 'e'"),
    ("remove label", "select format('alter table %1$s alter column %2$I drop default; alter type %3$s rename to m_old; create type %3$s as enum (%4$s); alter table %1$s alter column %2$I type %3$s using (case %2$I::text when %5$L then %6$L else %2$I::text end)::%3$s; drop type m_old', a.attrelid::regclass, a.attname, t.oid::regtype,
          (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum o where o.enumtypid = t.oid and o.oid <> e.oid), e.enumlabel,
          (select min(enumlabel) from pg_enum o where o.enumtypid = t.oid and o.oid <> e.oid))
        from pg_enum e join pg_type t on t.oid = e.enumtypid join pg_attribute a on a.atttypid = t.oid join pg_class c on c.oid = a.attrelid and c.relkind = 'r'"),
    ("rename schema", "select 'alter schema ' || oid::regnamespace || ' rename to renamed' from pg_namespace where nspname !~ '^(pg_|information)' and nspname <> 'public'"),
    ("drop schema", "select 'drop schema ' || oid::regnamespace || ' cascade' from pg_namespace where nspname !~ '^(pg_|information)' and nspname <> 'public'"),
    ("rename sequence", "select 'alter sequence ' || oid::regclass || ' rename to renamed' from pg_class where relkind = 'S' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    // A bare name in a join of the two means either then.
    ("add column of a parent", "select distinct format('alter table %s add column %I text', conrelid::regclass, a.attname) from pg_constraint join pg_attribute a on a.attrelid = confrelid and a.attnum > 0
        where contype = 'f' and not exists (select from pg_attribute o where o.attrelid = conrelid and o.attname = a.attname)"),
    ("does not cascade", "select format('alter table %s drop constraint %I, add constraint %2$I %s not valid', conrelid::regclass, conname, regexp_replace(pg_get_constraintdef(oid), ' ON DELETE.*', '')) from pg_constraint
        where contype = 'f' and confdeltype <> 'a' and conparentid = 0"),
    ("hidden by another table", "select format('create schema shop_app; create table shop_app.%1$I (like %2$s); grant usage on schema shop_app to shop_app; grant select, insert, update, delete on shop_app.%1$I to shop_app', relname, oid::regclass)
        from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and exists (select from aclexplode(relacl) a join pg_roles r on r.oid = a.grantee where rolname = 'shop_app')"),
    ("columns exchanged", "select format('alter table %1$s rename column %2$I to m_tmp; alter table %1$s rename column %3$I to %2$I; alter table %1$s rename column m_tmp to %3$I', a.attrelid::regclass, a.attname, b.attname)
        from pg_attribute a join pg_attribute b on b.attrelid = a.attrelid and b.attnum > a.attnum and b.atttypid = a.atttypid and b.atttypmod = a.atttypmod and not b.attisdropped
        join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and not c.relispartition where a.attnum > 0 and not a.attisdropped and c.relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("sequence set back", "select 'alter sequence ' || oid::regclass || ' restart with 1' from pg_class where relkind = 'S' and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("view without its grants", "select format('drop view %1$s; create view %1$s as %2$s', oid::regclass, rtrim(pg_get_viewdef(oid), ';')) from pg_class where relkind = 'v' and relacl is not null and relnamespace::regnamespace::text !~ '^(pg_|information)'"),
    ("another sequence", "select format('create sequence m start 100000; alter table %s alter column %I set default nextval(''m'')', adrelid::regclass, attname) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where pg_get_expr(adbin, adrelid) like 'nextval%'"),
    ("detach partition", "select 'alter table ' || inhparent::regclass || ' detach partition ' || inhrelid::regclass from pg_inherits join pg_class c on c.oid = inhrelid where c.relkind = 'r'"),
    ("drop partition", "select 'drop table ' || oid::regclass from pg_class where relispartition and relkind = 'r'"),
];

/// Whether somebody wrote it: then it can be made.
pub fn is_by_hand(kind: &str) -> bool {
    kind.starts_with("by hand") || kind.starts_with("pending")
}

/// Whether a query that answers as before may be broken all the same: what is written goes elsewhere, and the answer of who writes does
/// not say so; columns that have exchanged their names may hold the same in the rows that there are.
pub fn may_hide(kind: &str, writes: bool) -> bool {
    kind == "hidden by another table" && writes || kind == "columns exchanged"
}

/// All of them, in an order that is the same each time.
pub async fn all(client: &Client) -> Vec<Mutation> {
    let mut found = Vec::new();
    let columns = "select c.oid::regclass::text, quote_ident(a.attname), quote_ident(c.relname),
            case when n.nspname = any(current_schemas(false)) then '' else quote_ident(n.nspname) || '.' end,
            coalesce(b.typname, t.typname)::text, a.attnotnull, a.atthasdef or a.attidentity <> '',
            case when t.typtype = 'd' then t.typtypmod else a.atttypmod end, format_type(a.atttypid, a.atttypmod),
            exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any(i.indkey))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = t.typbasetype
        where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|information)' and c.relname !~* '^databasechangelog'
        order by 1, a.attnum";
    let rows = client.query(columns, &[]).await.unwrap();
    let mut last = String::new();
    for row in &rows {
        let (table, column, bare, schema): (String, String, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let (typ, required, hasdef, modifier, whole, pk): (String, bool, bool, i32, String, bool) =
            (row.get(4), row.get(5), row.get(6), row.get(7), row.get(8), row.get(9));
        let fill = |sql: &str| {
            let half = ((modifier - 4) / 2).max(1).to_string();
            sql.replace("{t}", &table)
                .replace("{c}", &column)
                .replace("{b}", &bare)
                .replace("{s}", &schema)
                .replace("{half}", &half)
                .replace("{type}", &whole)
        };
        if table != last {
            found.extend(
                FROM_TABLES.iter().map(|(kind, sql)| Mutation { kind: (*kind).to_owned(), sql: fill(sql) }),
            );
            last.clone_from(&table);
        }
        for (kind, when, sql) in FROM_COLUMNS {
            let asked = format!(
                "select {when} from (values ('{typ}', {required}, {hasdef}, {modifier}, {pk})) v(typ, required, hasdef, mod, pk)"
            );
            if client.query_one(&asked, &[]).await.unwrap().get::<_, bool>(0) {
                found.push(Mutation { kind: (*kind).to_owned(), sql: fill(sql) });
            }
        }
    }
    for (kind, sql) in FROM_CATALOG {
        for row in client.query(&format!("{sql} order by 1"), &[]).await.unwrap() {
            found.push(Mutation { kind: (*kind).to_owned(), sql: row.get(0) });
        }
    }
    // The first few of a kind are then of tables far from one another.
    found.sort_by_cached_key(|m| (m.kind.clone(), Sha256::digest(&m.sql)));
    found
}
