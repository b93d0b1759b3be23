-- What labels 1.1.0 asks of the shared database.

-- name: Label :one
SELECT id, shipment_id, format, barcode, printed_at FROM labels WHERE id = :1;

-- name: ByBarcode :one
SELECT l.id, s.reference, s.status FROM labels l JOIN shipments s ON s.id = l.shipment_id WHERE l.barcode = :1 AND ROWNUM = 1;

-- name: Create :one
-- ack: labels.id
INSERT INTO labels (shipment_id, format, barcode) VALUES (:1, :2, :3) RETURNING id INTO :4;

-- name: Printed :execrows
UPDATE labels SET printed_at = SYSTIMESTAMP WHERE id = :1;

-- name: OfShipment :many
SELECT id, format, barcode FROM labels WHERE shipment_id = :1 ORDER BY id;

-- name: Unprinted :many
SELECT l.id, l.barcode FROM labels l WHERE l.shipment_id IN (:1, :2, :3) AND l.printed_at IS NULL;

-- name: AddressLine :one
SELECT s.reference, a.line1, NVL(a.line2, '-') AS line2, a.city, a.postcode, a.country
FROM shipments s
JOIN addresses a ON a.id = s.destination_id
WHERE s.id = :1;

-- name: Reprints :many
SELECT shipment_id, COUNT(*) AS labels, MAX(printed_at) AS latest
FROM labels
WHERE shipment_id IN (:1, :2, :3)
GROUP BY shipment_id
HAVING COUNT(*) > 1;

-- name: Formats :many
SELECT format, COUNT(*) AS n FROM labels WHERE id BETWEEN :1 AND :2 GROUP BY format;

-- name: Batch :many
SELECT l.id, l.barcode, s.weight_kg, k.scac
FROM labels l
JOIN shipments s ON s.id = l.shipment_id
LEFT JOIN carriers k ON k.id = s.carrier_id
WHERE l.id > :1
ORDER BY l.id
FETCH FIRST :2 ROWS ONLY;
