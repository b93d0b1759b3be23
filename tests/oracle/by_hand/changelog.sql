--liquibase formatted sql

--changeset shop:1
CREATE TABLE parcels (id NUMBER(10) NOT NULL, note VARCHAR2(30));
--rollback DROP TABLE parcels;

--changeset shop:2
ALTER TABLE parcels ADD weight NUMBER(6,2);
--rollback ALTER TABLE parcels SET UNUSED COLUMN weight;
