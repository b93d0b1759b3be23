create table visits (id bigint primary key, at timestamptz not null); insert into visits select g, timestamptz '2026-01-01 00:30+00' from generate_series(1, 9) g;
create table rooms (id bigint primary key); insert into rooms select generate_series(1, 5);
do $$ begin create role role_state_readers; exception when duplicate_object then null; end $$;
do $$ begin create role role_state_svc inherit; exception when duplicate_object then null; end $$;
alter role role_state_svc inherit; grant role_state_readers to role_state_svc;
do $$ begin execute format('alter role role_state_svc in database %I set timezone = ''UTC''', current_database()); end $$;
grant select on visits to role_state_svc; grant select on rooms to role_state_readers;
