create table users (id int primary key, email text not null, pin text);
insert into users select i, 'alice' || i || '@secret.example', 'PIN-SECRET-' || i from generate_series(1, 300) i;
create table spelled (id int primary key, day text not null);
insert into spelled select i, 'alice' || i from generate_series(1, 300) i;
