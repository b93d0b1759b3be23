create table events (id bigint primary key, kind text not null, tenant text not null);
insert into events select i, 'k' || i % 9, 't' || i % 3 from generate_series(1, 90) i;
alter table events enable row level security;
create policy own_tenant on events using (tenant = 't1');
