-- What warehouse-picking 3.3.3 asks of the shared database.

-- name: NextLists :many
SELECT id, warehouse_id, shipment_id FROM pick_lists WHERE state = 'open' ORDER BY priority DESC, created_at FOR UPDATE SKIP LOCKED;

-- name: StartPicking :execrows
UPDATE pick_lists SET state = 'picking' WHERE id = :1 AND state = 'open';

-- name: Tasks :many
SELECT t.id, p.sku, t.bin_id, t.quantity, t.picked FROM pick_tasks t JOIN products p ON p.id = t.product_id WHERE t.list_id = :1 ORDER BY t.bin_id;

-- name: CreateList :one
-- ack: pick_lists.id
INSERT INTO pick_lists (warehouse_id, shipment_id, priority) VALUES (:1, :2, 1) RETURNING id INTO :3;

-- name: AddTask :one
-- ack: pick_tasks.id
INSERT INTO pick_tasks (list_id, product_id, bin_id, quantity) VALUES (:1, :2, :3, 2) RETURNING id INTO :4;

-- name: Pick :execrows
UPDATE pick_tasks SET picked = LEAST(picked + 1, quantity), picker_id = :1 WHERE id = :2;

-- name: MyOpenTasks :many
SELECT id, list_id, quantity - picked AS missing FROM pick_tasks WHERE picker_id = :1 AND picked < quantity ORDER BY id FETCH FIRST 20 ROWS ONLY;

-- name: ListOfShipment :many
SELECT l.id, l.state, l.priority, s.status FROM pick_lists l JOIN shipments s ON s.id = l.shipment_id WHERE l.shipment_id = :1;

-- name: Progress :one
SELECT SUM(picked) / NULLIF(SUM(quantity), 0) AS done_share FROM pick_tasks WHERE list_id = :1;

-- name: FinishLists :execrows
UPDATE pick_lists l
SET l.state = 'done'
WHERE l.id = :1 AND NOT EXISTS (SELECT 1 FROM pick_tasks t WHERE t.list_id = l.id AND t.picked < t.quantity);
