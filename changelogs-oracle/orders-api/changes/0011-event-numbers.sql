--liquibase formatted sql

--changeset orders-api:order-events-id-seq
--comment The old sequence counts in fifties for a framework that is gone.
CREATE SEQUENCE order_events_id_seq START WITH 1000000000 CACHE 100;
--rollback DROP SEQUENCE order_events_id_seq;

--changeset orders-api:order-events-id-default
ALTER TABLE order_events MODIFY (id DEFAULT order_events_id_seq.NEXTVAL);
--rollback ALTER TABLE order_events MODIFY (id DEFAULT order_events_seq.NEXTVAL);
