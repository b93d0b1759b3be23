--liquibase formatted sql

--changeset tracking-ingest:events-region
--comment A column without a default: the dictionary changes, no row does.
ALTER TABLE tracking_events ADD (region_code VARCHAR2(12 CHAR));
--rollback ALTER TABLE tracking_events DROP COLUMN region_code;
