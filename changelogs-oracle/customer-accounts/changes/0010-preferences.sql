--liquibase formatted sql

--changeset customer-accounts:customer-preferences
--comment Preferences leave the customers table; a trigger keeps both in step until nobody reads the old columns.
CREATE TABLE customer_preferences (
  customer_id NUMBER(19) NOT NULL CONSTRAINT customer_preferences_pk PRIMARY KEY CONSTRAINT customer_preferences_customer_id_fk REFERENCES customers (id),
  locale VARCHAR2(5 CHAR) NOT NULL,
  marketing_opt_in NUMBER(1) NOT NULL CONSTRAINT customer_preferences_marketing_opt_in_ck CHECK (marketing_opt_in IN (0, 1))
);
--rollback DROP TABLE customer_preferences;

--changeset customer-accounts:customer-preferences-trigger splitStatements:false
CREATE OR REPLACE TRIGGER customers_preferences
  AFTER INSERT OR UPDATE OF locale, marketing_opt_in ON customers
  FOR EACH ROW
BEGIN
  MERGE INTO customer_preferences p
  USING (SELECT :NEW.id AS customer_id FROM dual) n
  ON (p.customer_id = n.customer_id)
  WHEN MATCHED THEN UPDATE SET p.locale = :NEW.locale, p.marketing_opt_in = :NEW.marketing_opt_in
  WHEN NOT MATCHED THEN INSERT (customer_id, locale, marketing_opt_in) VALUES (:NEW.id, :NEW.locale, :NEW.marketing_opt_in);
END;
--rollback DROP TRIGGER customers_preferences;
