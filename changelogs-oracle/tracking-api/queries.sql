-- What tracking-api 3.3.0 asks of the shared database.

-- name: LatestEvent :one
SELECT e.kind, e.facility, e.occurred_at, e.note FROM tracking_events e WHERE e.shipment_id = :1 ORDER BY e.occurred_at DESC FETCH FIRST 1 ROW ONLY;

-- name: History :many
SELECT e.id, e.kind, e.facility, e.occurred_at FROM tracking_events e WHERE e.shipment_id = :1 ORDER BY e.occurred_at FETCH FIRST 100 ROWS ONLY;

-- name: ByReference :many
SELECT s.reference, s.status, e.kind, e.facility, e.occurred_at
FROM shipments s
JOIN tracking_events e ON e.shipment_id = s.id
WHERE s.reference = :1
ORDER BY e.occurred_at DESC
FETCH FIRST 20 ROWS ONLY;

-- name: LatestOfMany :many
SELECT s.id, s.status, l.facility, l.occurred_at
FROM shipments s
OUTER APPLY (
  SELECT e.facility, e.occurred_at FROM tracking_events e WHERE e.shipment_id = s.id ORDER BY e.occurred_at DESC FETCH FIRST 1 ROW ONLY
) l
WHERE s.id IN (:1, :2, :3);

-- name: Subscribe :one
-- ack: tracking_subscriptions.id
INSERT INTO tracking_subscriptions (shipment_id, email, kinds) VALUES (:1, RAWTOHEX(SYS_GUID()) || '@example.com', '[1, 5]') RETURNING id INTO :2;

-- name: Unsubscribe :execrows
UPDATE tracking_subscriptions SET active = 0 WHERE id = :1;

-- name: Subscribers :many
SELECT * FROM tracking_subscriptions WHERE shipment_id = :1 AND active = 1;

-- name: Dwell :many
SELECT facility, occurred_at, LEAD(occurred_at) OVER (ORDER BY occurred_at) - occurred_at AS dwell
FROM tracking_events
WHERE shipment_id = :1
ORDER BY occurred_at
FETCH FIRST 50 ROWS ONLY;

-- name: Status :one
SELECT s.status, s.promised_at, s.delivered_at, CASE WHEN s.promised_at < NVL(s.delivered_at, SYSTIMESTAMP) THEN 1 ELSE 0 END AS late
FROM shipments s
WHERE s.reference = :1;

-- name: Milestones :many
WITH e AS (SELECT kind, MIN(occurred_at) AS first_at FROM tracking_events WHERE shipment_id = :1 GROUP BY kind)
SELECT kind, first_at, RANK() OVER (ORDER BY first_at) AS step
FROM e
ORDER BY step;

-- name: FacilityLoad :many
SELECT facility, COUNT(*) AS events
FROM tracking_events
WHERE occurred_at BETWEEN :1 AND :2 + INTERVAL '10' MINUTE
GROUP BY facility
ORDER BY 2 DESC
FETCH FIRST 10 ROWS ONLY;

-- name: KindsSeen :many
SELECT DISTINCT kind FROM tracking_events WHERE shipment_id IN (:1, :2, :3) ORDER BY kind;
