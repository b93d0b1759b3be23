--liquibase formatted sql

--changeset shop:rename
alter table a rename column x to y;
--rollback alter table a rename column y to x;

--changeset shop:builds
comment on column a.y is 'was x';
--rollback comment on column a.y is null;

--changeset shop:type
alter table b alter column n type numeric(9, 2);
--rollback alter table b alter column n type numeric(8, 2);
