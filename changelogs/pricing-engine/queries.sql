-- What pricing-engine 6.4.0 asks of the shared database.

-- name: PriceFor :many
select r.id, r.price
from price_rules r
where r.price_list_id = $1 and r.lane_id = $2 and r.min_kg <= $3::numeric and r.max_kg > $3::numeric
order by r.price limit 1;

-- name: Lists :many
select id, name, currency, valid_from, valid_to from price_lists where valid_from <= current_date order by name;

-- name: Rules :many
select r.id, r.min_kg, r.max_kg, r.price, l.origin_country, l.destination_country
from price_rules r
join lanes l on l.id = r.lane_id
where r.price_list_id = $1 and r.lane_id = $2
order by r.min_kg;

-- name: RaisePrice :execrows
update price_rules set price = least(price + 0.01, 99999) where id = $1;

-- name: Surcharges :many
select id, code, percent, conditions from surcharges where active order by code;

-- name: FuelSurcharge :many
select code, percent from surcharges where conditions @> '{"fuel": true}' and active order by percent desc limit 5;

-- name: SetSurcharge :execrows
update surcharges set percent = $2::numeric where id = $1;

-- name: CheapestLanes :many
select lane_id, min(price) as price from price_rules where price_list_id = $1 group by lane_id order by 2 limit 10;

-- name: PriceSpread :many
select lane_id, max(price) - min(price) as spread, dense_rank() over (order by max(price) - min(price) desc) as r
from price_rules
where price_list_id = $1 and lane_id = any($2::bigint[])
group by lane_id;

-- name: NewRule :one
-- ack: price_rules.id
insert into price_rules (price_list_id, lane_id, min_kg, max_kg, price) values ($1, $2, 300, 400, $3) returning id;
