-- What customer-accounts 6.0.3 asks of the shared database.

-- name: GetCustomer :one
SELECT id, customer_no, name, country, segment, locale, marketing_opt_in, credit_limit, attributes FROM customers WHERE id = :1;

-- name: FindByName :many
SELECT id, customer_no, name FROM customers WHERE LOWER(name) LIKE LOWER(:1) || '%' ORDER BY LOWER(name) FETCH FIRST 20 ROWS ONLY;

-- name: FindByNumber :one
SELECT id, name, segment FROM customers WHERE customer_no = :1;

-- name: ByIndustry :many
SELECT id, name, JSON_VALUE(attributes, '$.tier' RETURNING NUMBER) AS tier
FROM customers
WHERE JSON_VALUE(attributes, '$.industry' RETURNING VARCHAR2(40)) = :1 AND JSON_EXISTS(attributes, '$?(@.edi == true)')
ORDER BY id
FETCH FIRST 25 ROWS ONLY;

-- name: CreateCustomer :one
-- ack: customers.id
INSERT INTO customers (customer_no, name, country, segment, attributes)
VALUES (:1, :2, :3, 'standard', JSON_OBJECT('tier' VALUE 1, 'source' VALUE :4))
RETURNING id INTO :5;

-- name: SetLocale :execrows
UPDATE customers SET locale = :1 WHERE id = :2;

-- name: SetMarketing :execrows
UPDATE customers SET marketing_opt_in = DECODE(marketing_opt_in, 1, 0, 1) WHERE id = :1;

-- name: RaiseTier :exec
UPDATE customers
SET attributes = JSON_MERGEPATCH(attributes, JSON_OBJECT('tier' VALUE LEAST(NVL(JSON_VALUE(attributes, '$.tier' RETURNING NUMBER), 0) + 1, 5)) RETURNING CLOB)
WHERE id = :1;

-- name: PrimaryContact :one
SELECT c.id, c.name, c.email, c.phone FROM customer_contacts c WHERE c.customer_id = :1 AND c.is_primary = 1;

-- name: AddContact :one
-- ack: customer_contacts.id
INSERT INTO customer_contacts (customer_id, name, email, is_primary) VALUES (:1, :2, :3, 0) RETURNING id INTO :4;

-- name: CurrentAgreement :one
SELECT a.id, a.valid_from, a.valid_to, JSON_VALUE(a.terms, '$.discount') AS discount
FROM customer_agreements a
WHERE a.customer_id = :1 AND a.valid_from <= TRUNC(SYSDATE)
ORDER BY a.valid_from DESC
FETCH FIRST 1 ROW ONLY;

-- name: AccountOverview :many
SELECT c.id, c.name, b.balance, b.state, (SELECT COUNT(*) FROM orders o WHERE o.customer_id = c.id AND o.reference = :1) AS matching
FROM customers c
JOIN billing_accounts b ON b.customer_id = c.id
WHERE c.id = :2;

-- name: Locales :many
SELECT c.locale, c.marketing_opt_in, COUNT(*) AS customers FROM customers c WHERE c.id BETWEEN :1 AND :2 GROUP BY c.locale, c.marketing_opt_in ORDER BY 3 DESC;
