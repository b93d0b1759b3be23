--liquibase formatted sql

--changeset fleet:vehicle-state-reserved
--comment A value cannot be taken out of an enum: going back makes the type anew, which rewrites this small table.
alter type vehicle_state add value 'reserved';
--rollback alter type vehicle_state rename to vehicle_state_with_reserved;
--rollback create type vehicle_state as enum ('active', 'maintenance', 'retired');
--rollback alter table vehicles alter column state drop default;
--rollback alter table vehicles alter column state type vehicle_state using state::text::vehicle_state;
--rollback alter table vehicles alter column state set default 'active';
--rollback drop type vehicle_state_with_reserved;
