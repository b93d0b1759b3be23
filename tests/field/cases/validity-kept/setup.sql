create table orders (id bigint primary key, state text not null, total int not null);
insert into orders select i, 'new', i from generate_series(1, 200) i;
alter table orders add constraint state_known check (state in ('new', 'sent')) not valid;
