-- What inventory 9.2.0 asks of the shared database.

-- name: Product :one
select id, sku, name, weight_kg, tags, attributes ->> 'colour' as colour from products where id = $1;

-- name: BySku :one
select id, name, discontinued from products where sku = $1;

-- name: Tagged :many
select id, sku from products where tags @> $1::text[] order by id limit 20;

-- name: Stock :many
select s.bin_id, s.quantity, s.reserved from stock_levels s where s.product_id = $1 order by s.quantity desc;

-- name: Available :one
select coalesce(sum(quantity - reserved), 0) as available from stock_levels where product_id = $1;

-- name: Reserve :execrows
update stock_levels set reserved = reserved + 1 where product_id = $1 and bin_id = $2 and quantity > reserved;

-- name: Receive :exec
insert into stock_levels (product_id, bin_id, quantity)
values ($1, $2, 10)
on conflict (product_id, bin_id) do update
set quantity = stock_levels.quantity + 10, counted_at = now();

-- name: Move :one
-- ack: stock_movements.id
insert into stock_movements (product_id, bin_id, delta, reason) values ($1, $2, 1, $3) returning id;

-- name: Movements :many
select at, delta, reason, sum(delta) over (order by at, id) as balance from stock_movements where product_id = $1 order by at desc limit 30;

-- name: BinContent :many
select p.sku, s.quantity from stock_levels s join products p on p.id = s.product_id where s.bin_id = $1 order by p.sku limit 50;

-- name: LowStock :many
select p.id, p.sku, sum(s.quantity) as quantity
from products p
join stock_levels s on s.product_id = p.id
where p.id between $1 and $1 + 50
group by p.id
having sum(s.quantity) < 5000
order by 3 limit 10;
