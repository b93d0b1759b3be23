-- name: Customer :one
select * from customers where id = $1;
-- name: CustomerByEmail :one
select id, name, email from customers where email = $1;
-- name: SignUp :one
insert into customers (email, name, country, phone) values ($1, $2, $3, $4) returning id, created_at;
-- name: Rename :execrows
update customers set name = $2, phone = $3 where id = $1;
-- name: Annotate :execrows
update customers set notes = coalesce(notes, '') || $2::text where id = $1;
-- name: Countries :many
select country, count(*) from customers group by country order by country;
-- name: Product :one
select id, sku, title, price, weight_g, tags, attributes, active from products where sku = $1;
-- name: Search :many
select id, title from products where title like '%' || $1::text || '%' and active order by id limit 10;
-- name: Tagged :many
select id, sku from products where tags @> array[$1::text] order by id;
-- name: Coloured :many
select id, attributes->>'colour' as colour from products where attributes->>'colour' = $1::text order by id;
-- name: AddProduct :one
insert into products (sku, title, price, weight_g) values ($1, $2, $3, $4) returning id;
-- name: Reprice :execrows
update products set price = $2 where sku = $1;
-- name: UpsertStock :exec
insert into stock (product_id, place, quantity) values ($1, $2, $3)
on conflict (product_id, place) do update set quantity = excluded.quantity;
-- name: Take :one
update stock set quantity = quantity - 1 where product_id = $1 and place = $2 and quantity > 0 returning quantity;
-- name: Shelf :many
select p.sku, s.place, s.quantity from stock s join products p on p.id = s.product_id where s.place = $1 order by p.sku, s.place;
-- name: Place :one
insert into orders (customer_id, coupon) values ($1, $2) returning id, state, placed_on;
-- name: AddLine :exec
insert into order_lines (order_id, line_no, product_id, quantity, price) values ($1, $2, $3, $4, $5);
-- name: Advance :execrows
update orders set state = $2 where id = $1;
-- name: OrdersOf :many
select id, state, placed_on, total from orders where customer_id = $1 order by placed_on desc, id;
-- name: Lines :many
select line_no, product_id, quantity, amount from order_lines where order_id = $1 order by line_no;
-- name: Invoice :many
select o.id, c.name, l.line_no, p.title, l.quantity, l.amount
from orders o join customers c on c.id = o.customer_id join order_lines l on l.order_id = o.id join products p on p.id = l.product_id
where o.id = $1 order by l.line_no;
-- name: Open :many
select id, state, customer from open_orders where email = $1 order by id;
-- name: Active :many
select * from active_products order by id limit 5;
-- name: Deactivate :execrows
update active_products set active = false where sku = $1;
-- name: Total :one
select order_total($1) as total;
-- name: Setting :one
select value from settings where name = $1;
-- name: Set :exec
insert into settings values ($1, $2) on conflict (name) do update set value = excluded.value;
-- name: Everyone :many
select name, 'customer' as kind from customers where id < 5 union all select title, 'product' from products where id < 5 order by 1, 2;
-- name: Coupons :many
select distinct coupon from orders where coupon is not null order by coupon;
-- name: Revenue :many
select placed_on, sum(total) from orders where state <> 'cancelled' group by placed_on order by placed_on;
-- name: Forget :execrows
delete from customers where id = $1 and not exists (select from orders where customer_id = customers.id);
-- name: Dear :many
select id, sku from dear($1) order by id;
-- name: Stocked :many
select order_id, line_no from order_lines where product_id in (select product_id from stock where place = $1) order by 1, 2;
-- name: Noted :many
select o.id from orders o where exists (select 1 from order_lines l where l.order_id = o.id and coupon = $1) order by 1;
-- name: Vouchers :many
select code, owner, worth from vouchers order by code;
-- name: AddVoucher :exec
insert into vouchers (owner, worth) values ($1, $2);
-- name: AddCode :exec
insert into vouchers (code, owner) values ($1, $2) on conflict do nothing;
-- name: Cash :one
select id, (cash).currency from tills where id = $1;
-- name: AllCash :one
select add_all((cash).value) as total from tills;
-- name: OpenTill :exec
insert into tills values ($1, row(5, 'EUR')::amount, null);
-- name: Alike :many
select id from tills where label === upper($1) order by id;
-- name: FromDocument :one
select * from jsonb_populate_record(null::tills, '{"id": 1, "label": "x"}');
