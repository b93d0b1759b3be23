create table orders (id bigint primary key, total numeric not null, legacy text default 'none');
insert into orders select i, i, case when i % 2 = 0 then 'l' || i end from generate_series(1, 20000) i;
analyze orders;
