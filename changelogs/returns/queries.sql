-- What returns 1.3.2 asks of the shared database.

-- name: Return :one
select id, shipment_id, reason, state, announced_at from returns where id = $1;

-- name: Announce :one
-- ack: returns.id
insert into returns (shipment_id, reason) values ($1, $2) returning id;

-- name: AddItem :one
-- ack: return_items.id
insert into return_items (return_id, product_id, quantity) values ($1, $2, 1) returning id;

-- name: Receive :execrows
update returns set state = 'received' where id = $1 and state = 'announced';

-- name: Items :many
select i.id, p.sku, i.quantity, i.condition from return_items i join products p on p.id = i.product_id where i.return_id = $1 order by i.id;

-- name: Grade :execrows
update return_items set condition = $2 where id = $1;

-- name: OfShipment :many
select id, state, reason from returns where shipment_id = $1;

-- name: Reasons :many
select reason, count(*) as n from returns where shipment_id = any($1::bigint[]) group by reason order by n desc;

-- name: Restock :many
with r as (update returns set state = 'restocked' where id = $1 and state = 'received' returning id) select i.product_id, i.quantity
from return_items i
join r on r.id = i.return_id;

-- name: Recent :many
select r.id, s.reference, r.reason from returns r join shipments s on s.id = r.shipment_id where r.id > $1 order by r.id limit 20;
