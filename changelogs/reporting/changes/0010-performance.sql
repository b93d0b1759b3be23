--liquibase formatted sql

--changeset reporting:carrier-performance-late
--comment A view may grow at its end.
create or replace view carrier_performance as
select k.id as carrier_id, k.scac, count(s.id) as shipments,
       count(s.id) filter (where s.delivered_at <= s.promised_at) as on_time,
       count(s.id) filter (where s.delivered_at > s.promised_at) as late
from carriers k left join shipments s on s.carrier_id = k.id and s.created_at > timestamptz '2026-11-01'
group by k.id, k.scac;
--rollback drop view carrier_performance;
--rollback create view carrier_performance as
--rollback select k.id as carrier_id, k.scac, count(s.id) as shipments,
--rollback        count(s.id) filter (where s.delivered_at <= s.promised_at) as on_time
--rollback from carriers k left join shipments s on s.carrier_id = k.id and s.created_at > timestamptz '2026-11-01'
--rollback group by k.id, k.scac;

--changeset reporting:report-archive context:archive
--comment Only where old reports are kept.
create table report_archive (id bigint primary key, body text not null);
--rollback drop table report_archive;

--changeset reporting:report-definitions-again
--comment Older installations lack the table; this one has it, and so the changeset is marked as run.
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 select count(*) from information_schema.tables where table_name = 'report_definitions'
create table report_definitions (id bigint primary key, name text not null);
--rollback drop table report_definitions;
