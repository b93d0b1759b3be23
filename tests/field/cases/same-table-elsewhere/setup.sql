create schema app; grant usage on schema app to svc;
do $$ begin execute format('alter role svc in database %I set search_path = app, public', current_database()); end $$;
create table public.settings (key text primary key, value text not null);
insert into public.settings values ('vat', '19'), ('currency', 'EUR');
grant usage on schema public to svc; grant select on public.settings to svc;
