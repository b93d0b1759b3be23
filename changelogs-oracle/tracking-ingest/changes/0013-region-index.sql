--liquibase formatted sql

--changeset tracking-ingest:events-region-idx
--comment Partition by partition, while others write.
CREATE INDEX tracking_events_region_idx ON tracking_events (region_code, occurred_at) LOCAL ONLINE;
--rollback DROP INDEX tracking_events_region_idx ONLINE;
