create extension pg_stat_statements;
create role harvested_svc;
create table orders (id bigint generated always as identity primary key, customer_id bigint not null, status text not null, cents int not null, created_at timestamptz not null default now(), doc jsonb not null default '{}', tags text[] not null default '{}');
insert into orders (customer_id, status, cents, created_at) select g % 10, case when g % 2 = 0 then 'open' else 'done' end, g, now() - g * interval '1 hour' from generate_series(1, 200) g;
grant usage on schema public to harvested_svc; grant select, insert, update, delete on orders to harvested_svc; grant usage on all sequences in schema public to harvested_svc;
create schema depot; grant usage on schema depot to harvested_svc;
create table depot.parcels (id bigint primary key, weight int not null); grant select on depot.parcels to harvested_svc;
insert into depot.parcels select g, g * 10 from generate_series(1, 20) g;
do $$ begin execute format('alter role harvested_svc in database %I set search_path = depot, public', current_database()); end $$;
