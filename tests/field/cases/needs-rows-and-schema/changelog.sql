--liquibase formatted sql

--changeset shop:limit-of-setting
alter table limits add column name text;
insert into limits (id, value, name) values (2, (select value from settings where name = 'setting 2500'), 'setting 2500');
--rollback delete from limits where id = 2;
--rollback alter table limits drop column name;

--changeset shop:checked splitStatements:false
do $$ begin if not exists (select from settings where name = 'setting 2777') then raise exception 'there is no setting 2777'; end if; end $$;
--rollback empty

--changeset shop:index-of-name
create index limits_name on limits (name);
--rollback drop index limits_name;

--changeset shop:no-old
alter table limits drop column old;
--rollback alter table limits add column old text;
