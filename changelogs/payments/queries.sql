-- What payments 4.4.0 asks of the shared database.

-- name: Payment :one
select id, invoice_id, method_id, amount, state, at from payments where id = $1;

-- name: ByKey :one
select id, state from payments where idempotency_key = $1;

-- name: Pay :one
insert into payments (invoice_id, method_id, amount, idempotency_key)
values ($1, $2, $3, $4)
on conflict (idempotency_key) do update
set at = now()
returning id;

-- name: Settle :execrows
update payments set state = 'settled' where id = $1 and state = 'pending';

-- name: Pending :many
select id, invoice_id, amount from payments where state = 'pending' order by at limit 5 for update skip locked;

-- name: OfInvoice :many
select p.id, p.amount, p.state, m.kind from payments p left join payment_methods m on m.id = p.method_id where p.invoice_id = $1 order by p.at;

-- name: DefaultMethod :one
select id, kind from payment_methods where account_id = $1 and is_default order by id limit 1;

-- name: AddMethod :one
-- ack: payment_methods.id
insert into payment_methods (account_id, kind, token) values ($1, $2, md5($3)) returning id;

-- name: OpenAmount :one
select i.total - coalesce(sum(p.amount) filter (where p.state = 'settled'), 0) as open
from invoices i
left join payments p on p.invoice_id = i.id
where i.id = $1
group by i.id;

-- name: FailureShare :many
select m.kind, count(*) filter (where p.state = 'failed')::numeric / count(*) as share
from payments p
join payment_methods m on m.id = p.method_id
where p.invoice_id = any($1::bigint[])
group by m.kind;
