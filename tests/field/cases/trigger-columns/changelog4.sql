--liquibase formatted sql

--changeset shop:orders-unit
-- drydock: allow trigger-columns because the services only sort by it
select recode();
--rollback update orders set unit = null where unit = 'pc';
