--liquibase formatted sql

--changeset shop:users-mail
alter table users add column mail text;
--rollback alter table users drop column mail;

--changeset shop:users-notes
create table notes (id bigint primary key, user_id bigint not null references users, note text);
--rollback drop table notes;
