create extension pg_stat_statements;
create role harvested_svc;
create table orders (id bigint generated always as identity primary key, customer_id bigint not null, status text not null, cents int not null, created_at timestamptz not null default now(), doc jsonb not null default '{}', tags text[] not null default '{}');
insert into orders (customer_id, status, cents, created_at) select g % 10, case when g % 2 = 0 then 'open' else 'done' end, g, now() - g * interval '1 hour' from generate_series(1, 200) g;
grant usage on schema public to harvested_svc; grant select, insert, update, delete on orders to harvested_svc; grant usage on all sequences in schema public to harvested_svc;
