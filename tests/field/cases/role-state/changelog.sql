--liquibase formatted sql

--changeset shop:timezone
alter role role_state_svc in database role_state set timezone = 'America/New_York';
--rollback alter role role_state_svc in database role_state set timezone = 'UTC';

--changeset shop:no-inheritance
alter role role_state_svc noinherit;
--rollback alter role role_state_svc inherit;
