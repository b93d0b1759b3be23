-- What telematics 8.0.0 asks of the shared database.

-- name: Position :exec
insert into vehicle_positions (vehicle_id, at, lat, lon, speed_kmh) values ($1, $2, 50.1, 8.6, 80) on conflict (vehicle_id, at) do nothing;

-- name: Positions :execrows
insert into vehicle_positions (vehicle_id, at, lat, lon) select v, clock_timestamp(), 51.0, 9.0
from unnest($1::bigint[]) v
on conflict (vehicle_id, at) do nothing;

-- name: Last :one
select at, lat, lon, speed_kmh from vehicle_positions where vehicle_id = $1 order by at desc limit 1;

-- name: Track :many
select at, lat, lon from vehicle_positions where vehicle_id = $1 and at >= $2 order by at limit 100;

-- name: Speeds :one
select avg(speed_kmh) as mean, max(speed_kmh) as top from vehicle_positions where vehicle_id = $1;

-- name: LastOfMany :many
select v.id, p.at, p.lat, p.lon
from vehicles v cross
join lateral (select at, lat, lon from vehicle_positions where vehicle_id = v.id order by at desc limit 1) p
where v.id = any($1::bigint[]);

-- name: Stops :many
select at, lat, lon
from (select at, lat, lon, speed_kmh, lag(speed_kmh) over (order by at) as before from vehicle_positions where vehicle_id = $1) t
where speed_kmh < 5 and before >= 5 limit 20;

-- name: Silent :many
select v.id, v.plate
from vehicles v
where v.state = 'active' and v.id between $1 and $1 + 20 and not exists (select 1
from vehicle_positions p
where p.vehicle_id = v.id and p.at > now() - interval '1 day');

-- name: Box :many
select vehicle_id, at from vehicle_positions where vehicle_id = $1 and lat between 48 and 52 and lon between 8 and 12 order by at desc limit 10;

-- name: Sample :many
copy (select vehicle_id, at, lat, lon from vehicle_positions where vehicle_id between 1 and 3 order by vehicle_id, at limit 200) to stdout;
