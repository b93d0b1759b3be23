create type state as enum ('new', 'done');
create table jobs (id int primary key, state state not null default 'new', filler text);
insert into jobs select i, 'new', repeat('x', 100) from generate_series(1, 10000) i;
