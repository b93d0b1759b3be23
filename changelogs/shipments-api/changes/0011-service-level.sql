--liquibase formatted sql

--changeset shipments-api:shipments-service-level-validate
alter table shipments validate constraint shipments_service_level_given;
--rollback alter table shipments drop constraint shipments_service_level_given;
--rollback alter table shipments add constraint shipments_service_level_given check (service_level is not null) not valid;

--changeset shipments-api:shipments-service-level-not-null
--comment The valid check spares SET NOT NULL its scan.
alter table shipments alter column service_level set not null;
--rollback alter table shipments alter column service_level drop not null;

--changeset shipments-api:shipments-service-level-check-done
alter table shipments drop constraint shipments_service_level_given;
--rollback alter table shipments add constraint shipments_service_level_given check (service_level is not null);
