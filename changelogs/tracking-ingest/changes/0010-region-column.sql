--liquibase formatted sql

--changeset tracking-ingest:events-region
--comment A column without a default: the catalog changes, no row does.
alter table tracking_events add column region_code text;
--rollback alter table tracking_events drop column region_code;
