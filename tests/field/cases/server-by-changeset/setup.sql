create table users (id bigint primary key, mail text not null);
insert into users select i, 'u' || i || '@example.org' from generate_series(1, 50) i;
