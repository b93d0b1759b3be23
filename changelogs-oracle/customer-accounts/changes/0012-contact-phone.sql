--liquibase formatted sql

--changeset customer-accounts:contacts-phone-not-null
--comment Old contacts may lack a phone; new ones may not.
ALTER TABLE customer_contacts MODIFY (phone CONSTRAINT customer_contacts_phone_nn NOT NULL ENABLE NOVALIDATE);
--rollback ALTER TABLE customer_contacts DROP CONSTRAINT customer_contacts_phone_nn;
