create table rooms (id bigint primary key); insert into rooms select generate_series(1, 5);
do $$ begin create role role_shut_svc login; exception when duplicate_object or unique_violation then null; end $$;
grant select on rooms to role_shut_svc;
