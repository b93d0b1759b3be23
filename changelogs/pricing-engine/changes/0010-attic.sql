--liquibase formatted sql

--changeset pricing-engine:attic
--comment Where tables go before they go.
create schema attic;
--rollback drop schema attic;

--changeset pricing-engine:legacy-rates-to-attic
create table attic.legacy_rates as table legacy_rates;
--rollback drop table attic.legacy_rates;
