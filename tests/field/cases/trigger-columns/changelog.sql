--liquibase formatted sql

--changeset shop:orders-unit
update orders set unit = 'pc' where unit is null;
--rollback update orders set unit = null where unit = 'pc';
