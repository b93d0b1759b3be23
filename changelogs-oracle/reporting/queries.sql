-- What reporting 5.5.0 asks of the shared database.

-- name: Definitions :many
SELECT d.id, d.name, u.display_name AS owner_name FROM report_definitions d LEFT JOIN users u ON u.id = d.owner_id ORDER BY d.name FETCH FIRST 100 ROWS ONLY;

-- name: Definition :one
SELECT id, name, query_text, parameters FROM report_definitions WHERE id = :1;

-- name: Save :exec
MERGE INTO report_definitions d
USING (SELECT :1 AS name, :2 AS owner_id FROM dual) n
ON (d.name = n.name)
WHEN MATCHED THEN UPDATE SET d.query_text = 'SELECT 1 FROM dual'
WHEN NOT MATCHED THEN INSERT (name, query_text, owner_id) VALUES (n.name, 'SELECT 1 FROM dual', n.owner_id);

-- name: Daily :many
SELECT day, carrier_id, shipments, weight_kg FROM daily_shipments WHERE day = :1 ORDER BY shipments DESC FETCH FIRST 20 ROWS ONLY;

-- name: CarrierDaily :many
SELECT day, shipments, SUM(shipments) OVER (ORDER BY day) AS running FROM daily_shipments WHERE carrier_id = :1 ORDER BY day FETCH FIRST 60 ROWS ONLY;

-- name: Top :many
SELECT d.carrier_id, k.name, SUM(d.shipments) AS n, RANK() OVER (ORDER BY SUM(d.shipments) DESC) AS r
FROM daily_shipments d
JOIN carriers k ON k.id = d.carrier_id
WHERE d.day BETWEEN TRUNC(:1) AND TRUNC(:2)
GROUP BY d.carrier_id, k.name
ORDER BY r
FETCH FIRST 10 ROWS ONLY;

-- name: Performance :one
SELECT scac, shipments, on_time FROM carrier_performance WHERE carrier_id = :1;

-- name: Revenue :many
SELECT TRUNC(i.issued_on, 'IW') AS week, SUM(i.total) AS revenue
FROM invoices i
WHERE i.account_id IN (:1, :2, :3)
GROUP BY TRUNC(i.issued_on, 'IW')
ORDER BY 1;

-- name: Customers :many
SELECT c.segment, COUNT(*) AS n, AVG(c.credit_limit) AS mean_limit FROM customers c WHERE c.id BETWEEN :1 AND :2 GROUP BY c.segment;

-- name: SegmentsByCountry :many
SELECT * FROM (SELECT country, segment FROM customers)
PIVOT (COUNT(*) FOR segment IN ('standard' AS standard, 'key' AS key_accounts, 'enterprise' AS enterprise))
ORDER BY country;

-- name: SetParameters :execrows
UPDATE report_definitions SET parameters = JSON_MERGEPATCH(parameters, '{"days": 7}' RETURNING CLOB) WHERE id = :1;

-- name: OrderStates :many
WITH recent AS (SELECT state, total FROM orders WHERE customer_id IN (:1, :2, :3))
SELECT state, COUNT(*) AS n, SUM(total) AS total
FROM recent
GROUP BY ROLLUP (state)
ORDER BY n DESC;

-- name: OpenOrdersOf :many
SELECT reference, total, line_count FROM open_orders WHERE id = :1;
