--liquibase formatted sql

--changeset reporting:carrier-performance-late
--comment A view may grow at its end. Replacing it keeps its grants.
CREATE OR REPLACE VIEW carrier_performance AS
SELECT k.id AS carrier_id, k.scac, COUNT(s.id) AS shipments,
       COUNT(CASE WHEN s.delivered_at <= s.promised_at THEN s.id END) AS on_time,
       COUNT(CASE WHEN s.delivered_at > s.promised_at THEN s.id END) AS late
FROM carriers k
LEFT JOIN shipments s ON s.carrier_id = k.id AND s.created_at > TIMESTAMP '2026-11-01 00:00:00 UTC'
GROUP BY k.id, k.scac;
--rollback CREATE OR REPLACE VIEW carrier_performance AS
--rollback SELECT k.id AS carrier_id, k.scac, COUNT(s.id) AS shipments,
--rollback        COUNT(CASE WHEN s.delivered_at <= s.promised_at THEN s.id END) AS on_time
--rollback FROM carriers k
--rollback LEFT JOIN shipments s ON s.carrier_id = k.id AND s.created_at > TIMESTAMP '2026-11-01 00:00:00 UTC'
--rollback GROUP BY k.id, k.scac;

--changeset reporting:weekly-shipments
CREATE MATERIALIZED VIEW weekly_shipments
BUILD DEFERRED
REFRESH COMPLETE ON DEMAND
AS
SELECT TRUNC(CAST(s.created_at AS DATE), 'IW') AS week, s.carrier_id, COUNT(*) AS shipments, SUM(s.weight_kg) AS weight_kg
FROM shipments s
GROUP BY TRUNC(CAST(s.created_at AS DATE), 'IW'), s.carrier_id;
--rollback DROP MATERIALIZED VIEW weekly_shipments;

--changeset reporting:report-archive context:archive
--comment Only where old reports are kept.
CREATE TABLE report_archive (
  id NUMBER(19) NOT NULL CONSTRAINT report_archive_pk PRIMARY KEY,
  body CLOB NOT NULL
);
--rollback DROP TABLE report_archive;

--changeset reporting:report-definitions-again
--comment Older installations lack the table; this one has it, and so the changeset is marked as run.
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 SELECT COUNT(*) FROM all_tables WHERE owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') AND table_name = 'REPORT_DEFINITIONS'
CREATE TABLE report_definitions (
  id NUMBER(19) NOT NULL CONSTRAINT report_definitions_pk PRIMARY KEY,
  name VARCHAR2(80 CHAR) NOT NULL
);
--rollback DROP TABLE report_definitions;
