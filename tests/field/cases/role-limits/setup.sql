create table events (id bigint primary key, kind text, region text);
insert into events select i, repeat('k', 200) || i % 9, null from generate_series(1, 60000) i;
analyze events;
