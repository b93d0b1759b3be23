-- What orders-api 8.3.0 asks of the shared database.

-- name: GetOrder :one
SELECT id, customer_id, billing_account_id, reference, channel, state, currency, total, shipment_count, details, created_at, updated_at
FROM orders
WHERE id = :1;

-- name: OrderWithLines :many
SELECT o.id, o.reference, l.line_no, l.sku, l.quantity, l.unit_price, l.quantity * l.unit_price AS amount
FROM orders o
JOIN order_lines l ON l.order_id = o.id
WHERE o.id = :1
ORDER BY l.line_no;

-- name: PlaceOrder :one
-- ack: orders.id
INSERT INTO orders (customer_id, billing_account_id, reference, channel, total, details)
VALUES (:1, (SELECT MIN(b.id) FROM billing_accounts b WHERE b.customer_id = :2), :3, :4, :5, '{"incoterm": "DAP"}')
RETURNING id INTO :6;

-- name: AddLine :exec
INSERT INTO order_lines (order_id, line_no, sku, quantity, unit_price)
SELECT :1, NVL(MAX(l.line_no), 0) + 1, :2, 1, :3 FROM order_lines l WHERE l.order_id = :4;

-- name: OrdersPage :many
SELECT id, reference, state, total, created_at
FROM orders
WHERE created_at < :1 OR (created_at = :2 AND id < :3)
ORDER BY created_at DESC, id DESC
FETCH FIRST :4 ROWS ONLY;

-- name: OfCustomer :many
SELECT * FROM (
  SELECT o.*, ROW_NUMBER() OVER (ORDER BY o.reference) AS rn
  FROM (SELECT id, reference, state, total FROM orders WHERE customer_id = :1) o
) WHERE rn BETWEEN :2 AND :3;

-- name: ByReference :one
SELECT id, state, total FROM orders WHERE customer_id = :1 AND reference = :2;

-- name: Confirm :execrows
UPDATE orders SET state = 'confirmed' WHERE id = :1 AND state = 'open';

-- name: Recalculate :execrows
UPDATE orders o
SET o.total = (SELECT NVL(SUM(l.quantity * l.unit_price), 0) FROM order_lines l WHERE l.order_id = o.id)
WHERE o.id = :1;

-- name: NextEventId :one
SELECT order_events_seq.NEXTVAL FROM dual;

-- name: LogEvent :one
-- ack: order_events.id
INSERT INTO order_events (id, order_id, kind, payload)
VALUES (order_events_seq.NEXTVAL, :1, :2, JSON_OBJECT('by' VALUE :3))
RETURNING id INTO :4;

-- name: Timeline :many
SELECT e.kind, e.happened_at, e.payload, LAG(e.happened_at) OVER (ORDER BY e.happened_at) AS previous_at
FROM order_events e
WHERE e.order_id = :1
ORDER BY e.happened_at
FETCH FIRST 50 ROWS ONLY;

-- name: OldestOpen :many
SELECT id, customer_id, created_at FROM orders WHERE state = 'open' ORDER BY created_at FETCH FIRST :1 ROWS ONLY;

-- name: Gifts :many
SELECT o.id, JSON_VALUE(o.details, '$.incoterm') AS incoterm
FROM orders o
WHERE o.customer_id = :1 AND JSON_EXISTS(o.details, '$?(@.gift == true)')
FETCH FIRST 10 ROWS ONLY;

-- name: ClaimOpen :many
SELECT id FROM orders WHERE state = 'open' AND ROWNUM <= 3 FOR UPDATE SKIP LOCKED;

-- name: SkuOrders :many
SELECT l.order_id, l.quantity FROM order_lines l WHERE l.sku = :1 ORDER BY l.order_id DESC FETCH FIRST 20 ROWS ONLY;
