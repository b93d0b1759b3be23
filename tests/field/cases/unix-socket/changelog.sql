--liquibase formatted sql

--changeset shop:notes-language
alter table notes add column language text;
--rollback alter table notes drop column language;

--changeset shop:notes-language-fill
update notes set language = 'en';
--rollback update notes set language = null;
