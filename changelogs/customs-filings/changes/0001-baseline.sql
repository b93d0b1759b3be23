--liquibase formatted sql

--changeset customs-filings:tariff-codes
create table tariff_codes (
  code text primary key check (code ~ '^[0-9]{8}$'),
  description text not null,
  duty_percent numeric(5,2) not null default 0
);
--rollback drop table tariff_codes;
