--liquibase formatted sql

--changeset orders-api:orders-channel-idx-drop
--comment Four values: no plan uses it.
DROP INDEX orders_channel_idx ONLINE;
--rollback CREATE INDEX orders_channel_idx ON orders (channel) ONLINE;
