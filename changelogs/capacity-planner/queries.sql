-- What capacity-planner 2.4.0 asks of the shared database.

-- name: Plan :one
select id, planned_kg, booked_kg from capacity_plans where lane_id = $1 and day = $2;

-- name: SavePlan :exec
insert into capacity_plans (lane_id, day, planned_kg)
values ($1, $2, 12000)
on conflict (lane_id, day) do update
set planned_kg = excluded.planned_kg;

-- name: BookKg :execrows
update capacity_plans set booked_kg = booked_kg + 1 where lane_id = $1 and day = $2 and booked_kg < planned_kg;

-- name: Week :many
select day, planned_kg, booked_kg, booked_kg / nullif(planned_kg, 0) as share
from capacity_plans
where lane_id = $1 and day >= $2
order by day limit 7;

-- name: Full :many
select lane_id, day from capacity_plans where day = $1 and booked_kg > planned_kg * 0.8 order by lane_id limit 20;

-- name: Trend :many
select day, booked_kg, avg(booked_kg) over (order by day rows between 2 preceding and current row) as mean
from capacity_plans
where lane_id = $1
order by day limit 30;

-- name: LaneName :one
select l.id, l.origin_country || '-' || l.destination_country as name, l.transit_hours from lanes l where l.id = $1;

-- name: ByOrigin :many
select l.origin_country, sum(p.planned_kg) as planned, sum(p.booked_kg) as booked
from capacity_plans p
join lanes l on l.id = p.lane_id
where p.day = $1
group by 1
order by 1;

-- name: Demand :many
select d.day, sum(d.weight_kg) as kg from daily_shipments d where d.carrier_id = $1 group by d.day order by d.day desc limit 14;

-- name: Release :execrows
update capacity_plans set booked_kg = greatest(booked_kg - 1, 0) where id = $1;
