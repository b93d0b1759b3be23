--liquibase formatted sql

--changeset tracking-ingest:events-region-backfill
--comment A million rows, in batches: Drydock walks the key, and what is left over is done here.
update tracking_events set region_code = left(facility, 3) where region_code is null;
--rollback update tracking_events set region_code = null where region_code is not null;
