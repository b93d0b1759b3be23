-- What sla-monitor 1.6.0 asks of the shared database.

-- name: Policies :many
SELECT id, service_level, max_hours, penalty_percent FROM sla_policies WHERE customer_id IN (:1, :2, :3) ORDER BY id;

-- name: Breach :exec
CALL record_sla_breach(:1, :2, :3);

-- name: BreachesOf :many
SELECT b.id, b.hours_late, p.service_level, p.penalty_percent FROM sla_breaches b JOIN sla_policies p ON p.id = b.policy_id WHERE b.shipment_id = :1;

-- name: Candidates :many
SELECT s.id, s.service_level, s.promised_at
FROM shipments s
WHERE s.promised_at BETWEEN :1 AND :2 + INTERVAL '1' HOUR AND s.status NOT IN ('delivered', 'cancelled')
ORDER BY s.promised_at
FETCH FIRST 20 ROWS ONLY;

-- name: Hours :one
SELECT ROUND((CAST(NVL(delivered_at, SYSTIMESTAMP) AS DATE) - CAST(created_at AS DATE)) * 24, 1) AS hours, service_level FROM shipments WHERE id = :1;

-- name: NewPolicy :one
-- ack: sla_policies.id
INSERT INTO sla_policies (customer_id, service_level, max_hours) VALUES (:1, 'express', 24) RETURNING id INTO :2;

-- name: Tighten :execrows
UPDATE sla_policies SET max_hours = GREATEST(max_hours - 1, 12) WHERE id = :1;

-- name: Penalty :many
SELECT b.shipment_id, SUM(c.amount) * MAX(p.penalty_percent) / 100 AS penalty
FROM sla_breaches b
JOIN sla_policies p ON p.id = b.policy_id
JOIN charges c ON c.shipment_id = b.shipment_id
WHERE b.shipment_id IN (:1, :2, :3)
GROUP BY b.shipment_id;

-- name: Worst :many
SELECT id, shipment_id, hours_late, DENSE_RANK() OVER (ORDER BY hours_late DESC) AS r
FROM sla_breaches
WHERE shipment_id IN (:1, :2, :3)
ORDER BY r
FETCH FIRST 10 ROWS ONLY;

-- name: OnTime :many
SELECT s.service_level, COUNT(CASE WHEN s.delivered_at <= s.promised_at THEN 1 END) AS on_time, COUNT(*) AS n
FROM shipments s
WHERE s.carrier_id = :1 AND s.status = 'exception'
GROUP BY s.service_level;
