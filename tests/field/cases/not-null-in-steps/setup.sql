create table orders (id bigint primary key, k int, other int);
insert into orders select g, g, g from generate_series(1, 5000) g;
