--liquibase formatted sql

--changeset tracking-ingest:events-region-backfill
--comment A million rows, in batches: Drydock walks the key, and what is left over is done here.
UPDATE tracking_events SET region_code = SUBSTR(facility, 1, 3) WHERE region_code IS NULL;
--rollback UPDATE tracking_events SET region_code = NULL WHERE region_code IS NOT NULL;
