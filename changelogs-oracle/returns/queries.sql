-- What returns 1.3.2 asks of the shared database.

-- name: Return :one
SELECT id, shipment_id, reason, state, announced_at FROM returns WHERE id = :1;

-- name: Announce :one
-- ack: returns.id
INSERT INTO returns (shipment_id, reason) VALUES (:1, :2) RETURNING id INTO :3;

-- name: AddItem :one
-- ack: return_items.id
INSERT INTO return_items (return_id, product_id, quantity) VALUES (:1, :2, 1) RETURNING id INTO :3;

-- name: Receive :execrows
UPDATE returns SET state = 'received' WHERE id = :1 AND state = 'announced';

-- name: Items :many
SELECT i.id, p.sku, i.quantity, i.item_condition FROM return_items i JOIN products p ON p.id = i.product_id WHERE i.return_id = :1 ORDER BY i.id;

-- name: Grade :execrows
UPDATE return_items SET item_condition = :1 WHERE id = :2;

-- name: OfShipment :many
SELECT id, state, reason FROM returns WHERE shipment_id = :1;

-- name: Reasons :many
SELECT reason, COUNT(*) AS n FROM returns WHERE shipment_id IN (:1, :2, :3) GROUP BY reason ORDER BY n DESC;

-- name: Restock :execrows
UPDATE returns SET state = 'restocked' WHERE id = :1 AND state = 'received';

-- name: Restockable :many
SELECT product_id, SUM(quantity) AS quantity FROM return_items WHERE return_id = :1 AND item_condition <> 'broken' GROUP BY product_id;

-- name: Recent :many
SELECT r.id, s.reference, r.reason FROM returns r JOIN shipments s ON s.id = r.shipment_id WHERE r.id > :1 ORDER BY r.id FETCH FIRST 20 ROWS ONLY;
