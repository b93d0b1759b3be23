--liquibase formatted sql

-- The biggest table, partition by partition: CREATE INDEX on the parent would lock writers out of all of them.

--changeset tracking-ingest:events-region-idx-2026_06 runInTransaction:false
create index concurrently tracking_events_2026_06_region_idx on tracking_events_2026_06 (region_code, occurred_at);
--rollback drop index concurrently tracking_events_2026_06_region_idx;

--changeset tracking-ingest:events-region-idx-2026_07 runInTransaction:false
create index concurrently tracking_events_2026_07_region_idx on tracking_events_2026_07 (region_code, occurred_at);
--rollback drop index concurrently tracking_events_2026_07_region_idx;

--changeset tracking-ingest:events-region-idx-2026_08 runInTransaction:false
create index concurrently tracking_events_2026_08_region_idx on tracking_events_2026_08 (region_code, occurred_at);
--rollback drop index concurrently tracking_events_2026_08_region_idx;

--changeset tracking-ingest:events-region-idx-2026_09 runInTransaction:false
create index concurrently tracking_events_2026_09_region_idx on tracking_events_2026_09 (region_code, occurred_at);
--rollback drop index concurrently tracking_events_2026_09_region_idx;

--changeset tracking-ingest:events-region-idx-2026_10 runInTransaction:false
create index concurrently tracking_events_2026_10_region_idx on tracking_events_2026_10 (region_code, occurred_at);
--rollback drop index concurrently tracking_events_2026_10_region_idx;

--changeset tracking-ingest:events-region-idx-2026_11 runInTransaction:false
create index concurrently tracking_events_2026_11_region_idx on tracking_events_2026_11 (region_code, occurred_at);
--rollback drop index concurrently tracking_events_2026_11_region_idx;

--changeset tracking-ingest:events-region-idx-rest runInTransaction:false
create index concurrently tracking_events_rest_region_idx on tracking_events_rest (region_code, occurred_at);
--rollback drop index concurrently tracking_events_rest_region_idx;
