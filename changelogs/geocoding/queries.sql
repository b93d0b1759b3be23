-- What geocoding 1.12.0 asks of the shared database.

-- name: Lookup :one
select lat, lon, provider, confidence from geocode_cache where address_id = $1;

-- name: Store :exec
insert into geocode_cache (address_id, lat, lon, provider, confidence)
values ($1, 52.5, 13.4, $2, 0.9)
on conflict (address_id) do update
set lat = excluded.lat, lon = excluded.lon, provider = excluded.provider, resolved_at = now();

-- name: Stale :many
select id, address_id from geocode_cache where id > $1 and resolved_at < now() - interval '90 days' order by id limit 25 for update skip locked;

-- name: Refresh :execrows
update geocode_cache set resolved_at = now(), confidence = least(confidence + 0.01, 1) where address_id = $1;

-- name: Nearby :many
select g.address_id, a.city, g.lat, g.lon
from geocode_cache g
join addresses a on a.id = g.address_id
where g.address_id between $1 and $1 + 200 and g.lat between 40 and 55
order by abs(g.lat - 48.1) limit 10;

-- name: ByProvider :many
select provider, count(*) as n, avg(confidence) as confidence from geocode_cache where address_id = any($1::bigint[]) group by provider;

-- name: WithAddress :one
select a.id, a.line1, a.city, a.country, g.lat, g.lon from addresses a left join geocode_cache g on g.address_id = a.id where a.id = $1;

-- name: Distance :one
select o.lat as from_lat, o.lon as from_lon, d.lat as to_lat, d.lon as to_lon
from shipments s
join geocode_cache o on o.address_id = s.origin_id
join geocode_cache d on d.address_id = s.destination_id
where s.id = $1;

-- name: LowConfidence :many
select id, address_id, confidence from geocode_cache where address_id > $1 and confidence < 0.6 order by address_id limit 10;

-- name: CacheAge :one
select min(resolved_at) as oldest, max(resolved_at) as newest from geocode_cache where address_id = any($1::bigint[]);
