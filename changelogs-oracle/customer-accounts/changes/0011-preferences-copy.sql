--liquibase formatted sql

--changeset customer-accounts:customer-preferences-copy
INSERT INTO customer_preferences (customer_id, locale, marketing_opt_in)
SELECT c.id, c.locale, c.marketing_opt_in
FROM customers c
WHERE NOT EXISTS (SELECT 1 FROM customer_preferences p WHERE p.customer_id = c.id);
--rollback DELETE FROM customer_preferences;
