create extension dblink;
create schema app;
create table orders (id bigint primary key, status text not null);
insert into orders select i, 'new' from generate_series(1, 200) i;
