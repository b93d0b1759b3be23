-- What pricing-engine 6.4.0 asks of the shared database.

-- name: PriceFor :many
SELECT r.id, r.price
FROM price_rules r
WHERE r.price_list_id = :1 AND r.lane_id = :2 AND :3 BETWEEN r.min_kg AND r.max_kg
ORDER BY r.price
FETCH FIRST 1 ROW ONLY;

-- name: QuickPrice :exec
CALL pricing_api.price_for(:1, :2, :3) INTO :4;

-- name: Lists :many
SELECT id, name, currency, valid_from, valid_to FROM price_lists WHERE valid_from <= TRUNC(SYSDATE) ORDER BY name;

-- name: Rules :many
SELECT r.id, r.min_kg, r.max_kg, r.price, l.origin_country, l.destination_country
FROM price_rules r
JOIN lanes l ON l.id = r.lane_id
WHERE r.price_list_id = :1 AND r.lane_id = :2
ORDER BY r.min_kg;

-- name: RaisePrice :exec
CALL pricing_api.raise_price(:1, :2);

-- name: Surcharges :many
SELECT id, code, percent, conditions FROM surcharges WHERE active = 1 ORDER BY code;

-- name: FuelSurcharge :many
SELECT code, percent FROM surcharges WHERE JSON_EXISTS(conditions, '$?(@.fuel == true)') AND active = 1 ORDER BY percent DESC FETCH FIRST 5 ROWS ONLY;

-- name: SetSurcharge :execrows
UPDATE surcharges SET percent = :1 WHERE id = :2;

-- name: CheapestLanes :many
SELECT lane_id, MIN(price) AS price FROM price_rules WHERE price_list_id = :1 GROUP BY lane_id ORDER BY 2 FETCH FIRST 10 ROWS ONLY;

-- name: PriceSpread :many
SELECT lane_id, MAX(price) - MIN(price) AS spread, DENSE_RANK() OVER (ORDER BY MAX(price) - MIN(price) DESC) AS r
FROM price_rules
WHERE price_list_id = :1 AND lane_id IN (:2, :3, :4)
GROUP BY lane_id;

-- name: NewRule :one
-- ack: price_rules.id
INSERT INTO price_rules (price_list_id, lane_id, min_kg, max_kg, price) VALUES (:1, :2, 300, 400, :3) RETURNING id INTO :4;
