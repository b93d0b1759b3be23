create schema app; grant usage on schema app to svc;
do $$ begin execute format('alter role svc in database %I set search_path = app', current_database()); end $$;
create table app.orders (id bigint primary key, note text);
insert into app.orders select g, 'n' from generate_series(1, 20) g;
grant select on app.orders to svc;
