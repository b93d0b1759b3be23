-- What address-book 2.5.0 asks of the shared database.

-- name: GetAddress :one
select id, customer_id, line1, line2, city, postcode, country from addresses where id = $1;

-- name: AddressesOf :many
select id, line1, city, postcode, country from addresses where customer_id = $1 order by created_at desc limit 50;

-- name: Search :many
select id, line1, city, ts_rank(search, plainto_tsquery('simple', $1)) as rank
from addresses
where search @@ plainto_tsquery('simple', $1)
order by rank desc, id limit 10;

-- name: ByPlace :many
select id, line1, city from addresses where country = $1 and postcode = $2 order by id limit 20;

-- name: AddAddress :one
-- ack: addresses.id
insert into addresses (customer_id, line1, city, postcode, country) values ($1, $2, $3, $4, $5) returning id;

-- name: CorrectPostcode :execrows
update addresses set postcode = $2 where id = $1;

-- name: Touch :exec
insert into address_usages (address_id, purpose, used, last_used_at)
values ($1, $2, 1, now())
on conflict (address_id, purpose) do update
set used = address_usages.used + 1, last_used_at = excluded.last_used_at;

-- name: MostUsed :many
select a.id, a.city, u.purpose, u.used
from addresses a
join address_usages u on u.address_id = a.id
where a.customer_id = $1
order by u.used desc limit 5;

-- name: MissingGeocode :many
select a.id, a.line1, a.city
from addresses a
left join geocode_cache g on g.address_id = a.id
where a.id > $1 and g.id is null
order by a.id limit 20;

-- name: Duplicates :many
select d.postcode, d.n
from (select a.postcode, count(*) as n, row_number() over (order by count(*) desc) as r
from addresses a
where a.customer_id = any($1::bigint[]) group by a.postcode) d
where d.r <= 10;
