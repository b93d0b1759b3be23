--liquibase formatted sql

--changeset orders-api:orders-channel-idx-drop runInTransaction:false
--comment Four values: no plan uses it.
drop index concurrently orders_channel_idx;
--rollback create index concurrently orders_channel_idx on orders (channel);
