--liquibase formatted sql

--changeset tracking-ingest:ingest-staging-drop
DROP TABLE tracking_staging;
--rollback CREATE TABLE tracking_staging (
--rollback   device_serial VARCHAR2(40 CHAR),
--rollback   shipment_reference VARCHAR2(20 CHAR),
--rollback   kind NUMBER(4),
--rollback   facility VARCHAR2(40 CHAR),
--rollback   occurred_at TIMESTAMP(6)
--rollback );
