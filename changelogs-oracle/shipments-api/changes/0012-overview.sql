--liquibase formatted sql

--changeset shipments-api:shipment-overview-slim
--comment Without the carrier's name, and so without a join.
CREATE OR REPLACE VIEW shipment_overview AS
SELECT s.id, s.reference, s.status, s.customer_id, c.name AS customer_name, s.carrier_id,
       s.promised_at, s.delivered_at, s.created_at
FROM shipments s
JOIN customers c ON c.id = s.customer_id;
--rollback CREATE OR REPLACE VIEW shipment_overview AS
--rollback SELECT s.id, s.reference, s.status, s.customer_id, c.name AS customer_name, s.carrier_id, k.name AS carrier_name,
--rollback        s.promised_at, s.delivered_at, s.created_at
--rollback FROM shipments s
--rollback JOIN customers c ON c.id = s.customer_id
--rollback LEFT JOIN carriers k ON k.id = s.carrier_id;
