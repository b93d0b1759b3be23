//! Every simple change that a schema can suffer, made from its catalog.

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
    ("drop partition", "select 'drop table ' || oid::regclass from pg_class where relispartition and relkind = 'r'"),
];

/// All of them, in an order that is the same each time.
pub async fn all(client: &Client) -> Vec<Mutation> {
    let mut found = Vec::new();
    let columns = "select c.oid::regclass::text, quote_ident(a.attname), quote_ident(c.relname),
            case when n.nspname = any(current_schemas(false)) then '' else quote_ident(n.nspname) || '.' end,
            coalesce(b.typname, t.typname)::text, a.attnotnull, a.atthasdef or a.attidentity <> '',
            case when t.typtype = 'd' then t.typtypmod else a.atttypmod end,
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
        let (typ, required, hasdef, modifier, pk): (String, bool, bool, i32, bool) =
            (row.get(4), row.get(5), row.get(6), row.get(7), row.get(8));
        let fill = |sql: &str| {
            let half = ((modifier - 4) / 2).max(1).to_string();
            sql.replace("{t}", &table)
                .replace("{c}", &column)
                .replace("{b}", &bare)
                .replace("{s}", &schema)
                .replace("{half}", &half)
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
    found
}
