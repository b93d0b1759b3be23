create table products (sku text primary key, status text not null default 'draft', price numeric(10, 2) not null, "Note" text);
insert into products select 's' || i, case when i <= 50 then 'live' else 'sold' end, i, null from generate_series(1, 100) i;
create table visits (at timestamptz not null default now(), page text);
insert into visits select '2026-11-01 00:00+00'::timestamptz + make_interval(mins => i), 'p' || i from generate_series(1, 20) i;
