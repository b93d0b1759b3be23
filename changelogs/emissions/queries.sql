-- What emissions 1.0.7 asks of the shared database.

-- name: Of :one
select kg_co2e, method, computed_at from shipment_emissions where shipment_id = $1;

-- name: Store :exec
insert into shipment_emissions (shipment_id, kg_co2e)
values ($1, $2)
on conflict (shipment_id) do update
set kg_co2e = excluded.kg_co2e, computed_at = now();

-- name: Factor :one
select f.grams_per_tkm, t.name from emission_factors f join vehicle_types t on t.id = f.vehicle_type_id where f.vehicle_type_id = $1;

-- name: Factors :many
select t.name, t.electric, f.grams_per_tkm from emission_factors f join vehicle_types t on t.id = f.vehicle_type_id order by f.grams_per_tkm;

-- name: Recompute :many
select s.id, s.weight_kg, r.lane_id, l.distance_km
from shipments s
join routes r on r.shipment_id = s.id
join lanes l on l.id = r.lane_id
where s.id = any($1::bigint[]);

-- name: Estimate :one
select s.weight_kg / 1000 * coalesce(max(l.distance_km), 500) * 0.08 as kg
from shipments s
left join routes r on r.shipment_id = s.id
left join lanes l on l.id = r.lane_id
where s.id = $1
group by s.id;

-- name: Adjust :execrows
update emission_factors set grams_per_tkm = grams_per_tkm + 0.001 where vehicle_type_id = $1;

-- name: Methods :many
select method, count(*) as n, sum(kg_co2e) as kg from shipment_emissions where shipment_id = any($1::bigint[]) group by method;

-- name: OfOrder :one
select o.id, sum(e.kg_co2e) as kg
from orders o
join shipments s on s.order_id = o.id
join shipment_emissions e on e.shipment_id = s.id
where o.id = $1
group by o.id;

-- name: Heaviest :many
select shipment_id, kg_co2e from shipment_emissions where shipment_id between $1 and $1 + 200 order by kg_co2e desc limit 5;
