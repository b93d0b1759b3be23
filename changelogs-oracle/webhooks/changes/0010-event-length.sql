--liquibase formatted sql

--changeset webhooks:webhook-event-16
--comment Shorter than the name that Deliver writes.
ALTER TABLE webhook_deliveries MODIFY (event VARCHAR2(16 CHAR));
--rollback ALTER TABLE webhook_deliveries MODIFY (event VARCHAR2(64 CHAR));
