create table users (id bigint primary key, name text not null);
insert into users select i, 'u' || i from generate_series(1, 300) i;
create unlogged table sessions (token text primary key, user_id bigint not null);
insert into sessions select md5(i::text), i from generate_series(1, 300) i;
create unlogged table "Recent.Views" (id bigint generated always as identity primary key, page text not null);
insert into "Recent.Views" (page) select 'p' || i from generate_series(1, 40) i;
