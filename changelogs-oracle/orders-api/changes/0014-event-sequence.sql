--liquibase formatted sql

--changeset orders-api:order-events-seq-drop
DROP SEQUENCE order_events_seq;
--rollback CREATE SEQUENCE order_events_seq START WITH 2000000000 INCREMENT BY 50 CACHE 20;
