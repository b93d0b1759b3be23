--liquibase formatted sql

--changeset shipments-api:shipments-service-level-validate
--comment Reads every row, and keeps nobody from writing.
ALTER TABLE shipments MODIFY CONSTRAINT shipments_service_level_given VALIDATE;
--rollback ALTER TABLE shipments MODIFY CONSTRAINT shipments_service_level_given ENABLE NOVALIDATE;

--changeset shipments-api:shipments-service-level-not-null
ALTER TABLE shipments MODIFY (service_level CONSTRAINT shipments_service_level_nn NOT NULL ENABLE NOVALIDATE);
--rollback ALTER TABLE shipments DROP CONSTRAINT shipments_service_level_nn;

--changeset shipments-api:shipments-service-level-nn-validate
ALTER TABLE shipments MODIFY CONSTRAINT shipments_service_level_nn VALIDATE;
--rollback ALTER TABLE shipments MODIFY CONSTRAINT shipments_service_level_nn ENABLE NOVALIDATE;

--changeset shipments-api:shipments-service-level-check-done
ALTER TABLE shipments DROP CONSTRAINT shipments_service_level_given;
--rollback ALTER TABLE shipments ADD CONSTRAINT shipments_service_level_given CHECK (service_level IS NOT NULL);
