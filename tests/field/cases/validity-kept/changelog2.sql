--liquibase formatted sql

--changeset shop:state-known-valid
alter table orders validate constraint state_known;
--rollback empty
