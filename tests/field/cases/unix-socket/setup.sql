create table notes (id bigint generated always as identity primary key, text text not null);
insert into notes (text) select 'note ' || i from generate_series(1, 500) i;
