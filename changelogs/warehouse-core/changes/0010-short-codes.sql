--liquibase formatted sql

--changeset warehouse-core:warehouses-code-12
alter table warehouses alter column code type varchar(12);
--rollback alter table warehouses alter column code type varchar(40);
