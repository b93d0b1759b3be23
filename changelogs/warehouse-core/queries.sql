-- What warehouse-core 5.6.0 asks of the shared database.

-- name: Warehouse :one
select id, code, name, country, timezone from warehouses where id = $1;

-- name: ByCode :one
select id, name from warehouses where code = $1;

-- name: ActiveIn :many
select id, code, name from warehouses where country = $1 and active order by code;

-- name: Zones :many
select z.id, z.name, z.temperature, count(b.id) as bins
from warehouse_zones z
left join bins b on b.zone_id = z.id
where z.warehouse_id = $1
group by z.id
order by z.name;

-- name: Bins :many
select id, label, capacity from bins where zone_id = $1 order by label;

-- name: AddBin :exec
insert into bins (zone_id, label, capacity) values ($1, $2, 80) on conflict (zone_id, label) do update set capacity = excluded.capacity;

-- name: FreeBins :many
select b.id, b.label, b.capacity - coalesce(sum(s.quantity), 0) as free
from bins b
left join stock_levels s on s.bin_id = b.id
where b.zone_id = $1
group by b.id
order by 3 desc limit 5;

-- name: Resize :execrows
update bins set capacity = greatest(capacity, 60) where id = $1;

-- name: ColdStorage :many
select w.code, z.name from warehouses w join warehouse_zones z on z.warehouse_id = w.id where z.temperature = $1 order by w.code, z.name limit 50;

-- name: Capacity :one
select sum(b.capacity) as capacity from bins b join warehouse_zones z on z.id = b.zone_id where z.warehouse_id = $1;
