-- What exceptions 3.0.5 asks of the shared database.

-- name: Raise :one
-- ack: shipment_exceptions.id
INSERT INTO shipment_exceptions (shipment_id, code, severity, details) VALUES (:1, :2, 2, JSON_OBJECT('source' VALUE :3)) RETURNING id INTO :4;

-- name: Open :many
SELECT id, shipment_id, code, severity FROM shipment_exceptions WHERE resolved_at IS NULL ORDER BY severity DESC, raised_at FETCH FIRST :1 ROWS ONLY;

-- name: Work :many
SELECT id, shipment_id FROM shipment_exceptions WHERE resolved_at IS NULL AND ROWNUM <= 2 FOR UPDATE SKIP LOCKED;

-- name: Resolve :execrows
UPDATE shipment_exceptions SET resolved_at = SYSTIMESTAMP WHERE id = :1 AND resolved_at IS NULL;

-- name: OfShipment :many
SELECT id, code, severity, details, raised_at, resolved_at FROM shipment_exceptions WHERE shipment_id = :1 ORDER BY raised_at;

-- name: Escalate :execrows
UPDATE shipment_exceptions SET severity = LEAST(severity + 1, 5) WHERE id = :1;

-- name: Annotate :exec
UPDATE shipment_exceptions SET details = JSON_MERGEPATCH(details, JSON_OBJECT('note' VALUE :1) RETURNING CLOB) WHERE id = :2;

-- name: Context :one
SELECT x.id, s.reference, s.status, c.name, k.name AS carrier
FROM shipment_exceptions x
JOIN shipments s ON s.id = x.shipment_id
JOIN customers c ON c.id = s.customer_id
LEFT JOIN carriers k ON k.id = s.carrier_id
WHERE x.id = :1;

-- name: MeanHours :many
SELECT code, AVG((CAST(resolved_at AS DATE) - CAST(raised_at AS DATE)) * 24) AS mean_hours, COUNT(*) AS n
FROM shipment_exceptions
WHERE shipment_id IN (:1, :2, :3)
GROUP BY code;

-- name: Repeat :many
SELECT shipment_id, LISTAGG(code, ',') WITHIN GROUP (ORDER BY raised_at) AS codes
FROM shipment_exceptions
WHERE shipment_id IN (:1, :2, :3)
GROUP BY shipment_id;
