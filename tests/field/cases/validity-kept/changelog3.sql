--liquibase formatted sql

--changeset shop:state-known-valid
-- drydock: allow validity-kept because every row keeps it
alter table orders validate constraint state_known;
--rollback empty
