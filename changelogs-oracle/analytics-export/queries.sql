-- What analytics-export 3.3.0 asks of the shared database.

-- name: Jobs :many
SELECT id, dataset, state, rows_written, created_at FROM export_jobs WHERE id > :1 ORDER BY id FETCH FIRST :2 ROWS ONLY;

-- name: NewJob :one
-- ack: export_jobs.id
INSERT INTO export_jobs (dataset, since) VALUES (:1, :2) RETURNING id INTO :3;

-- name: NextJob :one
SELECT id, dataset, since FROM export_jobs WHERE state = 'queued' AND ROWNUM = 1 FOR UPDATE SKIP LOCKED;

-- name: StartJob :execrows
UPDATE export_jobs SET state = 'running' WHERE id = :1 AND state = 'queued';

-- name: FinishJob :execrows
UPDATE export_jobs SET state = 'done', rows_written = NVL(rows_written, 0) + :1 WHERE id = :2 AND state = 'running';

-- name: ShipmentsPage :many
SELECT id, reference, status, weight_kg, created_at FROM shipments ORDER BY created_at, id OFFSET :1 ROWS FETCH NEXT 500 ROWS ONLY;

-- name: OrdersSince :many
SELECT id, customer_id, state, total, updated_at
FROM orders
WHERE created_at > :1 OR (created_at = :2 AND id > :3)
ORDER BY created_at, id
FETCH FIRST :4 ROWS ONLY;

-- name: EventsSince :many
SELECT /*+ PARALLEL(2) */ id, shipment_id, kind, occurred_at
FROM tracking_events
WHERE occurred_at >= :1 AND occurred_at < :2 + INTERVAL '5' MINUTE
ORDER BY occurred_at, id
FETCH FIRST 200 ROWS ONLY;

-- name: ChargesSince :many
SELECT * FROM (SELECT id, account_id, kind, amount, charged_at FROM charges WHERE id > :1 ORDER BY id) WHERE ROWNUM <= 100;

-- name: Daily :many
SELECT day, SUM(shipments) AS shipments, SUM(weight_kg) AS weight
FROM daily_shipments
WHERE day BETWEEN TRUNC(:1) AND TRUNC(:2) + 7
GROUP BY day
ORDER BY day;
