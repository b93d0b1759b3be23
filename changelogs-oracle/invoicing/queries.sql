-- What invoicing 3.1.0 asks of the shared database.

-- name: Invoice :one
SELECT id, account_id, invoice_no, state, total, issued_on, due_on FROM invoices WHERE id = :1;

-- name: ByNumber :one
SELECT id, state, total FROM invoices WHERE invoice_no = :1;

-- name: NewInvoice :one
-- ack: invoices.id
INSERT INTO invoices (account_id, invoice_no, total, issued_on, due_on)
VALUES (:1, next_invoice_no(SYSDATE), :2, TRUNC(SYSDATE), TRUNC(SYSDATE) + 30)
RETURNING id INTO :3;

-- name: AddLine :one
-- ack: invoice_lines.id
INSERT INTO invoice_lines (invoice_id, charge_id, description, amount) VALUES (:1, :2, :3, :4) RETURNING id INTO :5;

-- name: Lines :many
SELECT l.description, l.amount, c.kind, c.charged_at
FROM invoice_lines l, charges c
WHERE c.id (+) = l.charge_id AND l.invoice_id = :1
ORDER BY l.id;

-- name: OfAccount :many
SELECT id, invoice_no, state, total, issued_on FROM invoices WHERE account_id = :1 ORDER BY issued_on DESC FETCH FIRST 20 ROWS ONLY;

-- name: Overdue :many
-- Currency is the account's: an invoice has none.
SELECT i.id, i.invoice_no, c.name, i.total, currency, TRUNC(SYSDATE) - i.due_on AS days_late
FROM invoices i
JOIN billing_accounts b ON b.id = i.account_id
JOIN customers c ON c.id = b.customer_id
WHERE i.state = 'issued' AND i.due_on < :1
ORDER BY i.due_on
FETCH FIRST 20 ROWS ONLY;

-- name: Issue :execrows
UPDATE invoices SET state = 'issued', issued_on = TRUNC(SYSDATE) WHERE id = :1 AND state = 'draft';

-- name: MarkPaid :one
UPDATE invoices SET state = 'paid' WHERE id = :1 AND state = 'issued' RETURNING id, total INTO :2, :3;

-- name: Ageing :many
SELECT WIDTH_BUCKET(TRUNC(SYSDATE) - due_on, 0, 90, 3) AS bucket, COUNT(*) AS n, SUM(total) AS total
FROM invoices
WHERE state = 'issued' AND account_id IN (:1, :2, :3)
GROUP BY WIDTH_BUCKET(TRUNC(SYSDATE) - due_on, 0, 90, 3)
ORDER BY 1;
