-- What billing 5.0.1 asks of the shared database.

-- name: Account :one
SELECT id, customer_id, currency, balance, state FROM billing_accounts WHERE id = :1;

-- name: AccountOf :one
SELECT id, currency, balance FROM billing_accounts WHERE customer_id = :1 ORDER BY id FETCH FIRST 1 ROW ONLY;

-- name: Charge :one
-- ack: charges.id
INSERT INTO charges (account_id, shipment_id, kind, amount) VALUES (:1, :2, :3, :4) RETURNING id INTO :5;

-- name: Debit :execrows
UPDATE billing_accounts SET balance = balance - :1, updated_at = SYSTIMESTAMP WHERE id = :2;

-- name: Credit :execrows
UPDATE billing_accounts SET balance = balance + :1, updated_at = SYSTIMESTAMP WHERE id = :2;

-- name: Statement :many
SELECT c.id, c.kind, c.amount, c.charged_at, SUM(c.amount) OVER (ORDER BY c.charged_at, c.id) AS running
FROM charges c
WHERE c.account_id = :1
ORDER BY c.charged_at DESC, c.id DESC
FETCH FIRST 50 ROWS ONLY;

-- name: Uninvoiced :many
SELECT c.id, c.amount, s.reference
FROM charges c
JOIN shipments s ON s.id = c.shipment_id
WHERE c.account_id = :1 AND c.invoiced = 0
ORDER BY c.id
FETCH FIRST 100 ROWS ONLY;

-- name: LockUninvoiced :many
SELECT id, amount FROM charges WHERE account_id = :1 AND invoiced = 0 AND ROWNUM <= 5 FOR UPDATE SKIP LOCKED;

-- name: MarkInvoiced :one
UPDATE charges SET invoiced = 1 WHERE id = :1 AND invoiced = 0 RETURNING id, amount INTO :2, :3;

-- name: ChargesOfShipment :many
SELECT kind, SUM(amount) AS amount FROM charges WHERE shipment_id = :1 GROUP BY kind ORDER BY kind;

-- name: Balances :many
SELECT b.id, b.balance, c.name
FROM billing_accounts b, customers c
WHERE c.id = b.customer_id AND b.customer_id IN (:1, :2, :3)
ORDER BY b.id;

-- name: MonthTotals :many
SELECT TRUNC(CAST(charged_at AS DATE), 'MM') AS month, SUM(DECODE(invoiced, 1, 1, 0)) AS invoiced, SUM(amount) AS amount
FROM charges
WHERE account_id = :1
GROUP BY TRUNC(CAST(charged_at AS DATE), 'MM')
ORDER BY 1 DESC
FETCH FIRST 12 ROWS ONLY;
