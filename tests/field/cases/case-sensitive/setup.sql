create extension citext;
create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table accounts (id bigint primary key, mail citext not null unique, nick text collate folded not null, town text not null);
insert into accounts select g, 'Person' || g || '@example.com', 'Nick' || g, 'Town' || g % 5 from generate_series(1, 40) g;
