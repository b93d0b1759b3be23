create table jobs (id int primary key, kind text not null, created_at timestamptz not null);
insert into jobs select i, 'k' || i % 7, now() - i * interval '1 minute' from generate_series(1, 3000) i;
