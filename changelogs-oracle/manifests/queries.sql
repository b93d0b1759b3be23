-- What manifests 2.8.0 asks of the shared database.

-- name: Manifest :one
SELECT m.id, m.day, m.closed_at, k.name AS carrier, w.code AS warehouse
FROM manifests m
JOIN carriers k ON k.id = m.carrier_id
JOIN warehouses w ON w.id = m.warehouse_id
WHERE m.id = :1;

-- name: Open :one
-- ack: manifests.id
INSERT INTO manifests (carrier_id, warehouse_id, day) VALUES (:1, :2, TRUNC(SYSDATE)) RETURNING id INTO :3;

-- name: Add :exec
MERGE INTO manifest_shipments x
USING (SELECT :1 AS manifest_id, :2 AS shipment_id FROM dual) n
ON (x.manifest_id = n.manifest_id AND x.shipment_id = n.shipment_id)
WHEN NOT MATCHED THEN INSERT (manifest_id, shipment_id) VALUES (n.manifest_id, n.shipment_id);

-- name: Content :many
SELECT s.id, s.reference, s.weight_kg
FROM manifest_shipments x
JOIN shipments s ON s.id = x.shipment_id
WHERE x.manifest_id = :1
ORDER BY s.id
FETCH FIRST 100 ROWS ONLY;

-- name: Close :execrows
UPDATE manifests SET closed_at = SYSTIMESTAMP WHERE id = :1 AND closed_at IS NULL;

-- name: OfDay :many
SELECT id, carrier_id, warehouse_id, closed_at FROM manifests WHERE day = TRUNC(:1) ORDER BY carrier_id FETCH FIRST 50 ROWS ONLY;

-- name: WhereIs :many
SELECT m.id, m.day, m.closed_at FROM manifest_shipments x JOIN manifests m ON m.id = x.manifest_id WHERE x.shipment_id = :1;

-- name: Weight :one
SELECT COUNT(*) AS shipments, SUM(s.weight_kg) AS weight FROM manifest_shipments x JOIN shipments s ON s.id = x.shipment_id WHERE x.manifest_id = :1;

-- name: CarrierDays :many
SELECT day, COUNT(*) AS manifests, COUNT(closed_at) AS closed FROM manifests WHERE day BETWEEN :1 AND :2 + 2 GROUP BY day ORDER BY day;

-- name: Unclosed :many
SELECT id, carrier_id FROM manifests WHERE day = :1 AND closed_at IS NULL ORDER BY id FOR UPDATE OF closed_at SKIP LOCKED;
