-- What dock-scheduling 1.9.1 asks of the shared database.

-- name: Docks :many
select id, name, kind from docks where warehouse_id = $1 order by name;

-- name: Day :many
select a.id, a.starts_at, a.minutes, a.state, k.name as carrier
from dock_appointments a
left join carriers k on k.id = a.carrier_id
where a.dock_id = $1 and a.starts_at >= $2
order by a.starts_at limit 20;

-- name: Plan :one
-- ack: dock_appointments.id
insert into dock_appointments (dock_id, carrier_id, starts_at, minutes) values ($1, $2, $3, 45) returning id;

-- name: Arrive :execrows
update dock_appointments set state = 'arrived' where id = $1 and state = 'planned';

-- name: Shift :execrows
update dock_appointments set starts_at = starts_at + interval '15 minutes' where id = $1;

-- name: Overlaps :many
select a.id, b.id as other
from dock_appointments a
join dock_appointments b on b.dock_id = a.dock_id and b.id > a.id and b.starts_at < a.starts_at + a.minutes * interval '1 minute' and b.starts_at >= a.starts_at
where a.dock_id = $1 limit 20;

-- name: Utilisation :many
select dock_id, sum(minutes) as minutes
from dock_appointments
where dock_id = any($1::bigint[]) and starts_at >= $2
group by dock_id
order by dock_id;

-- name: CarrierVisits :many
select d.warehouse_id, count(*) as visits
from dock_appointments a
join docks d on d.id = a.dock_id
where a.dock_id = any($1::bigint[])
group by d.warehouse_id;

-- name: NextFree :one
select max(starts_at + minutes * interval '1 minute') as free_at from dock_appointments where dock_id = $1;

-- name: AddDock :exec
insert into docks (warehouse_id, name, kind) values ($1, $2, $3) on conflict (warehouse_id, name) do nothing;
