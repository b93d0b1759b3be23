create table cust (id int primary key, rate numeric(10, 2), note varchar(10), seen date, attributes json);
insert into cust select i, 1.5, 'n' || i, '2024-01-01', '{"a": 1}' from generate_series(1, 100) i;
