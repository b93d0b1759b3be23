-- What claims 2.7.0 asks of the shared database.

-- name: Claim :one
SELECT id, shipment_id, customer_id, kind, state, amount, opened_at FROM claims WHERE id = :1;

-- name: OpenClaim :one
-- ack: claims.id
INSERT INTO claims (shipment_id, customer_id, kind, amount) VALUES (:1, :2, :3, :4) RETURNING id INTO :5;

-- name: ClaimsOf :many
SELECT id, kind, state, amount FROM claims WHERE customer_id = :1 ORDER BY opened_at DESC FETCH FIRST 20 ROWS ONLY;

-- name: Investigate :execrows
UPDATE claims SET state = 'investigating' WHERE id = :1 AND state = 'open';

-- name: Decide :one
UPDATE claims SET state = 'paid', amount = NVL(amount, 0) WHERE id = :1 AND state = 'investigating' RETURNING id, amount INTO :2, :3;

-- name: Oldest :many
SELECT c.id, c.opened_at, s.reference
FROM claims c
JOIN shipments s ON s.id = c.shipment_id
WHERE c.state IN ('open', 'investigating')
ORDER BY c.opened_at
FETCH FIRST :1 ROWS ONLY;

-- name: Documents :many
SELECT d.id, d.name, JSON_VALUE(d.meta, '$.pages' RETURNING NUMBER) AS pages FROM claim_documents d WHERE d.claim_id = :1 ORDER BY d.uploaded_at;

-- name: AddDocument :one
-- ack: claim_documents.id
INSERT INTO claim_documents (claim_id, name, meta) VALUES (:1, :2, '{"pages": 2}') RETURNING id INTO :3;

-- name: Evidence :many
SELECT e.kind, e.facility, e.occurred_at
FROM claims c
JOIN tracking_events e ON e.shipment_id = c.shipment_id
WHERE c.id = :1
ORDER BY e.occurred_at DESC
FETCH FIRST 20 ROWS ONLY;

-- name: Ratio :many
SELECT kind, COUNT(*) AS n, AVG(amount) AS mean_amount, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY amount) AS median_amount
FROM claims
WHERE customer_id IN (:1, :2, :3)
GROUP BY kind;
