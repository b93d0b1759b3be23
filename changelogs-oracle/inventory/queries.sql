-- What inventory 9.2.0 asks of the shared database.

-- name: Product :one
SELECT id, sku, name, weight_kg, tags, JSON_VALUE(attributes, '$.colour') AS colour FROM products WHERE id = :1;

-- name: BySku :one
SELECT id, name, discontinued FROM products WHERE sku = :1;

-- name: Tagged :many
SELECT p.id, p.sku
FROM products p
WHERE JSON_EXISTS(p.tags, '$[*]?(@ == $tag)' PASSING :1 AS "tag")
ORDER BY p.id
FETCH FIRST 20 ROWS ONLY;

-- name: Stock :many
SELECT s.bin_id, s.quantity, s.reserved FROM stock_levels s WHERE s.product_id = :1 ORDER BY s.quantity DESC;

-- name: Available :one
SELECT NVL(SUM(quantity - reserved), 0) AS available FROM stock_levels WHERE product_id = :1;

-- name: Reserve :execrows
UPDATE stock_levels SET reserved = reserved + 1 WHERE product_id = :1 AND bin_id = :2 AND quantity > reserved;

-- name: Receive :exec
MERGE INTO stock_levels l
USING (SELECT :1 AS product_id, :2 AS bin_id, 10 AS quantity FROM dual) n
ON (l.product_id = n.product_id AND l.bin_id = n.bin_id)
WHEN MATCHED THEN UPDATE SET l.quantity = l.quantity + n.quantity, l.counted_at = SYSTIMESTAMP
WHEN NOT MATCHED THEN INSERT (product_id, bin_id, quantity) VALUES (n.product_id, n.bin_id, n.quantity);

-- name: Move :one
-- ack: stock_movements.id
INSERT INTO stock_movements (product_id, bin_id, delta, reason) VALUES (:1, :2, 1, :3) RETURNING id INTO :4;

-- name: Movements :many
SELECT moved_at, delta, reason, SUM(delta) OVER (ORDER BY moved_at, id) AS balance
FROM stock_movements
WHERE product_id = :1
ORDER BY moved_at DESC
FETCH FIRST 30 ROWS ONLY;

-- name: BinContent :many
SELECT p.sku, s.quantity FROM stock_levels s JOIN products p ON p.id = s.product_id WHERE s.bin_id = :1 ORDER BY p.sku FETCH FIRST 50 ROWS ONLY;

-- name: LowStock :many
SELECT p.id, p.sku, SUM(s.quantity) AS quantity
FROM products p
JOIN stock_levels s ON s.product_id = p.id
WHERE p.id BETWEEN :1 AND :2
GROUP BY p.id, p.sku
HAVING SUM(s.quantity) < 5000
ORDER BY 3
FETCH FIRST 10 ROWS ONLY;
