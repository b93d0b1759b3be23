--liquibase formatted sql

--changeset shop:logged-by-hand
alter table users add column phone text;
insert into ddl_log (who, tag) values ('shop', 'by hand');
--rollback alter table users drop column phone;
