--liquibase formatted sql

--changeset shop:orders-unit
-- drydock: allow trigger-columns because the services only sort by it
update orders set unit = 'pc' where unit is null;
--rollback update orders set unit = null where unit = 'pc';
