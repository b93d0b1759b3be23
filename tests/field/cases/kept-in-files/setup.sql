create role keeper_of_files login password 'secret';
grant create on schema public to keeper_of_files;
create table customers (id bigint generated always as identity primary key, name text not null);
alter table customers owner to keeper_of_files;
insert into customers (name) select 'c' || i from generate_series(1, 200) i;
