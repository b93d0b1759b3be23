--liquibase formatted sql

--changeset tracking-ingest:events-device-idx
--comment Without ONLINE: writers wait until the biggest table has been read.
CREATE INDEX tracking_events_device_idx ON tracking_events (device_id) LOCAL;
--rollback DROP INDEX tracking_events_device_idx;
