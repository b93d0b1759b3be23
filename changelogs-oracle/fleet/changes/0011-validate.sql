--liquibase formatted sql

--changeset fleet:vehicle-state-validate
ALTER TABLE vehicles MODIFY CONSTRAINT vehicles_state_known VALIDATE;
--rollback ALTER TABLE vehicles MODIFY CONSTRAINT vehicles_state_known ENABLE NOVALIDATE;
