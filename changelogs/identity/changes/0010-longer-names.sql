--liquibase formatted sql

--changeset identity:users-display-name-160
--comment A longer varchar is the same on disk: no rewrite. Going back would check that every name fits.
alter table users alter column display_name type varchar(160);
--rollback alter table users alter column display_name type varchar(80);
