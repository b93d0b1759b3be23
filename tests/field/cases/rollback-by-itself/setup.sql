create table orders (id bigint primary key, total int not null);
insert into orders select i, i from generate_series(1, 200) i;
create table stock (id bigint primary key, amount int not null);
insert into stock select i, i from generate_series(1, 200) i;
