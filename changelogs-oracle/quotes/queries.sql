-- What quotes 2.0.0 asks of the shared database.

-- name: Quote :one
SELECT id, customer_id, state, total, valid_until, created_at FROM quotes WHERE id = :1;

-- name: QuotesOf :many
SELECT id, state, total, valid_until FROM quotes WHERE customer_id = :1 ORDER BY created_at DESC FETCH FIRST 20 ROWS ONLY;

-- name: NewQuote :one
-- ack: quotes.id
INSERT INTO quotes (customer_id, price_list_id, total, valid_until) VALUES (:1, :2, :3, TRUNC(SYSDATE) + 30) RETURNING id INTO :4;

-- name: AddLine :one
-- ack: quote_lines.id
INSERT INTO quote_lines (quote_id, lane_id, weight_kg, price) VALUES (:1, :2, :3, :4) RETURNING id INTO :5;

-- name: PriceNow :one
SELECT pricing_api.price_for(:1, :2, :3) AS price FROM dual;

-- name: Lines :many
SELECT q.id, q.weight_kg, q.price, l.origin_country, l.destination_country
FROM quote_lines q
LEFT JOIN lanes l ON l.id = q.lane_id
WHERE q.quote_id = :1
ORDER BY q.id;

-- name: Send :execrows
UPDATE quotes SET state = 'sent' WHERE id = :1 AND state = 'draft';

-- name: Accept :one
UPDATE quotes SET state = 'accepted' WHERE id = :1 AND state = 'sent' RETURNING id, total INTO :2, :3;

-- name: Total :execrows
UPDATE quotes q SET q.total = NVL((SELECT SUM(l.price) FROM quote_lines l WHERE l.quote_id = q.id), 0) WHERE q.id = :1;

-- name: Conversion :many
SELECT state, COUNT(*) AS n, ROUND(AVG(total), 2) AS mean_total FROM quotes WHERE customer_id IN (:1, :2, :3) GROUP BY state ORDER BY state;

-- name: Expire :execrows
UPDATE quotes SET state = 'expired' WHERE customer_id = :1 AND valid_until < TRUNC(SYSDATE) AND state = 'sent' AND ROWNUM <= 5;
