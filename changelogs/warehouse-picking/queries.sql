-- What warehouse-picking 3.3.3 asks of the shared database.

-- name: NextLists :many
select id, warehouse_id, shipment_id from pick_lists where state = 'open' order by priority desc, created_at limit 3 for update skip locked;

-- name: StartPicking :execrows
update pick_lists set state = 'picking' where id = $1 and state = 'open';

-- name: Tasks :many
select t.id, p.sku, t.bin_id, t.quantity, t.picked from pick_tasks t join products p on p.id = t.product_id where t.list_id = $1 order by t.bin_id;

-- name: CreateList :one
-- ack: pick_lists.id
insert into pick_lists (warehouse_id, shipment_id, priority) values ($1, $2, 1) returning id;

-- name: AddTask :one
-- ack: pick_tasks.id
insert into pick_tasks (list_id, product_id, bin_id, quantity) values ($1, $2, $3, 2) returning id;

-- name: Pick :execrows
update pick_tasks set picked = least(picked + 1, quantity), picker_id = $2 where id = $1;

-- name: MyOpenTasks :many
select id, list_id, quantity - picked as missing from pick_tasks where picker_id = $1 and picked < quantity order by id limit 20;

-- name: ListOfShipment :many
select id, state, priority from pick_lists where shipment_id = $1;

-- name: Progress :one
select sum(picked)::numeric / nullif(sum(quantity), 0) as share from pick_tasks where list_id = $1;

-- name: FinishLists :execrows
update pick_lists l set state = 'done' where l.id = $1 and not exists (select 1 from pick_tasks t where t.list_id = l.id and t.picked < t.quantity);
