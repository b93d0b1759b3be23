-- What address-book 2.5.0 asks of the shared database.

-- name: GetAddress :one
SELECT id, customer_id, line1, line2, city, postcode, country FROM addresses WHERE id = :1;

-- name: AddressesOf :many
SELECT id, line1, city, postcode, country FROM addresses WHERE customer_id = :1 ORDER BY created_at DESC FETCH FIRST 50 ROWS ONLY;

-- name: Search :many
SELECT id, line1, city, search_text
FROM addresses
WHERE search_text LIKE UPPER(:1) || '%'
ORDER BY search_text, id
FETCH FIRST 10 ROWS ONLY;

-- name: ByPlace :many
SELECT id, line1, city FROM addresses WHERE country = :1 AND postcode = :2 ORDER BY id FETCH FIRST 20 ROWS ONLY;

-- name: AddAddress :one
-- ack: addresses.id
INSERT INTO addresses (customer_id, line1, city, postcode, country) VALUES (:1, :2, :3, :4, :5) RETURNING id INTO :6;

-- name: CorrectPostcode :execrows
UPDATE addresses SET postcode = :1 WHERE id = :2;

-- name: Touch :exec
MERGE INTO address_usages u
USING (SELECT :1 AS address_id, :2 AS purpose FROM dual) n
ON (u.address_id = n.address_id AND u.purpose = n.purpose)
WHEN MATCHED THEN UPDATE SET u.used = u.used + 1, u.last_used_at = SYSTIMESTAMP
WHEN NOT MATCHED THEN INSERT (address_id, purpose, used, last_used_at) VALUES (n.address_id, n.purpose, 1, SYSTIMESTAMP);

-- name: MostUsed :many
SELECT a.id, a.city, u.purpose, u.used
FROM addresses a
JOIN address_usages u ON u.address_id = a.id
WHERE a.customer_id = :1
ORDER BY u.used DESC
FETCH FIRST 5 ROWS ONLY;

-- name: MissingGeocode :many
SELECT a.id, a.line1, a.city
FROM addresses a, geocode_cache g
WHERE g.address_id (+) = a.id AND a.id > :1 AND g.id IS NULL AND ROWNUM <= 20;

-- name: Duplicates :many
SELECT d.postcode, d.n
FROM (
  SELECT a.postcode, COUNT(*) AS n, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC) AS r
  FROM addresses a
  WHERE a.customer_id IN (:1, :2, :3)
  GROUP BY a.postcode
) d
WHERE d.r <= 10;
