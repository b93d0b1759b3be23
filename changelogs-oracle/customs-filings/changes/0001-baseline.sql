--liquibase formatted sql

--changeset customs-filings:tariff-codes
CREATE TABLE tariff_codes (
  code VARCHAR2(8 CHAR) NOT NULL CONSTRAINT tariff_codes_pk PRIMARY KEY CONSTRAINT tariff_codes_code_ck CHECK (REGEXP_LIKE(code, '^[0-9]{8}$')),
  description VARCHAR2(400 CHAR) NOT NULL,
  duty_percent NUMBER(5,2) DEFAULT 0 NOT NULL
);
--rollback DROP TABLE tariff_codes;
