-- What routing-engine 7.1.0 asks of the shared database.

-- name: Lane :one
select id, distance_km, transit_hours from lanes where origin_country = $1 and destination_country = $2;

-- name: LaneById :one
select id, origin_country, destination_country, distance_km from lanes where id = $1;

-- name: CurrentRoute :one
select id, lane_id, version, plan from routes where shipment_id = $1 order by version desc limit 1;

-- name: SaveRoute :one
-- ack: routes.id
insert into routes (shipment_id, lane_id, version, plan) values ($1, $2, 1, '{"mode": "road", "legs": 2}') returning id;

-- name: AddStop :exec
insert into route_stops (route_id, seq, facility, eta)
values ($1, 9, $2, now() + interval '1 day')
on conflict (route_id, seq) do update
set eta = excluded.eta;

-- name: Stops :many
select seq, facility, eta, eta - lag(eta) over (order by seq) as leg from route_stops where route_id = $1 order by seq;

-- name: ArrivingAt :many
select r.shipment_id, st.eta
from route_stops st
join routes r on r.id = st.route_id
where st.facility = $1 and st.eta >= $2
order by st.eta limit 20;

-- name: Replan :execrows
update routes set version = version + 1, plan = jsonb_set(plan, '{mode}', '"road"'), computed_at = now() where id = $1;

-- name: ByMode :many
select plan ->> 'mode' as mode, count(*) as n from routes where shipment_id = any($1::bigint[]) group by 1;

-- name: ShipmentLanes :many
select s.id, o.country as origin, d.country as destination, l.transit_hours
from shipments s
join addresses o on o.id = s.origin_id
join addresses d on d.id = s.destination_id
left join lanes l on l.origin_country = o.country and l.destination_country = d.country
where s.id = $1;

-- name: SlowLanes :many
select id, transit_hours, ntile(4) over (order by transit_hours) as quartile from lanes order by transit_hours desc limit $1;
