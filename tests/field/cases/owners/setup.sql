do $$ begin create role owners_other; exception when duplicate_object or unique_violation then null; end $$;
create table t (a int primary key, b text, c text); insert into t select i, null, 'c' || i from generate_series(1, 100) i;
create table mine (id int primary key, x text); insert into mine select i, 's' || i from generate_series(1, 50) i;
create function getx(a int) returns text language sql security definer as 'select x from mine where id = a';
alter function getx(int) owner to owners_other;
create text search configuration words (copy = english);
create publication news for table t where (a > 10);
