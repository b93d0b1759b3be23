--liquibase formatted sql

--changeset routing-engine:route-stops-dwell
--comment Nullable and without a default. An INSERT that names no columns needs a value for it all the same.
ALTER TABLE route_stops ADD (dwell_minutes NUMBER(5));
--rollback ALTER TABLE route_stops DROP COLUMN dwell_minutes;
