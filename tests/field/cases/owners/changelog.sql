--liquibase formatted sql

--changeset shop:order
alter table t drop column b;
--rollback alter table t add column b text;

--changeset shop:owner splitStatements:false
drop function getx(int);
--rollback create function getx(a int) returns text language sql security definer as 'select x from mine where id = a';

--changeset shop:words
alter text search configuration words alter mapping for asciiword, word with simple;
--rollback empty

--changeset shop:news
alter publication news set table t;
--rollback empty


--changeset shop:key
alter table t add column parent int references t (a);
--rollback alter table t drop column parent;

--changeset shop:off
alter table t disable trigger all;
--rollback empty

--changeset shop:told runOnChange:false
comment on type public.mine is 'told';
--rollback empty
