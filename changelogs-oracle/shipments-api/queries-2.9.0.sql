-- What shipments-api 2.9.0 asks of the shared database.

-- name: GetShipment :one
SELECT id, reference, order_id, customer_id, carrier_id, status, service_level, weight_kg, promised_at, delivered_at FROM shipments WHERE id = :1;

-- name: ByReference :one
SELECT id, status, promised_at FROM shipments WHERE reference = :1;

-- name: CreateShipment :one
-- ack: shipments.id
INSERT INTO shipments (order_id, customer_id, origin_id, destination_id, service_level, weight_kg, promised_at)
VALUES (:1, :2, :3, :4, 'standard', :5, SYSTIMESTAMP + INTERVAL '3' DAY)
RETURNING id INTO :6;

-- name: AddItem :one
-- ack: shipment_items.id
INSERT INTO shipment_items (shipment_id, sku, quantity, weight_kg) VALUES (:1, :2, 1, :3) RETURNING id INTO :4;

-- name: Items :many
SELECT i.id, i.sku, i.quantity, p.name FROM shipment_items i LEFT JOIN products p ON p.sku = i.sku WHERE i.shipment_id = :1 ORDER BY i.id;

-- name: SetStatus :execrows
UPDATE shipments SET status = :1 WHERE id = :2;

-- name: Deliver :execrows
UPDATE shipments
SET status = 'delivered', delivered_at = GREATEST(created_at, SYSTIMESTAMP)
WHERE id = :1 AND status IN ('out_for_delivery', 'in_transit');

-- name: AssignCarrier :execrows
UPDATE shipments SET carrier_id = :1 WHERE id = :2;

-- name: OfOrder :many
SELECT id, reference, status FROM shipments WHERE order_id = :1 ORDER BY id;

-- name: ShipmentsPage :many
SELECT id, reference, status, created_at
FROM shipments
WHERE created_at < :1 OR (created_at = :2 AND id < :3)
ORDER BY created_at DESC, id DESC
FETCH FIRST :4 ROWS ONLY;

-- name: Overview :one
SELECT id, reference, status, customer_name, carrier_name, promised_at FROM shipment_overview WHERE id = :1;

-- name: LateShipments :many
SELECT s.id, s.reference, SYSTIMESTAMP - s.promised_at AS late_by
FROM shipments s
WHERE s.promised_at < :1 AND s.status NOT IN ('delivered', 'cancelled')
ORDER BY s.promised_at DESC
FETCH FIRST 20 ROWS ONLY;

-- name: AddNote :one
-- ack: shipment_notes.id
INSERT INTO shipment_notes (shipment_id, author, body) VALUES (:1, :2, :3) RETURNING id INTO :4;

-- name: LatestNotes :many
SELECT author, body, created_at FROM shipment_notes WHERE shipment_id = :1 ORDER BY created_at DESC FETCH FIRST 5 ROWS ONLY;

-- name: Fragile :one
SELECT JSON_VALUE(attributes, '$.fragile') AS fragile FROM shipments WHERE id = :1;
