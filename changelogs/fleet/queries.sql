-- What fleet 5.2.0 asks of the shared database.

-- name: Vehicle :one
select v.id, v.plate, v.state, v.odometer_km, t.name as type, t.payload_kg, t.electric
from vehicles v
join vehicle_types t on t.id = v.type_id
where v.id = $1;

-- name: ByPlate :one
select id, state from vehicles where plate = $1;

-- name: AtWarehouse :many
select id, plate, state from vehicles where home_warehouse_id = $1 order by plate limit 50;

-- name: SetState :execrows
update vehicles set state = $2 where id = $1;

-- name: Drive :execrows
update vehicles set odometer_km = odometer_km + 12 where id = $1;

-- name: Relocate :execrows
update vehicles set home_warehouse_id = $2 where id = $1;

-- name: Types :many
select id, name, payload_kg from vehicle_types where electric order by payload_kg;

-- name: ActiveCount :many
select t.name, count(*) filter (where v.state = 'active') as active, count(*) as all
from vehicles v
join vehicle_types t on t.id = v.type_id
group by t.name
order by t.name;

-- name: WithPayload :many
select v.id, v.plate
from vehicles v
join vehicle_types t on t.id = v.type_id
where v.state = 'active' and t.payload_kg >= $1
order by t.payload_kg, v.id limit 10;

-- name: Oldest :many
select id, plate, odometer_km, row_number() over (order by odometer_km desc) as r from vehicles where home_warehouse_id = $1 limit 10;
