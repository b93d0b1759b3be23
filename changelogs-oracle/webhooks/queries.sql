-- What webhooks 2.3.0 asks of the shared database.

-- name: Endpoints :many
SELECT id, url, events FROM webhook_endpoints WHERE customer_id = :1 AND active = 1 ORDER BY id;

-- name: Listening :many
SELECT e.id, e.url
FROM webhook_endpoints e
CROSS JOIN JSON_TABLE(e.events, '$[*]' COLUMNS (event_name VARCHAR2(64) PATH '$')) j
WHERE e.active = 1 AND j.event_name = :1
ORDER BY e.id
FETCH FIRST 20 ROWS ONLY;

-- name: AddEndpoint :one
-- ack: webhook_endpoints.id
INSERT INTO webhook_endpoints (customer_id, url, events) VALUES (:1, :2, '["shipment.delivered"]') RETURNING id INTO :3;

-- name: Disable :execrows
UPDATE webhook_endpoints SET active = 0 WHERE id = :1 AND active = 1;

-- name: Enable :execrows
UPDATE webhook_endpoints SET active = 1 WHERE id = :1 AND active = 0;

-- name: Deliver :one
-- ack: webhook_deliveries.id
INSERT INTO webhook_deliveries (endpoint_id, event, body) VALUES (:1, 'shipment.delivered', :2) RETURNING id INTO :3;

-- name: Due :many
SELECT d.id, d.body, e.url
FROM webhook_deliveries d
JOIN webhook_endpoints e ON e.id = d.endpoint_id
WHERE d.status IS NULL AND d.next_try_at <= SYSTIMESTAMP
ORDER BY d.next_try_at
FOR UPDATE OF d.id SKIP LOCKED;

-- name: Delivered :execrows
UPDATE webhook_deliveries SET status = 200, attempts = attempts + 1 WHERE id = :1 AND status IS NULL;

-- name: BackOff :execrows
UPDATE webhook_deliveries
SET attempts = attempts + 1, next_try_at = SYSTIMESTAMP + NUMTODSINTERVAL(LEAST(attempts, 60), 'MINUTE')
WHERE id = :1 AND status IS NULL;

-- name: Delivery :one
SELECT id, endpoint_id, event, status, attempts, next_try_at FROM webhook_deliveries WHERE id = :1;
