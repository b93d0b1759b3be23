-- What customer-portal 7.4.0 asks of the shared database.

-- name: MyShipments :many
SELECT s.id, s.reference, s.status, s.promised_at
FROM shipments s
JOIN orders o ON o.id = s.order_id
WHERE o.customer_id = :1 AND o.reference = :2
ORDER BY s.id
FETCH FIRST 20 ROWS ONLY;

-- name: ShipmentCard :one
SELECT o.reference, o.status, o.carrier_name, o.promised_at, o.delivered_at FROM shipment_overview o WHERE o.reference = :1;

-- name: MyInvoices :many
SELECT i.invoice_no, i.state, i.total, i.due_on
FROM invoices i
JOIN billing_accounts b ON b.id = i.account_id
WHERE b.customer_id = :1
ORDER BY i.issued_on DESC NULLS LAST
FETCH FIRST 12 ROWS ONLY;

-- name: Dashboard :one
SELECT c.name, b.balance FROM customers c JOIN billing_accounts b ON b.customer_id = c.id WHERE c.id = :1;

-- name: SavedViews :many
SELECT id, name, filter_spec FROM portal_saved_views WHERE user_id = :1 ORDER BY name;

-- name: SaveView :exec
MERGE INTO portal_saved_views v
USING (SELECT :1 AS user_id, :2 AS name FROM dual) n
ON (v.user_id = n.user_id AND v.name = n.name)
WHEN MATCHED THEN UPDATE SET v.filter_spec = '{"status": "delivered"}'
WHEN NOT MATCHED THEN INSERT (user_id, name, filter_spec) VALUES (n.user_id, n.name, '{"status": "delivered"}');

-- name: Feedback :one
-- ack: portal_feedback.id
INSERT INTO portal_feedback (customer_id, score, remark) VALUES (:1, 9, :2) RETURNING id INTO :3;

-- name: MyAddresses :many
SELECT id, line1, city, postcode, country FROM addresses WHERE customer_id = :1 ORDER BY id FETCH FIRST 50 ROWS ONLY;

-- name: MyQuotes :many
SELECT id, state, total, valid_until FROM quotes WHERE customer_id = :1 ORDER BY created_at DESC FETCH FIRST 10 ROWS ONLY;

-- name: MyReturns :many
SELECT r.id, r.reason, r.state FROM returns r WHERE r.shipment_id IN (:1, :2, :3) ORDER BY r.id;

-- name: TrackMine :many
SELECT s.reference, e.kind, e.occurred_at
FROM shipments s
JOIN tracking_events e ON e.shipment_id = s.id
WHERE s.id = :1
ORDER BY e.occurred_at DESC
FETCH FIRST 10 ROWS ONLY;
