--liquibase formatted sql

--changeset pricing-engine:legacy-rates-to-attic
--comment Where rows go before their table goes.
CREATE TABLE attic_legacy_rates AS SELECT id, zone, kg_from, rate FROM legacy_rates;
--rollback DROP TABLE attic_legacy_rates;
