-- What payments 4.4.0 asks of the shared database.

-- name: Payment :one
SELECT id, invoice_id, method_id, amount, state, paid_at FROM payments WHERE id = :1;

-- name: ByKey :one
SELECT id, state FROM payments WHERE idempotency_key = HEXTORAW(:1);

-- name: Pay :exec
MERGE INTO payments p
USING (SELECT :1 AS invoice_id, :2 AS method_id, :3 AS amount, HEXTORAW(:4) AS idempotency_key FROM dual) n
ON (p.idempotency_key = n.idempotency_key)
WHEN MATCHED THEN UPDATE SET p.paid_at = SYSTIMESTAMP
WHEN NOT MATCHED THEN INSERT (invoice_id, method_id, amount, idempotency_key)
  VALUES (n.invoice_id, n.method_id, n.amount, n.idempotency_key);

-- name: Settle :execrows
UPDATE payments SET state = 'settled' WHERE id = :1 AND state = 'pending';

-- name: Pending :many
SELECT id, invoice_id, amount FROM payments WHERE state = 'pending' AND ROWNUM <= 5 FOR UPDATE SKIP LOCKED;

-- name: OfInvoice :many
SELECT p.id, p.amount, p.state, m.kind
FROM payments p
LEFT JOIN payment_methods m ON m.id = p.method_id
WHERE p.invoice_id = :1
ORDER BY p.paid_at;

-- name: DefaultMethod :one
SELECT id, kind FROM payment_methods WHERE account_id = :1 AND is_default = 1 ORDER BY id FETCH FIRST ROW ONLY;

-- name: AddMethod :one
-- ack: payment_methods.id
INSERT INTO payment_methods (account_id, kind, token) VALUES (:1, :2, RAWTOHEX(STANDARD_HASH(:3, 'SHA256'))) RETURNING id INTO :4;

-- name: OpenAmount :one
SELECT i.total - NVL((SELECT SUM(p.amount) FROM payments p WHERE p.invoice_id = i.id AND p.state = 'settled'), 0) AS open_amount
FROM invoices i
WHERE i.id = :1;

-- name: FailureShare :many
SELECT m.kind, SUM(CASE p.state WHEN 'failed' THEN 1 ELSE 0 END) / COUNT(*) AS failure_share
FROM payments p
JOIN payment_methods m ON m.id = p.method_id
WHERE p.invoice_id IN (:1, :2, :3)
GROUP BY m.kind;
