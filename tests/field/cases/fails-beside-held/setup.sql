create table a (id int primary key, x text); insert into a select i, 'x' || i from generate_series(1, 100) i;
create table b (id int primary key, n numeric(8, 2)); insert into b select i, i from generate_series(1, 100) i;
create view bv as select id, n from b;
